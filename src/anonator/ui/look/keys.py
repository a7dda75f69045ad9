"""Enter on a control, which leaves Ctrl+Enter to the whole window."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable


def on_enter(widget: tk.Misc, command: Callable[[tk.Event[tk.Misc]], object]) -> None:
    """Call this when Enter is pressed on a control, on either part of the keyboard."""
    for key in ("Return", "KP_Enter"):
        widget.bind(f"<{key}>", command)
        # Tk would take Ctrl+Enter, which starts the queue, for Enter here
        widget.bind(f"<Control-{key}>", lambda _event: None)
