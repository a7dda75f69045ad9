"""Tracking: scene cuts, which frames are looked at, and what is covered between looks."""
