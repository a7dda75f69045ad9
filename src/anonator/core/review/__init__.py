"""Review: what was found in a video, kept; what a person corrected; and the masks of both."""
