"""Opens the review of a row, and gives the window back to the queue."""

from __future__ import annotations

import contextlib
import logging
import tkinter as tk
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.errors import AnonatorError, OpenElsewhereError
from anonator.ui import review_files
from anonator.ui.layout import Layout
from anonator.ui.look.dialogs import ask
from anonator.ui.look.theme import Theme
from anonator.ui.review import keys
from anonator.ui.review_signing import ReviewSigning
from anonator.ui.state import text
from anonator.ui.state.app_state import Store
from anonator.ui.state.job import JobView, ReviewMark
from anonator.ui.state.job_queue import JobController
from anonator.ui.work.event_log import EventLog
from anonator.ui.work.worker import Answers, Worker

if TYPE_CHECKING:  # they need the video reader, which must not be loaded when the program starts
    from anonator.core.detection.detector_protocol import Detector
    from anonator.ui.review.review import Review
    from anonator.ui.review.session import ReviewSession
    from anonator.ui.review.signing import MakeProcessor

logger = logging.getLogger(__name__)

OPENING = "Opening the review…"
NOTHING_KEPT = (
    "There's nothing to review here: the tracks of this result weren't kept, or they were removed. "
    "Run the video again to review it."
)
SIGNED_MEANWHILE = (
    "The program was ended while {} signed this review. The final file was complete and checked by then, so "
    "the review is signed now."
)


class Reviewing:
    """At most one review is open; the queue goes on working behind it."""

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        store: Store,
        queue: JobController,
        worker: Worker,
        answers: Answers,
        events: EventLog,
        *,
        layout: Callable[[], Layout],
        refresh: Callable[[], None],
        read_hint: Callable[[], None],
        stop_playing: Callable[[], object],
        make_processor: MakeProcessor,
        detector: Callable[[], Detector | None],
    ) -> None:
        """Set it up; no review is open yet.

        Args:
            root: the window.
            theme: of it.
            store: holds the state of the window.
            queue: the jobs.
            worker: opens reviews.
            answers: delivers what workers have done.
            events: records what happens.
            layout: gives the queue's side of the window, which is made later.
            refresh: copies the queue into the state.
            read_hint: remembers that the hint was read.
            stop_playing: stops what plays on the queue's side.
            make_processor: makes what runs a job.
            detector: loads what drawn covers are followed with.
        """
        self._root, self._theme, self._store, self._queue = root, theme, store, queue
        self._worker, self._answers, self._events = worker, answers, events
        self._layout, self._refresh_queue = layout, refresh
        self._read_hint, self._stop_playing = read_hint, stop_playing
        self._detector = detector
        self.review: Review | None = None
        self._elsewhere: set[int] = set()
        """Rows whose reviews somebody else had open."""
        self._any = False
        """Whether any review will do."""
        self.signing = ReviewSigning(
            root,
            theme,
            store,
            queue,
            events,
            make_processor,
            review=lambda: self.review,
            leave=self.leave,
            open=self.open,
            refresh=refresh,
        )

    def bind(self) -> None:
        """Bind the review's keys, which do nothing while the queue has the window."""
        keys.bind(self._root, {name: partial(self._press, name) for name in keys.KEYS}, lambda: self.is_open)
        for event in ("<KeyRelease-o>", "<KeyRelease-O>"):
            self._root.bind(event, lambda _event: self._let_go(), add=True)

    @property
    def is_open(self) -> bool:
        """Whether a review has the window."""
        return self.review is not None

    # --- opening and leaving

    def open(self, number: int) -> None:
        """Open the review of a row."""
        self._any = False
        self._open(number)

    def _open(self, number: int) -> None:
        job = self._store.state.job(number)
        if job is None or self._store.state.reviewing is not None:
            return
        mark = job.review
        if not (job.may_review or job.may_review_again) or mark is None or mark.tracks is None:
            self._store.say(NOTHING_KEPT)
            return
        if mark.signed and not self._may_begin_anew(mark.signed):
            return
        self._stop_playing()
        self._store.change(reviewing=number, chosen=number, message=OPENING)
        if mark.signed:
            work = partial(review_files.begun_anew, mark.tracks, mark.signed)
            go_on, not_opened = partial(self._go_on_with, number), partial(self._not_opened, number)
            self._worker.submit(work, go_on, not_opened, first=True)
        else:
            result = job.result_file.path if job.result_file is not None else None
            self._begin(job, review_files.Copied(mark.tracks), result)

    def _may_begin_anew(self, signed: str) -> bool:
        return (
            ask(
                self._root,
                self._theme,
                "Review it again?",
                f"{signed} has signed this review. It opens as a new one, with all that was covered; the "
                "signed result stays until you sign again.",
                (("", "Leave it"), ("anew", "Review again")),
                primary="anew",
            )
            == "anew"
        )

    def open_next(self) -> None:
        """Open the first review that nobody has signed, past those that somebody else has open."""
        waiting = [job.number for job in self._store.state.to_review]
        free = [number for number in waiting if number not in self._elsewhere]
        if not free:
            self._elsewhere.clear()  # some may be free by now
        if waiting:
            self._any = True
            self._open((free or waiting)[0])

    def _begin(self, job: JobView, of: review_files.Copied, result: Path | None = None) -> None:
        """Open tracks; a result is looked at for a signature that they lack because a program was killed."""
        work = partial(review_files.opened, job.source, of.tracks, result, self._store.state.report_folder)
        not_opened = partial(self._not_opened, job.number)
        self._worker.submit(work, partial(self._opened, job, of), not_opened, first=True)

    def _opened(self, job: JobView, of: review_files.Copied, opened: review_files.Opened) -> None:
        session = opened.session
        if session is None:
            self._signed_meanwhile(job, opened)
            return
        if self._store.state.closing or self._store.state.reviewing != job.number:
            session.close()
            return
        from anonator.ui.review.review import Review

        try:
            self.review = self._made(Review, job, session)
        except BaseException:
            session.close()
            self._give_back()
            raise
        if job.review is None or job.review.tracks != of.tracks:
            self._queue.update(job.number, review=ReviewMark(of.tracks))
            self._refresh_queue()
        self._store.change(message="")
        self._layout().hide()
        self._root.update_idletasks()
        if said := of.note or opened.note:
            self.review.say(said)
        self._events.write("review", number=job.number, **self.review.screen.areas())

    def _signed_meanwhile(self, job: JobView, opened: review_files.Opened) -> None:
        """A killed program had made the signed file, or somebody else has signed; the row catches up."""
        signed = opened.signed
        self._give_back()
        mark = job.review
        if self._queue.get(job.number) is not None and mark is not None:
            self._queue.update(job.number, review=replace(mark, begun=True, signed=signed))
            self._refresh_queue()
        self._store.say(opened.note or SIGNED_MEANWHILE.format(signed))

    def _made(self, kind: type[Review], job: JobView, session: ReviewSession) -> Review:
        return kind(
            self._root,
            self._theme,
            session,
            self._answers,
            name=job.source.name,
            hint=not self._store.state.hint_read,
            detector=self._detector,
            leave=self.leave,
            sign=self.signing.sign,
            open_tracks=self._open_tracks,
            hint_read=self._read_hint,
        )

    def _not_opened(self, number: int, error: Exception) -> None:
        if not isinstance(error, AnonatorError):
            logger.error("a review couldn't be opened: %s", type(error).__name__)
        self._give_back()
        if isinstance(error, OpenElsewhereError):
            self._elsewhere.add(number)
            if self._any and any(job.number not in self._elsewhere for job in self._store.state.to_review):
                self.open_next()
                return
        self._store.say(text.error_sentence(error))

    def _give_back(self) -> None:
        """Give the window back to the queue, also where another review had it before."""
        self._layout().unhide()
        self._store.change(reviewing=None)

    def leave(self) -> None:
        """Close the review, and go back to the queue."""
        review, number = self.review, self._store.state.reviewing
        if review is None or number is None:
            return
        mark = self._mark(review)
        try:
            self.close()
        finally:
            self._give_back()
        if self._queue.get(number) is not None:
            self._queue.update(number, review=mark)
            self._refresh_queue()
        self._layout().queue_view.tree.focus_set()
        self._events.write("queue")

    def close(self) -> None:
        """Close the review, because the program ends; what was done is on the disk."""
        self.signing.cancel()
        if self.review is not None:
            review, self.review = self.review, None
            review.close()

    def _mark(self, review: Review) -> ReviewMark:
        job = self._store.state.job(self._store.state.reviewing)
        tracks = job.review.tracks if job is not None and job.review is not None else None
        review.seen.close()
        return ReviewMark(tracks, review.seen.share, review.has_begun(), review.session.state.signed)

    # --- other tracks

    def _open_tracks(self, path: Path) -> None:
        """Go on with a copy of other tracks of this video; those at hand stay where they are."""
        review, number = self.review, self._store.state.reviewing
        job = self._store.state.job(number)
        if review is None or job is None:
            return
        work = partial(review_files.copied, path, review.session.analysis.key)
        self._worker.submit(work, partial(self._go_on_with, job.number), review.say_why, first=True)

    def _go_on_with(self, number: int, copy: review_files.Copied) -> None:
        job = self._queue.get(number)
        if job is None or self._store.state.reviewing != number:
            with contextlib.suppress(OSError):
                copy.tracks.unlink()  # or it would be found as a review of this video
            return
        self.close()
        self._begin(job, copy)

    # --- keys

    def _press(self, name: str) -> None:
        if self.review is not None and name in self.review.commands:
            self.review.commands[name]()

    def _let_go(self) -> None:
        if self.review is not None:
            self.review.let_go()
