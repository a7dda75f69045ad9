"""The window's questions, and the system's file dialogs."""

from __future__ import annotations

import os
import tkinter as tk
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path

from platformdirs import user_videos_path

from anonator.core.config import Model, Settings
from anonator.core.reading.containers import VIDEO_SUFFIXES
from anonator.ui.look import ask_for_files, file_dialog
from anonator.ui.look.dialogs import PathDialog, WaitDialog, ask
from anonator.ui.look.theme import Theme
from anonator.ui.panels.again_dialog import AgainDialog
from anonator.ui.state import text
from anonator.ui.state.job import Clear, Existing, JobView, ResultFile
from anonator.ui.state.stricter import Stricter


class Dropped(Enum):
    """What to do with a result that was dropped."""

    COMPARE = "compare"
    ADD = "add"
    """As a video to be anonymized."""


class Questions:
    """Asks, and waits for the answer while the main loop keeps running."""

    def __init__(self, root: tk.Tk, theme: Theme) -> None:
        self._root, self._theme = root, theme
        self._folder: Path | None = None
        file_dialog.mend(root)

    def begin_in(self, folder: Path) -> None:
        """Let the file dialogs begin in the folder from which videos were taken last."""
        self._folder = folder

    def videos(self) -> list[str]:
        """Ask which videos to add."""
        patterns = tuple(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
        kinds = (("Videos", patterns), *ask_for_files.ALL)
        return [str(path) for path in ask_for_files.open_files(self._root, "Add videos", self._start, kinds)]

    def folder_of_videos(self) -> str:
        """Ask which folder to add; "" means none."""
        return self._ask_folder("Add all videos in a folder")

    def folder_of_archive(self) -> str:
        """Ask which archive to review; "" means none."""
        return self._ask_folder("Open the folder of an archive")

    def folder_for_results(self) -> Path | None:
        """Ask where to save results."""
        return ask_for_files.choose_folder(self._root, "Save results to", self._start)

    def weights_of(self, model: Model) -> Path | None:
        """Ask for a weights file the user already has."""
        return ask_for_files.open_file(self._root, f"Weights file for {model.value}", Path.home())

    def existing(self, conflicts: Sequence[JobView]) -> Existing | None:
        """Ask what to do with results that already exist; None means cancel."""
        if len(conflicts) == 1:
            words = f"What should happen to the result of {conflicts[0].source.name}?"
        else:
            words = f"{len(conflicts)} waiting videos already have results. What should happen to them?"
        answer = self._ask(
            "This video already has a result" if len(conflicts) == 1 else "These videos already have results",
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

    def run_again(self, name: str, settings: Settings) -> tuple[Existing, Stricter] | None:
        """Ask how a video is done again and what happens to its result; None means cancel."""
        return AgainDialog(self._root, self._theme, name, settings).ask()

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
        return ask_for_files.open_file(self._root, f"Original of {result.name}", result.parent)

    def tracks_of(self, name: str) -> Path | None:
        """Ask for the tracks file of a video."""
        kinds = (("Tracks", ("*.tracks",)), *ask_for_files.ALL)
        return ask_for_files.open_file(self._root, f"Tracks of {name}", self._start, kinds)

    def remove_reviews(self, begun: int, untouched: int) -> bool:
        """Ask whether to remove all reviews that nobody has signed."""
        parts = [text.count(begun, "review that was begun", "reviews that were begun")] if begun else []
        if untouched:
            parts.append(
                f"{text.count(untouched, 'one', 'ones')} that nobody has begun"
                if begun
                else text.count(untouched, "review that nobody has begun", "reviews that nobody has begun")
            )
        number = begun + untouched
        answer = self._ask(
            "Remove unfinished reviews?",
            f"This computer keeps {' and '.join(parts)}. What was found and every change in "
            f"{'it' if number == 1 else 'them'} would be gone. Videos and results stay as they are.",
            (("remove", f"Remove {text.count(number, 'review')}"), ("", "Keep them")),
            primary="",
        )
        return answer == "remove"

    def close(self, waiting: int, *, running: bool) -> bool:
        """Ask whether to close the window although a job is running or videos are waiting."""
        left = text.count(waiting, "video is", "videos are")
        if running:
            title, label = "A job is running", "Cancel the job and close"
            words = "Closing cancels it and removes its unfinished file. Finished videos are kept."
            words += f" {left} still waiting." if waiting else ""
        else:
            title, label = "Close Anonator?", "Close"
            words = f"{left} still waiting to be anonymized. The list isn't kept."
        answer = self._ask(title, words, (("close", label), ("stay", "Keep working")), primary="stay")
        return answer == "close"

    def cancel_running(self, name: str) -> bool:
        """Ask whether to cancel the job that runs."""
        answer = self._ask(
            "Cancel this job?",
            f"{name} is being anonymized. Cancelling removes the unfinished file; the video stays listed.",
            (("cancel", "Cancel the job"), ("stay", "Keep working")),
            primary="stay",
        )
        return answer == "cancel"

    def clear(self, finished: int, failed: int) -> Clear | None:
        """Ask whether failed and cancelled videos leave the list as well; None means nothing is removed."""
        rest = text.count(
            failed, "video that failed or was cancelled", "videos that failed or were cancelled"
        )
        if finished:
            words = f"The list has {text.count(finished, 'finished video')} and {rest}. No file is deleted."
            answers = [("", "Cancel"), ("all", "Remove all of them"), ("finished", "Only the finished")]
        else:
            words = f"No video in the list is finished, but it has {rest}. No file is deleted."
            answers = [("", "Cancel"), ("all", f"Remove {text.count(failed, 'video')}")]
        answer = self._ask("Remove from the list", words, answers, primary=answers[-1][0] if finished else "")
        return Clear(answer) if answer else None

    def show_path(self, title: str, words: str, path: Path) -> None:
        """Show where something is, for people to copy."""
        PathDialog(self._root, self._theme, title, words, path).ask()

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

    @property
    def _start(self) -> Path:
        """Where the file dialogs begin: never where the program happens to be."""
        for folder in (self._folder, user_videos_path()):
            if folder is not None and os.path.isdir(folder):
                return folder
        return Path.home()

    def _ask_folder(self, title: str) -> str:
        chosen = ask_for_files.choose_folder(self._root, title, self._start)
        return str(chosen) if chosen is not None else ""

    def _ask(self, title: str, words: str, answers: Sequence[tuple[str, str]], *, primary: str) -> str:
        return ask(self._root, self._theme, title, words, answers, primary=primary)
