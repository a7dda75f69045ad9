"""What WMV, FLV, MXF, GIF and DV files say about their length in bytes."""

from __future__ import annotations

from typing import BinaryIO

from anonator.core.reading.recognition import gif_pictures

ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
ASF_DATA = bytes.fromhex("3626b2758e66cf11a6d900aa0062ce6c")
ASF_FILE = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
"""Objects of a WMV file. Source: ASF specification, sections 3.1, 3.2 and 5.1."""
BROADCAST = 1
FLV_TAGS = (8, 9, 18)
"""Sound, picture and words."""
MXF_PARTITION = bytes.fromhex("060e2b34020501010d01020101")
"""Source: SMPTE 377-1, section 7.1."""
RUN_IN = 1 << 16
DV_FRAMES = (120_000, 144_000)
"""Bytes of a frame of 525 and of 625 lines; formats of more bytes have a multiple."""
DV_HEAD = b"\x1f\x07\0"


def other_promised_bytes(file: BinaryIO, size: int, head: bytes) -> int | None:
    """The length that such a file says it has, or None.

    Args:
        file: open for reading, anywhere.
        size: what the file system says.
        head: its first twelve bytes.
    """
    if head == ASF_HEADER[:12]:
        return _asf_bytes(file, size)
    if head[:3] == b"FLV":
        return _flv_bytes(file, size)
    if head[:3] == b"GIF":
        return size + 1 if gif_pictures(file, most=size) is None else size
    if head[:3] == DV_HEAD:
        return _dv_bytes(file, size, head)
    return _mxf_bytes(file)


def _asf_bytes(file: BinaryIO, size: int) -> int | None:
    file.seek(16)
    header_size = min(int.from_bytes(file.read(8), "little"), size)
    file.seek(0)
    header = file.read(min(header_size, 1 << 20))
    place = header.find(ASF_FILE)
    flags = header[place + 88 : place + 92]
    file.seek(header_size)
    data = file.read(24)
    if place < 0 or len(flags) < 4 or flags[0] & BROADCAST or data[:16] != ASF_DATA:
        return None
    return header_size + int.from_bytes(data[16:], "little")


def hides_another(file: BinaryIO, size: int) -> bool:
    """Whether another WMV or IVF file follows the first in the same file, as after joining by simple
    copying."""
    file.seek(0)
    head = file.read(16)
    if head != ASF_HEADER and head[:4] != b"DKIF":
        return False
    magic = ASF_HEADER if head == ASF_HEADER else b"DKIF"
    place = 0 if magic == ASF_HEADER else int.from_bytes(head[6:8], "little")
    while place < size:
        file.seek(place)
        head = file.read(24)
        if place and head.startswith(magic):
            return True
        if magic == ASF_HEADER:
            length = int.from_bytes(head[16:24], "little")
        else:
            length = 12 + int.from_bytes(head[:4], "little")
        if len(head) < 24 or length < 12:
            return False
        place += length
    return False


def _flv_bytes(file: BinaryIO, size: int) -> int | None:
    """Where the last tag ends; a file whose last bytes fit together is not gone through."""
    file.seek(max(0, size - 4))
    last = int.from_bytes(file.read(4), "big")
    if 11 <= last <= size - 4:
        file.seek(size - 4 - last)
        head = file.read(4)
        if head[0] in FLV_TAGS and int.from_bytes(head[1:], "big") == last - 11:
            return size
    return max(place for place, _ in flv_tags(file))


def flv_tags(file: BinaryIO) -> list[tuple[int, bytes]]:
    """Of every tag: where it ends, and the first bytes of its body if that is a picture.

    Source: Adobe Flash Video File Format Specification, annex E.
    """
    file.seek(5)
    place = int.from_bytes(file.read(4), "big") + 4
    tags = [(place, b"")]
    while True:
        file.seek(place)
        head = file.read(16)
        if len(head) < 11 or head[0] & 0x1F not in FLV_TAGS or head[8:11] != bytes(3):
            return tags
        length = int.from_bytes(head[1:4], "big")
        place += 15 + length
        tags.append((place, head[11:16] if head[0] & 0x1F == 9 and length > 5 else b""))


def _dv_bytes(file: BinaryIO, size: int, head: bytes) -> int | None:
    frame = DV_FRAMES[head[3] >> 7]
    rest = size % frame
    file.seek(size - rest)
    return size - rest + frame if file.read(3) == DV_HEAD else size


def _mxf_bytes(file: BinaryIO) -> int | None:
    file.seek(0)
    head = file.read(RUN_IN)
    place = head.find(MXF_PARTITION)
    if place < 0 or place + 20 > len(head):
        return None
    length = head[place + 16]
    value = place + 17 + (length & 0x7F if length & 0x80 else 0)
    footer = int.from_bytes(head[value + 24 : value + 32], "big")
    return place + footer if footer else None
