"""Access to the planes and times of a decoder's pictures."""

from __future__ import annotations

import numpy as np
from av import VideoFrame

from anonator.core.frames import UInt8Array


def plane_views(picture: VideoFrame) -> list[UInt8Array]:
    """Views (rows, columns), uint8, on the planes of an 8-bit planar frame, also of a bottom-up one."""
    views = []
    for plane in picture.planes:
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, abs(plane.line_size))
        views.append(rows[:: -1 if plane.line_size < 0 else 1, : plane.width])
    return views


def copy_time(source: VideoFrame, target: VideoFrame) -> None:
    """Give a frame the time of another one."""
    target.pts, target.duration = source.pts, source.duration


def copy_of(picture: VideoFrame) -> VideoFrame:
    """A frame in yuv420p with planes of its own, and the same time and colours."""
    made = VideoFrame(picture.width, picture.height, picture.format.name)
    for source, target in zip(plane_views(picture), plane_views(made), strict=True):
        target[:] = source
    made.color_range, made.colorspace = picture.color_range, picture.colorspace
    copy_time(picture, made)
    return made
