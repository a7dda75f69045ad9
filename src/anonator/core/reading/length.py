"""What the outer structure of a video file says about its length in bytes: tells whether it was cut off."""

from __future__ import annotations

from typing import BinaryIO

from anonator.core.reading.mp4_boxes import BEGINNINGS, boxes
from anonator.core.reading.other_lengths import hides_another, other_promised_bytes

AVI_SLACK = 4096
"""AVI writers are careless about their own length by less than this."""


def promised_bytes(file: BinaryIO, size: int) -> int | None:
    """The length that the outer structure of a file says it has, or None.

    Args:
        file: open for reading, anywhere.
        size: what the file system says.
    """
    file.seek(0)
    head = file.read(12)
    if head[:4] == b"RIFF":
        movie = _avi_movie_end(file, size)
        stated = int.from_bytes(head[4:8], "little") + 8 if movie is None else movie
        return stated - AVI_SLACK if AVI_SLACK < stated < 2**32 else None
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return _matroska_bytes(file, size)
    if head[4:8] in BEGINNINGS:
        return _mp4_bytes(file, size)
    return other_promised_bytes(file, size, head)


def _avi_movie_end(file: BinaryIO, size: int) -> int | None:
    """Where the pictures and sounds of an AVI file end, as it says; what follows isn't needed."""
    position = 12
    while position + 12 <= size:
        file.seek(position)
        head = file.read(12)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] == b"LIST" and head[8:] == b"movi":
            return position + 8 + length if 4 < length < 2**32 - 1 else None
        position += 8 + length + length % 2
    return None


def hides_another_video(file: BinaryIO, size: int) -> bool:
    """Whether another file of the kind follows the first in the same file, as after simple joining."""
    file.seek(4)
    if file.read(4) not in BEGINNINGS:
        return hides_another(file, size)
    kinds = [box.kind for box in boxes(file, 0, size) if box.end <= size]
    return kinds.count(b"ftyp") > 1 and kinds.count(b"moov") > 1


def _vint(file: BinaryIO) -> int | None:
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0xFF >> length)]) + file.read(length - 1), "big")
    return None if value == (1 << 7 * length) - 1 else value  # all ones: a length that is not known


def _matroska_bytes(file: BinaryIO, size: int) -> int | None:
    file.seek(4)
    header = _vint(file)
    if header is None or header > size:
        return None
    file.seek(header, 1)
    if file.read(4) != b"\x18\x53\x80\x67":
        return None
    segment = _vint(file)
    return None if segment is None else file.tell() + segment


def _mp4_bytes(file: BinaryIO, size: int) -> int | None:
    ends = [box.end for box in boxes(file, 0, size) if box.kind in (b"mdat", b"moov", b"moof")]
    return ends[-1] if ends else None


def only_data_runs_over(file: BinaryIO, size: int) -> bool:
    """Whether an MP4 file has its table of contents, and only the last box of data says more than there is.

    Some cameras and programs write a size that is too large; the table tells whether samples are missing.
    """
    file.seek(4)
    if file.read(4) not in BEGINNINGS:
        return False
    outer = list(boxes(file, 0, size))
    kinds = {box.kind for box in outer if box.end <= size}
    return bool(outer) and outer[-1].kind == b"mdat" and outer[-1].end > size and b"moov" in kinds
