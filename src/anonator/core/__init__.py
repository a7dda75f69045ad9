"""The engine: everything between a video file and its anonymized copy, without a window."""
