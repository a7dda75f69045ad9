"""Messages at the top of the window, each with one button."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.ui.look.colours import ACCENT_DARK, WHITE
from anonator.ui.look.theme import Theme


class Notice(tk.Frame):
    """One message with a button, hidden if there is no message; the parent places it with grid."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        *,
        answer: str,
        command: Callable[[], object],
    ) -> None:
        """Create the notice.

        Args:
            answer: the label of its button.
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
        """The message shown, or "" if hidden."""
        return str(self._label.cget("text")) if self.winfo_manager() else ""

    def show(self, message: str) -> None:
        """Show a message in place of the last one; "" hides the notice."""
        if message == self.message:
            return
        self._label.configure(text=message)
        if message:
            self.grid()
        else:
            self.grid_remove()
