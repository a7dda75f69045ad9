"""Finds the focused control, and places small windows fully on the screen."""

from __future__ import annotations

import tkinter as tk


def focused(widget: tk.Misc) -> tk.Misc | None:
    """The focused control; None if there is none or it is Tk's own, such as an open list."""
    name = str(widget.tk.call("focus"))
    try:
        return widget.nametowidget(name) if name else None
    except KeyError:
        return None


def within_screen(window: tk.Misc, x: int, y: int, width: int, height: int) -> tuple[int, int]:
    """The position nearest to (x, y) where a window of this size is fully visible, across all screens."""
    left, top = window.winfo_vrootx(), window.winfo_vrooty()
    return (
        max(left, min(x, left + window.winfo_vrootwidth() - width)),
        max(top, min(y, top + window.winfo_vrootheight() - height)),
    )
