"""The on-off switch that Tk lacks."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.ui.look.keys import on_enter
from anonator.ui.look.screen import focused
from anonator.ui.look.theme import Theme


class Switch(ttk.Label):
    """An on-off switch that works with the mouse, Space and Enter."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, command: Callable[[bool], None], *, style: str = "TLabel"
    ) -> None:
        super().__init__(parent, style=style, takefocus=True, cursor="hand2")
        self._theme, self._command = theme, command
        self.on = False
        self.enabled = True
        self._draw()
        for event in ("<Button-1>", "<space>"):
            self.bind(event, self._turn)
        on_enter(self, self._turn)
        for event in ("<FocusIn>", "<FocusOut>"):
            self.bind(event, self._draw, add=True)

    def set(self, on: bool) -> None:
        """Show a value without calling the command."""
        self.on = on
        self._draw()

    def enable(self, yes: bool) -> None:
        """Enable or disable the switch."""
        self.enabled = yes  # not ttk's state, which would draw a dot pattern over the picture
        self.configure(takefocus=yes, cursor="hand2" if yes else "")
        self._draw()

    def invoke(self) -> None:
        """Switch it as a click does, but don't move the keyboard focus."""
        if self.enabled:
            self._command(not self.on)

    def _turn(self, _event: object) -> str:
        if self.enabled:
            self.focus_set()
        self.invoke()
        return "break"

    def _draw(self, _event: object = None) -> None:
        name = "switch_on" if self.on else "switch_off"
        if not self.enabled:
            name += "_disabled"
        elif focused(self) is self:
            name += "_focus"
        self.configure(image=self._theme.images[name])
