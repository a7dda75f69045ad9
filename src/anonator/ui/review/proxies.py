"""Small copies of frames in memory, so that a place far from any key frame is on the screen at once."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from anonator.core.frames import UInt8Array

QUALITY = 80
"""Of the copies, which are JPEG; they are looked at for a moment, until the frame itself is decoded."""


class Proxies:
    """Copies of frames over the whole video, bounded in bytes: if they become too many, every other one goes.

    One thread adds; any thread may look.
    """

    def __init__(self, frames: int, most_bytes: int) -> None:
        self._frames, self._most, self._bytes = frames, most_bytes, 0
        self.size = 1, 1
        """Width and height of the frames' pictures when they aren't shrunk."""
        self._held: tuple[int, dict[int, tuple[int, bytes]]] = 1, {}
        """One of so many frames is held, by its place among these; replaced as one when it changes."""

    @property
    def stride(self) -> int:
        """One of so many frames is held."""
        return self._held[0]

    @property
    def share(self) -> float:
        """How much of the video has copies."""
        stride, held = self._held
        return len(held) / -(-self._frames // stride)

    def wants(self, index: int) -> bool:
        """Whether there is no copy of this frame or of one of those that it would stand for."""
        stride, held = self._held
        return index // stride not in held

    def add(self, index: int, picture: UInt8Array, size: tuple[int, int]) -> None:
        """Hold a copy of a frame.

        Args:
            index: of the frame.
            picture: (H, W, 3) RGB.
            size: width and height of the frame's picture when it isn't shrunk.
        """
        self.size = size
        into = io.BytesIO()
        Image.fromarray(picture).save(into, "JPEG", quality=QUALITY)
        stride, held = self._held
        before = held.get(index // stride)
        held[index // stride] = index, into.getvalue()
        self._bytes += into.tell() - (0 if before is None else len(before[1]))
        while self._bytes > self._most and len(held) > 1:
            stride *= 2
            thinner: dict[int, tuple[int, bytes]] = {}
            for each in held.values():
                thinner.setdefault(each[0] // stride, each)
            self._held, held = (stride, thinner), thinner
            self._bytes = sum(len(copy) for _, copy in held.values())

    def near(self, first: int, last: int) -> int | None:
        """The frame with a copy that is nearest to the middle of a stretch, both ends included, if any."""
        stride, held = self._held
        found = (held.get(place) for place in range(first // stride, last // stride + 1))
        there = [each[0] for each in found if each is not None and first <= each[0] <= last]
        return min(there, key=lambda index: abs(2 * index - first - last), default=None)

    def picture(self, index: int, side: int) -> UInt8Array | None:
        """The copy of a frame in the size that the frame itself would have, if there is one.

        Args:
            index: of the frame.
            side: long side in pixels, at most.

        Returns:
            (H, W, 3) uint8 RGB.
        """
        stride, held = self._held
        found = held.get(index // stride)
        if found is None or found[0] != index:
            return None
        image: Image.Image = Image.open(io.BytesIO(found[1]))
        scale = min(1.0, side / max(self.size))
        width, height = (max(1, round(length * scale)) for length in self.size)
        if image.size != (width, height):
            image = image.resize((width, height))
        return np.asarray(image, np.uint8)
