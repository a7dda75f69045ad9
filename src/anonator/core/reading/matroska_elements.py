"""The elements of a Matroska file: their names in bytes, how their heads are read, what a track is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

EBML, SEGMENT, CLUSTER, GROUP = 0x1A45DFA3, 0x18538067, 0x1F43B675, 0xA0
INFO, TRACKS, CUES, VOID = 0x1549A966, 0x1654AE6B, 0x1C53BB6B, 0xEC
CHECKSUM = 0xBF
"""CRC-32 of what follows it. Source: RFC 8794, section 11.3.1."""
SIMPLE_BLOCK, BLOCK = 0xA3, 0xA1
"""The only places where FFmpeg finds packets; the second within a group."""
TOP = frozenset([EBML, SEGMENT, VOID])
IN_SEGMENT = frozenset(
    [CLUSTER, 0x114D9B74, INFO, TRACKS, CUES, 0x1941A469, 0x1043A770, 0x1254C367, 0x1B538667, VOID,
     CHECKSUM]
)  # fmt: skip
"""Seek head, info, tracks, cues, attachments, chapters, tags, signature, void, checksum. Source: RFC 9559."""
IN_CLUSTER = frozenset([0xE7, 0x5854, 0xA7, 0xAB, SIMPLE_BLOCK, GROUP, 0xAF, VOID, CHECKSUM])
"""Time, silent tracks, position, previous size, blocks, void and checksum."""
IN_GROUP = frozenset(
    [BLOCK, 0x75A1, 0x9B, 0xFA, 0xFB, 0xFD, 0xA4, 0x75A2, 0xA2, 0x8E, 0xC8, 0xAF, VOID, CHECKSUM]
)
"""The block, what is added to it, its duration, priority, references, codec state, padding, and old kinds."""

TRACK, ENCODINGS = 0xAE, 0x6D80
_NUMBER, _CODEC, _PRIVATE, _SCALE, _TYPE, _VIDEO = 0xD7, 0x86, 0x63A2, 0x2AD7B1, 0x83, 1
_SAY_ALL_THEMSELVES = frozenset([b"V_VP8", b"V_VP9"])
"""Codecs whose key frames hold all that a decoder needs; what the track says of them may differ."""
MOST_READ = 1 << 24
"""Bytes of a description of tracks that are looked at."""

MOST_WALKED = 10_000
"""Elements in front of the description of tracks."""
FARTHEST = 1 << 43
"""No video reaches so far, but damaged sizes do, farther than file systems go."""

Element = tuple[int, int, int | None]
"""(identifier, start of the body, size of the body or None if that is left open)"""


def element_at(file: BinaryIO, start: int) -> Element | None:
    """The element whose head begins at a byte of a file, or None if there is none."""
    if start >= FARTHEST:
        return None
    file.seek(start)
    found = _element(file.read(12), 0)
    return None if found is None else (found[0], start + found[1], found[2])


def _element(data: bytes, start: int) -> Element | None:
    head = data[start : start + 12]
    id_length = 9 - head[0].bit_length() if head and head[0] else 9
    if id_length > 4 or len(head) <= id_length or not head[id_length]:
        return None
    size_length = 9 - head[id_length].bit_length()
    body = id_length + size_length
    if len(head) < body:
        return None
    size = int.from_bytes(head[id_length:body], "big") & ((1 << 7 * size_length) - 1)
    unknown = size == (1 << 7 * size_length) - 1
    return int.from_bytes(head[:id_length], "big"), start + body, None if unknown else size


def is_foreign(file: BinaryIO, element: Element) -> bool:
    """Whether an unknown element may be one of a later standard, to be passed over, and no damaged cluster.

    All identifiers of one byte are given away already.
    """
    kind, body, size = element
    if kind < 0x4000 or size is None:
        return False
    first = element_at(file, body)
    return first is None or first[0] not in IN_CLUSTER


def block_of(file: BinaryIO, body: int, size: int) -> tuple[int, bool] | None:
    """The track of a block and whether there is any data in it, or None if that cannot be read."""
    file.seek(body)
    head = file.read(min(size, 8))
    if not head or not head[0]:
        return None
    length = 9 - head[0].bit_length()
    if len(head) < length:
        return None
    # after the track's number: the time and the flags
    return _number(head[:length]), size > length + 3


def _number(data: bytes) -> int:
    return int.from_bytes(data, "big") & ((1 << 7 * len(data)) - 1)


def children(data: bytes) -> Iterator[tuple[int, bytes]]:
    """(identifier, body) of the elements in a piece of memory."""
    at = 0
    while at < len(data) and (found := _element(data, at)) is not None:
        kind, body, size = found
        if size is None:
            return
        at = body + size
        yield kind, data[body:at]


def scale_of(info: bytes) -> int:
    """Nanoseconds in a unit of time, as a segment's info says."""
    return next((int.from_bytes(body, "big") for kind, body in children(info) if kind == _SCALE), 1_000_000)


def tracks_of(tracks: bytes) -> dict[int, tuple[bytes, ...]]:
    """What a decoder must know of each track, by the track's number."""
    found: dict[int, tuple[bytes, ...]] = {}
    for kind, track in children(tracks):
        if kind == TRACK:
            parts = dict(children(track))
            codec = parts.get(_CODEC, b"").rstrip(b"\0")
            private = b"" if codec in _SAY_ALL_THEMSELVES else parts.get(_PRIVATE, b"")
            number = int.from_bytes(parts.get(_NUMBER, b""), "big")
            found[number] = (codec, private, parts.get(ENCODINGS, b""))
    return found


def video_tracks(file: BinaryIO) -> Iterator[bytes]:
    """What the file says of each of its video tracks in front of the first picture."""
    at = 0
    for _ in range(MOST_WALKED):
        element = element_at(file, at)
        if element is None or element[0] == CLUSTER or (element[2] is None and element[0] != SEGMENT):
            return
        kind, body, size = element
        if kind == TRACKS and size is not None:
            file.seek(body)
            for name, track in children(file.read(min(size, MOST_READ))):
                if name == TRACK and any(
                    part == _TYPE and int.from_bytes(value, "big") == _VIDEO
                    for part, value in children(track)
                ):
                    yield track
            return
        at = body if kind == SEGMENT else body + (size or 0)
