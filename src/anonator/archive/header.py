"""What a plan takes from a video's file without decoding it: its length, and a key that shows changes."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import BinaryIO

from anonator.core.reading.mp4_boxes import BEGINNINGS, children
from anonator.core.windows_files import reachable
from anonator.errors import AnonatorError

PIECE = 4096
"""Bytes at the beginning and at the end that make the key, with the size."""
LONGEST_SECONDS = 1e7
"""A header that promises more than four months promises nothing."""


def look_at(path: Path) -> tuple[str, float | None]:
    """A video's key, and the length that its header promises.

    Args:
        path: of the video.

    Returns:
        The key; and seconds, or None if the header can't be read or doesn't say.

    Raises:
        OSError: the file can't be read.
    """
    with reachable(path).open("rb", buffering=PIECE) as file:
        size = os.fstat(file.fileno()).st_size
        head = file.read(PIECE)
        key = _key(file, head, size)
        seconds = _mp4_seconds(file, size) if head[4:8] in BEGINNINGS else None
    return key, seconds if seconds is not None else _container_seconds(path)


def key_of(path: Path) -> str:
    """A video's key: the same after copying the file elsewhere, and another after nearly every change.

    Raises:
        OSError: the file can't be read.
    """
    with reachable(path).open("rb", buffering=0) as file:
        return _key(file, file.read(PIECE), os.fstat(file.fileno()).st_size)


def _key(file: BinaryIO, head: bytes, size: int) -> str:
    made = hashlib.sha256(b"%d " % size + head)
    if size > PIECE:
        file.seek(max(PIECE, size - PIECE))
        made.update(file.read(PIECE))
    return made.hexdigest()[:16]


def _mp4_seconds(file: BinaryIO, size: int) -> float | None:
    """What the movie header says; None for files in fragments, whose header says 0."""
    for box in children(file, 0, size, b"moov", b"mvhd"):
        file.seek(box.body)
        body = file.read(32)
        if len(body) == 32:
            wide = body[0] == 1
            scale = int.from_bytes(body[20:24] if wide else body[12:16], "big")
            length = int.from_bytes(body[24:32] if wide else body[16:20], "big")
            return _plausible(length / scale) if scale else None
    return None


def _container_seconds(path: Path) -> float | None:
    from anonator.core.reading.opening import open_container  # FFmpeg, which most plans need only for a few

    try:
        container, _ = open_container(path)
    except AnonatorError:  # the job will say what is wrong with it
        return None
    try:
        return _plausible(container.duration / 1e6) if container.duration else None
    finally:
        container.close()


def _plausible(seconds: float) -> float | None:
    return seconds if 0 < seconds < LONGEST_SECONDS else None
