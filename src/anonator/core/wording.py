"""Sentences that the window, the terminal and the report have in common."""

from __future__ import annotations

from anonator.core.job import NO_SOUND

NO_FACE = "No face was found, so nothing was covered. Watch the whole video before you share it."
"""The note of a job that covered nothing."""
NOT_COVERED = (
    "Only faces are covered. Name tags, screens and papers stay visible, and voices stay if sound is kept."
)
"""What people must look after themselves, said where they start a job, at its end, and in its report."""

NOBODY_YET = "nobody yet"
"""Who reviewed a result that nobody has signed, as a report says it."""


def sound_sentence(audio: str) -> str:
    """What became of the sound; takes JobResult.audio."""
    return "The original has no sound." if audio == NO_SOUND else f"Sound: {audio}."


def covered_through(gaps: int) -> str:
    """How often a mask was carried on without a detection, as the end of a sentence."""
    moments = "1 moment" if gaps == 1 else f"{gaps:,} moments"
    return f"also through {moments} in which the face was not detected"
