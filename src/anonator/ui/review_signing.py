"""Signs the open review: asks for initials, makes the final file, and offers the next review."""

from __future__ import annotations

import contextlib
import datetime
import time
import tkinter as tk
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.core.job import JobResult
from anonator.core.windows_files import reachable
from anonator.errors import AnonatorError
from anonator.ui.look.dialogs import WaitDialog, ask
from anonator.ui.look.theme import Theme
from anonator.ui.state import text
from anonator.ui.state.app_state import Store
from anonator.ui.state.job import JobState, ResultFile, ReviewMark
from anonator.ui.state.job_queue import JobController
from anonator.ui.work.event_log import EventLog

if TYPE_CHECKING:  # they need the video reader, which must not be loaded when the program starts
    from anonator.ui.review.review import Review
    from anonator.ui.review.signing import MakeProcessor, Signing

WAIT_FOR_JOB = "The final file can be made once the queue has nothing running. Your review is kept meanwhile."
WAIT_FOR_FOLLOWING = "A new cover is still being followed. Sign once that's done."
MAKING = "Decoding, covering and checking the whole video once more…"
NOT_MADE = "The final file wasn't made, and nothing was signed; the result is as it was."
NOT_NOTED = (
    "The final file was made and checked, but the review couldn't note that it's signed. {} Sign again "
    "once there's room."
)
CANCELLED = "Cancelled. Nothing was signed, and the result is as it was."


class ReviewSigning:
    """At most one signature is on its way."""

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        store: Store,
        queue: JobController,
        events: EventLog,
        make_processor: MakeProcessor,
        *,
        review: Callable[[], Review | None],
        leave: Callable[[], object],
        open: Callable[[int], object],
        refresh: Callable[[], None],
    ) -> None:
        """Set it up.

        Args:
            root: the window.
            theme: of it.
            store: holds the state of the window.
            queue: the jobs.
            events: records what happens.
            make_processor: makes what runs a job.
            review: gives the open review.
            leave: closes it, and goes back to the queue.
            open: opens the review of a row.
            refresh: copies the queue into the state.
        """
        self._root, self._theme, self._store, self._queue = root, theme, store, queue
        self._events, self._make_processor = events, make_processor
        self._review, self._leave, self._open, self._refresh_queue = review, leave, open, refresh
        self._signing: Signing | None = None
        self._wait: WaitDialog | None = None
        self._delete_tracks = False

    def sign(self) -> None:
        """Ask for initials, and make the final file."""
        review, job = self._review(), self._store.state.job(self._store.state.reviewing)
        if review is None or job is None or job.result_file is None or self._signing is not None:
            return
        state = review.store.state
        if not self._store.state.idle:
            review.say(WAIT_FOR_JOB)
        elif state.following:
            review.say(WAIT_FOR_FOLLOWING)
        elif state.ready:
            self._sign(review, job.result_file.path)

    def _sign(self, review: Review, target: Path) -> None:
        from anonator.ui.review.signing import Signing
        from anonator.ui.review.summing_up import changed, missing

        review.playing.stop()
        review.seen.close()
        session = review.session
        signature = review.asking.sign(
            changed(session, review.store.state),
            missing(review.store.state),
            delete=session.analysis.settings.neutral_name,
        )
        if signature is None or self._review() is not review or self._store.state.closing:
            return
        self._delete_tracks = signature.delete_tracks
        try:
            self._signing = Signing(session, target, signature.initials, self._make_processor)
        except AnonatorError as error:
            review.say(text.error_sentence(error))
            return
        self._wait = review.asking.wait("Making the final file", MAKING, self._signing.cancel)

    def cancel(self) -> None:
        """Give it up, because the review closes, and wait until that has happened."""
        if self._signing is not None:
            self._signing.cancel()
            while self._signing.poll() is None:
                time.sleep(0.01)
            self._signing = None

    def poll(self) -> None:
        """Show how far the final file is, and what became of it."""
        if self._signing is None:
            return
        signed = self._signing.poll()
        if signed is None:
            progress = self._signing.progress
            if progress is not None and self._wait is not None and not self._wait.cancelling:
                words = text.stage(progress) or MAKING
                self._wait.show_progress(progress.done, words)
            return
        self._signing = None
        if self._wait is not None:
            self._wait.close("")
            self._wait = None
        review = self._review()
        if review is None:
            return
        if signed.result is not None and signed.error is not None:
            review.say(NOT_NOTED.format(text.error_sentence(signed.error)))
        elif signed.result is not None:
            self._signed(review, signed.result)
        elif signed.error is not None:
            review.say(f"{NOT_MADE} {text.error_sentence(signed.error)}")
        else:
            review.say(CANCELLED)

    def _signed(self, review: Review, result: JobResult) -> None:
        """Show the row with its final result, and go back to the queue."""
        number, initials = self._store.state.reviewing, result.reviewed_by
        job = self._queue.get(number)
        tracks = job.review.tracks if job is not None and job.review is not None else None
        share = review.seen.share
        self._leave()
        if self._delete_tracks and tracks is not None:
            with contextlib.suppress(OSError):
                reachable(tracks).unlink(missing_ok=True)
            tracks = None
        if job is not None and number is not None:
            hipaa = job.result_file.hipaa if job.result_file is not None else None
            self._queue.update(
                number,
                state=JobState.DONE,
                result=result,
                result_file=ResultFile(
                    result.target,
                    result.report_page or result.report,
                    hipaa,
                    datetime.datetime.now().astimezone(),
                ),
                message=text.result_summary(result),
                review=ReviewMark(tracks, share, begun=True, signed=initials),
            )
            self._refresh_queue()
        left = len(self._store.state.to_review)
        more = f" {text.count(left, 'video is', 'videos are')} left to review." if left else ""
        self._store.say(f"Reviewed and signed by {initials}. The final file is made and checked.{more}")
        self._events.write("signed", number=number)
        if left:
            self._root.after_idle(self._offer_next)

    def _offer_next(self) -> None:
        """Ask whether to go on with the next result that nobody has reviewed."""
        waiting = self._store.state.to_review
        if not waiting or self._review() is not None or self._store.state.closing:
            return
        answer = ask(
            self._root,
            self._theme,
            "Review the next one?",
            f"{text.count(len(waiting), 'result')} left to review. The next one is {waiting[0].source.name}.",
            (("", "Back to the queue"), ("next", "Review it")),
            primary="next",
        )
        if answer == "next":
            self._open(waiting[0].number)
