"""The window's questions, and the system's file dialogs."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from pathlib import Path
from tkinter import filedialog

from anonator.core.config import Model
from anonator.core.reading.containers import VIDEO_SUFFIXES
from anonator.ui.look.dialogs import WaitDialog, ask
from anonator.ui.look.theme import Theme
from anonator.ui.state.job import Existing, JobView


class Questions:
    """Asks, and waits for the answer while the main loop keeps running."""

    def __init__(self, root: tk.Tk, theme: Theme) -> None:
        self._root, self._theme = root, theme
        _hide_dot_files(root)

    def videos(self) -> list[str]:
        """Ask which videos to add."""
        patterns = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
        names = filedialog.askopenfilenames(
            parent=self._root,
            title="Add videos",
            filetypes=[("Videos", patterns.split() + patterns.upper().split()), ("All files", "*")],
        )
        return list(names)

    def folder_of_videos(self) -> str:
        """Ask which folder to add; "" means none."""
        return filedialog.askdirectory(parent=self._root, title="Add all videos in a folder", mustexist=True)

    def folder_for_results(self) -> Path | None:
        """Ask where to save results."""
        name = filedialog.askdirectory(parent=self._root, title="Save results to", mustexist=True)
        return Path(name) if name else None

    def weights_of(self, model: Model) -> Path | None:
        """Ask for a weights file the user already has."""
        name = filedialog.askopenfilename(parent=self._root, title=f"Weights file for {model.value}")
        return Path(name) if name else None

    def existing(self, conflicts: Sequence[JobView]) -> Existing | None:
        """Ask what to do with results that already exist; None means cancel."""
        if len(conflicts) == 1:
            words = f"{conflicts[0].source.name} already has a result. What should happen to it?"
        else:
            words = f"{len(conflicts)} of these videos already have results. What should happen to them?"
        answer = self._ask(
            "This result already exists" if len(conflicts) == 1 else "These results already exist",
            words,
            (
                ("", "Cancel"),
                (Existing.OVERWRITE.value, "Replace"),
                (Existing.SKIP.value, "Skip"),
                (Existing.KEEP_BOTH.value, "Keep both"),
            ),
            primary=Existing.KEEP_BOTH.value,
        )
        return Existing(answer) if answer else None

    def close(self) -> bool:
        """Ask whether to cancel the running job and close the window."""
        answer = self._ask(
            "A job is running",
            "Closing cancels it and removes its unfinished file. Finished videos are kept.",
            (("close", "Cancel the job and close"), ("stay", "Keep working")),
            primary="stay",
        )
        return answer == "close"

    def unlock(self, words: str) -> bool:
        """Ask whether to switch HIPAA mode off; the words say what that changes."""
        answer = self._ask(
            "Switch HIPAA mode off?",
            words,
            (("unlock", "Switch off"), ("stay", "Keep HIPAA mode on")),
            primary="stay",
        )
        return answer == "unlock"

    def download(self, model: Model, size: str) -> bool:
        """Ask whether to download a model of this size."""
        answer = self._ask(
            "Download this model?",
            f"{model.value} ({size}) will be downloaded from the internet and kept on this computer. "
            "Nothing about you or your videos is sent.",
            (("no", "Not now"), ("yes", "Download")),
            primary="yes",
        )
        return answer == "yes"

    def wait_for_download(self, on_cancel: Callable[[], None]) -> WaitDialog:
        """Show the progress of a download until the dialog is closed."""
        dialog = WaitDialog(self._root, self._theme, "Downloading the model", "Connecting…", on_cancel)
        dialog.present()
        return dialog

    def _ask(self, title: str, words: str, answers: Sequence[tuple[str, str]], *, primary: str) -> str:
        return ask(self._root, self._theme, title, words, answers, primary=primary)


def _hide_dot_files(root: tk.Tk) -> None:
    """Hide dot-files in the file dialog that Tk draws itself."""
    if root.tk.call("tk", "windowingsystem") == "x11":
        # Tk loads the dialog on its first call; this one fails before it shows anything
        root.tk.eval("catch {tk_getOpenFile -no-such-option 1}")
        root.tk.eval("set ::tk::dialog::file::showHiddenBtn 1; set ::tk::dialog::file::showHiddenVar 0")
