"""Asks for how long a change holds, and why something may stay visible."""

from __future__ import annotations

import re
import tkinter as tk
from dataclasses import dataclass
from enum import Enum
from tkinter import ttk

from anonator.ui.look.dialogs import Dialog
from anonator.ui.look.keys import on_enter
from anonator.ui.look.segments import Segments
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.state import text

TIME = re.compile(r"(?:\d+:){0,2}\d+(?:[.,]\d+)?")
OTHER = "other"
REASONS = (("Not a face", "Not a face"), ("Consent on file", "Consent on file"), (OTHER, "Other"))
CHOOSE_IT = "Choose why this may stay visible."
TYPE_IT = "Say in words why this may stay visible."
WHEN = "Write both times as 1:02.5 does, the later one second."


class Scope(Enum):
    """For how long a change holds."""

    WHOLE = "whole"
    ONWARDS = "onwards"
    """From the frame that is shown on."""
    STRETCH = "stretch"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was chosen."""

    scope: Scope
    stretch: tuple[float, float]
    """In seconds; only for a stretch."""
    reason: str = ""


def seconds_of(typed: str) -> float | None:
    """The seconds of a time such as "5", "1:02.5" or "1:00:00"; None if it is none."""
    typed = typed.strip()
    if not TIME.fullmatch(typed):
        return None
    seconds = 0.0
    for part in typed.replace(",", ".").split(":"):
        seconds = seconds * 60 + float(part)
    return seconds


class ReasonDialog(Dialog):
    """For how long, and why if that is asked for."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        title: str,
        message: str,
        *,
        whole: str,
        stretch: tuple[float, float],
        do: str,
        needs_reason: bool,
        scope: Scope = Scope.WHOLE,
    ) -> None:
        """Create the dialog.

        Args:
            parent: the window.
            theme: of it.
            title: the question.
            message: what will happen, in a sentence or two.
            whole: what to call all of it, "The whole track"; "" where there is nothing to choose.
            stretch: in seconds, what a stretch begins with.
            do: the label of the button that does it.
            needs_reason: whether to ask why something may stay visible.
            scope: what is chosen at first.
        """
        super().__init__(parent, theme, title, message)
        px = theme.px
        self.scopes = Segments(
            self.body,
            (
                (Scope.WHOLE.value, whole),
                (Scope.ONWARDS.value, "From here on"),
                (Scope.STRETCH.value, "A stretch"),
            ),
            lambda _key: self._show_fields(),
        )
        self.scopes.set(scope.value)
        if whole:
            self.scopes.pack(fill="x", pady=(0, px(10)))
        self._times = ttk.Frame(self.body)
        self.begin, self.end = (ttk.Entry(self._times, width=10, justify="right") for _ in range(2))
        for column, (label, entry, seconds) in enumerate(
            (("From", self.begin, stretch[0]), ("to", self.end, stretch[1]))
        ):
            ttk.Label(self._times, text=label).grid(row=0, column=2 * column, padx=(0, px(8)))
            entry.grid(row=0, column=2 * column + 1, padx=(0, px(8)))
            entry.insert(0, text.moment(seconds))
            on_enter(entry, lambda _event: self._confirm())
            ToolTip(entry, theme, "Minutes, seconds and tenths, such as 1:02.5.")
        self._after_times = ttk.Frame(self.body)
        self._after_times.pack(fill="x")
        self.reasons: Segments | None = None
        self.words = ttk.Entry(self._after_times, width=46)
        if needs_reason:
            ttk.Label(self._after_times, text="Why may it stay visible?", style="Strong.TLabel").pack(
                anchor="w", pady=(px(6), px(4))
            )
            self.reasons = Segments(self._after_times, REASONS, lambda _key: self._show_fields(), chosen="")
            self.reasons.pack(fill="x", pady=(0, px(10)))
            on_enter(self.words, lambda _event: self._confirm())
            ToolTip(self.words, theme, "This sentence goes into the report. Don't name anybody.")
        self.fault = ttk.Label(self._after_times, style="Dim.TLabel")
        self.fault.pack(side="bottom", anchor="w", pady=(0, px(10)))
        self.add_button("", "Cancel")
        button = self.add_button("do", do, primary=True)
        button.configure(command=self._confirm)
        for number, each in enumerate(Scope, 1):
            self.bind(f"<Key-{number}>", lambda event, each=each: self._press(event, each))  # type: ignore[misc]
        self._whole = stretch
        self._chosen: Answer | None = None
        self._show_fields()

    def ask(self) -> Answer | None:
        """Wait for the answer; None means that nothing changes."""
        self.present()
        self.wait_window()
        return self._chosen if self.answer else None

    # --- inside

    def _press(self, event: tk.Event[tk.Misc], scope: Scope) -> None:
        if event.widget not in (self.begin, self.end, self.words):
            self.scopes.set(scope.value)
            self._show_fields()

    def _show_fields(self) -> None:
        px = self.theme.px
        if self.scopes.value == Scope.STRETCH.value:
            self._times.pack(before=self._after_times, anchor="w", pady=(0, px(10)))
        else:
            self._times.pack_forget()
        if self.reasons is not None and self.reasons.value == OTHER:
            self.words.pack(fill="x", pady=(0, px(6)))
            self.words.focus_set()
        else:
            self.words.pack_forget()
        self.fault.configure(text="")

    def _confirm(self) -> str:
        begin, end = seconds_of(self.begin.get()), seconds_of(self.end.get())
        scope = Scope(self.scopes.value)
        if scope is Scope.STRETCH and (begin is None or end is None or begin > end):
            return self._refuse(self.begin, WHEN)
        reason = ""
        if self.reasons is not None:
            reason = self.reasons.value if self.reasons.value != OTHER else self.words.get().strip()
            if not reason and self.reasons.value == OTHER:
                return self._refuse(self.words, TYPE_IT)
            if not reason:
                return self._refuse(next(iter(self.reasons.buttons.values())), CHOOSE_IT)
        self._chosen = Answer(scope, (begin or 0.0, end or 0.0), reason)
        self.close("do")
        return "break"

    def _refuse(self, entry: ttk.Widget, words: str) -> str:
        self.fault.configure(text=words)
        entry.focus_set()
        return "break"
