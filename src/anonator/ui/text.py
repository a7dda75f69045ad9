"""How numbers, times and results are written for people, and how typed numbers are read."""

from __future__ import annotations

import math

from anonator.core.frames import JobResult
from anonator.errors import AnonatorError

UNKNOWN = "\N{EN DASH}"
"""Stands where a number is not known."""
NOT_REVIEWED = "Not yet reviewed by a person: watch the result before you hand it on."


def duration(seconds: float | None) -> str:
    """Seconds as a clock, "0:42" or "1:02:03"; a dash where nothing is known."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    minutes, secs = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{secs:02}" if hours else f"{minutes}:{secs:02}"


def moment(seconds: float) -> str:
    """A moment in a video to a tenth of a second, "1:02.5"."""
    tenths = max(0, round(seconds * 10))
    minutes, rest = divmod(tenths, 600)
    return f"{minutes}:{rest // 10:02}.{rest % 10}"


def size(count: int | None) -> str:
    """Bytes as "2.5 MB"; a dash where nothing is known."""
    if count is None:
        return UNKNOWN
    value = float(count)
    for unit in ("B", "KB", "MB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or value >= 100 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} GB"


def count(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun, "1 video" or "3 videos"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def parse_number(typed: str, low: float, high: float) -> float | None:
    """The number that was typed, with a decimal point or comma; None where it is none in low..high."""
    try:
        value = float(typed.strip().replace(",", "."))
    except ValueError:
        return None
    return value if low <= value <= high else None


def result_summary(result: JobResult) -> str:
    """What a finished job did, in plain words."""
    if result.tracks:
        first = (
            f"{count(result.tracks, 'face')} followed, masks on {result.masked_frames:,} of "
            f"{count(result.frames, 'frame')}."
        )
    else:
        first = f"No face was found in {count(result.frames, 'frame')}."
    checked = f"Checked: all {count(result.frames, 'frame')} were found again in the finished file."
    notes = " ".join(result.notes)
    parts = (first, f"Sound: {result.audio}.", checked, notes, NOT_REVIEWED)
    return " ".join(part for part in parts if part)


def queue_summary(states: list[str]) -> str:
    """How a queue ended, from its jobs' states: "2 done, 1 failed"."""
    parts = [f"{states.count(state)} {state}" for state in ("done", "failed", "cancelled") if state in states]
    line = ", ".join(parts).capitalize()
    return f"{line}. Not yet reviewed by a person" if "done" in states else line


def error_sentence(error: BaseException) -> str:
    """One sentence and a next step for any error; only Anonator's own texts are shown as they are."""
    if isinstance(error, AnonatorError) and str(error):
        return str(error)
    return (
        f"Something unexpected happened ({type(error).__name__}); details are in the log. "
        "Try again, and restart Anonator if it happens again."
    )
