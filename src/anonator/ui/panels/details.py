"""Details of the selected video: its result in words or why it failed, and what to do next."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import font, ttk

from anonator.ui.look.colours import ACCENT, BLACK, WHITE
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.state import text
from anonator.ui.state.job import RETRIED, JobState, JobView

LINES = 3
"""Minimum height; longer text scrolls, so nothing moves when another video is selected."""


@dataclass(frozen=True, slots=True)
class DetailActions:
    """What the buttons do with the selected job."""

    open_result: Callable[[], object]
    open_folder: Callable[[], object]
    open_report: Callable[[], object]
    retry: Callable[[], object]


def words_of(job: JobView | None) -> str:
    """The details of a job; the first line is the most important one."""
    if job is None:
        return ""
    if job.state is JobState.FAILED:
        return f"Failed: {job.message}"
    if job.message or job.info is None:
        return job.message
    size = f"{job.info.width} \N{MULTIPLICATION SIGN} {job.info.height}"
    frames = f", {text.count(job.info.frames, 'frame')}" if job.info.frames else ""
    return f"{size}{frames}"


class Details(ttk.Frame):
    """Scrolling text, with the buttons that fit the job's state below it."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: DetailActions) -> None:
        super().__init__(parent)
        px = theme.px
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        self.words = ""
        self._longer = True
        self._text = tk.Text(
            self,
            height=LINES,
            width=1,
            wrap="word",
            background=BLACK,
            foreground=WHITE,
            borderwidth=0,
            highlightthickness=1,
            highlightbackground=BLACK,
            highlightcolor=ACCENT,
            font="TkDefaultFont",
            cursor="arrow",
            state="disabled",
            padx=px(2),
            pady=0,
        )
        self._text.tag_configure("head", font="AnonatorStrong")
        self._bar = ttk.Scrollbar(self, orient="vertical", command=self._text.yview)
        self._text.configure(yscrollcommand=self._scrolled)
        self._text.grid(row=0, column=0, sticky="new")
        self._bar.grid(row=0, column=1, sticky="ns")
        # keep its width free, or text that only just fits without it would make it flicker
        self.columnconfigure(1, minsize=self._bar.winfo_reqwidth())
        buttons = ttk.Frame(self)
        buttons.grid(row=1, column=0, columnspan=2, sticky="e", pady=(px(6), 0))
        # the window sets the overall height, not the content; the text takes whole lines
        self._line = font.nametofont("TkDefaultFont", self).metrics("linespace")
        self._below = px(42)
        self.rowconfigure(1, minsize=self._below)
        self.grid_propagate(False)
        self.configure(height=LINES * self._line + self._below)
        self.bind("<Configure>", self._resized)
        self.buttons: dict[str, ttk.Button] = {}
        for column, (key, label, command, tip) in enumerate(
            (
                ("retry", "Try again", actions.retry, "Puts the video back in the queue."),
                (
                    "report",
                    "Open report",
                    actions.open_report,
                    "Shows the audit report to read, print and sign: settings, checks and moments worth a "
                    "look. It doesn't name the video or its folder.",
                ),
                ("folder", "Open folder", actions.open_folder, "Opens the folder of the anonymized video."),
                (
                    "result",
                    "Open result",
                    actions.open_result,
                    "Plays the anonymized video (double-click or Enter).",
                ),
            )
        ):
            button = ttk.Button(buttons, text=label, style="Small.TButton", command=command)
            button.grid(row=0, column=column, padx=(px(6), 0))
            ToolTip(button, theme, tip)
            self.buttons[key] = button
        self.show(None)

    def show(self, job: JobView | None) -> None:
        """Show the details of a job and the buttons that apply to it."""
        words = words_of(job)
        if words != self.words:
            self.words = words
            head, _, rest = words.partition("\n")
            self._text.configure(state="normal")
            self._text.delete("1.0", "end")
            self._text.insert("end", head, ("head",) if rest else ())
            self._text.insert("end", f"\n{rest}" if rest else "")
            self._text.configure(state="disabled")
            self._text.yview_moveto(0)
        state = job.state if job else None
        done = state is JobState.DONE
        has_report = done and job is not None and job.result is not None and job.result.report is not None
        for key, wanted in (
            ("retry", state in RETRIED),
            ("report", has_report),
            ("folder", done),
            ("result", done),
        ):
            if wanted:
                self.buttons[key].grid()
            else:
                self.buttons[key].grid_remove()

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        self._text.configure(height=max(LINES, (event.height - self._below) // self._line))

    def _scrolled(self, first: float, last: float) -> None:
        self._bar.set(first, last)
        longer = float(first) > 0 or float(last) < 1  # Tcl passes strings
        if longer != self._longer:  # each configure call makes Tk call this again
            self._longer = longer
            self._text.configure(takefocus=longer)
            if longer:
                self._bar.grid()
            else:
                self._bar.grid_remove()
