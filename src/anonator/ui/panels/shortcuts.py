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
    "back": Shortcut(",", "One frame back", ("<comma>",)),
    "forward": Shortcut(".", "One frame on", ("<period>",)),
    "nearer": Shortcut("+", "Look closer at the pictures", ("<plus>", "<KP_Add>")),
    "further": Shortcut("\N{MINUS SIGN}", "Show more of them", ("<minus>", "<KP_Subtract>")),
    "fit": Shortcut("0", "Show all of them", ("<Key-0>", "<KP_0>")),
    "one_to_one": Shortcut("1", "Show them at 100 %", ("<Key-1>", "<KP_1>")),
}
"""Keys that are typed in a field mean what they say."""
FIELDS = ("TEntry", "TCombobox", "TSpinbox", "Entry", "Spinbox")
"""Tk's names for widgets that take text."""
OF_CONTROLS = (
    Shortcut("Tab, Shift+Tab", "Go to the next or previous control"),
    Shortcut("Space, Enter", "Press a button, use a switch; in the list, look at a row in large"),
    Shortcut("Space", "In the pictures and on their slider: play or stop"),
    Shortcut("Delete", "Remove the selected row from the list"),
    Shortcut("Alt+Up, Alt+Down", "Move the selected row"),
    Shortcut("Left, Right", "Move one second back or forward in the video; one step on other sliders"),
    Shortcut("Page Up, Page Down", "Move ten seconds back or forward in the video"),
    Shortcut("Escape", "Close without changes"),
)


def bind(root: tk.Tk, commands: dict[str, Callable[[], None]]) -> None:
    """Bind every key in EVERYWHERE and NOT_IN_FIELDS to its command."""
    for name, shortcut in {**EVERYWHERE, **NOT_IN_FIELDS}.items():
        for event in shortcut.events:
            root.bind(event, _call(commands[name], in_fields=name in EVERYWHERE))


def _call(
    command: Callable[[], None], *, in_fields: bool = True
) -> Callable[[tk.Event[tk.Misc]], str | None]:
    """Wrap a command for Tk, which passes an event."""

    def called(event: tk.Event[tk.Misc]) -> str | None:
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
    for row, shortcut in enumerate((*EVERYWHERE.values(), *NOT_IN_FIELDS.values(), *OF_CONTROLS)):
        ttk.Label(table, text=shortcut.key, style="Strong.TLabel").grid(
            row=row, column=0, sticky="nw", padx=(0, theme.px(24)), pady=theme.px(2)
        )
        ttk.Label(table, text=shortcut.words, wraplength=theme.px(320), justify="left").grid(
            row=row, column=1, sticky="w", pady=theme.px(2)
        )
    dialog.add_button("close", "Close", primary=True)
    dialog.present()
    dialog.wait_window()
