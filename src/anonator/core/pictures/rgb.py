"""Makes the small RGB pictures that the detector and the preview look at."""

from __future__ import annotations

import threading
from fractions import Fraction

import cv2
import numpy as np
from av import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from anonator.core.frames import SQUARE, Frame, Place, UInt8Array
from anonator.core.pictures.colours import range_of, sws_matrix
from anonator.core.pictures.planes import plane_views

KEPT_REFORMATTERS = 8

_local = threading.local()


def to_rgb(frame: Frame, size: tuple[int, int] | None = None) -> UInt8Array:
    """The frame as RGB by its own matrix and range.

    Args:
        frame: yuv420p.
        size: (width, height) wanted; None keeps the frame's. Smaller ones are averaged by area,
            larger ones interpolated.

    Returns:
        (h, w, 3) uint8, C-contiguous, with its own memory.
    """
    return _rgb(frame.image, size or (frame.width, frame.height))


def to_rgb_within(frame: Frame, long_side: int) -> UInt8Array:
    """The frame as people see it: RGB with square pixels, its long side within a limit.

    Returns:
        (h, w, 3) uint8.
    """
    return _rgb(frame.image, square_size(frame.width, frame.height, frame.sar, long_side))


def picture_within(frame: Frame, long_side: int) -> tuple[UInt8Array, Place]:
    """The frame's picture as the detector should see it: with square pixels, before it was fitted.

    Returns:
        (h, w, 3) uint8 RGB, and where that picture is in the frame.
    """
    source = frame.unfitted
    if source is None:
        return to_rgb_within(frame, long_side), Place(0, 0, frame.width, frame.height)
    size = square_size(source.image.width, source.image.height, source.sar, long_side)
    return _rgb(source.image, size), source.place


def square_size(width: int, height: int, sar: Fraction, long_side: int) -> tuple[int, int]:
    """The size of a picture with square pixels that shows all its detail, its long side within a limit.

    Args:
        width: of the picture.
        height: likewise.
        sar: width of its pixels in heights of its pixels.
        long_side: in pixels; a smaller picture is enlarged only where its pixels are not square.
    """
    # the side along which there are too few pixels is stretched, so that nothing is lost along the other one
    across, down = width * max(sar, SQUARE), height / min(sar, SQUARE)
    scale = min(SQUARE, long_side / max(across, down))
    return max(1, round(across * scale)), max(1, round(down * scale))


def _rgb(picture: VideoFrame, size: tuple[int, int]) -> UInt8Array:
    width, height = size
    matrix = sws_matrix(int(picture.colorspace), picture.height)
    full = picture.color_range == ColorRange.JPEG
    if matrix == Colorspace.ITU601 and not full and size == (picture.width, picture.height):
        return _by_opencv(picture)
    smaller = width < picture.width or height < picture.height
    rgb = _reformatter(picture.width, picture.height, width, height, matrix, full).reformat(
        picture,
        width,
        height,
        "rgb24",
        src_colorspace=matrix,
        dst_colorspace=matrix,  # RGB has none, so this changes nothing
        src_color_range=range_of(full=full),
        dst_color_range=ColorRange.JPEG,
        interpolation="AREA" if smaller else "BICUBIC",
    )
    return np.ascontiguousarray(rgb.to_ndarray())


def _by_opencv(picture: VideoFrame) -> UInt8Array:
    """BT.601, limited range, unscaled: OpenCV knows only this case, and takes a third of swscale's time."""
    y, u, v = plane_views(picture)
    return np.asarray(cv2.cvtColorTwoPlane(y, cv2.merge((u, v)), cv2.COLOR_YUV2RGB_NV12), np.uint8)


def _reformatter(*shape: int) -> VideoReformatter:
    """One reformatter per thread and shape: it isn't thread-safe, and another shape sets it up again."""
    kept: dict[tuple[int, ...], VideoReformatter] = _local.__dict__.setdefault("kept", {})
    if shape not in kept:
        if len(kept) >= KEPT_REFORMATTERS:
            kept.clear()
        kept[shape] = VideoReformatter()
    return kept[shape]
