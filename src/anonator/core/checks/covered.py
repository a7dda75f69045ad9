"""Whether a place in a finished frame is covered: its middle is a mask's black."""

from __future__ import annotations

import math

from anonator.core import boxes as box_ops
from anonator.core.frames import Float32Array, Frame

BLACK = 24
"""Highest luma, in limited range, at which an encoded pixel still counts as a mask's black."""
CENTRE, COVERED = 0.7, 0.9
"""A face is covered where this share of its central part, of this share of its sides, is black."""


def black_luma(frame: Frame) -> int:
    """The highest luma that counts as black in that frame."""
    return BLACK - 16 if frame.full_range else BLACK


def is_covered(frame: Frame, box: Float32Array) -> bool:
    """Whether the middle of a box (4,), xyxy in pixels of a finished frame, shows a mask and no more."""
    x1, y1, x2, y2 = pixels_within(box_ops.expand(box[None], CENTRE)[0], frame.width, frame.height)
    area = frame.planes()[0][y1:y2, x1:x2]
    return area.size == 0 or float((area <= black_luma(frame)).mean()) >= COVERED


def pixels_within(box: Float32Array, width: int, height: int) -> tuple[int, int, int, int]:
    """The whole pixels of a box (4,), xyxy, that are within a picture."""
    x1, y1, x2, y2 = (float(v) for v in box)
    return (
        max(0, math.floor(x1)),
        max(0, math.floor(y1)),
        min(width, math.ceil(x2)),
        min(height, math.ceil(y2)),
    )
