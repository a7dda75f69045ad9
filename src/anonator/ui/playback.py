"""Moves through the chosen video: plays it, and goes from frame to frame."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial

from anonator.ui.preview_desk import PreviewDesk
from anonator.ui.state import text
from anonator.ui.state.app_state import AppState, Store
from anonator.ui.state.job import ACTIVE, JobView, RowKey
from anonator.ui.work import thumbnails as media
from anonator.ui.work.player import Played, play
from anonator.ui.work.worker import Worker

logger = logging.getLogger(__name__)

MOST_STEPS = 25
"""Frames that a held key may be ahead of the pictures."""


class Playback:
    """Plays in a worker of its own; whatever else is chosen or started meanwhile ends it."""

    def __init__(
        self, store: Store, desk: PreviewDesk, player: Worker, worker: Worker, side: Callable[[], int]
    ) -> None:
        """Set it up; nothing plays yet.

        Args:
            store: holds the state.
            desk: shows the pictures.
            player: the worker that plays.
            worker: the one that reads files.
            side: tells how large the pictures should be, in pixels.
        """
        self._store, self._desk, self._side = store, desk, side
        self._player, self._worker = player, worker
        self._stopped = threading.Event()
        self._steps = 0
        self._stepping: RowKey | None = None

    # --- what people ask for

    def toggle(self) -> None:
        """Play the chosen video from where it is, or stop."""
        if self._store.state.playing is not None:
            self.stop()
        elif (job := self._movable()) is not None:
            self._play(job)

    def stop(self) -> None:
        """Stop where it is, and show that moment as always."""
        of, state = self._store.state.playing, self._store.state
        self._stopped.set()
        if of is None:
            return
        self._store.change(playing=None)
        if state.shown.of == of:
            self._desk.moved(state.shown.seconds)

    def step(self, frames: int) -> None:
        """Go on by so many frames, or back if negative."""
        self.stop()
        job = self._movable()
        if job is None:
            return
        if self._stepping == job.key:
            self._steps = max(-MOST_STEPS, min(MOST_STEPS, self._steps + frames))
            return
        self._stepping, self._steps = job.key, 0
        self._go(job, frames)

    # --- what happens meanwhile

    def follow(self, state: AppState) -> None:
        """Stop when the video that is being played is no longer the one in sight."""
        if state.playing is not None:
            job = state.job(state.chosen)
            if job is None or job.key != state.playing or job.state in ACTIVE or state.closing:
                self._stopped.set()
                self._store.change(playing=None)

    # --- inside

    def _movable(self) -> JobView | None:
        state = self._store.state
        job = state.job(state.chosen)
        return job if job is not None and state.shown.may_move and not state.closing else None

    def _play(self, job: JobView) -> None:
        stopped, of = threading.Event(), job.key
        self._stopped = stopped
        free = threading.Event()
        free.set()

        def shown(played: Played) -> None:  # in the window's thread
            free.set()
            if not stopped.is_set():
                self._desk.played(of, played)

        def show(played: Played) -> None:  # in the player's
            if free.is_set():  # else the window is busy, and this one is left out
                free.clear()
                self._player.tell(partial(shown, played))

        result = job.result_file if self._desk.compares() else None
        shown_now, length = self._store.state.shown, self._store.state.shown.length or 0.0
        begin = 0.0 if shown_now.seconds > length - 0.2 else shown_now.seconds  # at its end: once more
        self._store.change(playing=of)
        self._player.submit(
            partial(
                play,
                job.source,
                result.path if result else None,
                begin,
                self._side(),
                show,
                stopped,
            ),
            lambda _nothing: self._ended(stopped),
            partial(self._failed, stopped),
        )

    def _ended(self, stopped: threading.Event) -> None:
        if stopped is self._stopped:
            self.stop()

    def _failed(self, stopped: threading.Event, error: Exception) -> None:
        logger.info("playing failed: %s", type(error).__name__)
        if stopped is self._stopped and not stopped.is_set():
            self.stop()
            self._store.say(text.error_sentence(error))

    def _go(self, job: JobView, frames: int) -> None:
        """Find the frame that is so many further on, and show it."""
        work = partial(media.neighbour, job.source, self._store.state.shown.seconds, frames)
        arrived, failed = partial(self._arrived, job.key), partial(self._lost, job.key)
        self._worker.submit(work, arrived, failed, first=True)

    def _arrived(self, of: RowKey, seconds: float) -> None:
        if self._stepping == of:
            self._stepping = None
        job = self._movable()
        if job is None or job.key != of:
            return
        self._desk.moved(seconds)
        steps, self._steps = self._steps, 0
        if steps:
            self.step(steps)

    def _lost(self, of: RowKey, error: Exception) -> None:
        logger.info("a step failed: %s", type(error).__name__)
        if self._stepping == of:
            self._stepping, self._steps = None, 0
