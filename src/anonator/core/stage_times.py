"""How long each stage of a job works, so that nobody has to guess where the time is spent."""

from __future__ import annotations

import contextlib
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
WAITING = " waiting"
"""Suffix of a stage's name: the time it waits for the stage before it."""


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
        """What a stage reads; waiting for it doesn't count as the stage's own work."""
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
