"""Scales pictures to the size they are shown at; safe in any thread."""

from __future__ import annotations

import numpy as np
from PIL import Image

from anonator.core.frames import UInt8Array

LARGEST = (1280, 960)
"""Pictures are never shown larger than this, because drawing them would slow the window down."""


def fitted(picture_size: tuple[int, int], room: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) in pixels that fits into room and keeps the picture's shape."""
    width, height = picture_size
    factor = min(min(room[0], LARGEST[0]) / width, min(room[1], LARGEST[1]) / height)
    return max(1, round(width * factor)), max(1, round(height * factor))


def resized(picture: UInt8Array, room: tuple[int, int]) -> Image.Image:
    """An (H, W, 3) picture scaled to fit into room, (width, height); safe in any thread."""
    image = Image.fromarray(picture)
    size = fitted(image.size, room)
    smaller = size[0] < image.width
    return (
        image
        if size == image.size
        else image.resize(
            size, Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR, reducing_gap=2.0
        )
    )


def as_array(image: Image.Image) -> UInt8Array:
    """A picture as an (H, W, 3) uint8 array."""
    return np.asarray(image, np.uint8)
