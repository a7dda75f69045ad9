"""The line above the list of videos: its title, and the buttons that add, remove and move them."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from tkinter import ttk

from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.state.job import ACTIVE, FINISHED, JobView


@dataclass(frozen=True, slots=True)
class ToolbarActions:
    """What the buttons ask for, with the selected job unless stated otherwise."""

    add_files: Callable[[], None]
    add_folder: Callable[[], None]
    remove: Callable[[], None]
    move: Callable[[int], None]
    """Up by one (-1) or down by one (1)."""
    clear_finished: Callable[[], None]


class QueueToolbar(ttk.Frame):
    """Offers what applies to the selected job and to the whole list."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: ToolbarActions) -> None:
        super().__init__(parent)
        self._theme = theme
        self._title = ttk.Label(self, text="Videos", style="Strong.TLabel")
        self._title.pack(side="left")
        self.bind("<Configure>", self._fit)
        self.buttons: dict[str, ttk.Button] = {}
        for key, label, command, tip in (
            (
                "clear",
                "Clear finished",
                actions.clear_finished,
                "Removes the videos that have results from the list, and asks before it removes those that "
                "failed or were cancelled. No file is deleted.",
            ),
            (
                "down",
                "↓",
                partial(actions.move, 1),
                "Moves the video down in the queue (Alt+Down).",
            ),
            (
                "up",
                "↑",
                partial(actions.move, -1),
                "Moves the video up in the queue (Alt+Up).",
            ),
            (
                "remove",
                "Remove",
                actions.remove,
                "Removes the video from the queue (Delete). It asks before it cancels a running job.",
            ),
            (
                "folder",
                "Add folder…",
                actions.add_folder,
                "Adds all videos in a folder and its subfolders (Ctrl+Shift+O).",
            ),
            (
                "files",
                "Add files…",
                actions.add_files,
                "Adds videos (Ctrl+O). You can also drop them on the window.",
            ),
        ):
            button = ttk.Button(self, text=label, command=command, style="Small.TButton")
            if label in "↓↑":
                button.configure(width=2)
            button.pack(side="right", padx=(theme.px(6), 0))
            button.lower()  # packed from the right, but Tab goes from the left
            ToolTip(button, theme, tip)
            self.buttons[key] = button

    def draw(self, jobs: Collection[JobView], chosen: JobView | None) -> None:
        """Show how many videos there are, and enable what applies to them."""
        self._title.configure(text=f"Videos ({len(jobs)})" if jobs else "Videos")
        movable = chosen is not None and chosen.state not in ACTIVE and len(jobs) > 1
        finished = any(job.state in FINISHED for job in jobs)
        for key, applies in (
            ("remove", chosen is not None),
            ("up", movable),
            ("down", movable),
            ("clear", finished),
        ):
            self.buttons[key].state(["!disabled" if applies else "disabled"])

    def _fit(self, event: tk.Event[tk.Misc]) -> None:
        """In a narrow window, the buttons need the place of the title."""
        needed = sum(button.winfo_reqwidth() + self._theme.px(6) for button in self.buttons.values())
        if needed + self._title.winfo_reqwidth() > event.width:
            self._title.pack_forget()
        elif not self._title.winfo_manager():
            self._title.pack(side="left")
