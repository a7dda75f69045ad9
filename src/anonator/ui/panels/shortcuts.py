"""Keyboard shortcuts, and the dialog that lists them."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import ttk

from anonator.ui.look.dialogs import Dialog
from anonator.ui.look.theme import Theme


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One key and what it does."""

    key: str
    """As printed on keyboards."""
    words: str
    events: tuple[str, ...] = ()
    """Tk's names if it works anywhere; empty if only one control uses it."""


EVERYWHERE = {
    "add_files": Shortcut("Ctrl+O", "Add files", ("<Control-o>",)),
    "add_folder": Shortcut("Ctrl+Shift+O", "Add a folder", ("<Control-O>",)),
    "start": Shortcut("Ctrl+Enter", "Start", ("<Control-Return>", "<Control-KP_Enter>")),
    "pause": Shortcut("Ctrl+P", "Pause or resume", ("<Control-p>",)),
    "lock": Shortcut("Ctrl+L", "Switch HIPAA mode on or off", ("<Control-l>",)),
    "help": Shortcut("F1", "Show this list", ("<F1>",)),
    "close": Shortcut("Ctrl+Q", "Close Anonator", ("<Control-q>",)),
    "large": Shortcut("F11", "Let the pictures take the whole window, or give it back", ("<F11>",)),
    "small": Shortcut("Escape", "Give the window back", ("<Escape>",)),
}
NOT_IN_FIELDS = {
    "back": ("<comma>",),
    "forward": ("<period>",),
    "nearer": ("<plus>", "<KP_Add>"),
    "further": ("<minus>", "<KP_Subtract>"),
    "fit": ("<Key-0>", "<KP_0>"),
    "one_to_one": ("<Key-1>", "<KP_1>"),
}
"""Tk's names of keys that only write when they are typed in a field."""
FIELDS = ("TEntry", "TCombobox", "TSpinbox", "Entry", "Spinbox")
"""Tk's names for widgets that take text."""
OF_CONTROLS = (
    Shortcut("Tab, Shift+Tab", "Go to the next or previous control"),
    Shortcut(
        "Space, Enter", "Press a button, use a switch; in the list, review a result or look at a row in large"
    ),
    Shortcut("Space", "In the pictures and on their slider: play or stop"),
    Shortcut("Delete", "Remove the selected row from the list"),
    Shortcut("Alt+Up, Alt+Down", "Move the selected row"),
    Shortcut("Left, Right", "Move one second back or forward in the video; one step on other sliders"),
    Shortcut("Page Up, Page Down", "Move ten seconds back or forward in the video"),
    Shortcut("Escape", "Close without changes"),
)

LISTED = (
    *(shortcut for name, shortcut in EVERYWHERE.items() if name not in ("large", "small")),
    Shortcut("F11, Escape", "Let the pictures take the whole window; give it back"),
    Shortcut("Comma, full stop", "One frame back or on"),
    Shortcut("+, \N{MINUS SIGN}", "Look closer at the pictures, or from further away"),
    Shortcut("0, 1", "Show the whole pictures, or 100 %"),
    *OF_CONTROLS,
)
"""All of them, for people."""


LIST_HEIGHT = 720
"""What the list of all keys needs in one column."""


ALWAYS = ("close",)
"""What also works while something else has the window."""


def bind(
    root: tk.Tk, commands: dict[str, Callable[[], None]], may: Callable[[], bool] = lambda: True
) -> None:
    """Bind every key in EVERYWHERE and NOT_IN_FIELDS to its command.

    Args:
        root: the window.
        commands: by the names in both.
        may: whether the queue has the window, and not a review.
    """
    everywhere = {name: shortcut.events for name, shortcut in EVERYWHERE.items()}
    for name, events in {**everywhere, **NOT_IN_FIELDS}.items():
        for event in events:
            allowed = (lambda: True) if name in ALWAYS else may
            root.bind(event, _call(commands[name], allowed, in_fields=name in EVERYWHERE))


def _call(
    command: Callable[[], None], may: Callable[[], bool], *, in_fields: bool = True
) -> Callable[[tk.Event[tk.Misc]], str | None]:
    """Wrap a command for Tk, which passes an event."""

    def called(event: tk.Event[tk.Misc]) -> str | None:
        if not may():
            return None
        if not in_fields and (not isinstance(event.widget, tk.Misc) or event.widget.winfo_class() in FIELDS):
            return None
        command()
        return "break"

    return called


def show_list(root: tk.Tk, theme: Theme) -> None:
    """Show all shortcuts in a dialog."""
    dialog = Dialog(root, theme, "Keyboard shortcuts", "You can do everything without a mouse.")
    table = ttk.Frame(dialog.body)
    table.pack(anchor="w", pady=(0, theme.px(20)))
    # on a low screen in two columns
    columns = 2 if root.winfo_screenheight() < theme.px(LIST_HEIGHT) else 1
    half = -(-len(LISTED) // columns)
    for number, shortcut in enumerate(LISTED):
        row, column = number % half, 2 * (number // half)
        ttk.Label(table, text=shortcut.key, style="Strong.TLabel").grid(
            row=row,
            column=column,
            sticky="nw",
            padx=(0, theme.px(14)),
            pady=theme.px(1 if columns == 2 else 2),
        )
        ttk.Label(
            table, text=shortcut.words, wraplength=theme.px(440 if columns == 1 else 240), justify="left"
        ).grid(
            row=row,
            column=column + 1,
            sticky="nw",
            padx=(0, theme.px(14)),
            pady=theme.px(1 if columns == 2 else 2),
        )
    dialog.add_button("close", "Close", primary=True)
    dialog.present()
    dialog.wait_window()
