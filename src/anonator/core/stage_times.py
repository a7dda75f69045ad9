"""How long each stage of a job works, so that nobody has to guess where the time goes."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
WAITING = " waiting"
"""Behind a stage's name: the time in which it waits for the stage before it."""


class StageTimes:
    """Adds up seconds by the name of a stage; each stage is measured in one thread only."""

    def __init__(self) -> None:
        self._seconds: defaultdict[str, float] = defaultdict(float)

    def of(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """The same items; the time until each of them has come counts for the stage."""
        iterator = iter(items)
        while True:
            started = time.perf_counter()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self._seconds[stage] += time.perf_counter() - started
            yield item

    def waiting(self, stage: str, items: Iterable[T]) -> Iterator[T]:
        """What a stage reads; the time in which it waits for that is no work of its own."""
        return self.of(stage + WAITING, items)

    @contextlib.contextmanager
    def measured(self, stage: str) -> Iterator[None]:
        """The time spent inside counts for the stage."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[stage] += time.perf_counter() - started

    def seconds(self) -> dict[str, float]:
        """Seconds of work by stage, in the order in which they were first measured."""
        return {
            stage: round(max(0.0, total - self._seconds.get(stage + WAITING, 0.0)), 3)
            for stage, total in list(self._seconds.items())
            if not stage.endswith(WAITING)
        }
