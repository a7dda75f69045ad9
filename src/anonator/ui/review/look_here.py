"""The mark on a place to look at: white corners with black edges around it, which no outline of a track has.

It differs from them by its shape and its brightness, so no colour needs to be told from another.
"""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Sequence

from anonator.ui.look.colours import BLACK, WHITE
from anonator.ui.review.marks import Box

APART = 4
"""Design pixels between a place and its corners, so that they hide nothing of it."""
LEAST = 20
"""Corners lie at least so many design pixels apart, around the smallest face."""
ARM = 0.3
"""Length of an arm, in sides."""
EDGE, LINE = 6, 3
"""Width of the black edge and of the white line, in design pixels."""
SIGN = 8
"""Half the side of a question mark, in design pixels."""
MOST_SIGNS = 12
"""More places on one picture have no question mark beside them, nor has one whose mark would hide another."""


def draw(canvas: tk.Canvas, places: Sequence[Box], px: Callable[[float], int], tag: str) -> None:
    """Mark places on a canvas.

    Args:
        canvas: with the picture.
        places: x1, y1, x2, y2 in pixels of the canvas.
        px: turns design pixels into pixels.
        tag: of all items.
    """
    joined = as_one(places)
    for place in joined:
        corners = _corners(place, px)
        for colour, wide in ((BLACK, px(EDGE)), (WHITE, px(LINE))):
            for line in corners:
                canvas.create_line(line, fill=colour, width=wide, capstyle="projecting", tags=(tag, "wanted"))
        others = [_around(other, px) for other in joined if other is not place]
        if len(joined) <= MOST_SIGNS and not any(_overlap(_sign_of(place, px), other) for other in others):
            _sign(canvas, place, px, tag)


def as_one(places: Sequence[Box]) -> list[Box]:
    """The places, but one around each two of which one holds the middle of the other: they mean one face."""
    joined: list[Box] = []
    for place in places:
        x1, y1, x2, y2 = place
        apart = []
        for other in joined:
            if _holds_middle(other, place) or _holds_middle(place, other):
                x1, y1, x2, y2 = min(x1, other[0]), min(y1, other[1]), max(x2, other[2]), max(y2, other[3])
            else:
                apart.append(other)
        joined = [*apart, (x1, y1, x2, y2)]
    return joined


def _holds_middle(outer: Box, box: Box) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return outer[0] <= x <= outer[2] and outer[1] <= y <= outer[3]


def _around(place: Box, px: Callable[[float], int]) -> Box:
    """Where the corners are."""
    x1, y1, x2, y2 = place
    wide, high = (max(side + 2 * px(APART), px(LEAST)) / 2 for side in (x2 - x1, y2 - y1))
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    return x - wide, y - high, x + wide, y + high


def _corners(place: Box, px: Callable[[float], int]) -> list[list[float]]:
    x1, y1, x2, y2 = _around(place, px)
    across, down = (x2 - x1) * ARM, (y2 - y1) * ARM
    return [
        [x1, y1 + down, x1, y1, x1 + across, y1],
        [x2 - across, y1, x2, y1, x2, y1 + down],
        [x2, y2 - down, x2, y2, x2 - across, y2],
        [x1 + across, y2, x1, y2, x1, y2 - down],
    ]


def _sign_of(place: Box, px: Callable[[float], int]) -> Box:
    """Where the question mark of a place is."""
    _, y1, x2, _ = _around(place, px)
    x, y, half = x2 + px(APART), y1 - px(APART), px(SIGN)
    return x - half, y - half, x + half, y + half


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _sign(canvas: tk.Canvas, place: Box, px: Callable[[float], int], tag: str) -> None:
    """A question mark, black on white, at the upper corner."""
    x1, y1, x2, y2 = _sign_of(place, px)
    canvas.create_oval(x1, y1, x2, y2, fill=WHITE, outline=BLACK, width=px(2), tags=(tag, "wanted"))
    middle = (x1 + x2) / 2, (y1 + y2) / 2
    canvas.create_text(middle, text="?", fill=BLACK, font="AnonatorStrong", tags=(tag, "wanted"))
