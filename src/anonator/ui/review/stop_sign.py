"""The sign over the picture: which stop this is, of how many."""

from __future__ import annotations

import tkinter as tk

from anonator.ui.look.colours import BLACK, WHITE
from anonator.ui.look.theme import Theme


class StopSign(tk.Label):
    """Black on white, like the marks on the places to look at; the parent places it with grid."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        px = theme.px
        super().__init__(
            parent, background=WHITE, foreground=BLACK, font="AnonatorStrong", padx=px(8), pady=px(3)
        )

    def show(self, words: str) -> None:
        """Say which stop it is; "" hides the sign."""
        if words != self.cget("text"):
            self.configure(text=words)
        if bool(words) != bool(self.winfo_manager()):
            (self.grid if words else self.grid_remove)()
