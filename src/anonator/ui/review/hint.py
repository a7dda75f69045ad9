"""What somebody needs to know who opens a review for the first time."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.ui.look.colours import ACCENT_DARK, WHITE
from anonator.ui.look.theme import Theme

HINT = (
    "Press N to go to the first stop where the program isn't sure: look inside the white corners, and press "
    "Enter if all is right. If a face is bare, drag a box over it; it's followed both ways while you go on. "
    "G shows what you haven't seen yet, thirty pictures at a time. "
    "Nothing can go wrong: Ctrl+Z undoes everything, and only Ctrl+Enter makes the final file."
)


class Hint(tk.Frame):
    """Four sentences and a button, above the picture; the parent places it with grid."""

    def __init__(self, parent: tk.Misc, theme: Theme, close: Callable[[], object]) -> None:
        px = theme.px
        super().__init__(parent, background=ACCENT_DARK, padx=px(14), pady=px(8))
        self.columnconfigure(0, weight=1)
        label = tk.Label(
            self, text=HINT, background=ACCENT_DARK, foreground=WHITE, font="TkDefaultFont", justify="left",
            anchor="w",
        )  # fmt: skip
        label.grid(row=0, column=0, sticky="ew")
        label.bind("<Configure>", lambda event: label.configure(wraplength=max(100, event.width - 8)))
        self.close = ttk.Button(self, text="Got it", style="Small.TButton", command=close)
        self.close.grid(row=0, column=1, padx=(px(12), 0))
