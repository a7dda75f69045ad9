"""What people ask for: add, start, unlock, fetch a model, open a result; with the questions before it."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import tkinter as tk
from collections.abc import Callable, Sequence
from pathlib import Path
from tkinter import filedialog

from anonator.core.config import Model
from anonator.errors import JobCancelled
from anonator.ui.look.dialogs import WaitDialog, ask
from anonator.ui.look.theme import Theme
from anonator.ui.panels.lock_card import LOSSES
from anonator.ui.panels.settings_panel import SettingsPanel
from anonator.ui.state import dropped_paths as incoming
from anonator.ui.state import text
from anonator.ui.state.job import Existing
from anonator.ui.state.job_queue import JobController
from anonator.ui.work.engine import Engine
from anonator.ui.work.worker import Outcome, Worker

logger = logging.getLogger(__name__)


class Commands:
    """Carries out what buttons, keys and drops ask for."""

    def __init__(
        self,
        root: tk.Tk,
        theme: Theme,
        controller: JobController,
        engine: Engine,
        worker: Worker,
        engine_worker: Worker,
        say: Callable[[str], None],
    ) -> None:
        self._root, self._theme, self._controller, self._engine = root, theme, controller, engine
        self._worker, self._engine_worker, self._say = worker, engine_worker, say
        self.panel: SettingsPanel | None = None
        self._wait: WaitDialog | None = None
        self._download_progress: tuple[int, int | None] = (0, None)
        self._download_cancelled = threading.Event()
        hide_dot_files(root)

    def _the_panel(self) -> SettingsPanel:
        assert self.panel is not None, "the window gives the panel before any command"
        return self.panel

    # --- videos

    def add_files(self) -> None:
        """Choose videos in the system's dialog."""
        patterns = " ".join(f"*{suffix}" for suffix in sorted(incoming.VIDEO_SUFFIXES))
        names = filedialog.askopenfilenames(
            parent=self._root,
            title="Add videos",
            filetypes=[("Videos", patterns.split() + patterns.upper().split()), ("All files", "*")],
        )
        self.add(list(names))

    def add_folder(self) -> None:
        """Choose a folder in the system's dialog."""
        name = filedialog.askdirectory(parent=self._root, title="Add all videos of a folder", mustexist=True)
        if name:
            self.add([name])

    def add(self, items: Sequence[str | Path]) -> None:
        """Sort out files, folders and addresses in a worker; the videos come back as an outcome."""
        if items:
            from anonator.ui.work import thumbnails as media

            taken = list(items)
            self._worker.submit(
                ("incoming", object()), lambda: incoming.sort_out(taken, is_video=media.is_video), first=True
            )

    def open_result(self, number: int) -> None:
        """Open a finished video in the system's player."""
        job = self._controller.get(number)
        if job is not None and job.target is not None:
            self._open(job.target)

    def open_report(self, number: int) -> None:
        """Open the audit report of a finished video in the system's viewer."""
        job = self._controller.get(number)
        if job is not None and job.result is not None and job.result.report is not None:
            self._open(job.result.report)

    def open_folder(self, number: int) -> None:
        """Open the folder of a finished video, or of its source."""
        job = self._controller.get(number)
        if job is not None:
            self._open((job.target or job.source).parent)

    def _open(self, path: Path) -> None:
        if not path.exists():
            self._say("It is not there any more: it was moved or deleted after the job.")
            return
        try:
            open_with_system(path)
        except OSError as error:
            logger.warning("opening failed: %s", type(error).__name__)
            self._say(
                "This computer has no program set up to open it. Open it from the file manager instead."
            )

    # --- run

    def may_start(self) -> Existing | None:
        """Ask what to do with results that are there already; None when the user wants to think again."""
        panel = self._the_panel()
        conflicts = self._controller.conflicts(panel.settings(), panel.output_folder)
        if not conflicts:
            return Existing.KEEP_BOTH
        if len(conflicts) == 1:
            words = f"There is a result of {conflicts[0].source.name} already. What should happen to it?"
        else:
            words = f"{len(conflicts)} of these videos have a result already. What should happen to them?"
        answer = ask(
            self._root,
            self._theme,
            "A result is there already",
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

    def may_close(self) -> bool:
        """Ask before a running job is cancelled by closing the window."""
        answer = ask(
            self._root,
            self._theme,
            "A job is running",
            "Closing cancels it and removes its unfinished file. Videos that are done are not touched.",
            (("close", "Cancel the job and close"), ("stay", "Keep working")),
            primary="stay",
        )
        return answer == "close"

    # --- settings

    def turn_lock(self, on: bool) -> None:
        """Close the lock at once; open it after the user read what is lost."""
        if not on:
            answer = ask(
                self._root,
                self._theme,
                "Switch HIPAA mode off?",
                LOSSES,
                (("unlock", "Switch off"), ("stay", "Keep HIPAA mode on")),
                primary="stay",
            )
            if answer != "unlock":
                return
        self._say(self._the_panel().set_locked(on))

    def choose_folder(self) -> None:
        """Choose where results go."""
        name = filedialog.askdirectory(parent=self._root, title="Folder for the results", mustexist=True)
        if name:
            self._the_panel().set_folder(Path(name))

    # --- models

    def download(self, model: Model) -> None:
        """Fetch a model after a yes."""
        size = self._the_panel().size_of(model)
        answer = ask(
            self._root,
            self._theme,
            "Download this model?",
            f"{model.value} ({size}) is fetched from the internet and kept on this computer. "
            "Nothing about you or your videos is sent.",
            (("no", "Not now"), ("yes", "Download")),
            primary="yes",
        )
        if answer != "yes":
            return
        self._download_cancelled.clear()
        self._download_progress = (0, None)
        engine, cancelled = self._engine, self._download_cancelled

        def note(done: int, total: int | None) -> None:
            self._download_progress = (done, total)

        self._wait = WaitDialog(
            self._root, self._theme, "Downloading the model", "Connecting…", cancelled.set
        )
        self._engine_worker.submit(("model",), lambda: engine.download(model, note, cancelled.is_set))
        self._wait.present()

    def use_file(self, model: Model) -> None:
        """Take a weights file that the user has."""
        name = filedialog.askopenfilename(parent=self._root, title=f"Weights file of {model.value}")
        if name:
            self._engine_worker.submit(("model",), lambda: self._engine.adopt(model, Path(name)))

    def poll(self) -> None:
        """Show how far a download is."""
        if self._wait is not None and not self._download_cancelled.is_set():
            done, total = self._download_progress
            if done:
                words = f"{text.size(done)} of {text.size(total)}" if total else text.size(done)
                self._wait.show_progress(done / total if total else None, words)

    def model_arrived(self, outcome: Outcome) -> None:
        """Say how fetching a model ended."""
        if self._wait is not None:
            self._wait.close("")
            self._wait = None
        if outcome.error is None:
            self._say("The model is on this computer now.")
        elif not isinstance(outcome.error, JobCancelled):
            self._say(text.error_sentence(outcome.error))


def hide_dot_files(root: tk.Tk) -> None:
    """Leave dot-files out of the file dialog where Tk draws it itself."""
    if root.tk.call("tk", "windowingsystem") == "x11":
        # Tk loads the dialog with its first call; this one fails before it shows anything
        root.tk.eval("catch {tk_getOpenFile -no-such-option 1}")
        root.tk.eval("set ::tk::dialog::file::showHiddenBtn 1; set ::tk::dialog::file::showHiddenVar 0")


def open_with_system(path: Path) -> None:
    """Open a file or folder with the program that the system has for it.

    Raises:
        OSError: there is none.
    """
    if sys.platform == "win32":
        import os

        os.startfile(path)
    else:
        opener = "open" if sys.platform == "darwin" else "xdg-open"
        subprocess.Popen(
            [opener, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
