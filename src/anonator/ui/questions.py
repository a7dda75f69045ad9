"""The window's questions, and the system's file dialogs."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from tkinter import filedialog

from anonator.core.config import Model
from anonator.core.reading.containers import VIDEO_SUFFIXES
from anonator.ui.look.dialogs import WaitDialog, ask
from anonator.ui.look.theme import Theme
from anonator.ui.panels.lock_card import LOSSES
from anonator.ui.state import text
from anonator.ui.state.job import Existing, JobView, ResultFile


class Dropped(Enum):
    """What to do with a result that was dropped."""

    COMPARE = "compare"
    ADD = "add"
    """As a video to be anonymized."""


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

    def run_again(self, name: str) -> Existing | None:
        """Ask what happens to a video's result when it is done again; None means cancel."""
        answer = self._ask(
            "Run this video again?",
            f"{name} goes back in the queue, to be done with the settings of the next start. Its result "
            "stays until the new one is complete and checked.",
            (
                ("", "Cancel"),
                (Existing.OVERWRITE.value, "Replace the result"),
                (Existing.KEEP_BOTH.value, "Keep both"),
            ),
            primary=Existing.KEEP_BOTH.value,
        )
        return Existing(answer) if answer else None

    def dropped_result(self, result: ResultFile, original: Path | None) -> Dropped | None:
        """Ask what to do with a video that Anonator made; None leaves it out."""
        where = (
            f"Its original, {original.name}, is in the same folder."
            if original is not None and original.parent == result.path.parent
            else f"Its original is {original.name}."
            if original is not None
            else "Its original isn't in the same folder."
        )
        answer = self._ask(
            "This video is a result",
            f"{result.path.name} was made by Anonator {text.how_made(result)}. {where} You can look at both "
            "side by side.",
            (
                ("", "Leave out"),
                (Dropped.ADD.value, "Add as a video"),
                (Dropped.COMPARE.value, "Compare" if original is not None else "Choose the original…"),
            ),
            primary=Dropped.COMPARE.value,
        )
        return Dropped(answer) if answer else None

    def original_of(self, result: Path) -> Path | None:
        """Ask which video a result was made from."""
        name = filedialog.askopenfilename(
            parent=self._root, title=f"Original of {result.name}", initialdir=str(result.parent)
        )
        return Path(name) if name else None

    def close(self) -> bool:
        """Ask whether to cancel the running job and close the window."""
        answer = self._ask(
            "A job is running",
            "Closing cancels it and removes its unfinished file. Finished videos are kept.",
            (("close", "Cancel the job and close"), ("stay", "Keep working")),
            primary="stay",
        )
        return answer == "close"

    def unlock(self) -> bool:
        """Ask whether to switch HIPAA mode off, and say what that means."""
        answer = self._ask(
            "Switch HIPAA mode off?",
            LOSSES,
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
