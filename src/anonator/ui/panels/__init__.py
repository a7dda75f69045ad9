"""The parts of the window that people work with."""
