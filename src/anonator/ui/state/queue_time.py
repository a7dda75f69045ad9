"""How long the whole queue still takes, by how long the running job takes for each second of its video."""

from __future__ import annotations

from collections.abc import Sequence

from anonator.ui.state.job import JobView


def remaining_seconds(current: JobView | None, waiting: Sequence[JobView]) -> float | None:
    """Time until the last job is done; None if unknown.

    Args:
        current: the running job.
        waiting: the jobs after it.
    """
    progress = current.progress if current else None
    if current is None or progress is None or progress.remaining_seconds is None:
        return None
    if not waiting:
        return progress.remaining_seconds
    # as long for each second of video as the running job takes, its checks included
    lengths = [job.info.seconds if job.info else None for job in (current, *waiting)]
    own, *others = lengths
    if not own or None in others:
        return None
    whole = progress.elapsed_seconds + progress.remaining_seconds
    return progress.remaining_seconds + whole * sum(each or 0.0 for each in others) / own
