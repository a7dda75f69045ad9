"""The review screen: its parts and their places. It takes the whole window while it is open."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from tkinter import ttk

from anonator.ui.look.colours import LINE
from anonator.ui.look.notice import Notice
from anonator.ui.look.theme import Theme
from anonator.ui.review.dragging import PictureActions
from anonator.ui.review.head import Head, HeadActions
from anonator.ui.review.hint import Hint
from anonator.ui.review.keys import KeyLine
from anonator.ui.review.lanes import LaneActions, Lanes
from anonator.ui.review.picture import Picture
from anonator.ui.review.sheet import Sheet, SheetActions
from anonator.ui.review.stop_sign import StopSign
from anonator.ui.review.to_check import ToCheck
from anonator.ui.review.track_list import TrackActions, TrackList
from anonator.ui.review.transport import Transport, TransportActions

SIDE_WIDTH = 330
SIDE_SHARE = 0.26
"""Of a wide window, for cards and tracks."""


@dataclass(frozen=True, slots=True)
class ScreenActions:
    """What the screen's parts ask for."""

    head: HeadActions
    picture: PictureActions
    lanes: LaneActions
    transport: TransportActions
    tracks: TrackActions
    sheet: SheetActions
    card: Callable[[int], object]
    """A card was clicked."""
    dismiss: Callable[[], object]
    """The message was read."""
    hint_read: Callable[[], object]
    keys: Mapping[str, Callable[[], object]]
    """By the names in keys.KEYS."""


class Screen(ttk.Frame):
    """Creates the parts and puts them in their places."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: ScreenActions) -> None:
        px = theme.px
        super().__init__(parent, padding=(px(16), px(10)))
        self._theme = theme
        self.columnconfigure(0, weight=1)
        self.rowconfigure(3, weight=1)
        self.head = Head(self, theme, actions.head)
        self.head.grid(row=0, column=0, columnspan=2, sticky="ew", pady=(0, px(8)))
        self.hint = Hint(self, theme, actions.hint_read)
        self.hint.grid(row=2, column=0, columnspan=2, sticky="ew", pady=(0, px(8)))
        self.hint.grid_remove()

        self.left = ttk.Frame(self)
        self.left.grid(row=3, column=0, sticky="nsew", padx=(0, px(14)))
        self.left.columnconfigure(0, weight=1)
        self.left.rowconfigure(0, weight=1)
        self.picture = Picture(self.left, theme, actions.picture)
        self.picture.grid(row=0, column=0, sticky="nsew")
        # above the picture, where the eyes are
        self.stop_sign = StopSign(self.left, theme)
        self.stop_sign.grid(row=0, column=0, sticky="nw", padx=px(10), pady=px(10))
        self.stop_sign.show("")
        self.lanes = Lanes(self.left, theme, actions.lanes)
        self.lanes.grid(row=1, column=0, sticky="ew", pady=(px(6), px(6)))
        self.transport = Transport(self.left, theme, actions.transport)
        self.transport.grid(row=2, column=0, sticky="ew")

        # over the picture, which must not move or change its size whenever something is said
        self.notice = Notice(self, theme, answer="OK", command=actions.dismiss)
        self.notice.grid(row=3, column=0, sticky="new", padx=(0, px(14)))
        self.notice.grid_remove()

        self.side = ttk.Frame(self, width=px(SIDE_WIDTH))
        self.side.grid(row=3, column=1, sticky="nsew")
        self.side.grid_propagate(False)
        self.side.columnconfigure(0, weight=1)
        self.side.rowconfigure((0, 1), weight=1, uniform="list")
        self.to_check = ToCheck(self.side, theme, actions.card)
        self.to_check.grid(row=0, column=0, sticky="nsew", pady=(0, px(10)))
        self.tracks = TrackList(self.side, theme, actions.tracks)
        self.tracks.grid(row=1, column=0, sticky="nsew")
        self.bind("<Configure>", self._fit, add=True)

        self.sheet = Sheet(self, theme, actions.sheet)
        line = tk.Frame(self, background=LINE, height=px(1))
        line.grid(row=4, column=0, columnspan=2, sticky="ew", pady=(px(8), px(6)))
        self.key_line = KeyLine(self, theme, actions.keys)
        self.key_line.grid(row=5, column=0, columnspan=2, sticky="ew")

    def show_sheet(self, yes: bool) -> None:
        """Let the sheet take the place of picture and lists, or give it back."""
        if yes == bool(self.sheet.winfo_manager()):
            return
        if yes:
            self.left.grid_remove()
            self.side.grid_remove()
            self.sheet.grid(row=3, column=0, columnspan=2, sticky="nsew")
        else:
            self.sheet.grid_remove()
            self.left.grid()
            self.side.grid()
            self.picture.focus_set()

    def areas(self) -> dict[str, list[int]]:
        """The screen areas of some controls, [x, y, width, height], for tests that drive the program."""
        return {
            name: [widget.winfo_rootx(), widget.winfo_rooty(), widget.winfo_width(), widget.winfo_height()]
            for name, widget in (
                ("picture", self.picture),
                ("lanes", self.lanes),
                ("sign", self.head.sign),
                ("leave", self.head.back),
                ("play", self.transport.buttons["play"]),
                ("tracks", self.tracks.tree),
                ("cards", self.to_check.canvas),
            )
        }

    def _fit(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self:
            width = max(self._theme.px(SIDE_WIDTH), round(event.width * SIDE_SHARE))
            self.side.configure(width=min(width, self._theme.px(2 * SIDE_WIDTH)))
