"""Checks: what a finished file must pass before it gets its name, and the report on it."""
