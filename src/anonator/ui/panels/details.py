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
from anonator.ui.state.job import FINISHED, RETRIED, JobState, JobView

LINES = 3
"""Height where there is more to say than a line; longer text scrolls."""


LEAST_NEEDED = ("folder", "again", "result")
"""Buttons that are left out first."""


@dataclass(frozen=True, slots=True)
class DetailActions:
    """What the buttons do with the selected job."""

    review: Callable[[], object]
    open_result: Callable[[], object]
    open_folder: Callable[[], object]
    open_report: Callable[[], object]
    retry: Callable[[], object]
    run_again: Callable[[], object]


def words_of(job: JobView | None) -> str:
    """The details of a job; the first line is the most important one."""
    if job is None:
        return ""
    result = ""
    if job.result_file and not job.result:
        said = text.has_result(job.result_file, job.source), text.report_says(job.result_file)
        result = "\n".join(filter(None, said))
    if job.state is JobState.FAILED:
        return f"Failed: {job.message}" + (f"\n{result}" if result else "")
    if job.message or job.info is None:
        return "\n".join(part for part in (job.message, result) if part)
    size = f"{job.info.width} \N{MULTIPLICATION SIGN} {job.info.height}"
    frames = f", {text.count(job.info.frames, 'frame')}" if job.info.frames else ""
    return f"{result}\n{size}{frames}".strip()


class Details(ttk.Frame):
    """Scrolling text, with the buttons that fit the job's state below it."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: DetailActions) -> None:
        super().__init__(parent)
        px = theme.px
        self.columnconfigure(0, weight=1)
        self.rowconfigure(0, weight=1)
        self.words = ""
        self._longer = True
        self._width = 10_000
        self._wanted: dict[str, bool] = {}
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
        self._edge = px(10)
        self._below = self._room_for_buttons = px(42)
        self.rowconfigure(1, minsize=self._below)
        self.grid_propagate(False)
        self.bind("<Configure>", self._resized)
        self.buttons: dict[str, ttk.Button] = {}
        for column, (key, label, command, tip) in enumerate(
            (
                ("retry", "Try again", actions.retry, "Puts the video back in the queue."),
                (
                    "again",
                    "Run again, stricter…",
                    actions.run_again,
                    "Puts the video back in the queue, to be searched more closely and covered more widely. "
                    "Its result is kept, or replaced once the new one is complete.",
                ),
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
                    "Plays the anonymized video in your system's player. F11 shows it here in large.",
                ),
                (
                    "review",
                    "Review",
                    actions.review,
                    "Look at the result, led to every place that the program isn't sure about; correct it "
                    "and sign it (Enter, or double-click the row).",
                ),
            )
        ):
            style = "SmallPrimary.TButton" if key == "review" else "Small.TButton"
            button = ttk.Button(buttons, text=label, style=style, command=command)
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
        result = job.result_file if job else None
        signed = job is not None and job.may_review_again
        self.buttons["review"].configure(
            text="Review again\N{HORIZONTAL ELLIPSIS}" if signed else "Review",
            style="Small.TButton" if signed else "SmallPrimary.TButton",
        )
        for key, wanted in (
            ("retry", job is not None and job.state in RETRIED and result is None),
            ("again", job is not None and job.state in FINISHED and result is not None),
            ("report", result is not None and result.report is not None),
            ("folder", result is not None),
            ("result", result is not None),
            ("review", job is not None and (job.may_review or job.may_review_again)),
        ):
            self._wanted[key] = wanted
        self._fit_buttons()

    def _fit_buttons(self) -> None:
        """Show the buttons that are wanted; in a narrow window without those that are needed least."""
        wanted = [key for key in self.buttons if self._wanted.get(key)]
        for least in LEAST_NEEDED:
            if sum(self.buttons[key].winfo_reqwidth() + self._edge for key in wanted) <= self._width:
                break
            if least in wanted:
                wanted.remove(least)
        for key, button in self.buttons.items():
            (button.grid if key in wanted else button.grid_remove)()

    def height_of(self, lines: int, *, buttons: bool) -> int:
        """The height that so many lines take, with or without buttons."""
        return lines * self._line + self._edge + (self._room_for_buttons if buttons else 0)

    def fold(self, lines: int, *, buttons: bool) -> None:
        """Take this height, whatever the row: so nothing moves from row to row."""
        self._below = self._room_for_buttons if buttons else 0
        self.rowconfigure(1, minsize=self._below)
        self.configure(height=self.height_of(lines, buttons=buttons))

    def _resized(self, event: tk.Event[tk.Misc]) -> None:
        if event.width != self._width:
            self._width = event.width
            self._fit_buttons()
        self._text.configure(height=max(1, (event.height - self._edge - self._below) // self._line))

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
