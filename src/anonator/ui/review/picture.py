"""The picture under review, with its covers and outlines; covers are drawn, moved and resized on it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anonator.core.frames import UInt8Array
from anonator.ui.look.theme import Theme
from anonator.ui.review.marks import Box, Mark


@dataclass(frozen=True, slots=True)
class PictureActions:
    """What the picture asks for; boxes are in pixels of the video's frames."""

    draw: Callable[[Box], object]
    """A new box was drawn with the mouse."""
    move: Callable[[int, Box], object]
    """The selected mark with this id was moved or resized; called once, when the mouse lets go."""
    select: Callable[[int | None, bool], object]
    """A mark was clicked, or (None) nothing; True adds to the selection (Shift or Ctrl is held)."""
    resized: Callable[[], object]
    """Pictures of another size are wanted now: see Picture.side."""


class Picture(tk.Canvas):
    """Draws a frame and what is covered on it. It draws only what it is given, and changes nothing itself."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: PictureActions) -> None:
        """Create an empty picture.

        Args:
            parent: the widget it lies in.
            theme: of the window.
            actions: what to call.
        """
        raise NotImplementedError

    @property
    def side(self) -> int:
        """The long side, in pixels, in which pictures should be decoded for this size and zoom."""
        raise NotImplementedError

    def show(self, picture: UInt8Array, size: tuple[int, int], marks: Sequence[Mark]) -> None:
        """Draw a frame with its marks, both at once, so that no cover is ever drawn on another frame.

        Args:
            picture: (H, W, 3) RGB.
            size: width and height of the video's frames (analysis.key), in which marks are given.
            marks: of this frame.
        """
        raise NotImplementedError

    def mark(self, marks: Sequence[Mark]) -> None:
        """Draw other marks over the frame that is shown, after an edit or another selection."""
        raise NotImplementedError

    def say(self, words: str) -> None:
        """Show words and no picture."""
        raise NotImplementedError

    def show_original(self, yes: bool) -> None:
        """Take the covers away, or put them back; outlines stay."""
        raise NotImplementedError

    def draw_area(self, yes: bool) -> None:
        """Show that the next drag draws a fixed area, also where it begins on the selected mark."""
        raise NotImplementedError

    def nearer(self, steps: int) -> None:
        """Look so many steps closer, or from further away if negative."""
        raise NotImplementedError

    def fit(self) -> None:
        """Show the whole picture."""
        raise NotImplementedError

    def cancel_drag(self) -> bool:
        """Give up what is being drawn or moved, and say whether there was anything (for Escape)."""
        raise NotImplementedError
