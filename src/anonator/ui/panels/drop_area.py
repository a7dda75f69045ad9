"""Drag and drop anywhere on the window; without the tkdnd library, the buttons still work."""

from __future__ import annotations

import logging
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk
from typing import Any

from anonator.ui.look.colours import ACCENT, ACCENT_DARK, BLACK, LINE
from anonator.ui.look.theme import Theme

logger = logging.getLogger(__name__)


def make_root() -> tuple[tk.Tk, bool]:
    """Create the program's window; also returns whether it accepts drops."""
    try:
        from tkinterdnd2 import TkinterDnD

        return TkinterDnD.Tk(className="Anonator"), True
    except (ImportError, RuntimeError) as error:
        # the library is missing or doesn't fit this Tk; the file buttons do the same
        logger.warning("drag and drop isn't available: %s", type(error).__name__)
        return tk.Tk(className="Anonator"), False


def accept_drops(root: Any, on_drop: Callable[[list[str]], None], on_hover: Callable[[bool], None]) -> None:
    """Accept files dropped anywhere on the window.

    Args:
        root: a window from make_root that accepts drops.
        on_drop: called with the dropped items once the drop has ended, so it can ask questions.
        on_hover: called when files are dragged over the window and when they leave it.
    """
    from tkinterdnd2 import COPY, DND_FILES

    def entered(_event: Any) -> str:
        on_hover(True)
        return str(COPY)

    def left(_event: Any) -> str:
        on_hover(False)
        return str(COPY)

    def dropped(event: Any) -> str:
        on_hover(False)
        # use Tcl's own list rules: a name may contain spaces and braces
        items = [str(item) for item in root.tk.splitlist(event.data)]
        root.after(1, on_drop, items)
        return str(COPY)

    root.drop_target_register(DND_FILES)
    root.dnd_bind("<<DropEnter>>", entered)
    root.dnd_bind("<<DropPosition>>", lambda _event: str(COPY))
    root.dnd_bind("<<DropLeave>>", left)
    root.dnd_bind("<<Drop>>", dropped)


class DropArea(tk.Frame):
    """Fills the window while the queue is empty: a place to drop files, and buttons that do the same."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        add_files: Callable[[], None],
        add_folder: Callable[[], None],
        *,
        can_drop: bool,
    ) -> None:
        super().__init__(parent, background=LINE, padx=theme.px(2), pady=theme.px(2))
        px = theme.px
        self._inner = tk.Frame(self, background=BLACK)
        self._inner.pack(fill="both", expand=True)
        self._middle = tk.Frame(self._inner, background=BLACK)
        self._middle.place(relx=0.5, rely=0.47, anchor="center")
        words = "Drop videos or folders here" if can_drop else "Choose the videos to anonymize"
        self._labels = [
            ttk.Label(self._middle, image=theme.images["drop"]),
            ttk.Label(self._middle, text=words, style="Hero.TLabel"),
            ttk.Label(
                self._middle,
                style="Dim.TLabel",
                justify="center",
                text="Everything stays on this computer, and your videos aren't changed:\n"
                "each result is a new file, <name>_anonymized.mp4.",
            ),
        ]
        for label, gap in zip(self._labels, (16, 10, 22), strict=True):
            label.pack(pady=(0, px(gap)))
        self._buttons = buttons = tk.Frame(self._middle, background=BLACK)
        buttons.pack()
        self.files = ttk.Button(buttons, text="Add files…", style="Primary.TButton", command=add_files)
        self.files.pack(side="left")
        self.folder = ttk.Button(buttons, text="Add folder…", style="Big.TButton", command=add_folder)
        self.folder.pack(side="left", padx=(px(12), 0))

    def hover(self, over: bool) -> None:
        """Highlight the area while files are over the window."""
        self.configure(background=ACCENT if over else LINE)
        ground = ACCENT_DARK if over else BLACK
        for frame in (self._inner, self._middle, self._buttons):
            frame.configure(background=ground)
        for label in self._labels:
            label.configure(background=ground)
