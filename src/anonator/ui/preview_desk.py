"""Decides what the viewer shows: a first frame, a test of a frame, a running job or a result."""

from __future__ import annotations

import logging
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from anonator.core.config import Settings
from anonator.core.frames import Preview
from anonator.ui.state import text
from anonator.ui.state.app_state import AppState, Store, View
from anonator.ui.state.job import ACTIVE, JobState, JobView
from anonator.ui.work import thumbnails as media
from anonator.ui.work.worker import Task, Worker

logger = logging.getLogger(__name__)

LOADING = "The engine is loading…\nThe faces will appear here in a moment."
TESTING = "Looking for faces…"
BUSY = "You'll see the faces here when the running job is done."


class FrameTester(Protocol):
    """What the desk needs from the engine."""

    def test_frame(self, source: Path, seconds: float, settings: Settings) -> Preview: ...


class PreviewDesk:
    """Follows the state, and asks workers for the pictures to show."""

    def __init__(self, store: Store, engine: FrameTester, worker: Worker, engine_worker: Worker) -> None:
        self._store, self._engine = store, engine
        self._worker, self._engine_worker = worker, engine_worker
        self._seen: object = None
        """The part of the state that the current pictures depend on."""
        self._moments: dict[int, float] = {}
        self._stills: dict[int, media.Still] = {}
        self._picture: Task | None = None
        self._test: Task | None = None
        self._tested: tuple[int, float, Settings] | None = None
        self._answer: Preview | str | None = None
        """The result of the test: what would be covered, or why that's unknown."""

    # --- what the window tells

    def follow(self, state: AppState) -> None:
        """Update the pictures if another job was selected, or if that job or the engine changed."""
        self._forget({job.number for job in state.jobs})
        job = state.job(state.chosen)
        of_job = None if job is None else (job.number, job.state, job.info)
        seen = (of_job, state.loaded, state.idle)
        if seen != self._seen and not state.closing:  # closing must not wait for a picture
            self._seen = seen
            self._show()

    def settings_changed(self) -> None:
        """Test the current frame again."""
        job = self._job
        if job is not None and job.state is not JobState.DONE:
            self._show()

    def moved(self, seconds: float) -> None:
        """Show another position."""
        number = self._store.state.chosen
        if number is not None:
            self._moments[number] = seconds
            self._stills.pop(number, None)
            self._show()

    def live(self, preview: Preview) -> None:
        """Show the running job's picture if it is the selected job."""
        state = self._store.state
        if state.current is not None and state.chosen == state.current:
            self._moments[state.current] = preview.seconds
            self._stills.pop(state.current, None)
            self._look(replace(state.view.with_preview(preview), moment=preview.seconds))

    def first_look(self, number: int, still: media.Still) -> None:
        """Keep the first frame of a video, and show it if it is selected."""
        self._stills.setdefault(number, still)
        if self._store.state.chosen == number:
            self._show()

    def test(self) -> None:
        """Test the current frame again, even if nothing has changed."""
        self._forget_test()
        self._show()

    # --- inside

    @property
    def _job(self) -> JobView | None:
        return self._store.state.job(self._store.state.chosen)

    def _look(self, view: View) -> None:
        self._store.change(view=view)

    def _forget(self, numbers: set[int]) -> None:
        for number in (set(self._stills) | set(self._moments)) - numbers:
            self._stills.pop(number, None)
            self._moments.pop(number, None)

    def _forget_test(self) -> None:
        if self._test is not None:
            self._test.withdraw()
        self._test = self._tested = self._answer = None

    def _show(self) -> None:
        if self._picture is not None:
            self._picture.withdraw()
            self._picture = None
        state, job = self._store.state, self._job
        if job is None:
            self._look(View())
            return
        moment = self._moments.get(job.number, 0.0)
        running, done = job.state in ACTIVE, job.state is JobState.DONE and job.target is not None
        view = replace(
            state.view,
            job=job.number,
            length=job.info.seconds if job.info else None,
            moment=moment,
            seconds=moment,
            may_move=not running,
            may_test=state.loaded and state.idle and not running and not done and job.info is not None,
        )
        if running:
            self._look(view)
        elif done:
            self._look(view)
            self._compare(job, moment)
        elif job.number in self._stills:
            self._show_test(job, moment, view, self._stills[job.number])
        elif job.info is not None:
            self._look(view)
            self._ask_still(job, moment)
        else:
            failed = job.state is JobState.FAILED
            self._look(
                view.with_original("This video can't be shown." if failed else "Opening the video…", "")
            )

    def _compare(self, job: JobView, moment: float) -> None:
        """Show the video next to its result."""
        assert job.target is not None, "a job that is done has a result"
        self._picture = self._worker.submit(
            partial(media.compare, job.source, job.target, moment),
            lambda preview: self._look(self._store.state.view.with_preview(preview, "Result")),
            self._no_picture,
            first=True,
        )

    def _ask_still(self, job: JobView, moment: float) -> None:
        """Show the frame at this position as soon as it has been read."""
        number = job.number

        def take(still: media.Still) -> None:
            self._stills[number] = still
            self._show()

        self._picture = self._worker.submit(
            partial(media.still, job.source, moment), take, self._no_picture, first=True
        )

    def _no_picture(self, error: Exception) -> None:
        logger.info("a preview failed: %s", type(error).__name__)
        self._look(replace(self._store.state.view, anonymized=text.error_sentence(error)))

    def _show_test(self, job: JobView, moment: float, view: View, still: media.Still) -> None:
        """Show what the settings would cover; ask the engine if that isn't known yet."""
        state = self._store.state
        wanted = (job.number, moment, state.settings)
        answer = self._answer if wanted == self._tested else None
        if isinstance(answer, Preview):
            self._look(view.with_preview(answer, "Test of this frame"))
            return
        if answer is not None:
            self._look(view.with_original(still.picture, answer))
            return
        self._look(view.with_original(still.picture, _why_not_yet(state)))
        if wanted == self._tested or not (state.loaded and state.idle):
            return
        self._forget_test()
        self._tested = wanted
        self._test = self._engine_worker.submit(
            partial(self._engine.test_frame, job.source, moment, state.settings),
            self._take_test,
            self._no_test,
        )

    def _take_test(self, answer: Preview | str) -> None:
        self._answer = answer
        self._show()

    def _no_test(self, error: Exception) -> None:
        logger.info("a test of a frame failed: %s", type(error).__name__)
        self._take_test(text.error_sentence(error))


def _why_not_yet(state: AppState) -> str:
    """Why the window can't show yet what would be covered."""
    if not state.loaded:
        return LOADING
    return TESTING if state.idle else BUSY
