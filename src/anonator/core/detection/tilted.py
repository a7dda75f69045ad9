"""A picture turned by any angle about its middle, and the boxes found in it brought back."""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.frames import Float32Array, UInt8Array


class Tilted:
    """A picture turned counter-clockwise, whole, with grey corners."""

    def __init__(self, picture: UInt8Array, degrees: float) -> None:
        """Turn it.

        Args:
            picture: (H, W, 3) uint8.
            degrees: any angle.
        """
        height, width = picture.shape[:2]
        self._size = width, height
        cos, sin = abs(math.cos(math.radians(degrees))), abs(math.sin(math.radians(degrees)))
        across, down = math.ceil(width * cos + height * sin), math.ceil(width * sin + height * cos)
        turn = np.asarray(cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0), np.float64)
        turn[:, 2] += (across - width) / 2, (down - height) / 2
        self._back = np.asarray(cv2.invertAffineTransform(turn), np.float64)
        self.picture = cast(
            UInt8Array, cv2.warpAffine(picture, turn, (across, down), borderValue=(128, 128, 128))
        )
        """(h, w, 3), larger than the upright one."""

    def upright(self, boxes: Float32Array) -> Float32Array:
        """(N, 4) boxes of the turned picture, as squares of the same area around their middles, clipped.

        A box turned with its face would stand on a corner, and how far a face reaches hardly depends on
        its angle.
        """
        centres = np.concatenate([box_ops.centres(boxes), np.ones((len(boxes), 1))], axis=1) @ self._back.T
        half = box_ops.sizes(boxes)[:, None] / 2
        return box_ops.clip(np.concatenate([centres - half, centres + half], axis=1), *self._size).astype(
            np.float32
        )
