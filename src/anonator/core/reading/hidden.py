"""Tells from the first bits of a packet whether any of its pictures is meant to be shown."""

from __future__ import annotations

from anonator.core.reading.av_types import Packet

_AV1_HEADER, _AV1_FRAME = 3, 6


def shows_nothing(codec: str, packet: Packet) -> bool:
    """Whether a packet holds only pictures that others are built on, as streams split by some programs do.

    Args:
        codec: name of the decoder; of those that make one picture of each packet, VP9's and AV1's know such.
        packet: not empty.
    """
    if codec == "vp9":
        return _vp9_shows_nothing(memoryview(packet))
    if codec in ("av1", "libdav1d"):
        return _av1_shows_nothing(memoryview(packet))
    return False


def _vp9_shows_nothing(data: memoryview) -> bool:
    """Read the headers of all frames. Source: VP9 bitstream specification 0.6, 6.1, 6.2 and annex B."""
    return not any(_vp9_is_shown(data[start]) for start in _vp9_frames(data))


def _vp9_frames(data: memoryview) -> list[int]:
    """Where the frames of a packet begin: a table at its end says so if there is more than one."""
    last = data[-1]
    count, width = (last & 7) + 1, (last >> 3 & 3) + 1
    table = len(data) - 2 - count * width
    if last >> 5 != 0b110 or table < 0 or data[table] != last:
        return [0]
    starts, at = [], 0
    for place in range(table + 1, len(data) - 1, width):
        size = int.from_bytes(data[place : place + width], "little")
        if size and at < table:
            starts.append(at)
        at += size
    return starts


def _vp9_is_shown(first: int) -> bool:
    # marker (2 bits), profile (2, and a reserved one in profile 3), "show existing", kind, "show"
    if first >> 6 != 0b10:
        return True  # no frame at all: the decoder will say so
    spare = 3 - (first >> 4 & 3 == 3)
    return bool(first >> spare & 1 or first >> (spare - 2) & 1)


def _av1_shows_nothing(data: memoryview) -> bool:
    """Read the headers of all frames. Source: AV1 bitstream specification 1.0.0, 5.3 and 5.9.2."""
    at, hidden = 0, False
    while at < len(data):
        head = data[at]
        kind = head >> 3 & 15
        at += 2 if head & 4 else 1  # an extension byte
        size, shift = len(data) - at, 0
        if head & 2:
            size = 0
            while at < len(data):
                part = data[at]
                size |= (part & 127) << shift
                at, shift = at + 1, shift + 7
                if part < 128 or shift > 56:
                    break
        if kind in (_AV1_HEADER, _AV1_FRAME) and at < len(data):
            # "show existing" (1 bit), kind (2), "show" (1)
            if data[at] & 0b1001_0000:
                return False
            hidden = True
        at += size
    return hidden
