"""The slider of the review, with three thin lanes: covers, doubts, and what was seen."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anonator.ui.look.theme import Theme
from anonator.ui.review.marks import Tick


@dataclass(frozen=True, slots=True)
class LaneActions:
    """What the slider asks for."""

    go: Callable[[int], object]
    """Show this frame: it was clicked, or dragged there."""
    doubt: Callable[[int], object]
    """A tick was clicked: its place in the list given to show_doubts."""


class Lanes(tk.Canvas):
    """Draws a video of any length at any width; what is drawn is given to it."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: LaneActions) -> None:
        """Create an empty slider.

        Args:
            parent: the widget it lies in.
            theme: of the window.
            actions: what to call.
        """
        raise NotImplementedError

    def show_video(self, times: npt.NDArray[np.float64]) -> None:
        """Take another video: (frames,) seconds at which each frame is shown, rising."""
        raise NotImplementedError

    def show_counts(self, counts: npt.NDArray[np.int64]) -> None:
        """Draw how many places are covered: (frames,)."""
        raise NotImplementedError

    def show_doubts(self, ticks: Sequence[Tick]) -> None:
        """Draw the doubts."""
        raise NotImplementedError

    def show_seen(self, spans: Sequence[tuple[int, int]]) -> None:
        """Draw what was seen: first and last frame of each stretch, both included."""
        raise NotImplementedError

    def show_position(self, index: int) -> None:
        """Put the mark of the position on a frame."""
        raise NotImplementedError
