"""How long the rest of a job will take, by what its stages have taken so far: checks, and a repair."""

from __future__ import annotations

import os
from collections.abc import Mapping

from anonator.core.attempt import Attempt, Run
from anonator.core.checks.second_look import TURNED_EFFORT, effort, frames_to_look_at

PLAYING = 0.1
"""What it takes to play a finished file, as a share of what it took to write it."""
COMPARED = 0.25
"""What comparing with the input adds to a second look, as a share of it: from nothing to 0.9, in a crowd."""

UNCHANGED = 0.3
"""What looking at a repaired file takes, where most of it is known from the first one, as a share of that."""


def checks(run: Run, attempt: Attempt) -> float | None:
    """Seconds that the checks of this attempt will take; None at first."""
    if run.checking is not None:
        return run.checking
    took, share = run.times.seconds(), attempt.share
    if share <= 0 or not attempt.masked:
        return None
    seconds = PLAYING * took.get("writing", 0.0)
    if run.may_repair:
        seconds += took.get("reading", 0.0)
        if not run.watches_in_passing:
            seconds += run.second_seconds * attempt.masked
    if run.job.settings.hipaa:
        looking = took.get("detection", 0.0) * _alone(took)
        seconds += looking * (1 + COMPARED) * _second_looks(run)
    return seconds / share


def whole_pass(run: Run) -> float | None:
    """Seconds that one pass over the video will take; None for the first, which nobody knows beforehand."""
    return rewriting(run) if run.repairs else None


def rewriting(run: Run) -> float:
    """Seconds of a repair, which reads, covers and writes all frames again, but searches none."""
    if run.rewriting is not None:
        return run.rewriting
    took = run.times.seconds()
    slower = max(took.get("reading", 0.0), took.get("masking", 0.0) + took.get("writing", 0.0))
    return slower * (1 - _crowded_out(took) / 2)  # the detector's threads and theirs had to take turns


def _crowded_out(took: Mapping[str, float]) -> float:
    """Share of their time for which the other stages had to share all processors with the detector."""
    longest = max((seconds for stage, seconds in took.items() if stage != "checks"), default=0.0)
    return 0.0 if _spare() or not longest else took.get("detection", 0.0) / longest


def checking_again(run: Run) -> float:
    """What the checks of the next, repaired file will take, as a share of what those of this one take."""
    return UNCHANGED if run.second is not None and run.memory is None else 1.0


def _alone(took: Mapping[str, float]) -> float:
    """Share of its time that the detector needs alone, where other stages share its processors with it."""
    processors = os.cpu_count() or 1
    busy = [seconds for stage, seconds in took.items() if stage != "checks"]
    others = sum(busy) - took.get("detection", 0.0)
    # the slowest stage works all the time, so its time is that of all
    return 1 - min(1.0, max(0.0, others / max(*busy, 1e-9) - _spare()) / processors)


def _spare() -> int:
    """How many processors the detector leaves to the other stages."""
    processors = os.cpu_count() or 1
    return processors // 4 if processors > 2 else 0


def _second_looks(run: Run) -> float:
    """What a second look at the frames so far costs, in what the first one cost."""
    seen, known = run.second_looks
    if len(run.record) > 1.2 * seen and run.record.looked_at:  # seldom, because it goes over all of them
        wanted = frames_to_look_at(run.record, another_sees_all=run.second is not None)
        known = effort(wanted) / (run.record.looked_at + (TURNED_EFFORT - 1) * len(run.record.turned))
        run.second_looks = len(run.record), known
    return known
