"""Writing: from covered frames to a finished file that gets its name last."""
