"""Looks into H.264, HEVC and MPEG packets: what they are made of, and whether a picture can come of them."""

from __future__ import annotations

from collections.abc import Iterator

import av

from anonator.core.reading.av_types import Packet
from anonator.core.reading.parameter_sets import fingerprint

MOST_KEPT = 1 << 16
"""Bytes of packets without a picture that are put in front of the next one; older ones are left out."""
_PARAMETERS = {"h264": frozenset([7, 8]), "hevc": frozenset([32, 33, 34])}
_NOTES = {"h264": frozenset([6]), "hevc": frozenset([39, 40])}
_MARKS = {"h264": frozenset([9, 10, 11]), "hevc": frozenset([35, 36, 37])}
_MPEG = ("mpeg1video", "mpeg2video")
_FILLING = {"h264": 12, "hevc": 38}
"""Kinds of units without a picture. Source: ITU-T H.264, table 7-1; H.265, table 7-1."""
_LEADING, _BROKEN_LINK, _CLEAN, _END = (8, 9), (16, 17, 18), 21, (36, 37)
"""Kinds of HEVC units."""


class NalUnits:
    """Follows the packets of one stream, in order of decoding; of other codecs it says nothing.

    Some cameras store parameters in packets of their own, and decoders complain that these hold no picture;
    so they are put in front of the next packet. Where HEVC recordings were joined, decoders leave out the
    pictures that are shown before the first whole one, for they depend on what was cut off; no player
    shows them. Source: ITU-T H.265, 8.1.3. An MPEG decoder that meets another size forgets the last picture
    of the size before, which it still holds; so it must give that one out first.
    """

    def __init__(self, codec: str, parameters: bytes | None) -> None:
        """Take the name of the decoder and the stream's header data, which says how packets are divided."""
        self._codec = codec
        self._is_hevc = codec == "hevc"
        # in some files each unit has its size in front, otherwise a mark
        place = 21 if self._is_hevc else 4
        self._parameters = head = parameters or b""
        self._width = (head[place] & 3) + 1 if len(head) > place and head[0] == 1 else 0
        self._kept = b""
        self._has_ended = self._cut = self._begun = False
        self._sequence = b""
        self.has_key = False
        """The kept units say that a key frame follows."""
        self.begins_anew = False
        """The packet entered last is the first one of a recording that was joined on."""
        self.is_cut_off = False
        """Nobody can decode its picture."""

    def enter(self, packet: Packet) -> None:
        """Look at a packet; to be called for all, in order."""
        self.begins_anew = self.is_cut_off = False
        if self._codec in _MPEG and packet.is_keyframe:
            sequence = fingerprint(self._codec, bytes(packet), b"") or self._sequence
            self.begins_anew = self._sequence not in (b"", sequence)
            self._sequence = sequence
        if not self._is_hevc:
            return
        for kind, _ in self._units(bytes(packet)):
            if kind in _END:
                self._has_ended = True
            elif 16 <= kind <= 23:
                self._cut = kind in _BROKEN_LINK or (kind == _CLEAN and self._has_ended)
                self.begins_anew |= self._begun and (self._cut or self._has_ended)
                self._has_ended, self._begun = False, True
            elif kind < 16:
                self.is_cut_off |= self._cut and kind in _LEADING

    def keeps(self, packet: Packet) -> bool:
        """Whether a packet holds no picture, and is kept for the next one."""
        if self._codec not in _PARAMETERS:
            return False
        data, found = bytes(packet), set()
        for kind, unit in self._units(data):
            if not self._is_head(kind, unit):
                return False
            found.add(kind if unit not in self._parameters else -1)
        new = found & _PARAMETERS[self._codec]
        # a damaged picture may look like one kind of parameters, but not like those of a new recording
        if not found or len(new) == 1:
            return False
        self._kept = data if len(self._kept) > MOST_KEPT else self._kept + data
        self.has_key |= packet.is_keyframe
        return True

    def _is_head(self, kind: int, unit: bytes) -> bool:
        body = unit[2:] if self._is_hevc else unit[1:]
        if kind in _MARKS[self._codec]:
            return len(body) <= 1
        if kind == _FILLING[self._codec]:
            return not body.rstrip(b"\0").removesuffix(b"\x80").strip(b"\xff")
        return kind in _PARAMETERS[self._codec] or (kind in _NOTES[self._codec] and _is_note(body))

    def completed(self, packet: Packet) -> Packet:
        """The packet with what was kept in front of it."""
        if not self._kept:
            return packet
        data = self._kept + bytes(packet)
        # not Packet(bytes): see unhidden
        whole = av.Packet(len(data))
        whole.update(data)
        whole.pts, whole.dts, whole.time_base = packet.pts, packet.dts, packet.time_base
        whole.is_keyframe = packet.is_keyframe or self.has_key
        self._kept, self.has_key = b"", False
        return whole

    def _units(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        """(kind, bytes) of all units; -1 for what isn't one."""
        at = 0
        while self._width and at < len(data):
            start = at + self._width
            size = int.from_bytes(data[at:start], "big")
            at = start + size
            if start >= len(data) or at > len(data) or not size:
                yield -1, b""
                return
            yield self._kind(data[start]), data[start:at]
        if not self._width:
            at = data.find(b"\0\0\1")
            if at < 0 or data[:at].strip(b"\0"):
                yield -1, b""
            while 0 <= at < len(data) - 3:
                after = data.find(b"\0\0\1", at + 3)
                unit = data[at + 3 : after if after >= 0 else len(data)]
                yield self._kind(data[at + 3]), unit.rstrip(b"\0")
                at = after

    def _kind(self, first: int) -> int:
        return first >> 1 & 63 if self._is_hevc else first & 31


def _is_note(body: bytes) -> bool:
    """Whether a unit is made of messages that state their sizes correctly, and ends as such units do."""
    # bytes that keep a mark from appearing by chance are not counted
    data, at = body.replace(b"\0\0\3", b"\0\0"), 0
    while at < len(data) - 1:
        for _ in ("kind", "size"):
            value = 0
            while at < len(data) - 1:
                value += data[at]
                at += 1
                if data[at - 1] != 0xFF:
                    break
        at += value
    return at == len(data) - 1 and data[at] == 0x80
