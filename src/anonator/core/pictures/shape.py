"""The shape of pictures: what is cut off, turned and stretched to show them, and how they fit a result."""

from __future__ import annotations

import contextlib
import struct
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

import cv2
import numpy as np
from av import VideoFrame
from av.sidedata.sidedata import SideDataContainer

from anonator.core.frames import SQUARE, Place, UInt8Array

MATRIX = "DISPLAYMATRIX"
WIDEST = 256
"""A pixel more than this many times as wide as high, or the reverse, is a mistake in the file."""


def even(size: int) -> int:
    """The size padded to the next even number."""
    return size + size % 2


def believable(sar: Fraction | None) -> Fraction:
    """A sample aspect ratio from a file, or 1 where it says none or an impossible one."""
    return sar if sar and Fraction(1, WIDEST) <= sar <= WIDEST else SQUARE


@dataclass(frozen=True, slots=True)
class Crop:
    """Pixels of the stored picture that the container hides at each side."""

    left: int = 0
    top: int = 0
    right: int = 0
    bottom: int = 0

    def within(self, width: int, height: int) -> Crop:
        """This crop, or none where a picture of that size would have nothing left."""
        fits = self.left + self.right < width and self.top + self.bottom < height
        return self if fits and min(self.left, self.top, self.right, self.bottom) >= 0 else Crop()


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pictures must be turned to be upright: transpose first, then flip."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def is_upright(self) -> bool:
        """Nothing to do."""
        return not (self.transpose or self.flip_x or self.flip_y)

    @property
    def degrees(self) -> int:
        """Clockwise turn in degrees; of a mirrored picture, the turn after mirroring left and right."""
        if not self.transpose:
            return 180 if self.flip_y else 0
        return 270 if self.flip_y else 90

    @classmethod
    def of(cls, picture: VideoFrame) -> Orientation:
        """Read a frame's display matrix: x' = a x + c y, y' = b x + d y, in 16.16 fixed point.

        Angles between quarter turns are taken as none.
        """
        matrix = _display_matrix(picture)
        if matrix is None:
            return cls()
        a, b, _, c, d, *_ = struct.unpack("=9i", matrix)
        if a == d == 0 and b and c:
            return cls(True, c < 0, b < 0)
        if b == c == 0 and a and d:
            return cls(False, a < 0, d < 0)
        return cls()

    def apply(self, source: UInt8Array, target: UInt8Array) -> None:
        """Copy a plane, turned, into another one of the turned size."""
        if self.transpose:
            source = np.asarray(cv2.transpose(source), np.uint8)
        if self.flip_x or self.flip_y:
            source = np.asarray(
                cv2.flip(source, -1 if self.flip_x and self.flip_y else int(self.flip_x)), np.uint8
            )
        target[:] = source


def _display_matrix(picture: VideoFrame) -> bytes | None:
    """A frame's display matrix, if it has one."""
    container = cast(SideDataContainer, picture.side_data)
    read: dict[str, bytes | None] = vars(container)
    if MATRIX not in read:
        data = container.get(MATRIX)
        read[MATRIX] = None if data is None else bytes(data)
        del data
        # the container holds the frame that holds it, so that both, some megabytes, would wait for the
        # garbage collector, which counts objects and not bytes: a gigabyte in 1080p
        with contextlib.suppress(TypeError):
            container.__init__(VideoFrame(2, 2, "gray"))  # type: ignore[misc]
    return read[MATRIX]


@dataclass(frozen=True, slots=True)
class Canvas:
    """The size of the pictures in a result."""

    width: int
    """As players show it, before padding to even."""
    height: int
    sar: Fraction = SQUARE
    """Width of a pixel in heights of a pixel."""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the frames: padded to even."""
        return even(self.width), even(self.height)

    @property
    def pixels(self) -> int:
        """The number of pixels."""
        return self.width * self.height

    def place(self, width: int, height: int, sar: Fraction) -> Place:
        """Where a picture goes that keeps its own shape: in the middle, as large as possible.

        Args:
            width: of the picture, in its own pixels.
            height: likewise.
            sar: of its pixels.
        """
        across, down = self.width, self.height
        # the picture's width in pixels of the canvas, if it were as high as the canvas
        wanted = Fraction(width, height) * sar / self.sar * self.height
        if wanted <= self.width:
            across = max(2, min(self.width, 2 * round(wanted / 2)))
        else:
            down = max(2, min(self.height, 2 * round(self.height * self.width / wanted / 2)))
        x, y = (self.width - across) // 4 * 2, (self.height - down) // 4 * 2
        return Place(x, y, across, down)
