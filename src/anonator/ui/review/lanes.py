"""The slider of the review, with three thin lanes: covers, doubts, and what was seen."""

from __future__ import annotations

import bisect
import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageTk

from anonator.ui.look.colours import ACCENT, ACCENT_DARK, BLACK, FAINT, RAISED, WHITE
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.review.marks import Tick
from anonator.ui.state import text

COVERS, DOUBTS, SEEN = 24, 13, 5
"""Heights of the lanes, in design pixels, from above."""
GAP = 3
NEAR = 5
"""A tick is met by a mouse that's at most so many design pixels beside it."""
TIP = (
    "Click or drag to go there. From above: how many places are covered, what is worth a look, "
    "and what you have seen."
)


@dataclass(frozen=True, slots=True)
class LaneActions:
    """What the slider asks for."""

    go: Callable[[int, int], object]
    """Show one of the frames from the first to the last, both included: they were clicked, or dragged to."""
    doubt: Callable[[int], object]
    """A tick was clicked: its place in the list given to show_doubts."""


class Lanes(tk.Canvas):
    """Draws a video of any length at any width; what is drawn is given to it."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: LaneActions) -> None:
        """Create an empty slider.

        Args:
            parent: the widget it lies in.
            theme: of the window.
            actions: what to call.
        """
        px = theme.px
        self._rows = _rows(px)
        super().__init__(
            parent,
            background=BLACK,
            highlightthickness=0,
            height=self._rows[2][1],
            width=px(320),
            cursor="sb_h_double_arrow",
        )
        self._px, self._actions = px, actions
        self._times = np.zeros(1)
        self._seconds: list[float] = [0.0]
        self._counts = np.zeros(1, np.int64)
        self._ticks: tuple[Tick, ...] = ()
        self._seen: tuple[tuple[int, int], ...] = ()
        self._index = 0
        self._photo: ImageTk.PhotoImage | None = None
        self._pending: str | None = None
        self._told: object = None
        self._image_item = self.create_image(0, 0, anchor="nw")
        self._edge_item = self.create_line(0, 0, 0, 0, fill=BLACK, width=px(4))
        self._position_item = self.create_line(0, 0, 0, 0, fill=WHITE, width=px(2))
        self._tip = ToolTip(self, theme, TIP)
        self.bind("<Configure>", lambda _event: self._draw_later())
        self.bind("<Destroy>", lambda _event: self._forget())
        self.bind("<ButtonPress-1>", self._pressed)
        self.bind("<B1-Motion>", lambda event: self._go(event.x))
        self.bind("<Motion>", self._hovered)

    def show_video(self, times: npt.NDArray[np.float64]) -> None:
        """Take another video: (frames,) seconds at which each frame is shown, rising."""
        self._times = np.asarray(times, np.float64)
        self._seconds = self._times.tolist()
        self._counts = np.zeros(len(self._times), np.int64)
        self._ticks, self._seen, self._index = (), (), 0
        self._draw_later()

    def show_counts(self, counts: npt.NDArray[np.int64]) -> None:
        """Draw how many places are covered: (frames,)."""
        if not np.array_equal(counts, self._counts):
            self._counts = np.array(counts, np.int64)
            self._draw_later()

    def show_doubts(self, ticks: Sequence[Tick]) -> None:
        """Draw the doubts."""
        if tuple(ticks) != self._ticks:
            self._ticks = tuple(ticks)
            self._draw_later()

    def show_seen(self, spans: Sequence[tuple[int, int]]) -> None:
        """Draw what was seen: first and last frame of each stretch, both included."""
        if tuple(spans) != self._seen:
            self._seen = tuple(spans)
            self._draw_later()

    def show_position(self, index: int) -> None:
        """Put the mark of the position on a frame."""
        self._index = index
        x = self.x_of(index)
        for item in (self._edge_item, self._position_item):
            self.coords(item, x, 0, x, self._rows[2][1])

    def x_of(self, index: int) -> int:
        """Where a frame is, in pixels from the left."""
        last = self._seconds[-1]
        width = self.winfo_width() - 1
        place = self._seconds[min(max(index, 0), len(self._seconds) - 1)]
        return (
            round((place - self._seconds[0]) / (last - self._seconds[0]) * width)
            if last > self._seconds[0]
            else 0
        )

    def index_at(self, x: int) -> int:
        """The frame at a place."""
        first, last = self._seconds[0], self._seconds[-1]
        seconds = first + (last - first) * min(max(x / max(1, self.winfo_width() - 1), 0.0), 1.0)
        # half a pixel's time is no reason to land on the frame before
        at = bisect.bisect_left(self._seconds, seconds)
        before, after = max(0, at - 1), min(at, len(self._seconds) - 1)
        return before if seconds - self._seconds[before] < self._seconds[after] - seconds else after

    def tick_at(self, x: int, y: int) -> int | None:
        """The tick at a place, by its number in the list; None beside them."""
        top, bottom = self._rows[1]
        if not top - self._px(2) <= y <= bottom + self._px(2) or not self._ticks:
            return None
        far = [(abs(self.x_of(tick.index) - x), number) for number, tick in enumerate(self._ticks)]
        distance, number = min(far)
        return number if distance <= self._px(NEAR) else None

    # --- drawing

    def _draw_later(self) -> None:
        """Draw once for all that changes now."""
        if self._pending is None:
            self._pending = self.after_idle(self._draw)

    def _draw(self) -> None:
        self._pending = None
        width = max(1, self.winfo_width())
        image = Image.fromarray(self._drawn(width))
        if self._photo is not None and (self._photo.width(), self._photo.height()) == image.size:
            self._photo.paste(image)
        else:
            self._photo = ImageTk.PhotoImage(image, master=self)
            self.itemconfigure(self._image_item, image=self._photo)
        self.show_position(self._index)

    def _drawn(self, width: int) -> npt.NDArray[np.uint8]:
        """All lanes as (height, width, 3) RGB."""
        covers, doubts, seen = self._rows
        image = np.zeros((seen[1], width, 3), np.uint8)
        for top, bottom in (covers, doubts, seen):
            image[top:bottom] = _rgb(RAISED)
        edges = np.linspace(self._times[0], self._times[-1], width + 1)
        begin = np.clip(np.searchsorted(self._times, edges[:-1], "right") - 1, 0, None)
        end = np.maximum(np.searchsorted(self._times, edges[1:], "left"), begin + 1)
        end = np.minimum(end, len(self._times))
        self._draw_covers(image[covers[0] : covers[1]], _most(self._counts, begin, end))
        self._draw_seen(image[seen[0] : seen[1]], begin, end)
        for tick in sorted(self._ticks, key=lambda each: (each.chosen, not each.is_done)):
            x = self.x_of(tick.index)
            wide = self._px(2 if not tick.chosen else 4)
            colour = ACCENT if tick.chosen else FAINT if tick.is_done else WHITE
            top = doubts[0] + (self._px(5) if tick.is_done and not tick.chosen else 0)
            left = min(max(0, x - wide // 2), width - 1)
            image[top : doubts[1], left : left + wide] = _rgb(colour)
        return image

    def _draw_covers(self, lane: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64]) -> None:
        rows = len(lane)
        most = max(4, int(counts.max(initial=0)))
        heights = np.where(counts > 0, np.maximum(self._px(3), np.ceil(counts * rows / most)), 0)
        level = rows - np.arange(rows)[:, None]
        lane[level <= heights] = _rgb(ACCENT_DARK)
        lane[(level <= heights) & (level > heights - self._px(2))] = _rgb(ACCENT)

    def _draw_seen(
        self, lane: npt.NDArray[np.uint8], begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
    ) -> None:
        steps = np.zeros(len(self._times) + 1, np.int64)
        for first, last in self._seen:
            steps[max(0, first)] += 1
            steps[min(last + 1, len(self._times))] -= 1
        seen = np.concatenate([[0], np.cumsum(np.cumsum(steps)[:-1] > 0)])
        # a column in which a single frame is unseen isn't bright: nobody shall believe that all was seen
        lane[:, seen[end] > seen[begin]] = _rgb(ACCENT_DARK)
        lane[:, seen[end] - seen[begin] == end - begin] = _rgb(ACCENT)

    def _forget(self) -> None:
        if self._pending is not None:
            self.after_cancel(self._pending)
            self._pending = None

    # --- the mouse

    def _pressed(self, event: tk.Event[tk.Misc]) -> None:
        number = self.tick_at(event.x, event.y)
        if number is None:
            self._go(event.x)
        else:
            self._actions.doubt(number)

    def _go(self, x: int) -> None:
        first = self.index_at(x)
        last = first if x <= 0 else max(first, self.index_at(x + 1) - 1)  # both ends are reached exactly
        if not first <= self._index <= last:
            self.show_position(first)
            self._actions.go(first, last)

    def _hovered(self, event: tk.Event[tk.Misc]) -> None:
        number = self.tick_at(event.x, event.y)
        cursor = "sb_h_double_arrow" if number is None else "hand2"
        if str(self.cget("cursor")) != cursor:
            self.configure(cursor=cursor)
        told: object = number if number is not None else "lane"
        if told == self._told:
            return
        self._told = told
        if number is None:
            self._tip.hide()
            self._tip.say(TIP)
        else:
            tick = self._ticks[number]
            words = f"{text.moment(self._seconds[tick.index])}: {tick.words}"
            # over the picture, and not over the lanes that it explains
            self._tip.rest(words, (event.x_root, self.winfo_rooty()), above=True)


def _rows(px: Callable[[float], int]) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
    """Top and bottom of each lane."""
    covers = (0, px(COVERS))
    doubts = (covers[1] + px(GAP), covers[1] + px(GAP + DOUBTS))
    return covers, doubts, (doubts[1] + px(GAP), doubts[1] + px(GAP + SEEN))


def _rgb(colour: str) -> tuple[int, ...]:
    return ImageColor.getrgb(colour)


def _most(
    counts: npt.NDArray[np.int64], begin: npt.NDArray[np.int64], end: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """The largest count of each column's frames."""
    padded = np.append(counts, 0)
    # of each pair that reduceat makes, the second is what lies between two columns
    pairs = np.stack([begin, end], axis=1).ravel()
    return np.maximum.reduceat(padded, pairs)[::2]
