"""Asks how a video is done again: how much stricter, and what happens to its result."""

from __future__ import annotations

import tkinter as tk
from tkinter import ttk

from anonator.core.config import Settings
from anonator.ui.look.dialogs import Dialog
from anonator.ui.look.number_field import NumberField
from anonator.ui.look.theme import Theme
from anonator.ui.state.job import Existing
from anonator.ui.state.stricter import Stricter, ranges


class AgainDialog(Dialog):
    """Threshold and mask scale of one video, from those of the window to the strictest."""

    def __init__(self, parent: tk.Misc, theme: Theme, name: str, settings: Settings) -> None:
        super().__init__(
            parent,
            theme,
            "Run this video again, stricter?",
            f"{name} goes back in the queue, to be done with the settings of the window and with what you "
            "choose here. Its result stays until the new one is complete and checked.",
        )
        suggested = Stricter.suggested(settings)
        values = suggested.threshold, suggested.mask_scale
        self.fields: list[NumberField] = []
        for title, words, value, (low, high), step in zip(
            ("Threshold", "Mask scale"),
            ("lower finds more faces", "larger covers more around a face"),
            values,
            ranges(settings),
            (0.05, 0.05),
            strict=True,
        ):
            ttk.Label(self.body, text=f"{title}: {words}", style="Strong.TLabel").pack(anchor="w")
            field = NumberField(self.body, theme, step, lambda _value: None)
            field.set_range(low, high)
            field.set(value)
            field.enable(low < high)
            field.pack(fill="x", pady=(theme.px(4), theme.px(14)))
            self.fields.append(field)
        self.add_button("", "Cancel")
        self.add_button(Existing.OVERWRITE.value, "Replace the result")
        self.add_button(Existing.KEEP_BOTH.value, "Keep both", primary=True)
        self._chosen: Stricter | None = None

    def close(self, answer: str) -> None:
        """Close with an answer, and keep the numbers."""
        self._chosen = Stricter(*(field.taken() for field in self.fields))
        super().close(answer)

    def ask(self) -> tuple[Existing, Stricter] | None:
        """Wait for the answer; None means cancel."""
        self.present()
        self.wait_window()
        if not self.answer or self._chosen is None:
            return None
        return Existing(self.answer), self._chosen
