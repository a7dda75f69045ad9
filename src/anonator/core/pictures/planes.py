"""Access to the planes and times of a decoder's pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from anonator.core.frames import UInt8Array


def plane_views(picture: Any) -> list[UInt8Array]:
    """Views (rows, columns), uint8, on the planes of an 8-bit planar frame, also of a bottom-up one."""
    views = []
    for plane in picture.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, abs(plane.line_size))
        views.append(rows[:: -1 if plane.line_size < 0 else 1, : plane.width])
    return views


def copy_time(source: Any, target: Any) -> None:
    """Give a frame the time of another one; older PyAV knows no durations of frames."""
    target.pts = source.pts
    if getattr(source, "duration", 0):
        target.duration = source.duration
