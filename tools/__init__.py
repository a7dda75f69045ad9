"""Scripts for those who work on the program; they are no part of it."""
