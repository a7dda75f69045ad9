"""Tells from a file's header that its video is encrypted: MP4, Matroska and WMV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

MOST_BOXES = 10_000
MOST_TRACKS_BYTES = 1 << 20
MP4_WAY = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
PROTECTED_ENTRIES = frozenset([b"encv", b"drmi"])
"""Sample entries of encrypted video. Source: ISO/IEC 14496-12, section 8.12; "drmi" is iTunes' own."""
WMV_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
WMV_ENCRYPTION = (
    bytes.fromhex("fbb31122 23bd d211 b4b700a0c955fc6e"),
    bytes.fromhex("14e68a29 2226 174c b935dae07ee9289c"),
)
"""Content encryption objects, old and extended. Source: ASF specification, sections 3.14 and 3.15."""
EBML, SEGMENT, TRACKS, TRACK, ENCODINGS, ENCODING, CLUSTER = (
    0x1A45DFA3, 0x18538067, 0x1654AE6B, 0xAE, 0x6D80, 0x6240, 0x1F43B675,
)  # fmt: skip
ENCRYPTION = 0x5035
TRACK_TYPE, VIDEO = 0x83, 1


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
        header = file.read(min(int.from_bytes(head[16:24], "little"), MOST_TRACKS_BYTES))
        return any(object_id in header for object_id in WMV_ENCRYPTION)
    if head[:4] == EBML.to_bytes(4, "big"):
        return _matroska_is(file, size)
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp"):
        return any(_entry_needs_key(file, *entry) for entry in _sample_entries(file, size))
    return False


# -- MP4 ---------------------------------------------------------------------------------------------


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """(kind, start of the body, end) of the boxes between two places; stops at an impossible one."""
    for _ in range(MOST_BOXES):
        if start + 8 > end:
            return
        file.seek(start)
        head = file.read(16)
        length, kind, body = int.from_bytes(head[:4], "big"), head[4:8], start + 8
        if length == 1:
            length, body = int.from_bytes(head[8:16], "big"), start + 16
        if length < 8:
            return
        yield kind, body, min(end, start + length)
        start += length


def _sample_entries(file: BinaryIO, size: int) -> Iterator[tuple[bytes, int, int]]:
    places = [(0, size)]
    for depth, name in enumerate(MP4_WAY):
        places = [
            (body + (8 if depth == len(MP4_WAY) - 1 else 0), end)
            for place in places
            for kind, body, end in _boxes(file, *place)
            if kind == name
        ]
    for place in places:
        yield from _boxes(file, *place)


def _entry_needs_key(file: BinaryIO, kind: bytes, body: int, end: int) -> bool:
    """An entry may say that it could be protected and is not after all ("tenc")."""
    if kind not in PROTECTED_ENTRIES:
        return False
    file.seek(body)
    content = file.read(min(end - body, MOST_TRACKS_BYTES))
    place = content.find(b"tenc")
    return not (0 <= place < len(content) - 10 and content[place + 10] == 0)


# -- Matroska ----------------------------------------------------------------------------------------


def _number(data: bytes, at: int, *, marked: bool) -> tuple[int, int] | None:
    """(value, place behind it) of an EBML identifier, whose mark belongs to it, or of a size."""
    if at >= len(data) or not data[at]:
        return None
    length = 9 - data[at].bit_length()
    value = int.from_bytes(data[at : at + length], "big")
    return value if marked else value & ((1 << 7 * length) - 1), at + length


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(identifier, body) of the elements in a piece of memory."""
    at = 0
    while (name := _number(data, at, marked=True)) is not None:
        size = _number(data, name[1], marked=False)
        if size is None:
            return
        at = size[1] + size[0]
        yield name[0], data[size[1] : at]


def _within(data: bytes, *way: int) -> Iterator[bytes]:
    for name, body in _elements(data):
        if name == way[0]:
            if len(way) == 1:
                yield body
            else:
                yield from _within(body, *way[1:])


def _matroska_is(file: BinaryIO, size: int) -> bool:
    at = 0
    for _ in range(MOST_BOXES):
        file.seek(at)
        head = file.read(16)
        name = _number(head, 0, marked=True)
        length = None if name is None else _number(head, name[1], marked=False)
        if name is None or length is None or name[0] == CLUSTER:
            return False
        if name[0] == TRACKS:
            file.seek(at + length[1])
            tracks = file.read(min(length[0], MOST_TRACKS_BYTES))
            return any(_track_needs_key(track) for track in _within(tracks, TRACK))
        at += length[1] if name[0] == SEGMENT else length[1] + length[0]
        if at >= size:
            return False
    return False


def _track_needs_key(track: bytes) -> bool:
    is_video = any(int.from_bytes(kind, "big") == VIDEO for kind in _within(track, TRACK_TYPE))
    return is_video and any(True for _ in _within(track, ENCODINGS, ENCODING, ENCRYPTION))
