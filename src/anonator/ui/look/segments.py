"""A row of buttons of which one is pressed."""

from __future__ import annotations

import itertools
import tkinter as tk
from collections.abc import Callable, Sequence
from functools import partial
from tkinter import ttk

from anonator.ui.look.keys import on_enter

_numbers = itertools.count(1)


class Segments(ttk.Frame):
    """One of a few choices, all of them in sight; arrow keys go from one to the next."""

    def __init__(
        self,
        parent: tk.Misc,
        choices: Sequence[tuple[str, str]],
        command: Callable[[str], object],
        *,
        chosen: str | None = None,
    ) -> None:
        """Create the row.

        Args:
            parent: where it lies.
            choices: pairs of key and label.
            command: called with the key of the button that was pressed.
            chosen: the key of the button that is pressed at first; "" means none, None the first one.
        """
        super().__init__(parent)
        self._command = command
        # a name, not a tk.Variable, which would be collected in whatever thread happens to do that
        self._variable = f"anonator_segments_{next(_numbers)}"
        self.value = choices[0][0] if chosen is None else chosen
        self.buttons: dict[str, ttk.Radiobutton] = {}
        self.setvar(self._variable, self.value)
        for column, (key, label) in enumerate(choices):
            self.columnconfigure(column, weight=1)
            button = ttk.Radiobutton(
                self,
                text=label,
                value=key,
                variable=self._variable,  # type: ignore[arg-type]
                style="Segment.Toolbutton",
                command=partial(self._pressed, key),
            )
            button.grid(row=0, column=column, sticky="ew")
            on_enter(button, lambda _event, pressed=button: pressed.invoke())  # type: ignore[misc]
            self.buttons[key] = button
        self.bind("<Destroy>", self._forget)

    def set(self, key: str) -> None:
        """Press a button without calling the command."""
        self.value = key
        self.setvar(self._variable, key)

    def _pressed(self, key: str) -> None:
        self.value = key
        self._command(key)

    def _forget(self, event: tk.Event[tk.Misc]) -> None:
        if event.widget is self:
            self.tk.call("unset", "-nocomplain", self._variable)
