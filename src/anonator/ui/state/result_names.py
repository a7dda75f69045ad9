"""The names of the results of the window's queue, settled when a run starts."""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence
from pathlib import Path

from anonator.core.config import Settings
from anonator.core.result_names import ResultName, is_taken, plan
from anonator.ui.state.job import Existing, JobState, JobView

SKIPPED = "Skipped because its result already exists. Run it again to make another one."
SAME_VIDEO = "Skipped. {} Run it again to make another result."


class RunNames:
    """What each job of a run writes, and whether it may replace an older result."""

    def __init__(
        self,
        settings: Settings | None = None,
        folder: Path | None = None,
        report_folder: Path | None = None,
    ) -> None:
        """Nothing is settled yet.

        Args:
            settings: for every job of the run.
            folder: where results are saved; None means next to each video.
            report_folder: where reports are saved; None means next to each result.
        """
        self._settings, self._folder, self.report_folder = settings or Settings(), folder, report_folder
        self._names: dict[int, ResultName] = {}
        """By job; names of removed jobs stay reserved, so no other job takes them."""
        self._replacing: set[int] = set()
        self._again: set[int] = set()
        """Those of replacing that replace the result in their own row, whatever its name."""

    def conflicts(self, jobs: Sequence[JobView]) -> tuple[JobView, ...]:
        """The waiting jobs whose result an earlier run already made."""
        waiting = [job for job in _waiting(jobs) if job.again is None]
        names = self._plan(waiting, jobs)
        return tuple(job for job, name in zip(waiting, names, strict=True) if self._is_conflict(name))

    def settle(
        self, jobs: Sequence[JobView], existing: Existing, asked: Collection[int] | None
    ) -> dict[int, str]:
        """Name the results of the waiting jobs.

        Args:
            jobs: the whole queue.
            existing: what to do with older results.
            asked: the jobs the user was asked about; None means all. The others keep both.

        Returns:
            The numbers of the jobs to skip, with the reason.
        """
        wanted = [job for job in _waiting(jobs) if asked is None or job.number in asked]
        for job in wanted:  # first, so that nobody else gets their names
            if job.again is Existing.OVERWRITE and job.result_file is not None:
                self._names[job.number] = ResultName(job.source, job.result_file.path)
                self._replacing.add(job.number)
                self._again.add(job.number)
        # who is to keep both gets a name when it runs, like one that was added later
        waiting = [job for job in wanted if job.again is None]
        skipped: dict[int, str] = {}
        names = self._plan(waiting, jobs, avoid_existing=existing is Existing.KEEP_BOTH)
        for job, name in zip(waiting, names, strict=True):
            if name.same_as is not None:
                skipped[job.number] = SAME_VIDEO.format(name.why)
                continue
            self._names[job.number] = name
            if existing is not Existing.KEEP_BOTH and self._is_conflict(name):
                if existing is Existing.OVERWRITE:
                    self._replacing.add(job.number)
                else:
                    skipped[job.number] = SKIPPED
        return skipped

    def take(self, job: JobView, jobs: Sequence[JobView]) -> tuple[ResultName, bool]:
        """The result's name of a job that is about to run, and whether it may replace a file.

        A job that was added after settle, or whose name was taken meanwhile, gets a free one.
        """
        name = self._names.pop(job.number, None)
        replace = job.number in self._replacing
        if name is None or not self._is_still_good(name, job, jobs, replace):
            replace = False
            (name,) = self._plan([job], jobs, avoid_existing=True)
        self._names[job.number] = name
        return name, replace

    def forget(self, number: int) -> None:
        """Give a job that is tried again a new name, which replaces nothing."""
        self._names.pop(number, None)
        self._replacing.discard(number)
        self._again.discard(number)

    def note(self, number: int) -> str:
        """Why a job's result doesn't have its plain name; empty if it does."""
        return self._names[number].why if number in self._names else ""

    def _is_conflict(self, name: ResultName) -> bool:
        return name.same_as is None and self._is_taken(name.target)

    def _is_taken(self, target: Path) -> bool:
        return is_taken(target, self._settings, self.report_folder)

    def _is_still_good(self, name: ResultName, job: JobView, jobs: Sequence[JobView], replace: bool) -> bool:
        if not replace:
            return not self._is_taken(name.target)
        if job.number in self._again:
            return not any(_same_file(name.target, other.source) for other in jobs)
        # a video added meanwhile may have the name of the result
        return self._plan([job], jobs)[0].target == name.target

    def _plan(
        self, wanted: Sequence[JobView], jobs: Sequence[JobView], *, avoid_existing: bool = False
    ) -> tuple[ResultName, ...]:
        made = [
            ResultName(job.source, job.result_file.path)
            for job in jobs
            if job.result_file is not None and not _is_new(job) and os.path.lexists(job.result_file.path)
        ]
        return plan(
            [job.source for job in wanted],
            self._folder,
            self._settings,
            inputs=[job.source for job in jobs],
            results=[*made, *self._names.values()],
            avoid_existing=avoid_existing,
            report_folder=self.report_folder,
        )


def _is_new(job: JobView) -> bool:
    """Whether a job waits for its first run, in which it may take the name of an older result."""
    return job.state is JobState.WAITING and job.again is None


def _same_file(a: Path, b: Path) -> bool:
    try:
        return os.path.samefile(a, b)
    except OSError:  # one of them isn't there
        return os.path.abspath(a) == os.path.abspath(b)


def _waiting(jobs: Sequence[JobView]) -> list[JobView]:
    return [job for job in jobs if job.state is JobState.WAITING]
