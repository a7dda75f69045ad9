"""Tells from the header of an MP4, Matroska or WMV file whether its video is encrypted."""

from __future__ import annotations

from typing import BinaryIO

from anonator.core.reading import matroska_elements as matroska
from anonator.core.reading.mp4_boxes import BEGINNINGS, Box, boxes, children

MOST_READ = 1 << 20
PROTECTED_ENTRIES = frozenset([b"encv", b"drmi"])
"""Sample entries of encrypted video. Source: ISO/IEC 14496-12, section 8.12; "drmi" is iTunes' own."""
WMV_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
WMV_ENCRYPTION = (
    bytes.fromhex("fbb31122 23bd d211 b4b700a0c955fc6e"),
    bytes.fromhex("14e68a29 2226 174c b935dae07ee9289c"),
)
"""Content encryption objects, old and extended. Source: ASF specification, sections 3.14 and 3.15."""
ENCODING, ENCRYPTION = 0x6240, 0x5035


def is_encrypted(file: BinaryIO, size: int) -> bool:
    """Whether the header says that the video needs a key.

    Args:
        file: open for reading, anywhere.
        size: what the file system says.
    """
    file.seek(0)
    head = file.read(24)
    if head[:16] == WMV_HEADER:
        file.seek(0)
        header = file.read(min(int.from_bytes(head[16:24], "little"), MOST_READ))
        return any(object_id in header for object_id in WMV_ENCRYPTION)
    if head[:4] == matroska.EBML.to_bytes(4, "big"):
        return any(
            _holds(track, matroska.ENCODINGS, ENCODING, ENCRYPTION) for track in matroska.video_tracks(file)
        )
    if head[4:8] in BEGINNINGS:
        return any(
            _entry_needs_key(file, entry, table.end)
            for table in children(file, 0, size, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
            for entry in boxes(file, table.body + 8, table.end)
        )
    return False


def _entry_needs_key(file: BinaryIO, entry: Box, end: int) -> bool:
    """An entry may say that it could be protected and is not after all ("tenc")."""
    if entry.kind not in PROTECTED_ENTRIES:
        return False
    file.seek(entry.body)
    content = file.read(min(min(entry.end, end) - entry.body, MOST_READ))
    place = content.find(b"tenc")
    return not (0 <= place < len(content) - 10 and content[place + 10] == 0)


def _holds(data: bytes, *way: int) -> bool:
    return any(
        name == way[0] and (len(way) == 1 or _holds(body, *way[1:])) for name, body in matroska.children(data)
    )
