"""The window: it shows what the engine reports and starts jobs, and computes nothing itself."""
