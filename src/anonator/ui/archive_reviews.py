"""Lists the videos of an archive that wait for a reviewer, and tells the archive who has signed them."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.errors import ReviewError
from anonator.ui.questions import Questions
from anonator.ui.review_files import mark_of
from anonator.ui.state import text
from anonator.ui.state.app_state import AppState, Store
from anonator.ui.state.job import ResultFile, ReviewMark
from anonator.ui.state.job_queue import JobController
from anonator.ui.work.results import look_into
from anonator.ui.work.worker import Worker

if TYPE_CHECKING:  # reading records is only needed once an archive is opened
    from anonator.archive.folder import Archive
    from anonator.archive.review import Reviews, ToReview

logger = logging.getLogger(__name__)

MOST_ROWS = 300
"""So many videos are listed at a time; the others follow once these are signed."""
ALL_SIGNED = "Every video of this archive that can be reviewed is signed."
NONE_DONE = "No video of this archive is done yet. `anonator archive run` does them."
NOT_NOTED = (
    "The video is signed, but the archive couldn't note it: {} Open the archive again to try once more."
)


class ArchiveReviews:
    """Archives as rows of the queue: the most doubtful videos, each with its result and its tracks."""

    def __init__(
        self,
        store: Store,
        queue: JobController,
        worker: Worker,
        questions: Questions,
        *,
        read_rows: Callable[[Sequence[int]], object],
        refresh: Callable[[], None],
    ) -> None:
        """Set it up.

        Args:
            store: holds the state of the window.
            queue: the jobs.
            worker: reads and writes files.
            questions: asks for an archive's folder.
            read_rows: shows rows that were appended, and reads their files.
            refresh: copies the queue into the state.
        """
        self._store, self._queue, self._worker, self._questions = store, queue, worker, questions
        self._read_rows, self._refresh = read_rows, refresh
        self._rows: dict[int, tuple[Archive, int, str]] = {}
        """By the row of the queue, the archive, its own row and when the result was made."""
        self._told: dict[int, str] = {}
        """By the row of the queue, the initials that the archive knows or is being told."""
        self._untold: dict[int, tuple[Archive, int, str]] = {}
        """As in _rows, those that an archive couldn't note; opening it tries once more."""

    def ask(self) -> None:
        """List an archive that is chosen in the system's dialog."""
        if folder := self._questions.folder_of_archive():
            self.open(Path(folder))

    def open(self, folder: Path) -> None:
        """List the videos of an archive that wait for a reviewer."""
        listed = frozenset(job.result_file.path for job in self._queue.jobs if job.result_file is not None)
        self._worker.submit(partial(_found, folder, listed), self._list, self._say_error, first=True)

    def follow(self, state: AppState) -> None:
        """Tell the archive of every one of its videos that has been signed."""
        for job in state.jobs:
            where = self._rows.get(job.number)
            initials = job.review.signed if job.review is not None else ""
            if where is not None and initials and self._told.get(job.number) != initials:
                self._told[job.number] = initials
                work = partial(_write, *where, initials)
                self._worker.submit(work, _nothing, partial(self._not_told, job.number), first=True)

    # --- inside

    def _list(self, found: _Found) -> None:
        archive = found.reviews.archive
        self._rows |= {row: where for row, where in self._untold.items() if where[0] == archive}
        self._untold = {row: where for row, where in self._untold.items() if where[0] != archive}
        numbers = [self._add(archive, *each) for each in found.listed]
        self._read_rows(numbers)
        self._store.say(_summary(found))
        self.follow(self._store.state)
        for number, (each, _) in zip(numbers, found.listed, strict=True):
            self._worker.submit(partial(_standing, each.tracks), partial(self._stands, number), _log)

    def _add(self, archive: Archive, each: ToReview, result: ResultFile) -> int:
        number = self._queue.add_done(each.source, result)
        self._queue.update(number, review=ReviewMark(each.tracks), message=each.words)
        self._rows[number] = archive, each.number, each.at
        return number

    def _stands(self, number: int, mark: ReviewMark) -> None:
        """Show how far a review is that was begun before, unless it has been opened meanwhile."""
        job = self._queue.get(number)
        if job is None or job.review is None or self._store.state.reviewing == number:
            return
        if not (job.review.begun or job.review.signed):
            self._queue.update(number, review=mark)
            self._refresh()

    def _not_told(self, number: int, error: Exception) -> None:
        self._told.pop(number, None)
        if where := self._rows.pop(number, None):  # or every change of the state would try again
            self._untold[number] = where
        self._store.say(NOT_NOTED.format(text.error_sentence(error)))

    def _say_error(self, error: Exception) -> None:
        self._store.say(text.error_sentence(error))


@dataclass(frozen=True, slots=True)
class _Found:
    """What opening an archive found."""

    reviews: Reviews
    listed: tuple[tuple[ToReview, ResultFile], ...]
    missing: int
    """Results that aren't there any more."""


def _found(folder: Path, listed: frozenset[Path]) -> _Found:
    """The reviews of an archive, and the results of those that aren't listed yet; slow."""
    from anonator.archive.review import reviews_of

    reviews = reviews_of(folder)
    found: list[tuple[ToReview, ResultFile]] = []
    missing = 0
    for each in reviews.waiting:
        if each.result in listed:
            continue
        if len(found) == MOST_ROWS:
            break
        result = look_into(each.result)
        if result is None:
            missing += 1
        else:
            found.append((each, result))
    return _Found(reviews, tuple(found), missing)


def _summary(found: _Found) -> str:
    """What was found in an archive."""
    reviews = found.reviews
    waiting, listed = len(reviews.waiting), len(found.listed)
    if not waiting and not reviews.without_tracks:
        return ALL_SIGNED if reviews.signed else NONE_DONE
    parts = []
    if waiting:
        said = (
            f"{text.count(waiting, 'video', 'videos')} of this archive {'waits' if waiting == 1 else 'wait'}"
        )
        parts.append(f"{said} for a review; {reviews.signed:,} signed so far.")
    if listed == MOST_ROWS:
        parts.append(f"The {listed:,} most doubtful were listed; open the archive again for more.")
    if found.missing:
        parts.append(f"{text.count(found.missing, 'result is', 'results are')} no longer there.")
    if reviews.without_tracks:
        kept = text.count(reviews.without_tracks, "video", "videos")
        parts.append(f"{kept} can't be reviewed, because the archive kept no tracks.")
    return " ".join(parts)


def _write(archive: Archive, number: int, at: str, initials: str) -> None:
    from anonator.archive.review import write_signed

    write_signed(archive, number, initials, at)


def _standing(tracks: Path) -> ReviewMark:
    """How far a review is; without a file if that can't be used."""
    with contextlib.suppress(ReviewError):
        return mark_of(tracks)
    return ReviewMark()


def _nothing(_done: None) -> None:
    """The archive knows."""


def _log(error: Exception) -> None:
    logger.info("a review of an archive couldn't be looked into: %s", type(error).__name__)
