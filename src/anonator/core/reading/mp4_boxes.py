"""Walks over the boxes of an untrusted MP4 or MOV file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MOST_BOXES = 10_000
"""At one level, so that a hostile file can't keep the program busy for long."""
BEGINNINGS = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp")
"""Kinds of boxes with which such a file may begin."""


@dataclass(frozen=True, slots=True)
class Box:
    """One box; its end is what the file says, and may be beyond the end of the file."""

    kind: bytes
    body: int
    """Byte at which its contents begin."""
    end: int


def boxes(file: BinaryIO, start: int, end: int) -> Iterator[Box]:
    """The boxes between two places of a file, up to the first that cannot be one."""
    for _ in range(MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        head = file.read(16)
        length, kind, body = int.from_bytes(head[:4], "big"), head[4:8], start + 8
        if length == 1:
            length, body = int.from_bytes(head[8:16], "big"), start + 16
        if length < 8:  # 0 means "to the end of the file"; less is no box
            return
        yield Box(kind, body, start + length)
        start += length


def children(file: BinaryIO, start: int, end: int, *way: bytes) -> Iterator[Box]:
    """The boxes at the end of a way of kinds, such as moov, trak; none reaches over the box around it."""
    for box in boxes(file, start, end):
        if box.kind == way[0]:
            inner = Box(box.kind, box.body, min(box.end, end))
            if len(way) == 1:
                yield inner
            else:
                yield from children(file, inner.body, inner.end, *way[1:])
