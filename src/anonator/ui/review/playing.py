"""Moves through the video under review: plays, steps and jumps, and says what was on the screen."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anonator.ui.review.film import Film, Shown

SPEEDS = (1.0, 2.0, 4.0, 8.0)


@dataclass(frozen=True, slots=True)
class PlayingActions:
    """What the review does with what comes."""

    show: Callable[[Shown], object]
    """Draw this frame, with its marks, now."""
    moved: Callable[[int, float], object]
    """Another frame was asked for, or another speed: (index, speed); for clock, slider and buttons."""
    seen: Callable[[int, int, float], object]
    """(first, last, speed): these frames, both included, have just been on the screen, played at that speed
    (always > 0, also backwards), or the one frame was stopped on (0). Called after show."""
    failed: Callable[[Exception], object]
    """The video can't be read there."""


class Playing:
    """Keeps the position; asks the film, and passes on what it delivers."""

    def __init__(
        self,
        root: tk.Misc,
        film: Film,
        times: Sequence[float],
        side: Callable[[], int],
        actions: PlayingActions,
    ) -> None:
        """Set it up, and ask for the first frame.

        Args:
            root: for its clock.
            film: of the video; closed by close().
            times: of each frame, in seconds, rising.
            side: tells how large pictures should be (Picture.side).
            actions: what to call.
        """
        raise NotImplementedError

    @property
    def index(self) -> int:
        """The frame that was asked for, or that is shown while playing."""
        raise NotImplementedError

    @property
    def speed(self) -> float:
        """0 while it stands still, below 0 backwards."""
        raise NotImplementedError

    def go(self, index: int) -> None:
        """Stop, and show this frame; beyond the ends, the first or the last one."""
        raise NotImplementedError

    def step(self, frames: int) -> None:
        """Stop, and go on by so many frames, or back."""
        raise NotImplementedError

    def skip(self, seconds: float) -> None:
        """Stop, and go to the frame that is shown so much later, or earlier; at least one frame."""
        raise NotImplementedError

    def toggle(self) -> None:
        """Play at 1x, or stop; from the last frame, from the beginning."""
        raise NotImplementedError

    def forward(self) -> None:
        """Play (L); again: twice as fast, up to 8x."""
        raise NotImplementedError

    def back(self) -> None:
        """Play backwards (J); again: twice as fast, up to 8x."""
        raise NotImplementedError

    def stop(self) -> None:
        """Stop on the frame that is shown (K)."""
        raise NotImplementedError

    def play_to(self, begin: int, end: int) -> None:
        """Play from one frame to a later one at 1x, and stop exactly there (N)."""
        raise NotImplementedError

    def refresh(self) -> None:
        """Ask for the frame again, because pictures of another size are wanted."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop, and close the film."""
        raise NotImplementedError
