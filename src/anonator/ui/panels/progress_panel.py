"""The footer of the window: status, progress, and Start, Pause and Cancel."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import font, ttk

from anonator.core.job import Progress
from anonator.core.wording import NOT_COVERED
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.state import text
from anonator.ui.state.job import RunState

FIELDS = ("frame", "speed", "elapsed", "remaining", "queue")
WIDTHS = {"frame": 16, "speed": 13, "elapsed": 7, "remaining": 9, "queue": 9}
"""In characters, so nothing moves while numbers change."""
UNLESS_REPAIRED = (
    "Until the finished file has passed its checks. It takes longer (+) if they find a face to be covered."
)
LEAST_NEEDED = ("speed", "elapsed", "frame", "remaining", "queue")
"""Left out first where the window is narrow."""
CAPTIONS = {
    "frame": "Frame",
    "speed": "Speed",
    "elapsed": "Elapsed",
    "remaining": "Remaining",
    "queue": "Whole queue",
}


class ProgressPanel(ttk.Frame):
    """Shows the numbers that the engine reports."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        start: Callable[[], None],
        pause: Callable[[], None],
        cancel: Callable[[], None],
        review: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        px = theme.px
        self._gap = px(14)
        self._width = 0
        self.columnconfigure(0, weight=1)
        self.status = ttk.Label(self, style="Strong.TLabel", anchor="w", width=1)
        self.status.grid(row=0, column=0, sticky="ew")
        self.status.bind("<Configure>", lambda _event: self._fit_status())
        self._status, self._font = "", font.nametofont("AnonatorStrong", self)
        self.stage = ttk.Label(self, style="Accent.TLabel", anchor="e")
        self.stage.grid(row=0, column=1, sticky="e", padx=(px(16), 0))
        self.bar = ttk.Progressbar(self, maximum=100.0)
        self.bar.grid(row=1, column=0, columnspan=2, sticky="ew", pady=(px(6), px(8)))
        self._below = below = ttk.Frame(self)
        below.grid(row=2, column=0, columnspan=2, sticky="ew")
        below.columnconfigure(0, weight=1)
        self._numbers = row = ttk.Frame(below)
        self.not_covered = ttk.Label(below, text=NOT_COVERED, style="Dim.TLabel", justify="left")
        self.fields: dict[str, ttk.Label] = {}
        self._cells: dict[str, ttk.Frame] = {}
        for column, name in enumerate(FIELDS):
            cell = self._cells[name] = ttk.Frame(row)
            cell.grid(row=0, column=column, sticky="w", padx=(0, px(14)))
            ttk.Label(cell, text=CAPTIONS[name], style="Dim.TLabel").pack(anchor="w")
            self.fields[name] = ttk.Label(cell, text=text.UNKNOWN, anchor="w", width=WIDTHS[name])
            self.fields[name].pack(anchor="w")
        ToolTip(self.fields["remaining"], theme, UNLESS_REPAIRED)
        self.not_covered.grid(row=0, column=0, sticky="w")
        # as high as both, so nothing moves when a job begins
        row.grid(row=0, column=0, sticky="w")
        self.update_idletasks()
        below.rowconfigure(0, minsize=row.winfo_reqheight())
        self._buttons = buttons = ttk.Frame(below)
        buttons.grid(row=0, column=1)
        below.bind("<Configure>", self._fit)
        # wide enough for "Start 100 videos", so nothing moves when videos are added
        self.start = ttk.Button(buttons, text="Start", style="Primary.TButton", command=start, width=13)
        self.pause = ttk.Button(buttons, text="Pause", style="Big.TButton", command=pause, width=8)
        self.cancel = ttk.Button(buttons, text="Cancel", style="Big.TButton", command=cancel, width=8)
        self.review = ttk.Button(self._buttons, text="Review", style="Primary.TButton", command=review)
        for column, button in enumerate((self.review, self.start, self.pause, self.cancel)):
            button.grid(row=0, column=column, padx=(px(10) if column else 0, 0))
        self.review.grid_remove()
        ToolTip(
            self.review,
            theme,
            "Opens the first result that nobody has reviewed yet. The program leads you to the places that "
            "it isn't sure about.",
        )
        ToolTip(self.start, theme, "Anonymizes all waiting videos, one after another. (Ctrl+Enter)")
        ToolTip(self.pause, theme, "Pauses the running job; nothing is lost.")
        ToolTip(
            self.cancel,
            theme,
            "Stops the running job and removes its unfinished file. The other videos keep waiting.",
        )
        self._running_to_and_fro = False
        self.show_run(RunState.IDLE, 0)
        self.show_progress(None, None)

    def _fit(self, event: tk.Event[tk.Misc]) -> None:
        """In a narrow window, leave out the numbers that are needed least."""
        self._width = event.width
        self._fit_numbers()

    def _fit_numbers(self) -> None:
        gap = self._gap
        room = self._width - self._buttons.winfo_reqwidth()
        self.not_covered.configure(wraplength=max(gap, room - gap))
        for name, cell in self._cells.items():
            needed = (
                sum(
                    other.winfo_reqwidth() + gap
                    for key, other in self._cells.items()
                    if key not in LEAST_NEEDED or LEAST_NEEDED.index(key) >= LEAST_NEEDED.index(name)
                )
                if name in LEAST_NEEDED
                else 0
            )
            (cell.grid if needed <= room else cell.grid_remove)()

    def show_run(self, state: RunState, waiting: int) -> None:
        """Enable the buttons that make sense now."""
        idle = state is RunState.IDLE
        self.start.configure(
            text=f"Start {text.count(waiting, 'video')}" if idle and waiting > 1 else "Start"
        )
        self.start.state(["!disabled" if idle and waiting else "disabled"])
        self.pause.configure(text="Resume" if state is RunState.PAUSED else "Pause")
        self.pause.state(["!disabled" if state in (RunState.RUNNING, RunState.PAUSED) else "disabled"])
        self.cancel.state(["!disabled" if state in (RunState.RUNNING, RunState.PAUSED) else "disabled"])
        if state is not RunState.RUNNING:
            self._to_and_fro(False)

    def show_review(self, waiting: int) -> None:
        """Offer to review so many results, rather than to start anything; 0 hides the button."""
        self.start.configure(style="Big.TButton" if waiting else "Primary.TButton")
        self.review.configure(text=f"Review {text.count(waiting, 'video')}")
        if bool(waiting) != bool(self.review.winfo_manager()):
            (self.review.grid if waiting else self.review.grid_remove)()
            self.update_idletasks()
            self._fit_numbers()

    def show_status(self, words: str, stage: str) -> None:
        """Show what is going on, and the current stage at the other end of the line."""
        self._status = words
        self.stage.configure(text=stage)
        self._fit_status()

    def _fit_status(self) -> None:
        room = max(40, self.status.winfo_width() - 4)
        self.status.configure(text=text.shortened(self._status, room, self._font.measure))

    def show_progress(
        self,
        progress: Progress | None,
        queue_remaining: float | None,
        *,
        starting: bool = False,
        ended: bool = False,
    ) -> None:
        """Show a running job's numbers; while starting, the bar moves back and forth."""
        talks = progress is None and not starting
        (self.not_covered.grid if talks else self.not_covered.grid_remove)()
        (self._numbers.grid_remove if talks else self._numbers.grid)()
        if progress is None:
            for label in self.fields.values():
                label.configure(text=text.UNKNOWN)
            self._to_and_fro(starting)
            if not starting:
                self.bar.configure(value=100.0 if ended else 0.0)
            return
        of = f" of {progress.total:,}" if progress.total is not None else ""
        self.fields["frame"].configure(text=f"{progress.frame:,}{of}")
        self.fields["speed"].configure(text=f"{progress.fps:.1f} frames/s")
        self.fields["elapsed"].configure(text=text.duration(progress.elapsed_seconds))
        for name, seconds in (("remaining", progress.remaining_seconds), ("queue", queue_remaining)):
            or_more = "+" if progress.at_least and seconds is not None else ""
            self.fields[name].configure(text=text.duration(seconds) + or_more)
        self._to_and_fro(False)
        self.bar.configure(value=100.0 if ended else 100 * progress.done)

    def _to_and_fro(self, wanted: bool) -> None:
        if wanted == self._running_to_and_fro:
            return
        self._running_to_and_fro = wanted
        if wanted:
            self.bar.configure(mode="indeterminate")
            self.bar.start(30)
        else:
            self.bar.stop()
            self.bar.configure(mode="determinate")
