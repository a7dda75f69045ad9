"""Tells from the first bits of a packet whether any of its pictures is meant to be shown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_AV1_HEADER, _AV1_FRAME = 3, 6


def shows_nothing(codec: str, packet: Any) -> bool:
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
    """Look at the heads of all frames. Source: VP9 bitstream specification 0.6, 6.1, 6.2 and annex B."""
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
    """Look at the heads of all frames. Source: AV1 bitstream specification 1.0.0, 5.3 and 5.9.2."""
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


class HevcSplices:
    """Tells which HEVC packets depend on what was cut off where recordings were joined.

    Decoders leave out the pictures that follow such a place and are shown before its first whole one;
    so no player shows them. Source: ITU-T H.265, 8.1.3.
    """

    _LEADING, _BROKEN_LINK, _CLEAN, _END = (8, 9), (16, 17, 18), 21, (36, 37)

    def __init__(self, parameters: bytes | None) -> None:
        """Take the stream's header data, which says how packets are divided."""
        # in an MP4 file each part of a packet has its size in front, otherwise a mark
        head = parameters or b""
        self._width = (head[21] & 3) + 1 if len(head) > 22 and head[0] == 1 else 0
        self._has_ended = self._cut = self._begun = False
        self.begins_anew = False
        """The packet asked of last is the first one of a recording that was joined on."""

    def is_cut_off(self, packet: Any) -> bool:
        """Whether this packet's picture cannot be decoded by anybody; to be asked of all, in order."""
        cut = self.begins_anew = False
        for kind in self._kinds(bytes(packet)):
            if kind in self._END:
                self._has_ended = True
            elif 16 <= kind <= 23:
                self._cut = kind in self._BROKEN_LINK or (kind == self._CLEAN and self._has_ended)
                self.begins_anew |= self._begun and (self._cut or self._has_ended)
                self._has_ended = False
                self._begun = True
            elif kind < 16:
                cut |= self._cut and kind in self._LEADING
        return cut

    def _kinds(self, data: bytes) -> Iterator[int]:
        at = 0
        while self._width and at + self._width < len(data):
            size = int.from_bytes(data[at : at + self._width], "big")
            yield data[at + self._width] >> 1 & 63
            at += self._width + size
        while not self._width and 0 <= (at := data.find(b"\0\0\1", at)) < len(data) - 3:
            yield data[at + 3] >> 1 & 63
            at += 3
