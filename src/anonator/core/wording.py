"""Sentences that the window, the terminal and the report have in common."""

from __future__ import annotations

from anonator.core.frames import NO_SOUND

NO_FACE = "No face was found, so nothing was covered. Watch the whole video before you share it."
"""The note of a job that covered nothing."""


def sound_sentence(audio: str) -> str:
    """What became of the sound; takes JobResult.audio."""
    return "The original has no sound." if audio == NO_SOUND else f"Sound: {audio}."


def covered_through(gaps: int) -> str:
    """How often a mask was carried on without a detection, as the end of a sentence."""
    moments = "1 moment" if gaps == 1 else f"{gaps:,} moments"
    return f"through {moments} in which the face was not detected"


def not_covered(*, sound: bool) -> str:
    """What the program doesn't find, in one line; with the voices if the sound may be kept."""
    rest = "name tags, screens and voices" if sound else "name tags and screens"
    return f"Anonator covers faces only: check {rest} yourself."
