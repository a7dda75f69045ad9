"""The window's background work, in its own threads."""
