"""Anonator takes the faces out of videos."""
