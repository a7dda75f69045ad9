"""Tests of single frames: one at a time, and ended as soon as nobody waits for it any more."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Protocol

from anonator.core.config import Settings
from anonator.core.job import Preview
from anonator.errors import JobCancelled
from anonator.ui.state import text
from anonator.ui.state.job import RowKey
from anonator.ui.work.worker import Task, Worker

logger = logging.getLogger(__name__)

Question = tuple[RowKey, float, Settings]
"""Which row, where in its video, and with which settings."""


class FrameTester(Protocol):
    """What is needed from the engine."""

    def test_frame(
        self,
        source: Path,
        seconds: float,
        settings: Settings,
        on_first: Callable[[Preview], None],
        stop_if_cancelled: Callable[[], None],
    ) -> Preview: ...


class FrameTest:
    """The newest question, and its answer as far as it is known."""

    def __init__(self, engine: FrameTester, worker: Worker, answered: Callable[[], None]) -> None:
        """Ask nothing yet.

        Args:
            engine: looks for faces.
            worker: the engine's.
            answered: called whenever more is known.
        """
        self._engine, self._worker, self._answered = engine, worker, answered
        self._task: Task | None = None
        self._cancelled = threading.Event()
        self._question: Question | None = None
        self._answer: Preview | str | None = None

    def answer(self, question: Question) -> Preview | str | None:
        """What would be covered, or why that's unknown; None if there is no answer yet."""
        return self._answer if question == self._question else None

    def ask(self, source: Path, question: Question) -> None:
        """Ask this question instead of any other, unless it was already asked."""
        if question == self._question:
            return
        self.forget()
        self._question = question
        cancelled = self._cancelled = threading.Event()

        def stop_if_cancelled() -> None:
            if cancelled.is_set():
                raise JobCancelled("Nobody waits for this test any more.")

        def on_first(preview: Preview) -> None:  # in the worker's thread
            self._worker.tell(partial(self._take, question, preview))

        _, seconds, settings = question
        self._task = self._worker.submit(
            partial(self._engine.test_frame, source, seconds, settings, on_first, stop_if_cancelled),
            partial(self._end, question),
            partial(self._fail, question),
        )

    def stop(self) -> None:
        """End a test that is under way, because its worker is needed; a complete answer stays."""
        if self._task is not None:
            self.forget()

    def forget(self) -> None:
        """Forget question and answer."""
        self._cancelled.set()
        if self._task is not None:
            self._task.withdraw()
        self._task = self._question = self._answer = None

    def _take(self, question: Question, answer: Preview | str) -> None:
        if question == self._question:
            self._answer = answer
            self._answered()

    def _end(self, question: Question, answer: Preview | str) -> None:
        if question == self._question:
            self._task = None
        self._take(question, answer)

    def _fail(self, question: Question, error: Exception) -> None:
        logger.info("a test of a frame failed: %s", type(error).__name__)
        self._end(question, text.error_sentence(error))
