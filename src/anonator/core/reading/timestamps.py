"""Time stamps of a video: strictly increasing, never negative, otherwise exactly the input's."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

JUMP_SECONDS = Fraction(1, 2)
"""A step back by more than this is a new beginning (a joined recording), not a repeated stamp."""
SHORTEST_RECORDING = 2
"""Frames' lengths from which a step back to the very beginning is one too."""


class Clock:
    """Gives every frame its time, in order of presentation.

    A stamp that is there and greater than the last one is kept. A missing one becomes the last plus one
    frame; a repeated or slightly earlier one becomes the last plus one tick; after a jump back, by much or
    to the beginning, all later ones are moved so that time advances by one frame. Nothing is dropped. If the
    first stamp is negative, all are moved to start at 0, because MP4 would cut off anything earlier.
    """

    def __init__(self, time_base: Fraction, rate: Fraction, first: int | None) -> None:
        """Take the stream's time base, its frame rate and the first frame's stamp."""
        self.shift = max(0, -(first or 0))
        """Added to all stamps so that none is negative, in units of time_base."""
        self._first = first
        self._has_begun = first is not None
        self._step = max(1, round(1 / rate / time_base))
        self._jump_ticks = JUMP_SECONDS / time_base
        self._offset = self.shift
        self._last: int | None = None
        self._missing = self._repeated = self._jumps = 0

    def next(self, pts: int | None) -> int:
        """The time of the next frame, from the stamp that the decoder gave it."""
        last = self._last
        if pts is None:
            self._missing += 1
            time = 0 if last is None else last + self._step
        else:
            time = pts + self._offset
            if last is not None and time <= last:
                time = self._mended(time, last)
            self._has_begun = True
        self._last = time
        return time

    def _mended(self, time: int, last: int) -> int:
        begin = None if self._first is None else self._first + self._offset
        again = begin is not None and time <= begin and last - begin >= SHORTEST_RECORDING * self._step
        if last - time <= self._jump_ticks and not again and self._has_begun:
            self._repeated += 1
            return last + 1
        if self._has_begun:
            self._jumps += 1
        self._offset += last + self._step - time
        return last + self._step

    def notes(self) -> Iterator[str]:
        """Sentences about what had to be corrected so far."""
        if self._missing or self._repeated:
            yield f"{self._missing + self._repeated} time stamps were missing or repeated and were corrected."
        if self._jumps:
            yield (
                "The time stamps jump back within the video, as in joined recordings; "
                "the result's time continues there, and any sound that was kept may be out of sync."
            )
        if self.shift:
            yield "The time stamps began below zero, so they were shifted to start at zero."
