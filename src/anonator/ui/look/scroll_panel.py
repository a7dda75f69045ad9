"""A panel that scrolls if the window isn't tall enough."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from anonator.ui.look.colours import BLACK
from anonator.ui.look.theme import Theme


class ScrollPanel(ttk.Frame):
    """A frame of fixed width whose content scrolls if the window isn't tall enough."""

    def __init__(self, parent: tk.Misc, theme: Theme, width: int) -> None:
        super().__init__(parent)
        self._canvas = tk.Canvas(
            self, background=BLACK, highlightthickness=0, width=width, height=1, takefocus=False
        )
        self._bar = ttk.Scrollbar(self, orient="vertical", command=self._canvas.yview)
        self._canvas.configure(yscrollcommand=self._bar.set)
        self.inner = ttk.Frame(self._canvas)
        self._item = self._canvas.create_window(0, 0, anchor="nw", window=self.inner)
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        self._canvas.grid(row=0, column=0, sticky="nsew")
        self._bar.grid(row=0, column=1, sticky="ns", padx=(theme.px(6), 0))
        self.inner.bind("<Configure>", self._fit)
        self._canvas.bind("<Configure>", self._fit)
        top = self.winfo_toplevel()
        for event in ("<MouseWheel>", "<Button-4>", "<Button-5>"):
            top.bind(event, self._wheel, add=True)
        top.bind("<FocusIn>", self._show_focus, add=True)

    def _fit(self, _event: object) -> None:
        self._canvas.itemconfigure(self._item, width=self._canvas.winfo_width())
        height = self.inner.winfo_reqheight()
        self._canvas.configure(scrollregion=(0, 0, self._canvas.winfo_width(), height))
        if height <= self._canvas.winfo_height():
            self._canvas.yview_moveto(0)
            self._bar.grid_remove()
        else:
            self._bar.grid()

    def _holds(self, widget: object) -> bool:
        return str(widget).startswith(str(self.inner))

    def _wheel(self, event: tk.Event[tk.Misc]) -> None:
        if self._holds(event.widget) and self.inner.winfo_reqheight() > self._canvas.winfo_height():
            up = event.num == 4 or event.delta > 0
            self._canvas.yview_scroll(-2 if up else 2, "units")

    def _show_focus(self, event: tk.Event[tk.Misc]) -> None:
        """Scroll so that the focused control is visible."""
        if not self._holds(event.widget):
            return
        total, seen = max(1, self.inner.winfo_reqheight()), self._canvas.winfo_height()
        top = event.widget.winfo_rooty() - self.inner.winfo_rooty()
        first = self._canvas.canvasy(0)
        if top < first or top + event.widget.winfo_height() > first + seen:
            self._canvas.yview_moveto(max(0, top - seen // 3) / total)
