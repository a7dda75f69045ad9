"""A short explanation next to a control."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from anonator.ui.look.colours import LINE, RAISED, WHITE
from anonator.ui.look.screen import within_screen
from anonator.ui.look.theme import Theme

TIP_DELAY_MS = 600


class ToolTip:
    """A short explanation that appears when the pointer or the keyboard focus rests on a control."""

    def __init__(self, widget: tk.Misc, theme: Theme, words: str) -> None:
        self._widget, self._theme, self.words = widget, theme, words
        self._timer: str | None = None
        self._window: tk.Toplevel | None = None
        self._at: tuple[int, int] | None = None
        self._above = False
        if isinstance(widget, ttk.Label) and not widget.cget("takefocus"):
            widget.configure(takefocus=False)  # otherwise Tab stops here, because of the keys bound below
        # not <FocusIn>: a closing dialog returns the focus, and nobody asked for a tip then
        for event in ("<Enter>", "<<TraverseIn>>"):
            widget.bind(event, self._schedule, add=True)
        for event in ("<Leave>", "<FocusOut>", "<ButtonPress>", "<Key>", "<Destroy>"):
            widget.bind(event, self.hide, add=True)

    def _schedule(self, _event: object) -> None:
        self.hide()
        self._timer = self._widget.after(TIP_DELAY_MS, self.show)

    def say(self, words: str) -> None:
        """Change the words for the next time, and show them beside the control again."""
        self.words, self._at, self._above = words, None, False

    def rest(self, words: str, at: tuple[int, int], *, above: bool = False) -> None:
        """Show other words below this place on the screen, or above it, for another part of the control."""
        self.words, self._at, self._above = words, at, above
        self._schedule(None)

    def show(self) -> None:
        """Show the tip now."""
        self.hide()
        if not self.words or not self._widget.winfo_viewable():
            return
        px = self._theme.px
        self._window = window = tk.Toplevel(self._widget, background=LINE)
        window.withdraw()
        window.overrideredirect(True)
        tk.Label(
            window,
            text=self.words,
            background=RAISED,
            foreground=WHITE,
            justify="left",
            wraplength=px(320),
            padx=px(10),
            pady=px(7),
            font="AnonatorSmall",
        ).pack(padx=1, pady=1)
        window.update_idletasks()
        width, height = window.winfo_reqwidth(), window.winfo_reqheight()
        left, below = self._at or (
            self._widget.winfo_rootx(),
            self._widget.winfo_rooty() + self._widget.winfo_height() + px(6),
        )
        above = (below if self._at else self._widget.winfo_rooty()) - height - px(6)
        x, y = within_screen(window, left, below, width, height)
        window.geometry(f"+{x}+{y if y == below and not self._above else max(0, above)}")
        window.deiconify()

    def hide(self, _event: object = None) -> None:
        """Hide the tip, and cancel one that was about to appear."""
        if self._timer is not None:
            self._widget.after_cancel(self._timer)
            self._timer = None
        if self._window is not None:
            self._window.destroy()
            self._window = None
