"""The list of videos with their states, and the buttons that act on the chosen one."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import ttk

from PIL import Image, ImageTk

from anonator.ui import text
from anonator.ui.jobs import ACTIVE, FINISHED, JobState, JobView
from anonator.ui.theme import THUMBNAIL, Theme
from anonator.ui.widgets import ToolTip


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
    selected: Callable[[int | None], None]


class QueueView(ttk.Frame):
    """Renders the jobs that it is given, and holds no state of its own but the selection."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: QueueActions) -> None:
        super().__init__(parent)
        self._theme, self._actions = theme, actions
        self._jobs: dict[int, JobView] = {}
        self._thumbnails: dict[int, ImageTk.PhotoImage] = {}
        self._blank = ImageTk.PhotoImage(
            Image.new("RGB", (theme.px(THUMBNAIL[0]), theme.px(THUMBNAIL[1])), "#15181b"), master=self
        )
        self.columnconfigure(0, weight=1)
        self.rowconfigure(1, weight=1)
        self._make_toolbar()
        self._make_list()
        self._make_details()
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
            ("size", "Size", 72, False, "e"),
            ("state", "State", 180, True, "w"),
        ):
            self.tree.heading(column, text=label, anchor=anchor)  # type: ignore[call-overload]
            self.tree.column(column, width=px(width), minwidth=px(60), stretch=stretch, anchor=anchor)  # type: ignore[call-overload]
        bar = ttk.Scrollbar(self, orient="vertical", command=self.tree.yview)
        self.tree.configure(yscrollcommand=bar.set)
        self.tree.grid(row=1, column=0, sticky="nsew")
        bar.grid(row=1, column=1, sticky="ns")
        self.tree.bind("<<TreeviewSelect>>", self._selection_changed)
        self.tree.bind("<Double-1>", self._double_clicked)
        self.tree.bind("<Return>", lambda _event: self._on_selected(self._open))
        self.tree.bind("<Delete>", lambda _event: self._on_selected(actions.remove))
        self.tree.bind("<Alt-Up>", lambda _event: self._on_selected(lambda n: actions.move(n, -1)))
        self.tree.bind("<Alt-Down>", lambda _event: self._on_selected(lambda n: actions.move(n, 1)))
        self.tree.tag_configure("done", foreground="#ffffff")
        self.tree.tag_configure("dim", foreground="#aab2bb")

    def _make_details(self) -> None:
        px, actions = self._theme.px, self._actions
        row = ttk.Frame(self)
        row.grid(row=2, column=0, columnspan=2, sticky="ew", pady=(px(8), 0))
        row.columnconfigure(0, weight=1)
        self.details = ttk.Label(row, style="TLabel", justify="left", anchor="w")
        self.details.grid(row=0, column=0, sticky="ew")
        self.details.bind(
            "<Configure>", lambda event: self.details.configure(wraplength=max(100, event.width - px(8)))
        )
        self.open_result = ttk.Button(
            row,
            text="Open result",
            style="Small.TButton",
            command=lambda: self._on_selected(actions.open_result),
        )
        self.open_folder = ttk.Button(
            row,
            text="Open folder",
            style="Small.TButton",
            command=lambda: self._on_selected(actions.open_folder),
        )
        self.retry = ttk.Button(
            row, text="Try again", style="Small.TButton", command=lambda: self._on_selected(actions.retry)
        )
        for column, button in enumerate((self.open_result, self.open_folder, self.retry), 1):
            button.grid(row=0, column=column, padx=(px(6), 0), sticky="n")

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
        self.tree.item(
            str(job.number),
            text=f"  {job.source.name}",
            values=(length, size, job.state_text),
            tags=("dim",) if job.state is JobState.CANCELLED else (),
        )
        if job.number == self.selected:
            self._show_selected()

    # --- inside

    def _selection_changed(self, _event: object) -> None:
        self._show_selected()
        self._actions.selected(self.selected)

    def _show_selected(self) -> None:
        job = self._jobs.get(self.selected or 0)
        state = job.state if job else None
        words = ""
        if job is not None:
            words = job.message if job.message else ""
            if state is JobState.FAILED:
                words = f"Failed: {job.message}"
        self.details.configure(text=words)
        for button, wanted in (
            (self.open_result, state is JobState.DONE),
            (self.open_folder, state is JobState.DONE),
            (self.retry, state in (JobState.FAILED, JobState.CANCELLED)),
        ):
            if wanted:
                button.grid()
            else:
                button.grid_remove()
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
