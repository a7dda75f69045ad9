"""Looks closer at both pictures at once: by buttons, and by what the panes report of wheel and mouse."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.picture_pane import PicturePane
from anonator.ui.state.zoom import LARGEST, STEP, Zoom, one_to_one

MINUS = "\N{MINUS SIGN}"
LEAST = 4.0
"""Even a small video can be enlarged this much beyond what fits."""


class ZoomControls(ttk.Frame):
    """Buttons, and the zoom that both panes show."""

    def __init__(self, parent: tk.Misc, theme: Theme, native: Callable[[], int]) -> None:
        """Create the buttons; join gives them something to enlarge.

        Args:
            parent: the widget they lie in.
            theme: of the window.
            native: tells the long side of the video in sight, in pixels; 0 if unknown.
        """
        super().__init__(parent)
        self._native = native
        self._panes: tuple[PicturePane, ...] = ()
        self.zoom = Zoom()
        self.buttons: dict[str, ttk.Button] = {}
        for column, (key, label, width, command, tip) in enumerate(
            (
                ("out", MINUS, 2, self.further, "Shows more of the picture (minus, or the wheel)."),
                (
                    "level",
                    "Fit",
                    6,
                    self.fit_or_one_to_one,
                    "Changes between the whole picture (0) and 100 % (1): one pixel of the video for each of "
                    "the screen.",
                ),
                ("in", "+", 2, self.nearer, "Looks closer (plus, or the wheel). Drag to see other parts."),
            )
        ):
            button = ttk.Button(self, text=label, width=width, style="Small.TButton", command=command)
            button.grid(row=0, column=column, padx=(theme.px(4), 0))
            ToolTip(button, theme, tip)
            self.buttons[key] = button

    def join(self, panes: tuple[PicturePane, ...]) -> None:
        """Enlarge what these panes show; the first one's picture tells the size."""
        self._panes = panes
        self.write()

    def nearer(self) -> None:
        """Enlarge the middle of the pictures."""
        self.turn(1, (0, 0))

    def further(self) -> None:
        """See more of the pictures."""
        self.turn(-1, (0, 0))

    def fit(self) -> None:
        """See the whole pictures."""
        self._take(Zoom())

    def one_to_one(self) -> None:
        """See the video's own pixels."""
        if (size := self._size) is not None:
            self._take(self.zoom.scaled(self._full(size), size, self._room))

    def fit_or_one_to_one(self) -> None:
        """Change between both."""
        if self.zoom.fits:
            self.one_to_one()
        else:
            self.fit()

    def turn(self, steps: int, at: tuple[float, float]) -> None:
        """Look so many steps closer at a point, given in pixels from a pane's middle."""
        if (size := self._size) is not None:
            factor = min(max(LEAST, LARGEST * self._full(size)), self.zoom.factor * STEP**steps)
            self._take(self.zoom.scaled(factor, size, self._room, at))

    def drag(self, across: int, down: int) -> None:
        """Move the pictures by so many pixels."""
        if (size := self._size) is not None and not self.zoom.fits:
            self._take(self.zoom.dragged(across, down, size, self._room))

    def write(self) -> None:
        """Say how near it is, and enable what is possible."""
        size = self._size
        level = "Fit"
        if size is not None and not self.zoom.fits:
            level = f"{100 * self.zoom.factor / self._full(size):.0f} %"
        self.buttons["level"].configure(text=level)
        for key, button in self.buttons.items():
            usable = size is not None and not (key == "out" and self.zoom.fits)
            button.state(["!disabled" if usable else "disabled"])

    def _full(self, size: tuple[int, int]) -> float:
        return one_to_one(self._native(), size, self._room)

    @property
    def _size(self) -> tuple[int, int] | None:
        """Width and height of the pictures in sight."""
        picture = self._panes[0].picture if self._panes else None
        return None if picture is None else (picture.shape[1], picture.shape[0])

    @property
    def _room(self) -> tuple[int, int]:
        return self._panes[0].room

    def _take(self, zoom: Zoom) -> None:
        self.zoom = zoom
        for pane in self._panes:
            pane.zoom(zoom)
        self.write()
