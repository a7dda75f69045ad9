"""Makes the small RGB pictures that the detector and the preview look at."""

from __future__ import annotations

import threading
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from anonator.core.frames import Frame, UInt8Array

SWS_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""AVColorSpace to swscale's number for the same matrix."""
HD_HEIGHT = 576
"""Taller pictures without a tag are taken as BT.709, others as BT.601, as players do."""
KEPT_REFORMATTERS = 8
SQUARE = Fraction(1)

_local = threading.local()


def to_rgb(frame: Frame, size: tuple[int, int] | None = None) -> UInt8Array:
    """The frame as RGB by its own matrix and range.

    Args:
        frame: yuv420p.
        size: (width, height) wanted; None keeps the frame's. Smaller ones are averaged by area,
            larger ones interpolated.

    Returns:
        (h, w, 3) uint8, C-contiguous, memory of its own.
    """
    picture = frame.image
    width, height = size or (frame.width, frame.height)
    matrix = SWS_MATRIX.get(int(picture.colorspace)) or (1 if frame.height > HD_HEIGHT else 5)
    full = frame.full_range
    if matrix == 5 and not full and (width, height) == (frame.width, frame.height):
        return _by_opencv(frame)
    smaller = width < frame.width or height < frame.height
    rgb = _reformatter(frame.width, frame.height, width, height, matrix, full).reformat(
        picture,
        width,
        height,
        "rgb24",
        src_colorspace=matrix,
        # RGB has no matrix; but PyAV before 15 applies the source's only where the two differ
        dst_colorspace=5 if matrix == 1 else 1,
        src_color_range=2 if full else 1,
        dst_color_range=2,
        interpolation="AREA" if smaller else "BICUBIC",
    )
    return np.ascontiguousarray(rgb.to_ndarray())


def to_rgb_within(frame: Frame, long_side: int, sar: Fraction = SQUARE) -> UInt8Array:
    """(h, w, 3) uint8 RGB, scaled down by area where its long side would be longer; never enlarged.

    Args:
        frame: yuv420p.
        long_side: in pixels.
        sar: width of a pixel in heights of a pixel, for people to look at: the RGB picture has square ones.
            The detector gets the pixels as they are stored.
    """
    # the side along which there are too many pixels is shortened
    width, height = frame.width * min(sar, SQUARE), frame.height / max(sar, SQUARE)
    scale = min(SQUARE, long_side / max(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return to_rgb(frame, None if size == (frame.width, frame.height) else size)


def _by_opencv(frame: Frame) -> UInt8Array:
    """BT.601, limited range, unscaled: OpenCV knows only this case, and takes a third of swscale's time."""
    y, u, v = frame.planes()
    return np.asarray(cv2.cvtColorTwoPlane(y, cv2.merge((u, v)), cv2.COLOR_YUV2RGB_NV12), np.uint8)


def _reformatter(*shape: int) -> Any:
    """One reformatter per thread and shape: it is not thread-safe, and another shape sets it up anew."""
    kept: dict[tuple[int, ...], Any] = _local.__dict__.setdefault("kept", {})
    if shape not in kept:
        if len(kept) >= KEPT_REFORMATTERS:
            kept.clear()
        kept[shape] = VideoReformatter()
    return kept[shape]
