"""Thousands of videos, on one machine or many: a plan, records of what is done, and engines that exist."""
