"""The course of a whole job: how much of it is done, over all its stages, and how long the rest takes."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from anonator.core.job import Progress

PACE_SECONDS = 60.0
"""The pace is measured over this long, so that one slow scene doesn't turn the estimate over."""
FIRST_SECONDS = 3.0
"""A pace measured over less isn't told: the stages have just begun to fill."""
STEADY_SECONDS = 4.0
STEADY = 0.1
"""Remaining time is told once the end that it predicts stayed within this share of it for so long."""
TRUSTED = 0.5
"""From this share of a stage on its pace alone counts; until then also what was expected of it beforehand."""
LATER = 0.2
"""What the stages after the first are taken for as long as nothing has been measured."""
KEPT_BACK = 0.02
"""Share of the course that is kept for what a check may still ask for."""


class Course:
    """Places each report of a stage on one way from 0 to 1 that never goes back."""

    def __init__(self) -> None:
        self._done = 0.0
        self._told = False
        self._passed = 0.0
        self._elapsed = 0.0
        self.enter(lambda: None)

    def enter(self, later: Callable[[], float | None], expected: float | None = None) -> None:
        """Begin a stage.

        Args:
            later: gives the seconds that follow after this stage; None if that isn't known yet.
            expected: seconds of this stage, if they are known beforehand.
        """
        self._later, self._expected = later, expected
        self._begin, self._passed = self._done, self._passed + self._elapsed
        self._elapsed = 0.0
        self._paces: deque[tuple[float, float]] = deque()
        self._ends: deque[tuple[float, float]] = deque()

    def place(self, progress: Progress, share: float) -> Progress:
        """A stage's report with how much of the job is done and the time that remains, if it is steady.

        Args:
            progress: of the stage, with its own clock.
            share: how much of the stage is done, 0..1.
        """
        share = min(1.0, max(0.0, share))
        now = self._elapsed = progress.elapsed_seconds
        rest, later = self._rest(now, share), self._later()
        whole = now + (rest or 0.0)
        after = whole * LATER if later is None else later
        part = whole / (whole + after) if rest is not None and whole + after > 0 else 1 - LATER
        end = self._begin + (1 - KEPT_BACK - self._begin) * part
        self._done = max(self._done, self._begin + share * (end - self._begin))
        remaining = None if rest is None or later is None else rest + later
        if remaining is not None and not self._is_steady(self._passed + now, remaining):
            remaining = None
        return replace(
            progress, elapsed_seconds=self._passed + now, done=self._done, remaining_seconds=remaining
        )

    def _rest(self, now: float, share: float) -> float | None:
        """Seconds until the end of this stage at its pace, or as expected; None if nobody can know yet."""
        if share <= 0:
            return self._expected
        if not self._paces or now - self._paces[-1][0] >= 1.0:
            self._paces.append((now, share))
            while len(self._paces) > 2 and now - self._paces[1][0] >= PACE_SECONDS:
                self._paces.popleft()
        begun, first = self._paces[0]
        expected = None if self._expected is None else (1 - share) * self._expected
        if now - begun < FIRST_SECONDS or share <= first:
            return expected
        at_this_pace = (1 - share) * (now - begun) / (share - first)
        if expected is None:
            return at_this_pace
        trust = min(1.0, share / TRUSTED)
        return trust * at_this_pace + (1 - trust) * expected

    def _is_steady(self, now: float, remaining: float) -> bool:
        """Whether the end of the job has been predicted alike for a while; once it was told, it always is."""
        if not self._told:
            self._ends.append((now, now + remaining))
            while len(self._ends) > 2 and now - self._ends[1][0] >= STEADY_SECONDS:
                self._ends.popleft()
            ends = [end for _, end in self._ends]
            self._told = (
                now - self._ends[0][0] >= STEADY_SECONDS and max(ends) - min(ends) <= STEADY * remaining
            )
        return self._told
