"""Numbers, times and results in words."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from anonator.core.clock_text import clock_text
from anonator.core.job import JobResult, Progress, Stage
from anonator.core.wording import covered_through, sound_sentence
from anonator.errors import AnonatorError
from anonator.ui.state.job import ResultFile

UNKNOWN = "\N{EN DASH}"
"""Shown where a number isn't known."""
ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
BULLET = "\N{CHECK MARK}  "
LOADING_ENGINE = "Loading the engine…"
READYING = "Getting the engine ready…"
NOT_REVIEWED = "Not yet reviewed by a person: watch the result before you share it."


def duration(seconds: float | None) -> str:
    """Seconds as a clock, "0:42" or "1:02:03"; a dash if unknown."""
    if seconds is None or not math.isfinite(seconds):
        return UNKNOWN
    return clock_text(seconds, 0)


def moment(seconds: float) -> str:
    """A position in a video to a tenth of a second, "1:02.5"."""
    return clock_text(seconds, 1)


def size(count: int | None) -> str:
    """Bytes as "2.5 MB"; a dash if unknown."""
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


def shortened(words: str, room: int, measure: Callable[[str], int]) -> str:
    """The words, cut off with an ellipsis if they are wider than the space they have.

    Args:
        words: one line.
        room: the available width, in pixels.
        measure: the width of a text in pixels.
    """
    if measure(words) <= room:
        return words
    fits, too_long = 0, len(words)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        if measure(words[:middle].rstrip() + ELLIPSIS) <= room:
            fits = middle
        else:
            too_long = middle
    return words[:fits].rstrip(" .") + ELLIPSIS


def result_summary(result: JobResult) -> str:
    """What a finished job did, one line per fact; what people must do comes first.

    Tracks aren't counted here: one person may give several, and a doubtful one may be nobody.
    """
    frames = count(result.frames, "frame")
    if result.tracks or result.masked_frames:
        done = f"Something was covered in {result.masked_frames:,} of {frames}"
        if result.gaps_bridged:
            done += f", {covered_through(result.gaps_bridged)}"
    else:
        done = f"Nothing was covered in {frames}"
    if result.replaced_frames:
        done += f"; {count(result.replaced_frames, 'frame')} blacked out because the video is damaged there"
    lines = [
        f"Reviewed by {result.reviewed_by}." if result.reviewed_by else NOT_REVIEWED,
        f"{done}. {sound_sentence(result.audio)} Saved as {result.target.name}.",
        *result.notes,
    ]
    if result.checks:
        lines.append(f"Passed {count(len(result.checks), 'check')} of the finished file:")
        lines += [f"{BULLET}{sentence}" for sentence in result.checks]
    return "\n".join(lines)


def how_made(result: ResultFile) -> str:
    """How and when a result was made, "in HIPAA mode on 26 November 2026, 10:12"."""
    when = "" if result.made is None else f"on {result.made.day} {result.made:%B %Y, %H:%M}"
    if result.hipaa is None:
        return f"{when} (no report says how)".strip()
    mode = "HIPAA mode" if result.hipaa else "standard mode"
    return f"in {mode} {when}".strip()


def has_result(result: ResultFile, source: Path) -> str:
    """A sentence about the result that a video has."""
    where = "" if result.path.parent == source.parent else f", in {result.path.parent}"
    return f"Has a result, made {how_made(result)}: {result.path.name}{where}."


def report_says(result: ResultFile) -> str:
    """Whether a result of an earlier run was reviewed, and what people must know about it, a line each."""
    if result.reviewed_by is None:
        return ""
    reviewed = f"Reviewed by {result.reviewed_by}." if result.reviewed_by else NOT_REVIEWED
    return "\n".join((reviewed, *result.warnings))


def stage(progress: Progress | None) -> str:
    """What a running job is doing besides working through the frames; "" if nothing."""
    if progress is None:
        return "Opening the video and looking ahead…"
    return {
        Stage.WORKING: "",
        Stage.CHECKING: "Checking the finished file…",
        Stage.REPAIRING: "Covering a face that the check found…",
    }[progress.stage]


def whole_job(result: JobResult) -> Progress:
    """The final progress of a finished job: all its frames and its total time."""
    fps = result.frames / result.seconds if result.seconds > 0 else 0.0
    return Progress(result.frames, result.frames, result.seconds, fps, 0.0, done=1.0)


def queue_summary(states: list[str], *, reviewed: bool = False) -> str:
    """How a queue ended, from its jobs' states, "2 done, 1 failed", and whether all results are reviewed."""
    ends = ("done", "failed", "cancelled", "skipped")
    line = ", ".join(f"{states.count(state)} {state}" for state in ends if state in states)
    if "done" not in states:
        return line
    return f"{line}. {'Reviewed' if reviewed else 'Not yet reviewed by a person'}"


def error_sentence(error: BaseException) -> str:
    """One sentence and a next step for any error; only Anonator's own messages are shown as they are."""
    if isinstance(error, AnonatorError) and str(error):
        return str(error)
    return (
        f"Something unexpected happened ({type(error).__name__}); details are in the log. "
        "Try again, and restart Anonator if it happens again."
    )
