"""A column of settings, each with a name and a tooltip."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.ui.look.switch import Switch
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip


class Section(ttk.Frame):
    """Places controls from top to bottom."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(parent)
        self.theme = theme
        self.columnconfigure(0, weight=1)
        self._row = 0

    def put(self, widget: tk.Widget, gap: float = 4, sticky: str = "ew") -> None:
        """Add a control below the others."""
        widget.grid(row=self._row, column=0, sticky=sticky, pady=(self.theme.px(gap), 0))
        self._row += 1

    def heading(self, words: str, tip: str, gap: float = 14) -> None:
        """Add a heading with a tooltip."""
        label = ttk.Label(self, text=words, style="Strong.TLabel")
        self.put(label, gap, "w")
        ToolTip(label, self.theme, tip)

    def switch(self, words: str, tip: str, command: Callable[[bool], None]) -> Switch:
        """Add a line with a switch at its end; clicking the words works too."""
        row = ttk.Frame(self)
        row.columnconfigure(0, weight=1)
        label = ttk.Label(row, text=words)
        label.grid(row=0, column=0, sticky="w")
        switch = Switch(row, self.theme, command)
        switch.grid(row=0, column=1)
        label.bind("<Button-1>", lambda _event: switch.invoke())
        ToolTip(label, self.theme, tip)
        ToolTip(switch, self.theme, tip)
        self.put(row, 12)
        return switch
