"""Follows drawn covers through the video while the person goes on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from anonator.errors import AnonatorError, JobCancelled, ReviewError
from anonator.ui.review.session import ReviewSession
from anonator.ui.state import text
from anonator.ui.work.worker import Answers, Worker

if TYPE_CHECKING:
    from anonator.core.detection.detector_protocol import Detector
    from anonator.core.review.follow import Followed

logger = logging.getLogger(__name__)

STOP_SECONDS = 5.0
NOT_FOLLOWED = "A cover couldn't be followed, so it's only where you put it. {}"


class Following:
    """One cover after the other, the newest first; a cover that is placed again is followed again."""

    def __init__(
        self,
        session: ReviewSession,
        detector: Callable[[], Detector | None],
        answers: Answers,
        changed: Callable[[], object],
        say: Callable[[str], object],
    ) -> None:
        """Set it up; nothing is loaded before something is drawn.

        Args:
            session: whose covers are followed.
            detector: loads what sees faces in a cover, in the worker's thread; None follows without.
            answers: delivers what the worker has done.
            changed: called when a cover begins or ends being followed.
            say: tells people what went wrong.
        """
        self._session, self._load, self._changed, self._say = session, detector, changed, say
        self._worker = Worker("anonator-following", answers)
        self._running: dict[int, threading.Event] = {}
        """By cover: set to give it up."""
        self._detector: Detector | None = None
        self._loaded = False

    @property
    def waiting(self) -> int:
        """How many covers are being followed, or will be."""
        return len(self._running)

    def follow(self, id: int) -> None:
        """Follow a cover from where a person put it, both ways; what was begun for it is given up."""
        if id in self._running:
            self._running.pop(id).set()
        places = self._session.placed(id)
        if not places:
            return
        given_up = self._running[id] = threading.Event()
        video, analysis = self._session.video, self._session.analysis

        def work() -> Followed:
            from anonator.core.review.follow import follow

            def checkpoint() -> None:
                if given_up.is_set():
                    raise JobCancelled()

            checkpoint()
            return follow(video, analysis, places, self._ready(), checkpoint)

        self._worker.submit(
            work, partial(self._done, id, given_up), partial(self._failed, id, given_up), first=True
        )
        self._changed()

    def close(self) -> None:
        """Give everything up, and end the thread; the detector belongs to whoever loaded it."""
        for given_up in self._running.values():
            given_up.set()
        self._running.clear()
        self._worker.stop(STOP_SECONDS)

    def _ready(self) -> Detector | None:
        """The detector; without one, a cover is followed by what moves in it."""
        if not self._loaded:
            self._loaded = True
            try:
                self._detector = self._load()
            except AnonatorError as error:
                logger.warning("covers are followed without a detector: %s", type(error).__name__)
        return self._detector

    def _done(self, id: int, given_up: threading.Event, followed: Followed) -> None:
        if given_up.is_set():
            return
        self._running.pop(id, None)
        try:
            self._session.took(id, followed)
        except ReviewError as error:
            self._say(NOT_FOLLOWED.format(error))
        self._changed()

    def _failed(self, id: int, given_up: threading.Event, error: Exception) -> None:
        if given_up.is_set():
            return
        self._running.pop(id, None)
        logger.warning("a cover couldn't be followed: %s", type(error).__name__)
        self._say(NOT_FOLLOWED.format(text.error_sentence(error)))
        self._changed()
