"""Calm messages at the head of the window: one that stays until it is read, one until it is mended."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.ui.look.colours import ACCENT_DARK, WHITE
from anonator.ui.look.theme import Theme


class Notice(tk.Frame):
    """One message with a button; hidden while there is none. Its parent grids it, and shows the first one."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        *,
        answer: str,
        command: Callable[[], object],
    ) -> None:
        """Make it.

        Args:
            answer: the words of its button.
            command: what the button does.
        """
        super().__init__(parent, background=ACCENT_DARK, padx=theme.px(14), pady=theme.px(6))
        self.columnconfigure(0, weight=1)
        self._label = tk.Label(
            self, background=ACCENT_DARK, foreground=WHITE, font="TkDefaultFont", justify="left", anchor="w"
        )
        self._label.grid(row=0, column=0, sticky="ew")
        self._label.bind(
            "<Configure>", lambda event: self._label.configure(wraplength=max(100, event.width - 8))
        )
        self.close = ttk.Button(self, text=answer, style="Small.TButton", command=command)
        self.close.grid(row=0, column=1, padx=(theme.px(12), 0))

    @property
    def message(self) -> str:
        """What is shown, "" while hidden."""
        return str(self._label.cget("text")) if self.winfo_manager() else ""

    def show(self, message: str) -> None:
        """Show a message instead of the one before, or nothing where there is none."""
        if message == self.message:
            return
        self._label.configure(text=message)
        if message:
            self.grid()
        else:
            self.grid_remove()
