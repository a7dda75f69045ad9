"""Decides what the viewer shows: a first frame, a test of a frame, a running job or a result."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeVar

from anonator.core.job import Preview
from anonator.ui.frame_test import FrameTest, FrameTester
from anonator.ui.state import text
from anonator.ui.state.app_state import AppState, Store
from anonator.ui.state.job import ACTIVE, JobState, JobView, LivePicture, RowKey
from anonator.ui.state.view import View
from anonator.ui.work import thumbnails as media
from anonator.ui.work.player import Played
from anonator.ui.work.worker import Task, Worker

logger = logging.getLogger(__name__)

T = TypeVar("T")
LOADING = "The engine is loading…\nThe faces will appear here in a moment."
TESTING = "Looking for faces…"
BUSY = "You'll see the faces here when the running job is done."
PLAYING = "Stop, and you'll see here what would be covered."
TEST, RESULT = "Test of this frame", "Result"
"""Captions of the right picture."""


class PreviewDesk:
    """Follows the state, and asks workers for the pictures to show.

    Every picture is asked for in the name of a row (RowKey). It is dropped if another row is chosen when it
    arrives, and a view never goes from one row to another.
    """

    def __init__(self, store: Store, engine: FrameTester, worker: Worker, engine_worker: Worker) -> None:
        self._store, self._worker = store, worker
        self._test = FrameTest(engine, engine_worker, self._show)
        self._seen: object = None
        """The part of the state that the current pictures depend on."""
        self._moments: dict[int, float] = {}
        self._stills: dict[RowKey, media.Still] = {}
        self._testing: set[RowKey] = set()
        """Rows with a result of which a test is to be seen all the same."""
        self._picture: Task | None = None

    # --- what the window tells

    def follow(self, state: AppState) -> None:
        """Update the pictures if another job was selected, or if that job or the engine changed."""
        self._forget({job.key for job in state.jobs})
        if not state.idle or state.closing:
            self._test.stop()  # a job, or the end of the program, shouldn't wait for it
        job = state.job(state.chosen)
        of_job = None if job is None else (job.key, job.state, job.info, job.result_file)
        seen = (of_job, state.loaded, state.idle)
        if seen != self._seen and not state.closing:  # closing must not wait for a picture
            self._seen = seen
            self._show()

    def settings_changed(self) -> None:
        """Test the current frame again."""
        job = self._job
        if job is not None and not self._compares(job):
            self._show()

    def moved(self, seconds: float) -> None:
        """Show another position."""
        if (job := self._job) is not None:
            self._moments[job.number] = seconds
            self._stills.pop(job.key, None)
            self._show()

    def live(self, live: LivePicture) -> None:
        """Show a running job's picture."""
        job = self._job
        if job is not None and job.key == live.of and job.state in ACTIVE:
            self._at(job, live.preview.seconds)
            self._look(replace(self._begun(job), moment=live.preview.seconds).with_preview(live.preview))

    def played(self, of: RowKey, played: Played) -> None:
        """Show a picture of a video that is being played."""
        job = self._job
        if job is None or job.key != of or job.state in ACTIVE:
            return
        self._at(job, played.seconds)
        view = replace(self._begun(job), moment=played.seconds)
        if played.anonymized is None:
            view = replace(view.with_original(played.original, PLAYING), seconds=played.seconds)
        else:
            preview = Preview(played.original, played.anonymized, played.seconds, faces=None)
            view = view.with_preview(preview, RESULT)
        self._look(view)

    def first_look(self, of: RowKey, still: media.Still) -> None:
        """Keep the first frame of a video, and show it if it is selected."""
        self._stills.setdefault(of, still)
        if (job := self._job) is not None and job.key == of:
            self._show()

    def test(self) -> None:
        """Show a test of the current frame, made again even if nothing has changed."""
        if (job := self._job) is not None:
            self._testing.add(job.key)
        self.engine_loaded()

    def engine_loaded(self) -> None:
        """Test the current frame again, unless a result is to be seen."""
        self._test.forget()
        self._show()

    def compare(self) -> None:
        """Show the row's result again, after a test."""
        if (job := self._job) is not None:
            self._testing.discard(job.key)
            self._show()

    def compares(self) -> bool:
        """Whether the selected row shows its result."""
        job = self._job
        return job is not None and self._compares(job)

    # --- inside

    @property
    def _job(self) -> JobView | None:
        return self._store.state.job(self._store.state.chosen)

    def _compares(self, job: JobView) -> bool:
        return job.result_file is not None and job.state not in ACTIVE and job.key not in self._testing

    def _look(self, view: View) -> None:
        self._store.change(view=view)

    def _at(self, job: JobView, seconds: float) -> None:
        self._moments[job.number] = seconds
        self._stills.pop(job.key, None)

    def _forget(self, keys: set[RowKey]) -> None:
        numbers = {key.number for key in keys}
        self._moments = {number: at for number, at in self._moments.items() if number in numbers}
        self._stills = {key: still for key, still in self._stills.items() if key in keys}
        self._testing &= keys

    def _begun(self, job: JobView) -> View:
        """A row's view with the pictures that it already has; never those of another row."""
        state, info = self._store.state, job.info
        view = state.view if state.view.of == job.key else View.opening(job.key)
        moment = self._moments.get(job.number, 0.0)
        running = job.state in ACTIVE
        compares = self._compares(job)
        return replace(
            view,
            native=max(info.width, info.height) if info else 0,
            length=info.seconds if info else None,
            moment=moment,
            seconds=moment,
            may_move=not running and info is not None,
            may_test=state.loaded and state.idle and not running and info is not None,
            may_compare=job.result_file is not None and not running and not compares,
        )

    def _show(self) -> None:
        if self._picture is not None:
            self._picture.withdraw()
            self._picture = None
        job = self._job
        if job is None or job.key not in self._stills or self._compares(job):
            self._test.stop()  # of another frame
        if job is None:
            self._look(View())
            return
        view = self._begun(job)
        if job.state in ACTIVE:
            self._look(view)
        elif self._compares(job):
            self._look(view)
            self._compare(job)
        elif job.key in self._stills:
            self._show_test(job, view, self._stills[job.key])
        elif job.info is not None:
            self._look(view)
            self._ask_still(job)
        elif job.state is JobState.FAILED:
            self._look(view.with_original("This video can't be shown.", ""))
        else:
            self._look(view)

    def _ask(
        self,
        job: JobView,
        work: Callable[[], T],
        take: Callable[[T], object],
        fail: Callable[[str], object],
    ) -> None:
        """Let a worker make pictures of a row, to be taken only while that row is the chosen one."""

        def is_current() -> bool:
            return self._job is not None and self._job.key == job.key

        def failed(error: Exception) -> None:
            logger.info("a preview failed: %s", type(error).__name__)
            if is_current():
                fail(text.error_sentence(error))

        def taken(answer: T) -> None:
            if is_current():
                take(answer)

        self._picture = self._worker.submit(work, taken, failed, first=True)

    def _compare(self, job: JobView) -> None:
        """Show the video next to its result, or alone if that can't be read."""
        assert job.result_file is not None
        moment = self._moments.get(job.number, 0.0)

        def fail(words: str) -> None:
            def alone(still: media.Still) -> None:
                self._look(self._begun(job).with_original(still.picture, words))

            self._ask(job, partial(media.still, job.source, moment), alone, partial(self._say, job))

        self._ask(
            job,
            partial(media.compare, job.source, job.result_file.path, moment),
            lambda preview: self._look(self._begun(job).with_preview(preview, RESULT)),
            fail,
        )

    def _ask_still(self, job: JobView) -> None:
        """Show the frame at this position as soon as it has been read."""

        def take(still: media.Still) -> None:
            self._stills[job.key] = still
            self._show()

        moment = self._moments.get(job.number, 0.0)
        self._ask(job, partial(media.still, job.source, moment), take, partial(self._say, job))

    def _say(self, job: JobView, words: str) -> None:
        self._look(self._begun(job).with_original("", words))

    def _show_test(self, job: JobView, view: View, still: media.Still) -> None:
        """Show what the settings would cover; ask the engine if that isn't known yet."""
        state = self._store.state
        question = (job.key, view.moment, state.settings)
        answer = self._test.answer(question)
        if isinstance(answer, Preview):
            self._look(view.with_preview(answer, TEST))
            return
        self._look(view.with_original(still.picture, answer or _why_not_yet(state)))
        if answer is not None:
            return
        if state.loaded and state.idle:
            self._test.ask(job.source, question)
        elif not still.whole:
            self._ask_still(job)  # to be looked at closely meanwhile


def _why_not_yet(state: AppState) -> str:
    """Why the window can't show yet what would be covered."""
    if not state.loaded:
        return LOADING
    return TESTING if state.idle else BUSY
