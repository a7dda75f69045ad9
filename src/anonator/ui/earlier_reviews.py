"""Reviews that this computer keeps from earlier runs: found for the rows of the queue, and removed."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.errors import ReviewError
from anonator.ui.questions import Questions
from anonator.ui.review_files import mark_of
from anonator.ui.state import text
from anonator.ui.state.app_state import AppState, Store
from anonator.ui.state.job import ACTIVE, ReviewMark, RowKey
from anonator.ui.state.job_queue import JobController
from anonator.ui.work.thumbnails import video_module
from anonator.ui.work.worker import Worker

if TYPE_CHECKING:
    from anonator.core.review.kept_reviews import Unfinished

logger = logging.getLogger(__name__)

NO_REVIEWS = "This computer keeps no unfinished reviews."


class EarlierReviews:
    """Looks for them in a worker, and puts what it finds into the queue."""

    def __init__(
        self,
        store: Store,
        queue: JobController,
        worker: Worker,
        questions: Questions,
        *,
        refresh: Callable[[], None],
        told: Callable[[int], object],
    ) -> None:
        """Set it up.

        Args:
            store: holds the state of the window.
            queue: the jobs.
            worker: reads files.
            questions: asks before reviews are removed.
            refresh: copies the queue into the state.
            told: called with the number of a row whose review was found.
        """
        self._store, self._queue, self._worker = store, queue, worker
        self._questions, self._refresh, self._told = questions, refresh, told
        self._looked_for: set[RowKey] = set()

    def follow(self, state: AppState) -> None:
        """Look for kept reviews of rows with a result of an earlier run."""
        keys = {job.key for job in state.jobs}
        self._looked_for &= keys
        for job in state.jobs:
            if job.key in self._looked_for or job.result_file is None or job.review is not None:
                continue
            if job.state in ACTIVE or job.result is not None:
                continue
            self._looked_for.add(job.key)
            self._worker.submit(partial(_kept, job.source), partial(self._found, job.key), _log)

    def _found(self, of: RowKey, mark: ReviewMark | None) -> None:
        job = self._queue.get(of.number)
        if mark is not None and job is not None and job.key == of and job.review is None:
            self._queue.update(of.number, review=mark)
            self._refresh()
            self._told(of.number)

    def remove_all(self) -> None:
        """Remove all reviews that nobody has signed, after a question."""
        self._worker.submit(_unfinished, self._ask_removal, self._say_error, first=True)

    def _ask_removal(self, there: Unfinished) -> None:
        if not (there.begun or there.untouched):
            self._store.say(NO_REVIEWS)
        elif self._questions.remove_reviews(len(there.begun), len(there.untouched)):
            self._worker.submit(
                partial(_remove, there), partial(self._removed, there), self._say_error, first=True
            )

    def _removed(self, there: Unfinished, left: int) -> None:
        gone = {*there.begun, *there.untouched}
        for job in self._queue.jobs:
            if job.review is not None and job.review.tracks in gone:
                self._queue.update(job.number, review=replace(job.review, tracks=None))
        self._refresh()
        number = len(gone) - left
        rest = f" {left} couldn't be removed." if left else ""
        self._store.say(f"{text.count(number, 'review was', 'reviews were')} removed.{rest}")

    def _say_error(self, error: Exception) -> None:
        self._store.say(text.error_sentence(error))


def _kept(video: Path) -> ReviewMark | None:
    """The newest review of a video that can be used."""
    video_module()
    from anonator.core.review import kept_reviews

    for path in kept_reviews.of_video(video):
        with contextlib.suppress(ReviewError):
            return mark_of(path)
    return None


def _unfinished() -> Unfinished:
    video_module()
    from anonator.core.review import kept_reviews

    return kept_reviews.unfinished()


def _remove(there: Unfinished) -> int:
    from anonator.core.review import kept_reviews

    return kept_reviews.remove((*there.begun, *there.untouched))


def _log(error: Exception) -> None:
    logger.info("looking for reviews failed: %s", type(error).__name__)
