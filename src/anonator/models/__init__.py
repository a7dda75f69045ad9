"""Weights that ship with the program, with their licence and origin."""
