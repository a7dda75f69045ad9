"""The key file of a run with neutral names: asked for once per run, and kept as its videos finish."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable
from pathlib import Path

from platformdirs import user_documents_path

from anonator.core.writing.key_file import PHI, KeyFile
from anonator.errors import OutputError
from anonator.ui.look import ask_for_files
from anonator.ui.look.dialogs import ask
from anonator.ui.look.theme import Theme
from anonator.ui.state.job import JobState, JobView

TITLE = "Keep a key file?"
QUESTION = (
    "The results get random names. A key file (CSV) tells afterwards which result belongs to which video; "
    f"without it, only this window does, until you close it.\n\n{PHI}"
)
CHOOSE, WITHOUT = "choose", "without"
FILE_NAME = "anonator-key.csv"
KEPT = "The key file {} tells which video this is."


class KeyRows:
    """The key file of the current run, and which results it already has; no widgets."""

    def __init__(self, ask_answer: Callable[[str], str], ask_path: Callable[[], Path | None]) -> None:
        """Set it up; nothing is asked yet.

        Args:
            ask_answer: asks the question it is given, and returns CHOOSE, WITHOUT, or "" for cancel.
            ask_path: asks where to keep the file; None means nowhere.
        """
        self._ask_answer, self._ask_path = ask_answer, ask_path
        self._file: KeyFile | None = None
        self._noted: set[Path] = set()

    def begin(self, *, neutral: bool) -> bool:
        """Ask for the key file of a run, if its names are neutral; False means not to start.

        Args:
            neutral: whether the results get neutral names.
        """
        self._file, problem = None, ""
        while neutral:
            answer = self._ask_answer(f"{problem}\n\n{QUESTION}" if problem else QUESTION)
            if answer != CHOOSE:
                return answer == WITHOUT
            path = self._ask_path()
            if path is None:
                continue
            try:
                self._file = KeyFile(path)
            except OutputError as exc:
                problem = str(exc)
            else:
                return True
        return True

    def note(self, jobs: Iterable[JobView]) -> tuple[dict[int, str], dict[int, str]]:
        """Add the jobs that are done.

        Returns:
            What to say of those that are in the file now, and of those whose row was lost, by number.
        """
        kept: dict[int, str] = {}
        lost: dict[int, str] = {}
        for job in jobs:
            if self._file is None or job.state is not JobState.DONE or job.target is None:
                continue
            if job.target not in self._noted:
                self._noted.add(job.target)
                try:
                    self._file.add(job.target, job.source)
                except OutputError as exc:
                    lost[job.number] = str(exc)
                else:
                    kept[job.number] = KEPT.format(self._file.path.name)
        return kept, lost


def key_rows(root: tk.Tk, theme: Theme) -> KeyRows:
    """Keep key files, asking in dialogs over this window."""

    def ask_answer(words: str) -> str:
        answers = (("", "Cancel"), (WITHOUT, "No key file"), (CHOOSE, "Choose a place…"))
        return ask(root, theme, TITLE, words, answers, primary=CHOOSE)

    def ask_path() -> Path | None:
        return ask_for_files.save_file(
            root,
            "Keep the key file as",
            _away_from_the_videos(),
            FILE_NAME,
            (("Key file", ("*.csv",)),),
            asks_before_replacing=False,  # a key file is continued, and nothing else is ever replaced
        )

    return KeyRows(ask_answer, ask_path)


def _away_from_the_videos() -> Path:
    """Where the dialog begins: not in the last folder, which is that of the videos and their results."""
    documents = user_documents_path()
    return documents if documents.is_dir() else Path.home()
