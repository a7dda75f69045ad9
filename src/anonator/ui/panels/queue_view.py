"""The list of videos with their states, the buttons that act on the chosen one, and what is said of it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import font, ttk

from PIL import Image, ImageTk

from anonator.ui.look.colours import DIM, SURFACE
from anonator.ui.look.theme import THUMBNAIL, Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.panels.details import DetailActions, Details
from anonator.ui.state import text
from anonator.ui.state.job import ACTIVE, FINISHED, JobState, JobView

INDENT = "  "
"""Before words that stand beside something else; the list has no padding that grows with the screen."""


@dataclass(frozen=True, slots=True)
class QueueActions:
    """What the list asks the window to do; numbers are those of jobs."""

    add_files: Callable[[], None]
    add_folder: Callable[[], None]
    remove: Callable[[int], None]
    move: Callable[[int, int], None]
    retry: Callable[[int], None]
    clear_finished: Callable[[], None]
    open_result: Callable[[int], None]
    open_folder: Callable[[int], None]
    open_report: Callable[[int], None]
    selected: Callable[[int | None], None]


class QueueView(ttk.Frame):
    """Renders the jobs that it is given, and holds no state of its own but the selection."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: QueueActions) -> None:
        super().__init__(parent)
        self._theme, self._actions = theme, actions
        self._jobs: dict[int, JobView] = {}
        self._thumbnails: dict[int, ImageTk.PhotoImage] = {}
        self._blank = ImageTk.PhotoImage(
            Image.new("RGB", (theme.px(THUMBNAIL[0]), theme.px(THUMBNAIL[1])), SURFACE), master=self
        )
        self._font = font.nametofont("TkDefaultFont", self)
        self.columnconfigure(0, weight=1)
        self.rowconfigure(1, weight=3)
        self.rowconfigure(2, weight=1)
        self._make_toolbar()
        self._make_list()
        self.details = Details(
            self,
            theme,
            DetailActions(
                open_result=lambda: self._on_selected(actions.open_result),
                open_folder=lambda: self._on_selected(actions.open_folder),
                open_report=lambda: self._on_selected(actions.open_report),
                retry=lambda: self._on_selected(actions.retry),
            ),
        )
        self.details.grid(row=2, column=0, columnspan=2, sticky="nsew", pady=(theme.px(8), 0))
        self._show_selected()

    def _make_toolbar(self) -> None:
        px, actions = self._theme.px, self._actions
        bar = ttk.Frame(self)
        bar.grid(row=0, column=0, columnspan=2, sticky="ew", pady=(0, px(6)))
        self.title = ttk.Label(bar, text="Videos", style="Strong.TLabel")
        self.title.pack(side="left")
        self.buttons: dict[str, ttk.Button] = {}
        for key, label, command, tip in (
            (
                "clear",
                "Clear finished",
                actions.clear_finished,
                "Takes everything out that is done, failed or cancelled. Files stay where they are.",
            ),
            (
                "down",
                "↓",
                lambda: self._on_selected(lambda n: actions.move(n, 1)),
                "Later in the queue (Alt+Down).",
            ),
            (
                "up",
                "↑",
                lambda: self._on_selected(lambda n: actions.move(n, -1)),
                "Earlier in the queue (Alt+Up).",
            ),
            (
                "remove",
                "Remove",
                lambda: self._on_selected(actions.remove),
                "Takes the video out of the queue (Delete). A running job is cancelled.",
            ),
            ("folder", "Add folder…", actions.add_folder, "Adds all videos of a folder and of those in it."),
            (
                "files",
                "Add files…",
                actions.add_files,
                "Adds videos (Ctrl+O). Dropping them on the window does too.",
            ),
        ):
            button = ttk.Button(bar, text=label, command=command, style="Small.TButton")
            if label in "↓↑":
                button.configure(width=2)
            button.pack(side="right", padx=(px(6), 0))
            button.lower()  # packed from the right, visited by the keyboard from the left
            ToolTip(button, self._theme, tip)
            self.buttons[key] = button

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
        self.tree.bind("<<TreeviewSelect>>", self._selection_changed)
        self.tree.bind("<Double-1>", self._double_clicked)
        for key in ("<Return>", "<space>"):
            self.tree.bind(key, lambda _event: self._on_selected(self._open))
        self.tree.bind("<Delete>", lambda _event: self._on_selected(actions.remove))
        self.tree.bind("<Alt-Up>", lambda _event: self._on_selected(lambda n: actions.move(n, -1)))
        self.tree.bind("<Alt-Down>", lambda _event: self._on_selected(lambda n: actions.move(n, 1)))
        self.tree.tag_configure("dim", foreground=DIM)
        self._tip = ToolTip(self.tree, self._theme, "")
        self._tip_row = ""
        self.tree.bind("<Motion>", self._pointed, add=True)
        for event in ("<Configure>", "<ButtonRelease-1>"):  # the window's size, or a column's
            # once the list has given its columns their new widths
            self.tree.bind(event, lambda _event: self.after_idle(self._fit_columns), add=True)
        self._widths = (0, 0)

    # --- what the window tells

    @property
    def selected(self) -> int | None:
        """The number of the chosen job."""
        chosen = self.tree.selection()
        return int(chosen[0]) if chosen else None

    def shown(self, number: int) -> JobView | None:
        """What is shown of a job, or None where it is not in the list."""
        return self._jobs.get(number)

    def select(self, number: int) -> None:
        """Choose a job and bring it into sight."""
        if self.tree.exists(str(number)):
            self.tree.selection_set(str(number))
            self.tree.focus(str(number))
            self.tree.see(str(number))

    def set_thumbnail(self, number: int, picture: Image.Image) -> None:
        """Give a job its small picture."""
        if self.tree.exists(str(number)):
            self._thumbnails[number] = ImageTk.PhotoImage(picture, master=self)
            self.tree.item(str(number), image=self._thumbnails[number])

    def show_order(self, jobs: tuple[JobView, ...]) -> None:
        """Show exactly these jobs, in their order."""
        before = self.selected
        wanted = [str(job.number) for job in jobs]
        gone = [item for item in self.tree.get_children() if item not in wanted]
        self.tree.delete(*gone)
        for item in gone:
            self._thumbnails.pop(int(item), None)
            self._jobs.pop(int(item), None)
        for place, job in enumerate(jobs):
            item = str(job.number)
            if self.tree.exists(item):
                self.tree.move(item, "", place)
            else:
                self.tree.insert("", place, item, image=self._blank)
            self.show_job(job)
        self.title.configure(text=f"Videos ({len(jobs)})" if jobs else "Videos")
        if jobs and (before is None or not self.tree.exists(str(before))):
            self.select(jobs[0].number)
        self._show_selected()

    def show_job(self, job: JobView) -> None:
        """Show the present state of one job."""
        if not self.tree.exists(str(job.number)):
            return
        self._jobs[job.number] = job
        length = text.duration(job.info.seconds) if job.info else text.UNKNOWN
        size = text.size(job.info.size_bytes) if job.info else text.UNKNOWN
        name, state = self._shortened(job)
        self.tree.item(
            str(job.number),
            text=f"{INDENT}{name}",
            values=(length, size, f"{INDENT}{state}"),
            tags=("dim",) if job.state in (JobState.CANCELLED, JobState.SKIPPED) else (),
        )
        self._show_selected()

    # --- inside

    def _selection_changed(self, _event: object) -> None:
        self._show_selected()
        self._actions.selected(self.selected)

    def _room(self) -> tuple[int, int]:
        """Width that names and states have for their words."""
        px = self._theme.px
        margin = px(12) + self._font.measure(INDENT)
        name = self.tree.column("#0", "width") - px(THUMBNAIL[0]) - margin
        return max(px(40), name), max(px(40), self.tree.column("state", "width") - margin)

    def _shortened(self, job: JobView) -> tuple[str, str]:
        name, state = self._room()
        measure = self._font.measure
        return text.shortened(job.source.name, name, measure), text.shortened(job.state_text, state, measure)

    def _fit_columns(self) -> None:
        if self._widths != self._room():
            self._widths = self._room()
            for job in tuple(self._jobs.values()):
                self.show_job(job)

    def _pointed(self, event: tk.Event[tk.Misc]) -> None:
        """Whole words of the row under the pointer, where the list has no room for them."""
        row = self.tree.identify_row(event.y)
        job = self._jobs.get(int(row)) if row else None
        words = ""
        if job is not None:
            whole = (job.source.name, job.state_text)
            words = "\n".join(w for w, s in zip(whole, self._shortened(job), strict=True) if w != s)
        if (row, words) != (self._tip_row, self._tip.words):
            self._tip_row = row
            self._tip.rest(words, (event.x_root + self._theme.px(12), event.y_root + self._theme.px(18)))

    def _show_selected(self) -> None:
        job = self._jobs.get(self.selected or 0)
        state = job.state if job else None
        self.details.show(job)
        movable = job is not None and state not in ACTIVE
        self.buttons["remove"].state(["!disabled" if job is not None else "disabled"])
        for key in ("up", "down"):
            self.buttons[key].state(["!disabled" if movable and len(self._jobs) > 1 else "disabled"])
        finished = any(other.state in FINISHED for other in self._jobs.values())
        self.buttons["clear"].state(["!disabled" if finished else "disabled"])

    def _on_selected(self, action: Callable[[int], None]) -> str:
        if self.selected is not None:
            action(self.selected)
        return "break"

    def _double_clicked(self, event: tk.Event[tk.Misc]) -> str | None:
        item = self.tree.identify_row(event.y)
        if not item:
            return None
        self._open(int(item))
        return "break"

    def _open(self, number: int) -> None:
        job = self._jobs.get(number)
        if job is not None and job.state is JobState.DONE:
            self._actions.open_result(number)
        else:
            self._actions.open_folder(number)
