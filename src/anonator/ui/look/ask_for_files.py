"""The system's file dialogs; on Windows, what is chosen in them isn't added to the recent files."""

from __future__ import annotations

import logging
import sys
import threading
import tkinter as tk
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tkinter import filedialog

from anonator.ui.look import windows_file_dialog
from anonator.ui.look.windows_file_dialog import Option, Wanted

logger = logging.getLogger(__name__)

Kinds = tuple[tuple[str, tuple[str, ...]], ...]
"""Name of each kind of files, and its patterns."""
ALL: Kinds = (("All files", ("*",)),)
LOOK_MS = 20
"""So often the window looks whether Windows' dialog was answered."""


def open_files(root: tk.Misc, title: str, folder: Path, kinds: Kinds) -> list[Path]:
    """Ask for files that exist; none is an empty list."""
    wanted = Wanted(title, folder, Option.FILE_EXISTS | Option.SEVERAL, kinds)
    return _asked(
        root,
        wanted,
        lambda: filedialog.askopenfilenames(
            parent=root, title=title, initialdir=folder, filetypes=_as_tk(kinds)
        ),
    )


def open_file(root: tk.Misc, title: str, folder: Path, kinds: Kinds = ()) -> Path | None:
    """Ask for one file that exists."""
    wanted = Wanted(title, folder, Option.FILE_EXISTS, kinds)
    return _first(
        _asked(
            root,
            wanted,
            lambda: filedialog.askopenfilename(
                parent=root, title=title, initialdir=folder, filetypes=_as_tk(kinds)
            ),
        )
    )


def choose_folder(root: tk.Misc, title: str, folder: Path) -> Path | None:
    """Ask for a folder that exists."""
    wanted = Wanted(title, folder, Option.FOLDERS)
    return _first(
        _asked(
            root,
            wanted,
            lambda: filedialog.askdirectory(parent=root, title=title, initialdir=folder, mustexist=True),
        )
    )


def save_file(
    root: tk.Misc, title: str, folder: Path, name: str, kinds: Kinds, *, asks_before_replacing: bool = True
) -> Path | None:
    """Ask where to save a file.

    Args:
        root: the window.
        title: of the dialog.
        folder: where it begins.
        name: to begin with; its suffix is that of names without one.
        kinds: of files to show.
        asks_before_replacing: whether the dialog itself asks if the file exists.
    """
    suffix = Path(name).suffix
    options = Option.ASK_BEFORE_REPLACING if asks_before_replacing else Option(0)
    return _first(
        _asked(
            root,
            Wanted(title, folder, options, kinds, name, suffix, saves=True),
            lambda: filedialog.asksaveasfilename(
                parent=root,
                title=title,
                initialdir=folder,
                initialfile=name,
                defaultextension=suffix,
                filetypes=_as_tk(kinds),
                confirmoverwrite=asks_before_replacing,
            ),
        )
    )


# --- inside


def _asked(root: tk.Misc, wanted: Wanted, by_tk: Callable[[], object]) -> list[Path]:
    if sys.platform == "win32":
        asked = _Asked(partial(windows_file_dialog.ask, wanted, int(root.winfo_toplevel().wm_frame(), 16)))
        asked.wait(root)
        if asked.answer is not None:
            return asked.answer
        logger.info("Tk's file dialog: %s", asked.why_not)
    answer = by_tk()
    names = answer if isinstance(answer, (tuple, list)) else (answer,)
    return [Path(name) for name in names if name]


class _Asked(threading.Thread):
    """Asks in a thread of its own: Windows' dialog waits there, and the window goes on as behind Tk's."""

    def __init__(self, ask: Callable[[], list[Path]]) -> None:
        super().__init__(name="anonator-file-dialog", daemon=True)
        self._ask = ask
        self.answer: list[Path] | None = None
        """What was chosen; None where there is no such dialog."""
        self.why_not = ""

    def run(self) -> None:
        try:
            self.answer = self._ask()
        except (OSError, AttributeError, ValueError) as exc:
            self.why_not = type(exc).__name__

    def wait(self, root: tk.Misc) -> None:
        """Let the window work until there is an answer, or until it is closed."""
        waiting = tk.Frame(root)

        def look() -> None:
            if self.is_alive():
                waiting.after(LOOK_MS, look)
            else:
                waiting.destroy()

        self.start()
        look()
        if waiting.winfo_exists():
            root.wait_window(waiting)


def _first(paths: list[Path]) -> Path | None:
    return paths[0] if paths else None


def _as_tk(kinds: Kinds) -> list[tuple[str, tuple[str, ...]]]:
    """Kinds for Tk, whose own dialog tells upper from lower case."""
    return [(name, tuple(dict.fromkeys((*patterns, *map(str.upper, patterns))))) for name, patterns in kinds]
