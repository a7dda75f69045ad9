"""Question and progress dialogs in the program's own style, usable by keyboard."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence
from pathlib import Path
from tkinter import ttk

from anonator.ui.look import theme as look
from anonator.ui.look.colours import BLACK, LINE
from anonator.ui.look.keys import on_enter
from anonator.ui.look.screen import focused, within_screen
from anonator.ui.look.theme import Theme

WIDTH = 470
"""Of the lines of a question."""
AROUND = 60
"""What the system needs of the screen: a title and a task bar."""


class Dialog(tk.Toplevel):
    """A modal window centred over its parent; Escape closes it."""

    def __init__(self, parent: tk.Misc, theme: Theme, title: str, message: str) -> None:
        super().__init__(parent, background=LINE)
        self.withdraw()
        self.title(title)
        self.resizable(False, False)
        self.theme, self.answer = theme, ""
        px = theme.px
        self.body = ttk.Frame(self, padding=px(24))
        self.body.pack(padx=1, pady=1, fill="both", expand=True)
        ttk.Label(self.body, text=title, style="Title.TLabel").pack(anchor="w")
        self.message = ttk.Label(self.body, text=message, wraplength=px(WIDTH), justify="left")
        self.message.pack(anchor="w", pady=(px(10), px(20)))
        self.buttons = ttk.Frame(self.body)
        self.buttons.pack(side="bottom", anchor="e")
        self._first: ttk.Button | None = None
        self._before = focused(parent)
        self.protocol("WM_DELETE_WINDOW", self.dismiss)
        self.bind("<Escape>", lambda _event: self.dismiss())

    def add_button(self, key: str, label: str, *, primary: bool = False) -> ttk.Button:
        """Add an answer; the primary one has the focus first."""
        button = ttk.Button(
            self.buttons,
            text=label,
            style="Primary.TButton" if primary else "Big.TButton",
            command=lambda: self.close(key),
        )
        button.pack(side="left", padx=(self.theme.px(10), 0))
        on_enter(button, lambda _event: button.invoke())
        if primary or self._first is None:
            self._first = button
        return button

    def dismiss(self) -> None:
        """Close without an answer."""
        self.close("")

    def close(self, answer: str) -> None:
        """Close with an answer, and return the keyboard focus to where it was."""
        self.answer = answer
        in_use = focused(self) is not None
        self.grab_release()
        self.destroy()
        if in_use and self._before is not None and self._before.winfo_exists():
            self._before.focus_force()

    def present(self) -> None:
        """Show the dialog over its parent and give it the keyboard focus."""
        parent = self.master.winfo_toplevel()
        self._widen_to_fit()
        width, height = self.winfo_reqwidth(), self.winfo_reqheight()
        x = parent.winfo_rootx() + (parent.winfo_width() - width) // 2
        y = parent.winfo_rooty() + (parent.winfo_height() - height) // 3
        x, y = within_screen(self, x, y, width, height)
        self.geometry(f"+{x}+{y}")
        self.configure(background=LINE)
        if parent.winfo_viewable():
            self.transient(parent)
        self.deiconify()
        look.darken_title_bar(self)
        self.wait_visibility()
        self.grab_set()
        (self._first or self).focus_force()

    def _widen_to_fit(self) -> None:
        """Give a long text longer lines until it is no higher than the screen, with its answers."""
        room = self.winfo_screenheight() - self.theme.px(AROUND)
        widest = self.winfo_screenwidth() - self.theme.px(2 * AROUND)
        width = self.theme.px(WIDTH)
        self.update_idletasks()
        while self.winfo_reqheight() > room and width < widest:
            width += self.theme.px(40)
            self.message.configure(wraplength=width)
            self.update_idletasks()


def ask(
    parent: tk.Misc,
    theme: Theme,
    title: str,
    message: str,
    answers: Sequence[tuple[str, str]],
    *,
    primary: str,
) -> str:
    """Ask and wait, while the main loop keeps running.

    Args:
        answers: pairs of key and label, in the order of the buttons.
        primary: the key of the answer that Return chooses.

    Returns:
        The key of the answer, or "" if the question was closed without one.
    """
    dialog = Dialog(parent, theme, title, message)
    for key, label in answers:
        dialog.add_button(key, label, primary=key == primary)
    dialog.present()
    dialog.wait_window()
    return dialog.answer


class PathDialog(Dialog):
    """Shows where a file or folder is, marked for copying."""

    def __init__(self, parent: tk.Misc, theme: Theme, title: str, message: str, path: Path) -> None:
        super().__init__(parent, theme, title, message)
        self.path = ttk.Entry(self.body, width=62)
        self.path.insert(0, str(path))
        self.path.selection_range(0, "end")
        self.path.state(["readonly"])
        self.path.pack(fill="x", pady=(0, theme.px(20)))
        ttk.Button(self.buttons, text="Copy", style="Big.TButton", command=self._copy).pack(side="left")
        self.add_button("close", "Close", primary=True)

    def ask(self) -> None:
        """Wait until it is closed."""
        self.present()
        self.wait_window()

    def _copy(self) -> None:
        self.clipboard_clear()
        self.clipboard_append(self.path.get())


class WaitDialog(Dialog):
    """A progress bar for a longer task, which can be cancelled and closes the dialog itself."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, title: str, message: str, on_cancel: Callable[[], None]
    ) -> None:
        super().__init__(parent, theme, title, message)
        self._on_cancel = on_cancel
        self.cancelling = False
        self.bar = ttk.Progressbar(self.body, length=theme.px(440), maximum=1.0)
        self.bar.pack(pady=(0, theme.px(20)))
        self.configure(background=BLACK)
        ttk.Button(self.buttons, text="Cancel", style="Big.TButton", command=self.dismiss).pack()

    def show_progress(self, fraction: float | None, message: str) -> None:
        """Move the bar, or let it move back and forth if the end isn't known."""
        if fraction is None:
            self.bar.configure(mode="indeterminate")
            self.bar.step(0.02)
        else:
            self.bar.configure(mode="determinate", value=fraction)
        self.message.configure(text=message)

    def dismiss(self) -> None:
        """Ask the task to stop; it closes the dialog once it has."""
        self.cancelling = True
        self.message.configure(text="Cancelling…")
        self._on_cancel()
