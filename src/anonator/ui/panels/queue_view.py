"""The list of videos with their states, its toolbar above, and the details of the selected one below."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from tkinter import font, ttk

from PIL import Image, ImageTk

from anonator.ui.look.colours import DIM, SURFACE
from anonator.ui.look.keys import on_enter
from anonator.ui.look.theme import THUMBNAIL, Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.panels.details import LINES, DetailActions, Details
from anonator.ui.panels.queue_columns import QueueColumns
from anonator.ui.panels.queue_toolbar import QueueToolbar, ToolbarActions
from anonator.ui.state import text
from anonator.ui.state.job import FINISHED, JobState, JobView
from anonator.ui.state.row_names import row_names

LEAST_ROWS = 2
"""Rows at least, if there are so many; a longer list scrolls."""
MORE_LINES, SMALLER = 5, 0.7
"""So many lines of a result, and two rows, are worth pictures of this share of their size."""
INDENT = "  "
"""Put before text next to other content; the list's own padding doesn't scale with the screen."""


@dataclass(frozen=True, slots=True)
class QueueActions:
    """What the list asks the window to do, with the selected job unless stated otherwise."""

    add_files: Callable[[], None]
    add_folder: Callable[[], None]
    remove: Callable[[], None]
    move: Callable[[int], None]
    """Up by one (-1) or down by one (1)."""
    retry: Callable[[], None]
    run_again: Callable[[], None]
    clear_finished: Callable[[], None]
    open_result: Callable[[], None]
    open_folder: Callable[[], None]
    open_report: Callable[[], None]
    open_row: Callable[[int | None], None]
    """Open the job with this number; None means the selected one."""
    review: Callable[[], None]
    choose: Callable[[int | None], None]


class QueueView(ttk.Frame):
    """Draws the jobs, and reports what people do with them."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: QueueActions) -> None:
        super().__init__(parent)
        self._theme, self._actions = theme, actions
        self._jobs: dict[int, JobView] = {}
        self._names: dict[int, str] = {}
        self._chosen: int | None = None
        self._thumbnails: dict[int, ImageTk.PhotoImage] = {}
        self._blank = ImageTk.PhotoImage(
            Image.new("RGB", (theme.px(THUMBNAIL[0]), theme.px(THUMBNAIL[1])), SURFACE), master=self
        )
        self._row_height = int(ttk.Style(self).lookup("Treeview", "rowheight"))
        self._font = font.nametofont("TkDefaultFont", self)
        self.columnconfigure(0, weight=1)
        self.rowconfigure(1, weight=1)
        self._room_to_share = (0, 0)
        self.toolbar = QueueToolbar(
            self,
            theme,
            ToolbarActions(
                add_files=actions.add_files,
                add_folder=actions.add_folder,
                remove=actions.remove,
                move=actions.move,
                clear_finished=actions.clear_finished,
            ),
        )
        self.toolbar.grid(row=0, column=0, columnspan=2, sticky="ew", pady=(0, theme.px(6)))
        self._make_list()
        self.details = Details(
            self,
            theme,
            DetailActions(
                review=actions.review,
                open_result=actions.open_result,
                open_folder=actions.open_folder,
                open_report=actions.open_report,
                retry=actions.retry,
                run_again=actions.run_again,
            ),
        )
        self.details.grid(row=2, column=0, columnspan=2, sticky="nsew", pady=(theme.px(8), 0))
        self._draw_chosen()

    def _make_list(self) -> None:
        px, actions = self._theme.px, self._actions
        self.tree = ttk.Treeview(self, columns=("length", "size", "state"), height=2, selectmode="browse")
        self.tree.heading("#0", text="Name", anchor="w")
        self.tree.column("#0", width=px(210), minwidth=px(150), stretch=True)
        for column, label, width, stretch, anchor in (
            ("length", "Length", 64, False, "e"),
            ("size", "Size", 76, False, "e"),
            ("state", f"{INDENT}State", 180, True, "w"),
        ):
            self.tree.heading(column, text=label, anchor=anchor)  # type: ignore[call-overload]
            self.tree.column(column, width=px(width), minwidth=px(60), stretch=stretch, anchor=anchor)  # type: ignore[call-overload]
        bar = ttk.Scrollbar(self, orient="vertical", command=self.tree.yview)
        self.tree.configure(yscrollcommand=bar.set)
        self.tree.grid(row=1, column=0, sticky="nsew")
        bar.grid(row=1, column=1, sticky="ns")
        self.tree.bind("<<TreeviewSelect>>", self._selected)
        self.tree.bind("<Double-1>", self._double_clicked)
        on_enter(self.tree, partial(_call, partial(actions.open_row, None)))
        for key, command in (
            ("<space>", partial(actions.open_row, None)),
            ("<Delete>", actions.remove),
            ("<Alt-Up>", partial(actions.move, -1)),
            ("<Alt-Down>", partial(actions.move, 1)),
        ):
            self.tree.bind(key, partial(_call, command))
        self.tree.tag_configure("dim", foreground=DIM)
        self._tip = ToolTip(self.tree, self._theme, "")
        self._tip_row = ""
        self.tree.bind("<Motion>", self._pointed, add=True)
        self.tree.bind("<Configure>", lambda _event: self.after_idle(self._keep_in_sight), add=True)
        indent = self._font.measure(INDENT)
        self._columns = QueueColumns(self.tree, self._theme, indent, self._draw_anew)

    # --- what the window calls

    def draw(self, jobs: tuple[JobView, ...], chosen: int | None) -> None:
        """Show exactly these jobs, in this order, with one of them selected."""
        before, self._jobs = self._jobs, {job.number: job for job in jobs}
        if list(before) != list(self._jobs):
            self._draw_order(before)
        names, self._names = self._names, row_names(jobs)
        for job in jobs:
            if before.get(job.number) is not job or names.get(job.number) != self._names[job.number]:
                self._draw_job(job)
        # a row that was just clicked, and that the state doesn't know yet, stays selected
        if chosen is not None and (chosen != self._chosen or not self.tree.selection()):
            self.select(chosen)
        self._chosen = chosen
        self._columns.fit()
        self._draw_chosen()
        self._fold()

    def fold(self, height: int, pictures: int) -> None:
        """Take no more of this height than the list needs, and leave to the pictures what they can use."""
        self._room_to_share = height, pictures
        self._fold()

    def _fold(self) -> None:
        jobs = self._jobs.values()
        words = any(job.message or job.result_file for job in jobs)
        buttons = any(job.state in FINISHED or job.result_file for job in jobs)
        shown, (height, pictures) = int(self.tree.cget("height")), self._room_to_share
        heads = self.toolbar.winfo_reqheight() + self.tree.winfo_reqheight() - shown * self._row_height
        left = height - heads - self._theme.px(14)
        for lines, least, part in (
            (MORE_LINES, LEAST_ROWS, SMALLER),
            (LINES, LEAST_ROWS, SMALLER),
            (1, 1, 1.0),
        ):
            lines = lines if words else 1
            rest = left - self.details.height_of(lines, buttons=buttons)
            if rest - part * pictures >= (least - 1) * self._row_height:
                break  # else the window is so small that the details scroll
        room = rest - pictures
        self.details.fold(lines, buttons=buttons)
        rows = max(1, min(len(jobs), max(least, int(room) // self._row_height)))  # pictures can't use more
        if rows != shown:
            self.tree.configure(height=rows)

    def select(self, number: int) -> None:
        """Select a row and scroll to it, as somebody would with the mouse."""
        item = str(number)
        if self.tree.exists(item) and self.tree.selection() != (item,):
            self.tree.selection_set(item)
            self.tree.focus(item)
            self.tree.see(item)

    def box_of(self, number: int) -> list[int]:
        """Where a row's name is on the screen, [x, y, width, height], for tests that drive the program."""
        x, y, width, height = map(int, self.tree.bbox(str(number), "#0") or (0, 0, 0, 0))
        return [self.tree.winfo_rootx() + x, self.tree.winfo_rooty() + y, width, height]

    # --- inside

    def _keep_in_sight(self) -> None:
        for item in self.tree.selection():
            self.tree.see(item)

    def _draw_order(self, before: Iterable[int]) -> None:
        gone = [number for number in before if number not in self._jobs]
        self.tree.delete(*map(str, gone))
        for number in gone:
            self._thumbnails.pop(number, None)
            self._columns.forget(number)
        for place, number in enumerate(self._jobs):
            if self.tree.exists(str(number)):
                self.tree.move(str(number), "", place)
            else:
                self.tree.insert("", place, str(number), image=self._blank)

    def _draw_job(self, job: JobView) -> None:
        if job.thumbnail is not None and job.number not in self._thumbnails:
            self._thumbnails[job.number] = ImageTk.PhotoImage(job.thumbnail, master=self)
            self.tree.item(str(job.number), image=self._thumbnails[job.number])
        length = text.duration(job.info.seconds) if job.info else text.UNKNOWN
        size = text.size(job.info.size_bytes) if job.info else text.UNKNOWN
        measure = self._font.measure
        # an error is told below the list in full
        state_needs = 0 if job.state is JobState.FAILED else measure(job.state_text)
        self._columns.need(job.number, measure(self._names[job.number]), state_needs)
        name, state = self._shortened(job)
        self.tree.item(
            str(job.number),
            text=f"{INDENT}{name}",
            values=(length, size, f"{INDENT}{state}"),
            tags=("dim",) if job.state in (JobState.CANCELLED, JobState.SKIPPED) else (),
        )

    def _draw_chosen(self) -> None:
        """Show the details of the selected job and the buttons that apply to it."""
        job = self._jobs.get(self._chosen or 0)
        self.details.show(job)
        self.toolbar.draw(self._jobs.values(), job)

    def _selected(self, _event: object) -> None:
        selection = self.tree.selection()
        self._actions.choose(int(selection[0]) if selection else None)

    def _shortened(self, job: JobView) -> tuple[str, str]:
        name, state = self._columns.room
        measure = self._font.measure
        called = self._names[job.number]
        return text.shortened(called, name, measure), text.shortened(job.state_text, state, measure)

    def _draw_anew(self) -> None:
        for job in tuple(self._jobs.values()):
            self._draw_job(job)

    def _pointed(self, event: tk.Event[tk.Misc]) -> None:
        """Show the full text of the row under the pointer if the list had to cut it off."""
        row = self.tree.identify_row(event.y)
        job = self._jobs.get(int(row)) if row else None
        words = ""
        if job is not None:
            whole = (self._names[job.number], job.state_text)
            words = "\n".join(w for w, s in zip(whole, self._shortened(job), strict=True) if w != s)
        if (row, words) != (self._tip_row, self._tip.words):
            self._tip_row = row
            self._tip.rest(words, (event.x_root + self._theme.px(12), event.y_root + self._theme.px(18)))

    def _double_clicked(self, event: tk.Event[tk.Misc]) -> str | None:
        item = self.tree.identify_row(event.y)
        if not item:
            return None
        self._actions.open_row(int(item))
        return "break"


def _call(command: Callable[[], None], _event: object) -> str:
    """Run a command from a Tk event."""
    command()
    return "break"
