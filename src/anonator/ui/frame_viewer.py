"""Original and anonymized frame side by side, with a slider to move through the video."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from tkinter import ttk

from PIL import ImageTk

from anonator.core.frames import UInt8Array
from anonator.ui.look.colours import DIM, SURFACE
from anonator.ui.look.pictures import resized
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.state import text
from anonator.ui.state.app_state import View

REST_MS = 180
"""Load the frame once the slider has stopped for this long."""


class Pane(tk.Canvas):
    """One centred picture, or words if there is none."""

    def __init__(self, parent: tk.Misc, theme: Theme) -> None:
        super().__init__(
            parent,
            background=SURFACE,
            highlightthickness=0,
            width=theme.px(240),
            height=theme.px(150),
            takefocus=False,
        )
        self._photo: ImageTk.PhotoImage | None = None
        self.picture: UInt8Array | None = None
        self._picture_item = self.create_image(0, 0)
        self._words_item = self.create_text(0, 0, fill=DIM, justify="center", font="AnonatorSmall")
        self._margin = theme.px(40)
        self._timer: str | None = None
        self.bind("<Configure>", self._moved)
        self.bind("<Destroy>", lambda _event: self._forget_timer())

    @property
    def room(self) -> tuple[int, int]:
        """The width and height available for a picture."""
        return max(32, self.winfo_width()), max(32, self.winfo_height())

    def show(self, content: UInt8Array | str) -> None:
        """Show an (H, W, 3) picture, cheapest if it already has the right size, or words."""
        if isinstance(content, str):
            self._clear(content)
            return
        self.picture = content
        image = resized(content, self.room)
        if self._photo is not None and (self._photo.width(), self._photo.height()) == image.size:
            self._photo.paste(image)
        else:
            self._photo = ImageTk.PhotoImage(image, master=self)
        self.itemconfigure(self._picture_item, image=self._photo)
        self._say("")

    def _clear(self, words: str) -> None:
        self.picture = None
        self.itemconfigure(self._picture_item, image="")
        self._photo = None
        self._say(words)

    def _say(self, words: str) -> None:
        self.itemconfigure(self._words_item, text=words, width=max(60, self.winfo_width() - self._margin))

    def _moved(self, event: tk.Event[tk.Misc]) -> None:
        for item in (self._picture_item, self._words_item):
            self.coords(item, event.width // 2, event.height // 2)
        self.itemconfigure(self._words_item, width=max(60, event.width - self._margin))
        self._forget_timer()
        self._timer = self.after(60, self._redraw)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None

    def _redraw(self) -> None:
        self._timer = None
        if self.picture is not None:
            self.show(self.picture)


class FrameViewer(ttk.Frame):
    """Both panes with their captions, and the row with the slider."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, on_moment: Callable[[float], None], on_test: Callable[[], None]
    ) -> None:
        super().__init__(parent)
        self._on_moment = on_moment
        self._timer: str | None = None
        px = theme.px
        self.columnconfigure((0, 1), weight=1, uniform="pane")
        self.rowconfigure(1, weight=1)
        ttk.Label(self, text="Original", style="Strong.TLabel").grid(row=0, column=0, sticky="w")
        self.caption = ttk.Label(self, text="Anonymized", style="Strong.TLabel")
        self.caption.grid(row=0, column=1, sticky="w", padx=(px(5), 0))
        self.faces = ttk.Label(self, style="Dim.TLabel")
        self.faces.grid(row=0, column=1, sticky="e")
        self.original, self.anonymized = Pane(self, theme), Pane(self, theme)
        self.original.grid(row=1, column=0, sticky="nsew", padx=(0, px(5)), pady=(px(6), px(8)))
        self.anonymized.grid(row=1, column=1, sticky="nsew", padx=(px(5), 0), pady=(px(6), px(8)))

        row = ttk.Frame(self)
        row.grid(row=2, column=0, columnspan=2, sticky="ew")
        row.columnconfigure(1, weight=1)
        ttk.Label(row, text="Position", style="Dim.TLabel").grid(row=0, column=0, padx=(0, px(10)))
        self.slider = ttk.Scale(row, from_=0, to=1, command=self._slid, takefocus=True)
        self.slider.grid(row=0, column=1, sticky="ew")
        self.time = ttk.Label(row, style="Dim.TLabel", width=15, anchor="e")
        self.time.grid(row=0, column=2, padx=(px(10), px(10)))
        self.test = ttk.Button(row, text="Test this frame", command=on_test)
        self.test.grid(row=0, column=3)
        ToolTip(
            self.test,
            theme,
            "Shows what the current settings would cover in this one frame. A full job also follows "
            "faces from frame to frame, so it covers more.",
        )
        ToolTip(self.slider, theme, "Move to another position in the video. Arrow keys move by a second.")
        for key, seconds in (("<Left>", -1.0), ("<Right>", 1.0), ("<Prior>", -10.0), ("<Next>", 10.0)):
            self.slider.bind(key, partial(self._step, seconds))
        self.bind("<Destroy>", lambda _event: self._forget_timer())
        self._drawn = View()
        self.original.show(self._drawn.original)
        self._show_length()

    @property
    def room(self) -> tuple[int, int]:
        """The width and height of a pane, for making pictures that fit."""
        return self.original.room

    def draw(self, view: View) -> None:
        """Show this view; redraw only what changed, since somebody may be moving the slider."""
        drawn, self._drawn = self._drawn, view
        if view.original is not drawn.original:
            self.original.show(view.original)
        if view.anonymized is not drawn.anonymized:
            self.anonymized.show(view.anonymized)
        if (view.job, view.length, view.moment) != (drawn.job, drawn.length, drawn.moment):
            self._show_length()
        if (view.length, view.seconds) != (drawn.length, drawn.seconds):
            self._write_time(view.seconds)
        self.caption.configure(text=view.caption)
        self.faces.configure(text="" if view.faces is None else text.count(view.faces, "mask"))
        self.slider.state(["!disabled" if self._may_move else "disabled"])
        self.slider.configure(takefocus=view.may_move)
        self.test.state(["!disabled" if view.may_test else "disabled"])

    def _show_length(self) -> None:
        self.slider.configure(to=max(self._length, 0.001), value=self._drawn.moment)

    @property
    def _may_move(self) -> bool:
        return self._drawn.may_move and self._length > 0

    @property
    def _length(self) -> float:
        return self._drawn.length or 0.0

    def _write_time(self, seconds: float) -> None:
        self.time.configure(
            text=f"{text.moment(seconds)} of {text.duration(self._length)}" if self._length else ""
        )

    def _step(self, seconds: float, _event: object) -> str:
        if self._may_move:
            self.slider.set(min(self._length, max(0.0, float(self.slider.get()) + seconds)))
        return "break"

    def _slid(self, position: str) -> None:
        self._write_time(float(position))
        self._forget_timer()
        self._timer = self.after(REST_MS, self._arrived)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self.after_cancel(self._timer)
            self._timer = None

    def _arrived(self) -> None:
        self._timer = None
        if self._may_move:
            self._on_moment(float(self.slider.get()))
