"""The review's questions and file dialogs."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from pathlib import Path

from anonator.ui.look import ask_for_files
from anonator.ui.look.dialogs import WaitDialog, ask
from anonator.ui.look.theme import Theme
from anonator.ui.review.keys import KeyList
from anonator.ui.review.reason_dialog import Answer, ReasonDialog, Scope
from anonator.ui.review.sign_dialog import Signature, SignDialog
from anonator.ui.review.taking_along import Export

TRACKS = ".tracks"


class Asking:
    """Asks, and waits for the answer while the main loop keeps running."""

    def __init__(self, root: tk.Tk, theme: Theme, folder: Path) -> None:
        """Set it up.

        Args:
            root: the window.
            theme: of it.
            folder: where file dialogs begin.
        """
        self._root, self._theme, self._folder = root, theme, folder
        self._initials = ""

    def visible(self, what: str, stretch: tuple[float, float], *, needs_reason: bool) -> Answer | None:
        """Ask for how long something stays visible, and why; None means that nothing changes."""
        return ReasonDialog(
            self._root,
            self._theme,
            f"Leave {what} visible?",
            "It won't be covered in the final file, for as long as you choose here.",
            whole="All of it",
            stretch=stretch,
            do="Leave visible",
            needs_reason=needs_reason,
        ).ask()

    def cover(self, what: str, stretch: tuple[float, float]) -> Answer | None:
        """Ask for how long something is covered again."""
        return ReasonDialog(
            self._root,
            self._theme,
            f"Cover {what} again?",
            "It will be covered in the final file, for as long as you choose here.",
            whole="All of it",
            stretch=stretch,
            do="Cover",
            needs_reason=False,
        ).ask()

    def area(self, stretch: tuple[float, float]) -> Answer | None:
        """Ask for how long a fixed area is covered."""
        return ReasonDialog(
            self._root,
            self._theme,
            "Cover this area?",
            "This place of the picture is covered, whatever moves there.",
            whole="The whole video",
            stretch=stretch,
            do="Cover",
            needs_reason=False,
        ).ask()

    def cut_off(self, what: str, *, begins: bool) -> str | None:
        """Ask why a face may stay visible before it begins or after it ends here; None means not at all."""
        answer = ReasonDialog(
            self._root,
            self._theme,
            f"Does {what} {'begin' if begins else 'end'} here?",
            f"It won't be covered {'before' if begins else 'after'} this frame.",
            whole="",
            stretch=(0.0, 0.0),
            do="Yes, begin here" if begins else "Yes, end here",
            needs_reason=True,
            scope=Scope.WHOLE,
        ).ask()
        return None if answer is None else answer.reason

    def sign(self, changed: tuple[str, ...], missing: tuple[str, ...], *, delete: bool) -> Signature | None:
        """Ask for initials; None means not yet."""
        signature = SignDialog(
            self._root,
            self._theme,
            changed=changed,
            missing=missing,
            delete_tracks=delete,
            initials=self._initials,
        ).ask()
        if signature is not None:
            self._initials = signature.initials
        return signature

    def wait(self, title: str, words: str, on_cancel: Callable[[], None]) -> WaitDialog:
        """Show the progress of something until the dialog is closed."""
        dialog = WaitDialog(self._root, self._theme, title, words, on_cancel)
        dialog.present()
        return dialog

    def question(self, title: str, words: str, do: str, stay: str) -> bool:
        """Ask a plain question."""
        answers = (("", stay), ("do", do))
        return ask(self._root, self._theme, title, words, answers, primary="do") == "do"

    def keys(self) -> None:
        """Show all keys."""
        KeyList(self._root, self._theme).ask()

    def save_picture(self) -> Path | None:
        """Ask where to save the finished picture."""
        return self._save(
            "Save this picture, as it will be in the finished file", "picture.png", ".png", "PNG"
        )

    def save_tracks(self) -> Path | None:
        """Ask where to save the tracks."""
        return self._save("Save tracks as", f"review{TRACKS}", TRACKS, "Tracks")

    def open_tracks(self) -> Path | None:
        """Ask which tracks to open."""
        kinds = (("Tracks", (f"*{TRACKS}",)), *ask_for_files.ALL)
        return ask_for_files.open_file(self._root, "Open tracks of this video", self._folder, kinds)

    def export(self, kind: Export) -> Path | None:
        """Ask where to write what is covered."""
        name = {"cvat": "covered", "mot": "covered_mot", "list": "redaction_list"}[kind.value]
        return self._save(kind.title, f"{name}{kind.suffix}", kind.suffix, kind.suffix[1:].upper())

    def _save(self, title: str, name: str, suffix: str, kind: str) -> Path | None:
        kinds = ((kind, (f"*{suffix}",)), *ask_for_files.ALL)
        return ask_for_files.save_file(self._root, title, self._folder, name, kinds)
