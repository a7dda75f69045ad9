"""Records where frames of the input were replaced with black."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from anonator.core.clock_text import clock_text
from anonator.core.frames import Frame

SPELLS_TOLD = 5
"""A note names this many places and counts the others."""


class BlackSpells:
    """Counts the frames that were replaced with black, and remembers where."""

    def __init__(self) -> None:
        self.frames = 0
        """Frames replaced so far."""
        self._start: Fraction | None = None
        self._spells: list[tuple[Fraction, Fraction]] = []
        self._within = False

    def enter(self, frame: Frame) -> None:
        """Record the next frame that is delivered, replaced or not."""
        if self._start is None:
            self._start = frame.seconds
        if frame.replaced:
            self.frames += 1
            time = frame.seconds - self._start
            if self._within:
                self._spells[-1] = self._spells[-1][0], time
            else:
                self._spells.append((time, time))
        self._within = frame.replaced

    def notes(self) -> Iterator[str]:
        """A sentence about them, if there were any."""
        if not self.frames:
            return
        words = [
            clock_text(first) + (f" to {clock_text(last)}" if last > first else "")
            for first, last in self._spells[:SPELLS_TOLD]
        ]
        if len(self._spells) > SPELLS_TOLD:
            words.append(f"and {len(self._spells) - SPELLS_TOLD} more places")
        what = (
            "1 frame could not be decoded and is"
            if self.frames == 1
            else f"{self.frames} frames could not be decoded and are"
        )
        yield f"{what} black in the result: at {', '.join(words)}."
