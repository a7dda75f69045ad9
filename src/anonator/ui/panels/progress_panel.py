"""The footer of the window: status, progress, and Start, Pause and Cancel."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import font, ttk

from anonator.core.frames import Progress
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.state import text
from anonator.ui.state.job import RunState

FIELDS = ("frame", "speed", "elapsed", "remaining", "queue")
WIDTHS = {"frame": 16, "speed": 13, "elapsed": 7, "remaining": 9, "queue": 9}
"""In characters, so nothing moves while numbers change."""
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
    ) -> None:
        super().__init__(parent)
        px = theme.px
        self.columnconfigure(0, weight=1)
        left = ttk.Frame(self)
        left.grid(row=0, column=0, sticky="ew", padx=(0, px(24)))
        left.columnconfigure(0, weight=1)
        self.status = ttk.Label(left, style="Strong.TLabel", anchor="w", width=1)
        self.status.grid(row=0, column=0, sticky="ew")
        self.status.bind("<Configure>", lambda _event: self._fit_status())
        self._status, self._font = "", font.nametofont("AnonatorStrong", self)
        self.stage = ttk.Label(left, style="Accent.TLabel", anchor="e")
        self.stage.grid(row=0, column=1, sticky="e", padx=(px(16), 0))
        self.bar = ttk.Progressbar(left, maximum=100.0)
        self.bar.grid(row=1, column=0, columnspan=2, sticky="ew", pady=(px(8), px(8)))
        row = ttk.Frame(left)
        row.grid(row=2, column=0, columnspan=2, sticky="w")
        self.fields: dict[str, ttk.Label] = {}
        for column, name in enumerate(FIELDS):
            cell = ttk.Frame(row)
            cell.grid(row=0, column=column, sticky="w", padx=(0, px(16)))
            ttk.Label(cell, text=CAPTIONS[name], style="Dim.TLabel").pack(anchor="w")
            self.fields[name] = ttk.Label(cell, text=text.UNKNOWN, anchor="w", width=WIDTHS[name])
            self.fields[name].pack(anchor="w")
        buttons = ttk.Frame(self)
        buttons.grid(row=0, column=1)
        # wide enough for "Start 100 videos", so nothing moves when videos are added
        self.start = ttk.Button(buttons, text="Start", style="Primary.TButton", command=start, width=13)
        self.pause = ttk.Button(buttons, text="Pause", style="Big.TButton", command=pause, width=8)
        self.cancel = ttk.Button(buttons, text="Cancel", style="Big.TButton", command=cancel, width=8)
        for column, button in enumerate((self.start, self.pause, self.cancel)):
            button.grid(row=0, column=column, padx=(px(10) if column else 0, 0))
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
        self.fields["remaining"].configure(text=text.duration(progress.remaining_seconds))
        self.fields["queue"].configure(text=text.duration(queue_remaining))
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
