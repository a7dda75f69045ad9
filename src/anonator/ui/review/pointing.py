"""Where marks are on the screen, and what a press of the mouse on them means; no widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from anonator.ui.review.marks import Box, Mark
from anonator.ui.state.zoom import Size, Zoom

LEAST_SIDE = 4.0
"""Of a box, in pixels of the video."""
MOVE = ""
"""The handle of a box's inside; the others are named by the sides that they move: "n", "se", ..."""


@dataclass(frozen=True, slots=True)
class View:
    """How frames of a video lie on a canvas."""

    video: Size
    """Of the frames that marks are given in."""
    picture: Size
    """Of the decoded picture, whose pixels are square."""
    room: Size
    """Of the canvas that pictures may take."""
    canvas: Size
    zoom: Zoom

    def part(self) -> tuple[tuple[float, float, float, float], Size]:
        """The part of the picture that is in sight, and the size at which it is drawn."""
        return self.zoom.visible(self.picture, self.room)

    def to_screen(self, box: Box) -> Box:
        """A box of the video in pixels of the canvas."""
        x, y, across, down = self._map()
        return x + box[0] * across, y + box[1] * down, x + box[2] * across, y + box[3] * down

    def to_video(self, x: float, y: float) -> tuple[float, float]:
        """A point of the canvas in pixels of the video, moved to its edge if it lies outside."""
        left, top, across, down = self._map()
        width, height = self.video
        return min(max((x - left) / across, 0.0), width), min(max((y - top) / down, 0.0), height)

    def _map(self) -> tuple[float, float, float, float]:
        """Where the video's corner is on the canvas, and how large its pixels are."""
        (left, top, right, bottom), (width, height) = self.part()
        across, down = width / (right - left), height / (bottom - top)
        x = (self.canvas[0] - width) // 2 - left * across
        y = (self.canvas[1] - height) // 2 - top * down
        return x, y, across * self.picture[0] / self.video[0], down * self.picture[1] / self.video[1]


def movable(marks: Sequence[Mark]) -> Mark | None:
    """The mark that the mouse may move: the only selected one, if it moves at all."""
    selected = [mark for mark in marks if mark.selected]
    return selected[0] if len(selected) == 1 and selected[0].moves else None


def handle(box: Box, x: float, y: float, reach: float) -> str | None:
    """What of a box on the canvas a point lies on: MOVE, the sides that it moves, or None beside it.

    Args:
        box: in pixels of the canvas.
        x: of the point.
        y: likewise.
        reach: how far from an edge still counts as on it.
    """
    x1, y1, x2, y2 = box
    if not (x1 - reach <= x <= x2 + reach and y1 - reach <= y <= y2 + reach):
        return None
    # inside a small box there must be room to move it
    inwards = min(reach, (x2 - x1) / 4), min(reach, (y2 - y1) / 4)
    down = "n" if y < y1 + inwards[1] else "s" if y > y2 - inwards[1] else ""
    across = "w" if x < x1 + inwards[0] else "e" if x > x2 - inwards[0] else ""
    return down + across


def under(marks: Sequence[Mark], x: float, y: float) -> list[Mark]:
    """The marks at a point of the video, the smallest first."""

    def area(mark: Mark) -> float:
        return (mark.box[2] - mark.box[0]) * (mark.box[3] - mark.box[1])

    at = [m for m in marks if m.box[0] <= x <= m.box[2] and m.box[1] <= y <= m.box[3]]
    return sorted(at, key=area)


def clicked(marks: Sequence[Mark], x: float, y: float) -> Mark | None:
    """The mark that a click selects: the smallest there, or the next one if that is selected already."""
    at = under(marks, x, y)
    chosen = [place for place, mark in enumerate(at) if mark.selected]
    return at[(chosen[0] + 1) % len(at)] if len(chosen) == 1 else next(iter(at), None)


def drawn(start: tuple[float, float], end: tuple[float, float]) -> Box | None:
    """The box between two points of the video, or None if it would be too small."""
    (ax, ay), (bx, by) = start, end
    box = min(ax, bx), min(ay, by), max(ax, bx), max(ay, by)
    return box if box[2] - box[0] >= LEAST_SIDE and box[3] - box[1] >= LEAST_SIDE else None


def pulled(box: Box, sides: str, across: float, down: float, video: Size) -> Box:
    """A box moved or resized by a drag; it stays in the picture, and no smaller than LEAST_SIDE.

    Args:
        box: as it was.
        sides: MOVE, or the sides that are moved.
        across: how far the mouse was moved, in pixels of the video.
        down: likewise.
        video: size of the frames.
    """
    x1, y1, x2, y2 = box
    width, height = video
    if sides == MOVE:
        across = min(max(across, -x1), width - x2) if x2 - x1 <= width else 0.0
        down = min(max(down, -y1), height - y2) if y2 - y1 <= height else 0.0
        return x1 + across, y1 + down, x2 + across, y2 + down
    if "w" in sides:
        x1 = min(max(0.0, x1 + across), x2 - LEAST_SIDE)
    if "e" in sides:
        x2 = max(min(float(width), x2 + across), x1 + LEAST_SIDE)
    if "n" in sides:
        y1 = min(max(0.0, y1 + down), y2 - LEAST_SIDE)
    if "s" in sides:
        y2 = max(min(float(height), y2 + down), y1 + LEAST_SIDE)
    return x1, y1, x2, y2


def grown(box: Box, factor: float, video: Size) -> Box:
    """A box larger or smaller around its middle, cut at the picture's edges."""
    x1, y1, x2, y2 = box
    (x, y), (across, down) = ((x1 + x2) / 2, (y1 + y2) / 2), ((x2 - x1) / 2, (y2 - y1) / 2)
    across, down = max(across * factor, LEAST_SIDE / 2), max(down * factor, LEAST_SIDE / 2)
    return (
        max(0.0, x - across),
        max(0.0, y - down),
        min(float(video[0]), x + across),
        min(float(video[1]), y + down),
    )


def hatching(box: Box, step: float) -> list[float]:
    """One line, back and forth, that hatches a box at 45 degrees; coordinates for a canvas."""
    x1, y1, x2, y2 = box
    width, height = x2 - x1, y2 - y1
    line: list[float] = []
    at = step
    upwards = True
    while at < width + height:
        lower = (x1 + max(0.0, at - height), y1 + min(at, height))
        upper = (x1 + min(at, width), y1 + max(0.0, at - width))
        line += [*lower, *upper] if upwards else [*upper, *lower]
        upwards = not upwards
        at += step
    return line
