"""Measures a stage of a job: frames, time and speed, and when to report progress."""

from __future__ import annotations

import time
from collections import deque

from anonator.core.job import Progress, Stage

PROGRESS_SECONDS = 0.1
PREVIEW_SECONDS = 0.25
SPEED_WINDOW_SECONDS = 5.0
"""Frames per second are measured over this long, so that they are steady."""


class Meter:
    """Counts the frames of one stage of a job on a clock that can be stopped."""

    def __init__(self, total: int | None, stage: Stage = Stage.WORKING) -> None:
        """Start the clock.

        Args:
            total: frames that the header promises, or None.
            stage: what the job is doing.
        """
        self.frames = 0
        self._stage = stage
        self._total = total
        self._begin = time.monotonic()
        self._stopped_at: float | None = None
        self._told = self._previewed = float("-inf")
        self._recent: deque[tuple[float, int]] = deque([(0.0, 0)])

    def elapsed(self) -> float:
        """Seconds on the clock."""
        return (self._stopped_at or time.monotonic()) - self._begin

    def stop_clock(self) -> None:
        """Stop the clock while the job is paused."""
        self._stopped_at = time.monotonic()

    def start_clock(self) -> None:
        """Continue after a pause, as if there had been none."""
        if self._stopped_at is not None:
            self._begin += time.monotonic() - self._stopped_at
            self._stopped_at = None

    def count(self) -> Progress | None:
        """Count one frame; returns the progress when it's time to report it."""
        self.frames += 1
        return self.due()

    def due(self) -> Progress | None:
        """The progress when it's time to report it."""
        now = self.elapsed()
        if now - self._told < PROGRESS_SECONDS:
            return None
        self._told = now
        self._recent.append((now, self.frames))
        while len(self._recent) > 2 and now - self._recent[1][0] >= SPEED_WINDOW_SECONDS:
            self._recent.popleft()
        return self.progress()

    def progress(self) -> Progress:
        """The progress now."""
        (begin, first), now = self._recent[0], self.elapsed()
        fps = (self.frames - first) / (now - begin) if now > begin else 0.0
        return Progress(self.frames, self._total, now, fps, stage=self._stage)

    def preview_is_due(self) -> bool:
        """Whether enough time has passed since the last True."""
        now = self.elapsed()
        if now - self._previewed < PREVIEW_SECONDS:
            return False
        self._previewed = now
        return True
