"""The widths of the queue's columns: names and states share what there is by what they need."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.ui.look.theme import THUMBNAIL, Theme

BORDER = 2
"""Of the list, in pixels of the screen."""
STATE_SHARE = 0.6
"""Of what names and states have together, for states that need so much."""
LEAST = 40
"""Design pixels for the words of a column, however narrow it is."""


class QueueColumns:
    """Fits the columns to the list's width; what somebody has dragged stays as it is, but for what is cut."""

    def __init__(self, tree: ttk.Treeview, theme: Theme, indent: int, changed: Callable[[], object]) -> None:
        """Watch the list.

        Args:
            tree: the list, with its columns.
            theme: of the window.
            indent: pixels before the text of a cell.
            changed: called if there's another room for names or states.
        """
        self._tree, self._px, self._changed = tree, theme.px, changed
        margin = theme.px(12) + indent
        self._margins = theme.px(THUMBNAIL[0]) + margin, margin
        self._needed: dict[int, tuple[int, int]] = {}
        """By row: the widths of its name and of its longest state so far."""
        self._by_hand = False
        """Whether somebody has dragged a column's edge."""
        self._room_before = (0, 0)
        tree.bind("<ButtonPress-1>", self._pressed, add=True)
        for event in ("<Configure>", "<ButtonRelease-1>"):  # the window or a column was resized
            # after the list has set its new column widths
            tree.bind(event, lambda _event: tree.after_idle(self.fit), add=True)

    @property
    def room(self) -> tuple[int, int]:
        """The widths available for the words of names and states."""
        widths = self._tree.column("#0", "width"), self._tree.column("state", "width")
        name, state = (max(self._px(LEAST), w - m) for w, m in zip(widths, self._margins, strict=True))
        return name, state

    def need(self, number: int, name: int, state: int) -> None:
        """Note how wide the words of a row are; fit() acts on it."""
        before = self._needed.get(number, (0, 0))
        self._needed[number] = name, max(state, before[1])  # or the columns would move with every per cent

    def forget(self, number: int) -> None:
        """A row is gone."""
        self._needed.pop(number, None)

    def fit(self) -> None:
        """Give each column its width."""
        if self._tree.winfo_ismapped():
            if not self._by_hand:
                self._share()
            self._narrow()
        if self._room_before != self.room:
            self._room_before = self.room
            self._changed()

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        self._by_hand = self._by_hand or self._tree.identify_region(event.x, event.y) == "separator"

    def _share(self) -> None:
        """Give names and states what they need; where there isn't enough, states come first."""
        if not self._needed:
            return
        tree = self._tree
        fixed = sum(tree.column(column, "width") for column in ("length", "size"))
        room = tree.winfo_width() - 2 * BORDER - fixed
        needed = zip(zip(*self._needed.values(), strict=True), self._margins, strict=True)
        name, state = (max(each) + margin for each, margin in needed)
        state += max(0, room - name - state) // 2
        state = min(state, max(room - name, round(STATE_SHARE * room)))
        state = min(state, room - tree.column("#0", "minwidth"))
        if (room - state, state) != (tree.column("#0", "width"), tree.column("state", "width")):
            tree.column("#0", width=room - state)
            tree.column("state", width=state)

    def _narrow(self) -> None:
        """Make names and states narrower if the columns are wider than the list, which Tk leaves so."""
        widths = {column: self._tree.column(column, "width") for column in ("#0", "length", "size", "state")}
        over = sum(widths.values()) - (self._tree.winfo_width() - 2 * BORDER)
        if over <= 0:
            return
        for column, share in (("#0", over // 2), ("state", over - over // 2)):
            least = self._tree.column(column, "minwidth")
            self._tree.column(column, width=max(least, widths[column] - share))
