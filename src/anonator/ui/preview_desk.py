"""Decides what the viewer shows: a first frame, what would be covered in it, a running job, a result."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from anonator.core.config import Settings
from anonator.core.frames import Preview
from anonator.ui.frame_viewer import FrameViewer
from anonator.ui.state import text
from anonator.ui.state.job import ACTIVE, JobState, JobView
from anonator.ui.work import thumbnails as media
from anonator.ui.work.worker import Outcome, Worker

logger = logging.getLogger(__name__)

LOADING = "The engine is loading…\nThe faces are shown here in a moment."
TESTING = "Looking for faces…"
BUSY = "Shown when the running job is done."


class FrameTester(Protocol):
    """What the desk needs of the engine."""

    def test_frame(self, source: Path, seconds: float, settings: Settings) -> Preview: ...


class PreviewDesk:
    """Keeps the chosen job and its moment, asks workers for pictures, and drops those that come too late."""

    def __init__(
        self,
        viewer: FrameViewer,
        engine: FrameTester,
        worker: Worker,
        engine_worker: Worker,
        settings: Callable[[], Settings],
    ) -> None:
        self._viewer, self._engine, self._settings = viewer, engine, settings
        self._worker, self._engine_worker = worker, engine_worker
        self._job: JobView | None = None
        self._moments: dict[int, float] = {}
        self._stills: dict[int, media.Still] = {}
        self._request = 0
        self._test: tuple[int, float, Settings] | None = None
        self._answer: Preview | None = None
        self._engine_free = False
        self._loaded = False

    # --- what the window tells

    def choose(self, job: JobView | None) -> None:
        """Show another job, or nothing."""
        self._job = job
        self._request += 1
        if job is None:
            self._viewer.clear("Choose a video in the list.")
            return
        self._viewer.set_length(job.info.seconds if job.info else None, self._moment)
        self._show()

    def job_changed(self, job: JobView) -> None:
        """Take in the new state of the chosen job; other jobs do not matter here."""
        if self._job is None or job.number != self._job.number:
            return
        before, self._job = self._job, job
        if before.info != job.info and job.info is not None:
            self._viewer.set_length(job.info.seconds, self._moment)
        if before.state is not job.state or before.info != job.info:
            self._show()

    def engine_changed(self, *, loaded: bool, free: bool) -> None:
        """Note whether the engine is loaded, and whether it has time for a test."""
        was = self._loaded and self._engine_free
        self._loaded, self._engine_free = loaded, free
        if was != (loaded and free):
            self._show()

    def settings_changed(self) -> None:
        """Test the frame in sight again."""
        if self._job is not None and self._job.state is not JobState.DONE:
            self._show()

    def moved(self, seconds: float) -> None:
        """Show another moment."""
        if self._job is not None:
            self._moments[self._job.number] = seconds
            self._stills.pop(self._job.number, None)
            self._show()

    def live(self, preview: Preview) -> None:
        """Show what the running job is at."""
        if self._job is not None and self._job.state in ACTIVE:
            self._viewer.show(preview)
            self._viewer.follow(preview.seconds)
            self._moments[self._job.number] = preview.seconds
            self._stills.pop(self._job.number, None)

    def first_look(self, number: int, glimpse: media.Glimpse) -> None:
        """Take in the first frame of a video."""
        self._stills.setdefault(number, media.Still(0.0, glimpse.first))
        if self._job is not None and self._job.number == number:
            self._show()

    def forget(self, numbers: set[int]) -> None:
        """Drop what was kept of jobs that are not in the queue any more."""
        for number in set(self._stills) | set(self._moments):
            if number not in numbers:
                self._stills.pop(number, None)
                self._moments.pop(number, None)

    def test(self) -> None:
        """Test the frame in sight again, even if nothing has changed."""
        self._test = None
        self._show()

    def take(self, outcome: Outcome) -> None:
        """Show a picture that a worker made, if it is still wanted."""
        if outcome.key[0] == "test":  # type: ignore[index]
            self._take_test(outcome)
            return
        if outcome.error is not None:
            logger.info("a preview failed: %s", type(outcome.error).__name__)
            self._viewer.anonymized.clear(text.error_sentence(outcome.error))
            return
        key, picture = outcome.value
        if key != self._request or self._job is None:
            return
        if isinstance(picture, media.Still):
            self._stills[self._job.number] = picture
            self._show()
        elif self._job.state is JobState.DONE:
            self._viewer.show(picture, "Result")

    # --- inside

    @property
    def _moment(self) -> float:
        return self._moments.get(self._job.number, 0.0) if self._job is not None else 0.0

    def _show(self) -> None:
        job = self._job
        if job is None:
            return
        seconds, self._request = self._moment, self._request + 1
        running = job.state in ACTIVE
        may_test = self._loaded and self._engine_free and not running and job.state is not JobState.DONE
        self._viewer.enable(slider=not running, test=may_test and job.info is not None)
        if running:
            return
        source, key = job.source, self._request
        if job.state is JobState.DONE and job.target is not None:
            target = job.target
            self._worker.submit(
                ("picture",), lambda: (key, media.compare(source, target, seconds)), first=True
            )
            return
        still = self._stills.get(job.number)
        if still is not None:
            self._show_test(job, still)
        elif job.info is not None:
            self._worker.submit(("picture",), lambda: (key, media.still(source, seconds)), first=True)
        else:
            failed = job.state is JobState.FAILED
            self._viewer.show_words("This video cannot be shown." if failed else "Opening the video…", "")

    def _show_test(self, job: JobView, still: media.Still) -> None:
        """Show what the settings would cover: the answer that is there, or a question to the engine."""
        settings, seconds = self._settings(), self._moment
        wanted = (job.number, seconds, settings)
        may_ask = self._loaded and self._engine_free
        if wanted == self._test and self._answer is not None:
            self._viewer.show(self._answer, "Test of this frame")
            return
        self._viewer.show_original(still.picture, self._why_not_yet())
        if wanted == self._test or not may_ask:
            return
        self._test, self._answer = wanted, None
        source, engine = job.source, self._engine
        self._engine_worker.submit(("test", wanted), lambda: engine.test_frame(source, seconds, settings))

    def _take_test(self, outcome: Outcome) -> None:
        if outcome.key[1] != self._test:  # type: ignore[index]
            return
        if outcome.error is None:
            self._answer = outcome.value
            self._show()
        elif self._job is not None and self._job.state not in (*ACTIVE, JobState.DONE):
            logger.info("a test of a frame failed: %s", type(outcome.error).__name__)
            self._viewer.anonymized.clear(text.error_sentence(outcome.error))

    def _why_not_yet(self) -> str:
        if not self._loaded:
            return LOADING
        return TESTING if self._engine_free else BUSY
