"""Which control has the keyboard, and where a small window is whole on the screen."""

from __future__ import annotations

import tkinter as tk


def focused(widget: tk.Misc) -> tk.Misc | None:
    """The control that has the keyboard; None also where it is a part of Tk's own, such as an open list."""
    name = str(widget.tk.call("focus"))
    try:
        return widget.nametowidget(name) if name else None
    except KeyError:
        return None


def within_screen(window: tk.Misc, x: int, y: int, width: int, height: int) -> tuple[int, int]:
    """The place nearest to (x, y) at which a window of this size is whole on the screen, or on several."""
    left, top = window.winfo_vrootx(), window.winfo_vrooty()
    return (
        max(left, min(x, left + window.winfo_vrootwidth() - width)),
        max(top, min(y, top + window.winfo_vrootheight() - height)),
    )
