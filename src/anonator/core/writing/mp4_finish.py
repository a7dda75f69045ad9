"""Finishes an MP4 file in place: moves the table of contents to the front and puts the picture's true
size into it."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol


class File(Protocol):
    """What is needed from a file that is open for reading and writing."""

    def read(self, size: int, /) -> bytes:
        """Up to size bytes."""
        ...

    def write(self, data: bytes, /) -> int:
        """All of the bytes."""
        ...

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The new position."""
        ...

    def truncate(self, size: int, /) -> int:
        """The new size."""
        ...


CHUNK = 8 * 1024 * 1024
PARENTS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl"})
Box = tuple[bytes, int, int]
"""(type, start of the body, end) within a buffer or file."""


def finish(file: File, display_size: tuple[int, int], sar: Fraction) -> None:
    """Move moov before the media data, so that playback can start right away, and set the displayed size.

    Args:
        file: open for reading and writing, as FFmpeg's muxer left it.
        display_size: (width, height) that players show; at most one less than the coded size. H.264 in
            4:2:0 crops by even numbers only, so the container says the odd ones, and decoders cut the
            right and lower edge to it.
        sar: width of a pixel in heights of a pixel.

    Raises:
        ValueError: not the layout that the muxer writes.
    """
    boxes = list(top_level(file))
    kinds = [kind for kind, _, _ in boxes]
    if kinds[:1] != [b"ftyp"] or kinds.count(b"moov") != 1 or b"mdat" not in kinds:
        raise ValueError(f"unexpected MP4 layout: {kinds}")
    _, start, end = boxes[kinds.index(b"moov")]
    file.seek(start - 8)
    written = file.read(end - start + 8)
    moov = _without_user_data(written)
    _set_display_size(moov, display_size, sar)
    first_free = boxes[0][2]
    behind_data = kinds.index(b"moov") > kinds.index(b"mdat") and end == boxes[-1][2]
    if behind_data and _shift_offsets(moov, len(moov)):
        _shift_data(file, first_free, start - 8, len(moov))
        file.seek(first_free)
        file.write(bytes(moov))
        file.truncate(start - 8 + len(moov))
    else:
        # where it is, the space of what was left out must be accounted for
        file.seek(start - 8)
        file.write(bytes(moov) + _free(len(written) - len(moov)))


def top_level(file: File) -> Iterator[Box]:
    """The outermost boxes of a file.

    Raises:
        ValueError: a box has an impossible length.
    """
    size = file.seek(0, 2)
    position = 0
    while position + 8 <= size:
        file.seek(position)
        head = file.read(16)
        length, kind, body = int.from_bytes(head[:4], "big"), head[4:8], position + 8
        if length == 1:
            length, body = int.from_bytes(head[8:16], "big"), position + 16
        if length < 8:
            raise ValueError(f"a box of {length} bytes in the MP4 file")
        yield kind, body, position + length
        position += length


def inside(buffer: bytes | bytearray, start: int, end: int) -> Iterator[Box]:
    """The boxes within a part of a buffer, those within parents too, depth first."""
    while start + 8 <= end:
        length = int.from_bytes(buffer[start : start + 4], "big")
        kind = bytes(buffer[start + 4 : start + 8])
        if length < 8:
            raise ValueError(f"a box of {length} bytes in the MP4 header")
        yield kind, start + 8, start + length
        if kind in PARENTS:
            yield from inside(buffer, start + 8, start + length)
        start += length


def _without_user_data(moov: bytes) -> bytearray:
    """Leave out moov/udta, which the muxer writes even when it has nothing to say."""
    kept = bytearray(moov[:8])
    position = 8
    while position + 8 <= len(moov):
        length = max(8, int.from_bytes(moov[position : position + 4], "big"))
        if moov[position + 4 : position + 8] != b"udta":
            kept += moov[position : position + length]
        position += length
    kept[:4] = len(kept).to_bytes(4, "big")
    return kept


def _free(length: int) -> bytes:
    """A box that says nothing, of this length; shorter than a box there can be no gap."""
    return length.to_bytes(4, "big") + b"free" + bytes(length - 8) if length else b""


def _set_display_size(moov: bytearray, size: tuple[int, int], sar: Fraction) -> None:
    """Write the size into the video track's header (16.16, in square pixels) and its sample description."""
    for kind, start, end in inside(moov, 8, len(moov)):
        if kind != b"trak":
            continue
        boxes = {kind: (start, end) for kind, start, end in inside(moov, start, end)}
        handler = boxes[b"hdlr"][0] + 8
        if moov[handler : handler + 4] != b"vide":
            continue
        track, entry = boxes[b"tkhd"][1] - 8, boxes[b"stsd"][0] + 8 + 32
        square = round(min(size[0] * sar, Fraction(0xFFFF)) * 65536)
        moov[track : track + 8] = square.to_bytes(4, "big") + (size[1] << 16).to_bytes(4, "big")
        moov[entry : entry + 4] = size[0].to_bytes(2, "big") + size[1].to_bytes(2, "big")


def _shift_offsets(moov: bytearray, by: int) -> bool:
    """Add to all chunk offsets; False, with nothing changed, if 32 bits do not hold the result."""
    tables = [box for box in inside(moov, 8, len(moov)) if box[0] in (b"stco", b"co64")]
    changes: list[tuple[int, bytes]] = []
    for kind, start, _ in tables:
        width = 4 if kind == b"stco" else 8
        count = int.from_bytes(moov[start + 4 : start + 8], "big")
        shifted = bytearray()
        for i in range(start + 8, start + 8 + count * width, width):
            offset = int.from_bytes(moov[i : i + width], "big") + by
            if offset >= 1 << (8 * width):
                return False
            shifted += offset.to_bytes(width, "big")
        changes.append((start + 8, bytes(shifted)))
    for position, data in changes:
        moov[position : position + len(data)] = data
    return True


def _shift_data(file: File, start: int, end: int, by: int) -> None:
    """Move a part of the file towards its end, last chunk first, so that nothing is overwritten unread."""
    position = end
    while position > start:
        length = min(CHUNK, position - start)
        position -= length
        file.seek(position)
        data = file.read(length)
        file.seek(position + by)
        file.write(data)
