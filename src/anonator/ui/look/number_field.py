"""A number chosen with a slider or typed."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from tkinter import ttk

from anonator.ui.look.keys import on_enter
from anonator.ui.look.theme import Theme


def parse_number(typed: str, low: float, high: float) -> float | None:
    """The typed number, with a decimal point or comma; None if it isn't a number from low to high."""
    try:
        value = float(typed.strip().replace(",", "."))
    except ValueError:
        return None
    return value if low <= value <= high else None


class NumberField(ttk.Frame):
    """A slider and a text field for the same number; a decimal comma works too.

    The step is that of the slider. If it's a whole number (1, not 1.0), only whole numbers are chosen.
    """

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        step: float,
        command: Callable[[float], None],
    ) -> None:
        super().__init__(parent)
        self.low, self.high, self._step, self._command = 0.0, 1.0, step, command
        self.value = 0.0
        self.scale = ttk.Scale(self, command=self._slid, takefocus=True)
        self.entry = ttk.Entry(self, width=6, justify="right")
        self.hint = ttk.Label(self, style="Dim.TLabel")
        self.columnconfigure(0, weight=1)
        self.scale.grid(row=0, column=0, sticky="ew", padx=(0, theme.px(10)))
        self.entry.grid(row=0, column=1)
        on_enter(self.entry, self._typed)
        self.entry.bind("<FocusOut>", self._left, add=True)
        self.entry.bind("<KeyRelease>", self._check, add=True)
        for key, steps in (("<Left>", -1), ("<Down>", -1), ("<Right>", 1), ("<Up>", 1)):
            self.scale.bind(key, partial(self._step_by, steps))

    def set_range(self, low: float, high: float) -> None:
        """Accept only numbers from low to high."""
        if (low, high) != (self.low, self.high):
            self.low, self.high = low, high
            self.scale.configure(from_=low, to=high)
            self.hint.configure(text=f"Enter a number from {low:g} to {high:g}.")

    def set(self, value: float) -> None:
        """Show a value without calling the command."""
        self.value = value
        self.scale.configure(value=value)
        self._write()

    def enable(self, yes: bool) -> None:
        """Enable or disable the field."""
        state = ["!disabled"] if yes else ["disabled"]
        self.scale.state(state)
        self.entry.state(state)
        self.scale.configure(takefocus=yes)

    def _write(self) -> None:
        locked = self.entry.instate(["disabled"])
        self.entry.state(["!disabled", "!invalid"])
        self.entry.delete(0, "end")
        short = f"{self.value:.2f}"
        self.entry.insert(0, short if float(short) == self.value else f"{self.value:g}")
        if locked:
            self.entry.state(["disabled"])
        self.hint.grid_remove()

    def _take(self, value: float) -> None:
        value = round(value) if isinstance(self._step, int) else round(value, 4)
        changed = value != self.value
        self.set(value)
        if changed:
            self._command(value)

    def _slid(self, position: str) -> None:
        self._take(min(self.high, round(float(position) / self._step) * self._step))

    def _step_by(self, steps: int, _event: object) -> str:
        if not self.scale.instate(["disabled"]):
            self._take(min(self.high, max(self.low, self.value + steps * self._step)))
        return "break"

    def _read(self) -> float | None:
        return parse_number(self.entry.get(), self.low, self.high)

    def _check(self, _event: object) -> None:
        """While typing, mark a number that isn't allowed with a frame and a hint, without interrupting."""
        if self.entry.instate(["disabled"]):
            return
        good = self._read() is not None
        self.entry.state(["!invalid" if good else "invalid"])
        if good:
            self.hint.grid_remove()
        else:
            self.hint.grid(row=1, column=0, columnspan=2, sticky="e")

    def taken(self) -> float:
        """The number shown: what is being typed, if it's allowed, or else the last one that was."""
        typed = self._read()
        return self.value if typed is None else typed

    def _typed(self, _event: object) -> str:
        value = self._read()
        if value is not None:
            self._take(value)
        else:
            self._check(None)
        return "break"

    def _left(self, _event: object) -> None:
        """On leaving the field, accept a valid number, or restore the last valid one."""
        value = self._read()
        self._take(self.value if value is None else value)
