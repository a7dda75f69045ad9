"""AVI's peculiarities: pictures without times, and often fewer of them than the header claims."""

from __future__ import annotations

import os
import re
from collections import deque
from pathlib import Path
from typing import BinaryIO

_PASSED_OVER = re.compile(rb"\d\d(dc|db|wb|tx|pc)|ix\d\d|idx1|JUNK|LIST")


class AviTimes:
    """Gives the pictures of an AVI file times: its n-th picture is shown at its n-th packet's time."""

    def __init__(self) -> None:
        self._times: deque[int | None] = deque()

    def enter(self, dts: int | None) -> None:
        """Note the time of the next packet."""
        self._times.append(dts)

    def next(self) -> int | None:
        """The time of the next picture, in order of presentation."""
        return self._times.popleft() if self._times else None


def stored_pictures(path: Path, stream: int) -> int | None:
    """How many chunks of a stream hold something, or None if the structure is not whole to its end.

    Programmes that record count a frame that they dropped, and players do not miss it. Only where every
    chunk is followed by another one up to the end that the file says is it sure that none was lost later.
    """
    try:
        with open(path, "rb") as file:
            return _stored(file, os.fstat(file.fileno()).st_size, b"%02d" % stream)
    except OSError:  # the file is gone, or the disk or the network is
        return None


def _stored(file: BinaryIO, size: int, number: bytes) -> int | None:
    at, count = 0, 0
    while at < size:
        head = _head(file, at)
        if head is None or head[0] != b"RIFF":
            # what follows a complete file, such as reserved space, isn't part of it
            return count if at else None
        inside = _pictures(file, at + 12, head[1], number) if head[1] <= size else None
        if inside is None:
            return None
        at, count = head[1] + (head[1] & 1), count + inside
    return count


def _head(file: BinaryIO, at: int) -> tuple[bytes, int] | None:
    """(kind, end) of a chunk."""
    file.seek(at)
    head = file.read(8)
    return (head[:4], at + 8 + int.from_bytes(head[4:], "little")) if len(head) == 8 else None


def _pictures(file: BinaryIO, at: int, end: int, number: bytes) -> int | None:
    count = 0
    while at < end:
        head = _head(file, at)
        if head is None or head[1] > end or not _PASSED_OVER.fullmatch(head[0]):
            return None
        kind, stop = head
        if kind == b"LIST" and file.read(4) in (b"movi", b"rec "):
            at += 12
            continue
        count += kind[:2] == number and kind[2:] in (b"dc", b"db") and stop > at + 8
        at = stop + (stop & 1)
    return count
