"""Reads which edges of the picture a container hides: MP4's clean aperture, Matroska's pixel crop."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

from anonator.core.media import mp4_file
from anonator.core.media.opening import OpenedVideo
from anonator.core.media.shape import Crop

LARGEST_HEADER = 256 * 1024 * 1024
"""Bytes; a larger table of contents is not searched."""
VISUAL_ENTRY = 8 + 78
"""Bytes of a video's sample description before the boxes in it. Source: ISO/IEC 14496-12, section 12.1.3."""
SEGMENT, TRACKS, TRACK, VIDEO, CLUSTER = 0x18538067, 0x1654AE6B, 0xAE, 0xE0, 0x1F43B675
KIND, NUMBER, IS_VIDEO = 0x83, 0xD7, 1
BOTTOM, TOP, LEFT, RIGHT = 0x54AA, 0x54BB, 0x54CC, 0x54DD
"""Matroska's elements. Source: RFC 9559, section 5.1.4."""


def container_crop(path: Path, video: OpenedVideo) -> Crop:
    """What the container hides of each picture of the video; nothing where it says nothing sensible."""
    name = video.container.format.name
    try:
        with open(path, "rb") as file:
            if "matroska" in name:
                found = _matroska(file)
            elif "mov" in name:
                found = _mp4(file, video.stream.id)
            else:
                found = None
    except (OSError, ValueError, IndexError, ZeroDivisionError):
        found = None
    return found or Crop()


def _mp4(file: BinaryIO, track_id: int) -> Crop | None:
    for kind, start, end in mp4_file.top_level(_ReadOnly(file)):
        if kind == b"moov" and end - start <= LARGEST_HEADER:
            file.seek(start)
            moov = file.read(end - start)
            for inner, body, stop in mp4_file.inside(moov, 0, len(moov)):
                if inner == b"trak" and _track_id(moov, body, stop) == track_id:
                    return _clean_aperture(moov, body, stop)
    return None


def _track_id(moov: bytes, start: int, end: int) -> int:
    for kind, body, _ in mp4_file.inside(moov, start, end):
        if kind == b"tkhd":
            at = body + (20 if moov[body] == 1 else 12)
            return int.from_bytes(moov[at : at + 4], "big")
    return -1


def _clean_aperture(moov: bytes, start: int, end: int) -> Crop | None:
    """Source: ISO/IEC 14496-12, section 12.1.4."""
    for kind, body, _ in mp4_file.inside(moov, start, end):
        if kind != b"stsd":
            continue
        entry = body + 8
        size = int.from_bytes(moov[entry : entry + 4], "big")
        width, height = (int.from_bytes(moov[entry + at : entry + at + 2], "big") for at in (32, 34))
        for inner, at, _ in mp4_file.inside(moov, entry + VISUAL_ENTRY, entry + size):
            if inner == b"clap":
                across, down, x, y = (
                    Fraction(*struct.unpack_from(">ii", moov, at + i)) for i in range(0, 32, 8)
                )
                left, top = round((width - across) / 2 + x), round((height - down) / 2 + y)
                return Crop(left, top, width - left - round(across), height - top - round(down))
    return None


class _ReadOnly:
    """A file for mp4_file's functions, which can also write."""

    def __init__(self, file: BinaryIO) -> None:
        self.read, self.seek = file.read, file.seek

    def write(self, data: bytes, /) -> int:
        raise OSError("opened for reading")

    def truncate(self, size: int, /) -> int:
        raise OSError("opened for reading")


def _matroska(file: BinaryIO) -> Crop | None:
    size = file.seek(0, 2)
    for kind, start, _ in _elements(file, 0, size):
        if kind != SEGMENT:
            continue
        for inner, begin, end in _elements(file, start, size):
            if inner == CLUSTER:
                break
            if inner == TRACKS:
                return _first_video(file, begin, end)
        break
    return None


def _first_video(file: BinaryIO, start: int, end: int) -> Crop | None:
    for track, begin, stop in _elements(file, start, end):
        if track != TRACK:
            continue
        parts = {kind: (b, e) for kind, b, e in _elements(file, begin, stop)}
        if VIDEO in parts and KIND in parts and _number(file, *parts[KIND]) == IS_VIDEO:
            said = {kind: _number(file, b, e) for kind, b, e in _elements(file, *parts[VIDEO])}
            return Crop(*(said.get(side, 0) for side in (LEFT, TOP, RIGHT, BOTTOM)))
    return None


def _elements(file: BinaryIO, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """(identifier, start of the body, end) of the elements between two places."""
    while start < end:
        file.seek(start)
        head = file.read(12)
        id_length = 9 - head[0].bit_length()
        size_length = 9 - head[id_length].bit_length()
        body = id_length + size_length
        size = int.from_bytes(head[id_length:body], "big") & ((1 << 7 * size_length) - 1)
        unknown = size == (1 << 7 * size_length) - 1
        stop = end if unknown else start + body + size
        yield int.from_bytes(head[:id_length], "big"), start + body, min(stop, end)
        start = stop


def _number(file: BinaryIO, start: int, end: int) -> int:
    file.seek(start)
    return int.from_bytes(file.read(min(end - start, 8)), "big")
