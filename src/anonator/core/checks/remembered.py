"""What the second detector saw before, so that only what differs in the finished file needs a look.

It looks at every frame just before it is written. Writing makes a picture no clearer, and a repair covers a
little more and changes nothing else: more black uncovers no face. So a finished frame needs no new look if it
shows what the frame that was looked at showed, but for places that were covered since. That isn't taken for
granted: every frame is compared with the picture that was looked at.
"""

from __future__ import annotations

import contextlib
import logging
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.checks.evidence import Evidence
from anonator.core.frames import Detections, Float32Array, Frame, UInt8Array

log = logging.getLogger(__name__)

BLOCK = 16
"""Side of the blocks of pixels whose mean brightness is compared."""
NOISE = 3
"""By so much, of 255, a block's brightness may differ between two encodings of the same picture: at most by 2
in 20 frames of a crowd at night, each of 1,980 blocks. A face of 10 pixels in place of a mask is more, if it
is at least 41 brighter than black in the worst position, across the corners of four blocks."""
LOST, GONE = 0.1, 0.95
"""What was found is worth another look once this share of it is covered, but not once nearly all is."""
IN_MEMORY = 8 * 1024 * 1024
"""Bytes that are kept in memory; what comes after them goes to a file without a name."""

Rectangle: TypeAlias = tuple[int, int, int, int]
"""xyxy in pixels, half-open."""
Covered: TypeAlias = Callable[[Frame], Sequence[Rectangle]]
"""What was covered in a frame since the attempt before."""


@dataclass(frozen=True, slots=True, eq=False)
class Remembered:
    """One frame of the attempt before."""

    picture: UInt8Array
    """(rows, columns) brightness of the blocks of the picture that was looked at."""
    bare: Detections
    """What was found in it where no mask was."""

    def is_shown_by(self, picture: UInt8Array, covered: Sequence[Rectangle], size: tuple[int, int]) -> bool:
        """Whether another picture shows the same, but for what is darker where it was covered since.

        Args:
            picture: (rows, columns), as brightness_of gives it.
            covered: rectangles that were covered since.
            size: width and height of the pictures in pixels.
        """
        if picture.shape != self.picture.shape:
            return False
        change = picture.astype(np.int16) - self.picture
        rows, columns = picture.shape
        may_be_darker = np.zeros(picture.shape, bool)
        for x1, y1, x2, y2 in covered:
            left, right = x1 * columns // size[0], -(-x2 * columns // size[0])
            top, bottom = y1 * rows // size[1], -(-y2 * rows // size[1])
            may_be_darker[top:bottom, left:right] = True
        return bool(((np.abs(change) <= NOISE) | (may_be_darker & (change < 0))).all())

    def has_lost_a_part(self, covered: Sequence[Rectangle]) -> bool:
        """Whether something of what was found is hidden now, so that it may no longer look like a face."""
        if not len(covered) or not len(self.bare):
            return False
        hidden = box_ops.inside(self.bare.boxes, np.array(covered, np.float32))
        most = hidden.max(axis=1)
        return bool(((most >= LOST) & (most < GONE)).any())


class Memory:
    """What is seen in one attempt's file, frame by frame, and what was seen in the one before.

    What cannot be kept, because a disk is full, is forgotten: those frames are looked at again.
    """

    def __init__(self, folder: Path, before: Memory | None = None, covered: Covered | None = None) -> None:
        """Begin an attempt.

        Args:
            folder: where there is room for what does not fit into memory.
            before: of the attempt before.
            covered: what was covered since then.
        """
        self._covered = covered
        self._file = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=str(folder))  # noqa: SIM115 - see close
        self._whole = True
        self._before = before._frames() if before else iter(())
        self.evidence: dict[tuple[int, bytes], Evidence] = before.evidence if before else {}
        """By frame and the bytes of a box: what both detectors see there in the input."""

    def recall(self, frame: Frame) -> Remembered | None:
        """What was seen in the next frame, if it shows the same; to be called for every frame, in order."""
        known = next(self._before, None)
        if known is None:
            return None
        covered, size = self._covered(frame) if self._covered else (), (frame.width, frame.height)
        shows_it = known.is_shown_by(brightness_of(frame), covered, size)
        return known if shows_it and not known.has_lost_a_part(covered) else None

    def note(self, picture: UInt8Array, bare: Detections) -> None:
        """Keep what was seen in the next frame; see Remembered."""
        if not self._whole:
            return
        faces = np.concatenate([bare.boxes, bare.scores[:, None]], axis=1).astype(np.float32)
        packed = zlib.compress(picture.tobytes(), 1)
        try:
            self._file.write(_HEAD.pack(*picture.shape, len(packed), len(faces)) + packed + faces.tobytes())
        except OSError as exc:
            self._whole = False
            log.warning("what was seen can't be kept (%s); it is looked at again", type(exc).__name__)

    def _frames(self) -> Iterator[Remembered]:
        """All frames that were kept, in order; fewer if one cannot be read."""
        with contextlib.suppress(OSError, struct.error, zlib.error, ValueError):
            self._file.seek(0)
            while len(head := self._file.read(_HEAD.size)) == _HEAD.size:
                rows, columns, packed, count = _HEAD.unpack(head)
                pixels = np.frombuffer(zlib.decompress(self._file.read(packed)), np.uint8)
                faces: Float32Array = np.frombuffer(self._file.read(20 * count), np.float32).reshape(count, 5)
                bare = Detections.upright(faces[:, :4].copy(), faces[:, 4].copy())
                yield Remembered(pixels.reshape(rows, columns), bare)

    def close(self) -> None:
        """Forget all; safe to call twice."""
        with contextlib.suppress(OSError):
            self._file.close()


_HEAD = struct.Struct("<4I")
"""Of a frame: rows, columns, bytes of the packed picture, faces."""


def brightness_of(frame: Frame, block: int = BLOCK) -> UInt8Array:
    """(rows, columns) mean brightness of the blocks of a frame, of so many pixels a side."""
    size = max(1, frame.width // block), max(1, frame.height // block)
    return np.asarray(cv2.resize(frame.planes()[0], size, interpolation=cv2.INTER_AREA), np.uint8)


def looked_at_before(known: int) -> str:
    """What a sentence says of the frames of a file that needed no new look; "" if there are none."""
    if not known:
        return ""
    return f"; {known:,} of them had been looked at before they were written, and show nothing more since"
