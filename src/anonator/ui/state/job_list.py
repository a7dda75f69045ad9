"""The ordered list of jobs, and what changed in it since the last look; no run, no widgets."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PIL import Image

from anonator.ui.state.job import (
    FINISHED,
    RETRIED,
    WITH_RESULT,
    Clear,
    JobState,
    JobView,
    MediaInfo,
    ResultFile,
)


class JobList:
    """Jobs by number, in the order they run."""

    def __init__(self) -> None:
        self._jobs: dict[int, JobView] = {}
        self._numbers = itertools.count(1)
        self._changed: set[int] = set()
        self._order_changed = False

    @property
    def jobs(self) -> tuple[JobView, ...]:
        """All jobs, in order."""
        return tuple(self._jobs.values())

    def get(self, number: int | None) -> JobView | None:
        """The job with this number, or None."""
        return None if number is None else self._jobs.get(number)

    def waiting(self) -> tuple[JobView, ...]:
        """The jobs that Start would run."""
        return tuple(job for job in self.jobs if job.state is JobState.WAITING)

    def add(self, sources: Sequence[Path]) -> tuple[int, ...]:
        """Append videos and return their numbers; one already waiting or running isn't added twice."""
        there = {job.source for job in self.jobs if job.state not in FINISHED}
        numbers = []
        for source in sources:
            if source in there:
                continue
            there.add(source)
            number = next(self._numbers)
            self._jobs[number] = JobView(number, source)
            self._order_changed = True
            self._changed.add(number)
            numbers.append(number)
        return tuple(numbers)

    def add_done(self, source: Path, result: ResultFile) -> int:
        """Append a video with a result that an earlier run made, and return its number."""
        number = next(self._numbers)
        self._jobs[number] = JobView(number, source, JobState.DONE, target=result.path, result_file=result)
        self._order_changed = True
        self._changed.add(number)
        return number

    def update(self, number: int, **values: object) -> None:
        """Change some fields of a job."""
        self._jobs[number] = replace(self._jobs[number], **values)  # type: ignore[arg-type]
        self._changed.add(number)

    def begin_anew(self, number: int, **values: object) -> None:
        """Change some fields of a job whose pictures so far are those of an earlier run."""
        self.update(number, generation=self._jobs[number].generation + 1, **values)

    def set_info(self, number: int, info: MediaInfo, thumbnail: Image.Image | None = None) -> None:
        """Note what was found out about the file."""
        if number in self._jobs:
            self.update(number, info=info, thumbnail=thumbnail)

    def set_unreadable(self, number: int, message: str) -> None:
        """Mark a waiting job as failed because its file can't be read."""
        job = self._jobs.get(number)
        if job is not None and job.state is JobState.WAITING:
            self.update(number, state=JobState.FAILED, message=message)

    def remove(self, number: int) -> None:
        """Remove a job."""
        if self._jobs.pop(number, None) is not None:
            self._order_changed = True

    def move(self, number: int, steps: int) -> None:
        """Move a job up (negative) or down."""
        order = list(self._jobs)
        if number not in order:
            return
        at = order.index(number)
        to = max(0, min(len(order) - 1, at + steps))
        order.insert(to, order.pop(at))
        self._jobs = {key: self._jobs[key] for key in order}
        self._order_changed = True

    def retry(self, number: int) -> None:
        """Put a failed, cancelled or skipped job back in the queue."""
        job = self._jobs.get(number)
        if job is not None and job.state in RETRIED:
            self.begin_anew(number, state=JobState.WAITING, progress=None, message="", target=None)

    def clear(self, what: Clear) -> None:
        """Remove the jobs that have ended: those with a result, or all of them."""
        gone = FINISHED if what is Clear.ALL else WITH_RESULT
        self._jobs = {key: job for key, job in self._jobs.items() if job.state not in gone}
        self._order_changed = True

    def take_changes(self) -> tuple[frozenset[int], bool]:
        """The numbers of the jobs that changed since the last call, and whether the order did."""
        changed, order = frozenset(self._changed), self._order_changed
        self._changed.clear()
        self._order_changed = False
        return changed, order
