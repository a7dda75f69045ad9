"""Original and anonymized frame side by side, with what moves through the video and looks closer."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from tkinter import ttk

from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.picture_pane import PicturePane
from anonator.ui.state import text
from anonator.ui.state.view import View
from anonator.ui.zoom_controls import ZoomControls

REST_MS = 180
"""Load the frame once the slider has stopped for this long."""
PLAY, STOP = "▶", "■"
BACK = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
FORWARD = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"


@dataclass(frozen=True, slots=True)
class ViewerActions:
    """What the viewer asks the window to do."""

    moved: Callable[[float], None]
    test: Callable[[], None]
    compare: Callable[[], None]
    play: Callable[[], None]
    """Play, or stop."""
    step: Callable[[int], None]
    """Go on by so many frames."""
    enlarge: Callable[[], None]
    """Let the pictures take the whole window, or give it back."""


class FrameViewer(ttk.Frame):
    """Both panes with their captions, and the row with the slider."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: ViewerActions) -> None:
        super().__init__(parent)
        self._theme, self._actions = theme, actions
        self._timer: str | None = None
        self._drawn = View()
        self._playing = False
        self.columnconfigure((0, 1), weight=1, uniform="pane")
        self.rowconfigure(1, weight=1)
        self._make_head()
        panes = [PicturePane(self, theme, self.closer.turn, self.closer.drag) for _ in range(2)]
        self.original, self.anonymized = panes
        self.closer.join((self.original, self.anonymized))
        px = theme.px
        self.original.grid(row=1, column=0, sticky="nsew", padx=(0, px(3)), pady=(px(4), px(6)))
        self.anonymized.grid(row=1, column=1, sticky="nsew", padx=(px(3), 0), pady=(px(4), px(6)))
        for pane in panes:
            pane.bind("<Double-Button-1>", lambda _event: actions.enlarge())
            pane.bind("<Configure>", lambda _event: self.closer.write(), add=True)
        self._make_row()
        self._bind_keys()
        self.bind("<Destroy>", lambda _event: self._forget_timer())
        self.original.show(self._drawn.original)
        self._show_length()

    def _make_head(self) -> None:
        """The captions, and how near the pictures are."""
        px = self._theme.px
        left, right = ttk.Frame(self), ttk.Frame(self)
        left.grid(row=0, column=0, sticky="ew", padx=(0, px(3)))
        right.grid(row=0, column=1, sticky="ew", padx=(px(3), 0))
        left.columnconfigure(0, weight=1)
        right.columnconfigure(0, weight=1)
        ttk.Label(left, text="Original", style="Strong.TLabel").grid(row=0, column=0, sticky="w")
        self.closer = ZoomControls(left, self._theme, lambda: self._drawn.native)
        self.closer.grid(row=0, column=1)
        self.caption = ttk.Label(right, text="Anonymized", style="Strong.TLabel")
        self.caption.grid(row=0, column=0, sticky="w")
        self.faces = ttk.Label(right, style="Dim.TLabel")
        self.faces.grid(row=0, column=1, sticky="e")
        for widget in (right, self.caption, self.faces):
            widget.bind("<Configure>", lambda _event: self._fit_head(right.winfo_width()), add=True)
        self.enlarge = ttk.Button(right, text="Larger", style="Small.TButton", command=self._actions.enlarge)
        self.enlarge.grid(row=0, column=2, padx=(px(8), 0))
        ToolTip(
            self.enlarge,
            self._theme,
            "Lets the pictures take the whole window (F11, or double-click a picture). Escape gives it back.",
        )

    def _fit_head(self, width: int) -> None:
        """In a narrow window, the caption needs the place of the count."""
        needed = sum(w.winfo_reqwidth() for w in (self.caption, self.faces, self.enlarge))
        (self.faces.grid if needed + self._theme.px(8) <= width else self.faces.grid_remove)()

    def _make_row(self) -> None:
        """The slider, and what moves it."""
        px, actions = self._theme.px, self._actions
        row = ttk.Frame(self)
        row.grid(row=2, column=0, columnspan=2, sticky="ew")
        row.columnconfigure(3, weight=1)
        self.play = ttk.Button(row, text=PLAY, style="Small.TButton", width=2, command=actions.play)
        self.back = ttk.Button(
            row, text=BACK, style="Small.TButton", width=2, command=partial(actions.step, -1)
        )
        self.forward = ttk.Button(
            row, text=FORWARD, style="Small.TButton", width=2, command=partial(actions.step, 1)
        )
        self.slider = ttk.Scale(row, from_=0, to=1, command=self._slid, takefocus=True)
        self.time = ttk.Label(row, style="Dim.TLabel", width=15, anchor="e")
        self.test = ttk.Button(row, text="Test this frame", style="Small.TButton", command=actions.test)
        self.compare = ttk.Button(row, text="Show result", style="Small.TButton", command=actions.compare)
        for column, widget in enumerate(
            (self.play, self.back, self.forward, self.slider, self.time, self.compare, self.test)
        ):
            widget.grid(row=0, column=column, sticky="ew", padx=(px(4) if column else 0, 0))
        self.compare.grid_remove()
        for widget, tip in (
            (self.play, "Plays the video, next to its result if it has one, or stops (space)."),
            (self.back, "One frame back (comma)."),
            (self.forward, "One frame on (full stop)."),
            (
                self.slider,
                "Click or drag to go to another position. Arrow keys move by a second, Page Up and Page Down "
                "by ten.",
            ),
            (
                self.test,
                "Shows what a job with the current settings would cover in this frame, found from the "
                "frames around it as the job does it.",
            ),
            (self.compare, "Shows the finished video again."),
        ):
            ToolTip(widget, self._theme, tip)

    def _bind_keys(self) -> None:
        for key, seconds in (("<Left>", -1.0), ("<Right>", 1.0), ("<Prior>", -10.0), ("<Next>", 10.0)):
            for widget in (self.slider, self.original, self.anonymized):
                widget.bind(key, partial(self._go, seconds))
        for widget in (self.slider, self.original, self.anonymized):
            widget.bind("<space>", lambda _event: self.play.invoke())
        self._pulled = False
        self.slider.bind("<Button-1>", self._pressed)
        self.slider.bind("<B1-Motion>", self._pull)

    @property
    def room(self) -> tuple[int, int]:
        """The width and height of a pane, for making pictures that fit."""
        return self.original.room

    def height_for(self, width: int) -> int:
        """The height at which wide pictures fill panes that share this width."""
        around = self.winfo_reqheight() - self.original.winfo_reqheight()
        return around + round((width / 2 - self._theme.px(3)) * 9 / 16)

    @property
    def side(self) -> int:
        """The long side that a picture needs to be sharp as it is shown."""
        return round(max(self.room) * min(self.closer.zoom.factor, 2.0))

    def draw(self, view: View, *, playing: bool, large: bool) -> None:
        """Show this view; redraw only what changed, since somebody may be moving the slider."""
        drawn, self._drawn = self._drawn, view
        self._playing = playing
        if (view.of and view.of.number) != (drawn.of and drawn.of.number):
            self.closer.fit()
        if view.original is not drawn.original:
            self.original.show(view.original)
        if view.anonymized is not drawn.anonymized or view.note != drawn.note:
            self.anonymized.show(view.anonymized, view.note)
        if (view.of, view.length, view.moment) != (drawn.of, drawn.length, drawn.moment):
            self._show_length()
        if (view.length, view.seconds) != (drawn.length, drawn.seconds):
            self._write_time(view.seconds)
        self.caption.configure(text=view.caption)
        self.faces.configure(text="" if view.faces is None else text.count(view.faces, "mask"))
        self._fit_head(self.faces.master.winfo_width())  # a label that was cut already isn't told
        for widget in (self.slider, self.play, self.back, self.forward):
            widget.state(["!disabled" if self._may_move else "disabled"])
        self.play.configure(text=STOP if playing else PLAY)
        self.slider.configure(takefocus=self._may_move)
        self.test.state(["!disabled" if view.may_test else "disabled"])
        self.enlarge.configure(text="Smaller" if large else "Larger")
        if view.may_compare:
            self.compare.grid()
        else:
            self.compare.grid_remove()
        self.closer.write()

    # --- the slider

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

    def _go(self, seconds: float, _event: object) -> str:
        if self._may_move:
            self.slider.set(min(self._length, max(0.0, float(self.slider.get()) + seconds)))
        return "break"

    def _pressed(self, event: tk.Event[tk.Misc]) -> str | None:
        """Go to where the slider was clicked, and on from there; Tk's own way would be a small step."""
        self._pulled = self._may_move and not self.slider.identify(event.x, event.y).endswith("slider")
        if self._pulled:
            self.slider.focus_set()
        return self._pull(event)

    def _pull(self, event: tk.Event[tk.Misc]) -> str | None:
        if not self._pulled:
            return None
        self.slider.set(self.slider.get(event.x, event.y))
        return "break"

    def _slid(self, position: str) -> None:
        if self._playing:
            self._actions.play()
            self.slider.configure(value=float(position))  # stopping has put it back
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
            self._actions.moved(float(self.slider.get()))
