"""Finished videos of earlier runs: found for the rows of the queue, and compared when they are dropped."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from anonator.core.job import default_target
from anonator.ui.questions import Dropped, Questions
from anonator.ui.state import text
from anonator.ui.state.app_state import AppState, Store
from anonator.ui.state.job import ACTIVE, ResultFile, RowKey, RunState
from anonator.ui.state.job_queue import JobController
from anonator.ui.work import results
from anonator.ui.work.worker import Worker

logger = logging.getLogger(__name__)

Question = tuple[Path, Path | None, Path | None, tuple[Path, ...]]
"""A video, the folders for results and for reports, and the videos whose results would have the same name."""


class Finished:
    """Looks for results in a worker, and puts what it finds into the queue."""

    def __init__(
        self,
        store: Store,
        queue: JobController,
        worker: Worker,
        questions: Questions,
        *,
        add: Callable[[Sequence[Path], ResultFile | None], object],
        refresh: Callable[[], None],
    ) -> None:
        """Set it up.

        Args:
            store: holds the state.
            queue: the jobs.
            worker: reads files.
            questions: asks what to do with a result that was dropped.
            add: adds a video to the queue; with a result, as one that is done.
            refresh: copies the queue into the state.
        """
        self._store, self._queue, self._worker = store, queue, worker
        self._questions, self._add, self._refresh = questions, add, refresh
        self._asked: dict[RowKey, Question] = {}

    # --- rows that have results already

    def follow(self, state: AppState) -> None:
        """Look for results of rows that are new, or whose results would be saved elsewhere now."""
        keys = {job.key for job in state.jobs}
        self._asked = {key: question for key, question in self._asked.items() if key in keys}
        targets = {job.number: default_target(job.source, state.folder) for job in state.jobs}
        namesakes: defaultdict[Path, dict[Path, None]] = defaultdict(dict)
        for job in state.jobs:
            namesakes[targets[job.number]][job.source] = None
        for job in state.jobs:
            if job.state in ACTIVE or job.is_done or job.info is None or job.again is not None:
                continue
            question = job.source, state.folder, state.report_folder, tuple(namesakes[targets[job.number]])
            if self._asked.get(job.key) != question:
                self._asked[job.key] = question
                found = partial(self._found, job.key, question)
                self._worker.submit(partial(results.find, *question), found, _log)

    def _found(self, of: RowKey, question: Question, result: ResultFile | None) -> None:
        job = self._queue.get(of.number)
        if job is None or job.key != of or job.is_done or result is None or self._asked.get(of) != question:
            return
        self._queue.update(of.number, result_file=result)
        self._refresh()

    # --- results that were dropped

    def take(self, dropped: Sequence[Path], in_folders: Sequence[Path], known: Sequence[Path]) -> None:
        """Compare results that came in with their originals.

        Args:
            dropped: results that were named one by one.
            in_folders: those that lay in folders.
            known: the videos of the queue, and those that came with them.
        """
        if dropped or in_folders:
            reports = self._store.state.report_folder
            work = partial(_look_at, (*dropped, *in_folders), tuple(known), reports)
            self._worker.submit(work, partial(self._sort, set(dropped), set(known)), _log, first=True)

    def _sort(self, dropped: set[Path], known: set[Path], looked_at: Sequence[LookedAt]) -> None:
        if len(dropped) == 1 and len(looked_at) == 1 and looked_at[0][1] not in known:
            self._ask(*looked_at[0])
            return
        here = [each for each in looked_at if each[1] in known]
        for result, original in looked_at:
            if original is not None:
                self._show(original, result)
        self._store.say(_summary(here, looked_at))

    def _ask(self, result: ResultFile, original: Path | None) -> None:
        """Say what a single result is, and compare it if people want to."""
        answer = self._questions.dropped_result(result, original)
        if answer is Dropped.ADD:
            self._add([result.path], None)
        elif answer is Dropped.COMPARE:
            chosen = original or self._questions.original_of(result.path)
            if chosen is not None:
                self._show(chosen, result)

    def _show(self, original: Path, result: ResultFile) -> None:
        """Put a result into its original's row, or into one of its own, and choose that."""
        rows = (job for job in self._queue.jobs if job.source == original and job.state not in ACTIVE)
        job = next(rows, None)
        if job is None:
            self._add([original], result)
            return
        self._queue.update(job.number, result_file=result)
        self._refresh()
        if self._store.state.run is RunState.IDLE:
            self._store.change(chosen=job.number)


LookedAt = tuple[ResultFile, Path | None]
"""A result, and its original if it was found."""


def _look_at(paths: Sequence[Path], known: Sequence[Path], reports: Path | None) -> list[LookedAt]:
    found = ((results.look_into(path, reports), results.original_of(path, known)) for path in paths)
    return [(result, original) for result, original in found if result is not None]


def _summary(here: Sequence[LookedAt], looked_at: Sequence[LookedAt]) -> str:
    """What became of results that came in.

    Args:
        here: those whose originals are in the queue.
        looked_at: all.
    """
    said = []
    lost = sum(original is None for _, original in looked_at)
    added = len(looked_at) - lost - len(here)
    if len(here) == 1:
        result, original = here[0]
        assert original is not None
        said.append(f"{result.path.name} is the result of {original.name}. Choose its row to compare them.")
    elif here:
        said.append(f"{len(here)} results of these videos are in their rows, to compare.")
    if added:
        videos = text.count(added, "finished video")
        said.append(f"{videos} that Anonator made {'is' if added == 1 else 'are'} shown with the original.")
    if lost:
        were, originals = ("was", "its original isn't") if lost == 1 else ("were", "their originals aren't")
        said.append(
            f"{text.count(lost, 'file')} that Anonator made {were} skipped, because {originals} in the same "
            "folder. Add one by itself to choose its original."
        )
    return " ".join(said)


def _log(error: Exception) -> None:
    logger.info("looking for results failed: %s", type(error).__name__)
