"""Reads which edges of the picture a container hides: MP4's clean aperture, Matroska's pixel crop."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import BinaryIO

from anonator.core.pictures.shape import Crop
from anonator.core.reading import matroska_elements as matroska
from anonator.core.reading.mp4_boxes import Box, boxes, children
from anonator.core.reading.opening import OpenedVideo

VISUAL_ENTRY = 78
"""Bytes of a video's sample description before the boxes in it. Source: ISO/IEC 14496-12, section 12.1.3."""
VIDEO = 0xE0
BOTTOM, TOP, LEFT, RIGHT = 0x54AA, 0x54BB, 0x54CC, 0x54DD
"""Matroska's elements. Source: RFC 9559, section 5.1.4."""


def container_crop(video: OpenedVideo) -> Crop:
    """What the container hides of each picture of the video; nothing where it says nothing sensible."""
    name = video.container.format.name
    try:
        with open(video.path, "rb") as file:
            if "matroska" in name:
                found = _matroska(file)
            elif "mov" in name:
                found = _mp4(file, video.file_size, video.stream.id)
            else:
                found = None
    except (OSError, ValueError, IndexError, ZeroDivisionError, StopIteration, struct.error):
        found = None
    return found or Crop()


def _mp4(file: BinaryIO, size: int, track_id: int) -> Crop | None:
    for track in children(file, 0, size, b"moov", b"trak"):
        for header in children(file, track.body, track.end, b"tkhd"):
            file.seek(header.body)
            head = file.read(24)
            at = 20 if head[0] == 1 else 12
            if int.from_bytes(head[at : at + 4], "big") == track_id:
                return _clean_aperture(file, track)
    return None


def _clean_aperture(file: BinaryIO, track: Box) -> Crop | None:
    """Source: ISO/IEC 14496-12, section 12.1.4."""
    for table in children(file, track.body, track.end, b"mdia", b"minf", b"stbl", b"stsd"):
        entry = next(boxes(file, table.body + 8, table.end))
        file.seek(entry.body)
        width, height = struct.unpack_from(">HH", file.read(VISUAL_ENTRY), 24)
        for aperture in children(file, entry.body + VISUAL_ENTRY, min(entry.end, table.end), b"clap"):
            file.seek(aperture.body)
            numbers = struct.unpack(">8i", file.read(32))
            across, down, x, y = (Fraction(*numbers[i : i + 2]) for i in range(0, 8, 2))
            left, top = round((width - across) / 2 + x), round((height - down) / 2 + y)
            return Crop(left, top, width - left - round(across), height - top - round(down))
    return None


def _matroska(file: BinaryIO) -> Crop | None:
    for track in matroska.video_tracks(file):
        for kind, video in matroska.children(track):
            if kind == VIDEO:
                said = {side: int.from_bytes(value, "big") for side, value in matroska.children(video)}
                return Crop(*(said.get(side, 0) for side in (LEFT, TOP, RIGHT, BOTTOM)))
        break
    return None
