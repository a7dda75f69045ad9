"""Scales pictures to the size they are shown at; safe in any thread."""

from __future__ import annotations

import numpy as np
from PIL import Image

from anonator.core.frames import UInt8Array

LARGEST = (2560, 1600)
"""Pictures are never shown larger than this, because drawing them would slow the window down."""


def fitted(picture_size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) in pixels that fits into room and keeps the picture's shape."""
    width, height = picture_size
    factor = min(min(room[0], LARGEST[0]) / width, min(room[1], LARGEST[1]) / height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def resized(picture: UInt8Array, room: tuple[int, int]) -> Image.Image:
    """An (H, W, 3) picture scaled to fit into room, (width, height); safe in any thread."""
    image = Image.fromarray(picture)
    return part(image, (0.0, 0.0, float(image.width), float(image.height)), fitted(image.size, room))


def part(image: Image.Image, box: tuple[float, float, float, float], size: tuple[int, int]) -> Image.Image:
    """A part of a picture, scaled to a size.

    Args:
        image: the whole picture.
        box: left, top, right and bottom of the part, in pixels of the picture.
        size: width and height wanted.
    """
    if size == image.size and box == (0, 0, *image.size):
        return image
    smaller = size[0] < box[2] - box[0]
    filter_ = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    return image.resize(size, filter_, box=box, reducing_gap=2.0)


def as_array(image: Image.Image) -> UInt8Array:
    """A picture as an (H, W, 3) uint8 array."""
    return np.asarray(image, np.uint8)
