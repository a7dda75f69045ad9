"""Asks for the reviewer's initials, and says what signing means here."""

from __future__ import annotations

import tkinter as tk
from dataclasses import dataclass
from tkinter import ttk

from anonator.ui.look.dialogs import Dialog
from anonator.ui.look.keys import on_enter
from anonator.ui.look.switch import Switch
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip

LONGEST = 16
"""Letters of initials."""
NO_INITIALS = "Type your initials first."
MEANING = (
    "Your initials say that you have looked at this video and that the result may be used. The final file is "
    "made and checked now, and replaces the one that nobody has reviewed."
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What was answered."""

    initials: str
    delete_tracks: bool
    """Whether the tracks go once the file is made."""


class SignDialog(Dialog):
    """Initials, what was changed, what was not seen."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        *,
        changed: tuple[str, ...],
        missing: tuple[str, ...],
        delete_tracks: bool,
        initials: str = "",
    ) -> None:
        """Create the dialog.

        Args:
            parent: the window.
            theme: of it.
            changed: what was changed, a line each.
            missing: what nobody has seen or checked, a sentence each; none means that all is done.
            delete_tracks: what is suggested.
            initials: those that were typed the last time in this run of the program.
        """
        super().__init__(parent, theme, "Sign this review?", MEANING)
        px = theme.px
        for head, lines in (
            ("Not done yet", missing),
            ("What you changed", changed or ("Nothing: the result stays as the program made it.",)),
        ):
            if not lines:
                continue
            ttk.Label(self.body, text=head, style="Strong.TLabel").pack(anchor="w")
            ttk.Label(self.body, text="\n".join(lines), wraplength=px(470), justify="left").pack(
                anchor="w", pady=(px(2), px(12))
            )
        row = ttk.Frame(self.body)
        row.pack(fill="x", pady=(0, px(8)))
        ttk.Label(row, text="Your initials", style="Strong.TLabel").pack(side="left")
        self.initials = ttk.Entry(row, width=12)
        self.initials.insert(0, initials)
        self.initials.pack(side="left", padx=(px(12), 0))
        ToolTip(self.initials, theme, "They go into the report, with the date and what you have seen.")
        on_enter(self.initials, lambda _event: self._confirm())
        self.fault = ttk.Label(row, style="Dim.TLabel")
        self.fault.pack(side="left", padx=(px(12), 0))
        last = ttk.Frame(self.body)
        last.pack(fill="x", pady=(0, px(18)))
        words = ttk.Label(last, text="Delete the tracks and your changes afterwards")
        words.pack(side="left")
        self.delete = Switch(last, theme, self._turned)
        self.delete.set(delete_tracks)
        self.delete.pack(side="right")
        tip = (
            "They hold places and times, no pictures and no names, and let you open the review again. "
            "The report stays in any case."
        )
        ToolTip(words, theme, tip)
        ToolTip(self.delete, theme, tip)
        self.add_button("", "Not yet")
        button = self.add_button("sign", "Sign and make the file", primary=True)
        button.configure(command=self._confirm)
        self._signature: Signature | None = None

    def ask(self) -> Signature | None:
        """Wait for the answer; None means not yet."""
        self.present()
        self.initials.focus_force()
        self.wait_window()
        return self._signature if self.answer else None

    def _turned(self, on: bool) -> None:
        self.delete.set(on)

    def _confirm(self) -> str:
        initials = self.initials.get().strip()
        if not initials or len(initials) > LONGEST:
            words = NO_INITIALS if not initials else f"At most {LONGEST} letters, please."
            self.fault.configure(text=words)
            self.initials.focus_set()
        else:
            self._signature = Signature(initials, self.delete.on)
            self.close("sign")
        return "break"
