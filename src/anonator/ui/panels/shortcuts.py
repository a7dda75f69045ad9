"""The keys that work anywhere in the window, and the list of all keys for people who ask."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import ttk

from anonator.ui.look.dialogs import Dialog
from anonator.ui.look.theme import Theme


@dataclass(frozen=True, slots=True)
class Shortcut:
    """One key with what it does."""

    key: str
    """As it is called on keyboards."""
    words: str
    events: tuple[str, ...] = ()
    """Tk's names where it works anywhere; empty where a control has it for itself."""


EVERYWHERE = {
    "add_files": Shortcut("Ctrl+O", "Add files", ("<Control-o>",)),
    "add_folder": Shortcut("Ctrl+Shift+O", "Add a folder", ("<Control-O>",)),
    "start": Shortcut("Ctrl+Enter", "Start", ("<Control-Return>", "<Control-KP_Enter>")),
    "pause": Shortcut("Ctrl+P", "Pause, or go on", ("<Control-p>",)),
    "lock": Shortcut("Ctrl+L", "Turn the HIPAA lock", ("<Control-l>",)),
    "help": Shortcut("F1", "This list", ("<F1>",)),
    "close": Shortcut("Ctrl+Q", "Close the program", ("<Control-q>",)),
}
OF_CONTROLS = (
    Shortcut("Tab, Shift+Tab", "Go to the next control, or the one before"),
    Shortcut("Space, Enter", "Press a button, turn a switch, open the result of a row"),
    Shortcut("Delete", "Take the chosen row out of the list"),
    Shortcut("Alt+Up, Alt+Down", "Move the chosen row"),
    Shortcut("Left, Right", "Go a second back or on in the video; a step on other sliders"),
    Shortcut("Page Up, Page Down", "Go ten seconds back or on in the video"),
    Shortcut("Escape", "Close a question without an answer"),
)


def bind(root: tk.Tk, commands: dict[str, Callable[[], None]]) -> None:
    """Let every key of EVERYWHERE do its command."""
    for name, shortcut in EVERYWHERE.items():
        for event in shortcut.events:
            root.bind(event, _call(commands[name]))


def _call(command: Callable[[], None]) -> Callable[[object], str]:
    """A command as what Tk calls with an event."""

    def called(_event: object) -> str:
        command()
        return "break"

    return called


def show_list(root: tk.Tk, theme: Theme) -> None:
    """Show all keys until the list is closed."""
    dialog = Dialog(root, theme, "Keyboard", "Everything can be done without a mouse.")
    table = ttk.Frame(dialog.body)
    table.pack(anchor="w", pady=(0, theme.px(20)))
    for row, shortcut in enumerate((*EVERYWHERE.values(), *OF_CONTROLS)):
        ttk.Label(table, text=shortcut.key, style="Strong.TLabel").grid(
            row=row, column=0, sticky="nw", padx=(0, theme.px(24)), pady=theme.px(2)
        )
        ttk.Label(table, text=shortcut.words, wraplength=theme.px(320), justify="left").grid(
            row=row, column=1, sticky="w", pady=theme.px(2)
        )
    dialog.add_button("close", "Close", primary=True)
    dialog.present()
    dialog.wait_window()
