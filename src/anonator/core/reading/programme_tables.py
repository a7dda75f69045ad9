"""Reads the tables of a transport stream: which programmes there are, and where another one continues."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

SYNC = 0x47
LENGTHS = (188, 192, 204)
"""Bytes of a packet: plain, preceded by a time (M2TS of cameras and Blu-ray), or followed by a checksum."""
ENOUGH = 6
"""Packets in a row that make a transport stream of what may be chance."""
REACH = 4096
"""Bytes at the start in which the first packet must begin."""
PAT, PMT = 0, 2
VIDEO_TYPES = frozenset([0x01, 0x02, 0x10, 0x1B, 0x24, 0x33, 0x42, 0xD1, 0xD2, 0xEA])
"""Kinds of streams that are a picture of their own. Source: ISO/IEC 13818-1, table 2-34; the last five are
common use."""
VIDEO_NAMES = frozenset([b"HEVC", b"AV01", b"VVC ", b"VC-1", b"drac"])
"""Registration descriptors of video in streams of a private kind."""
PRIVATE, REGISTRATION = 0x06, 0x05
MOST_SCRAMBLED = 16
"""More such packets than this, and more than half, and the video is scrambled rather than damaged."""

Video = tuple[int, int]
"""(packet identifier, kind of stream)"""
Rows = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the packets of a transport stream are laid out in its file."""

    first: int
    """Byte at which the first packet begins."""
    length: int
    """Bytes from one packet to the next."""


def layout_of(head: bytes) -> Layout | None:
    """The layout, from the first bytes of a file; None where they are no transport stream."""
    for length in LENGTHS:
        for first in range(min(REACH, len(head))):
            found = head[first::length]
            if head[first] == SYNC and len(found) >= ENOUGH and set(found[: 4 * ENOUGH]) == {SYNC}:
                return Layout(first, length)
    return None


@dataclass(slots=True)
class ProgrammeTables:
    """Follows the tables along the packets and notices where the programme changes.

    Bytes are given to it in the file's order. It finds the place at which none of the videos announced so
    far, or not the chosen one, is announced any more, while another one is.
    """

    layout: Layout
    start: int
    """Byte of the file at which following begins."""
    chosen: Video | None = None
    """The video that is read, once it is known."""
    number: int | None = None
    """Of the programme to which it belongs."""
    change: int | None = None
    """Byte at which another programme continues in its place."""
    late_videos: bool = False
    """Another video was announced alongside the chosen one, but not right at the start."""
    scrambled: bool = False
    """The video's packets say that they are encrypted."""
    _at: int = 0
    _carry: bytes = b""
    _programmes: dict[int, int] = field(default_factory=dict)  # where each one's table is: its number
    _videos: dict[int, frozenset[Video]] = field(default_factory=dict)  # by where the table is
    _known: set[Video] = field(default_factory=set)
    _sections: dict[int, bytearray] = field(default_factory=dict)
    _seen: dict[int, bytes] = field(default_factory=dict)
    _table_at: int | None = None  # where the last list of programmes that differs began
    _last: dict[int, int] = field(default_factory=dict)  # the last number that a video's packets carry
    _counts: dict[int, list[int]] = field(default_factory=dict)  # scrambled and all packets of a video

    def __post_init__(self) -> None:
        self._at = self.start

    @property
    def reached(self) -> int:
        """Byte up to which the file has been given."""
        return self._at + len(self._carry)

    @property
    def announced(self) -> frozenset[Video]:
        """The videos of all programmes."""
        return frozenset().union(*self._videos.values())

    def programme_of(self, video: Video) -> int | None:
        """The number of the programme to which a video belongs."""
        where = next((where for where, videos in self._videos.items() if video in videos), None)
        return None if where is None else self._programmes.get(where)

    def choose(self, pid: int) -> None:
        """Take the video with this packet identifier for the one that is read."""
        self.chosen = next((video for video in self.announced if video[0] == pid), None)
        self.number = None if self.chosen is None else self.programme_of(self.chosen)
        self.late_videos = False

    def follow(self, data: bytes) -> None:
        """Take the next bytes of the file; those after a change are ignored."""
        data, length = self._carry + data, self.layout.length
        done = 0
        while self.change is None and len(data) - done >= length:
            rows = np.frombuffer(data, np.uint8, (len(data) - done) // length * length, done)
            packets = rows.reshape(-1, length)
            lost = np.flatnonzero(packets[:, 0] != SYNC)
            whole = int(lost[0]) if len(lost) else len(packets)
            self._packets(packets[:whole], self._at + done)
            done += whole * length
            if len(lost):
                done = _next_sync(data, done + 1, length)
        self._carry = data[done:]
        self._at += done

    def _packets(self, packets: Rows, start: int) -> None:
        pids = (packets[:, 1] & 0x1F).astype(np.int32) << 8 | packets[:, 2]
        number = 0
        while number < len(packets) and self.change is None:
            found = np.flatnonzero(np.isin(pids[number:], [0, *self._programmes]))
            if not len(found):
                break
            number += int(found[0])
            packet = packets[number].tobytes()[:188]
            self._table_packet(int(pids[number]), packet, start + number * self.layout.length)
            number += 1
        before = len(packets) if self.change is None else max(0, self.change - start) // self.layout.length
        self._count(packets[:before], pids[:before])

    def _count(self, packets: Rows, pids: npt.NDArray[np.int32]) -> None:
        for pid, _ in self._known if self.chosen is None else {self.chosen}:
            own = packets[(pids == pid) & (packets[:, 3] & 0x10 > 0), 3]
            if len(own):
                self._last[pid] = int(own[-1]) & 15
            counts = self._counts.setdefault(pid, [0, 0])
            counts[0] += int(np.count_nonzero(own & 0xC0))
            counts[1] += len(own)
            self.scrambled |= counts[0] > MOST_SCRAMBLED and counts[0] * 2 > counts[1]

    def endings(self, behind: bytes) -> bytes:
        """The packets after the change that complete what the earlier videos had begun."""
        length = self.layout.length
        packets = np.frombuffer(behind, np.uint8, len(behind) // length * length).reshape(-1, length)
        pids = (packets[:, 1] & 0x1F).astype(np.int32) << 8 | packets[:, 2]
        found: list[int] = []
        for pid in self._last.keys() - {pid for pid, _ in self.announced}:
            own = np.flatnonzero((pids == pid) & (packets[:, 0] == SYNC))
            begins = np.flatnonzero(packets[own, 1] & 0x40)
            own = own[: begins[0]] if len(begins) else own
            if len(own) and packets[own[0], 3] & 15 == (self._last[pid] + 1) & 15:
                found += own.tolist()
        return packets[sorted(found)].tobytes()

    def _table_packet(self, pid: int, packet: bytes, place: int) -> None:
        control = packet[3] >> 4
        body = 4 if not control & 2 else 5 + packet[4]
        payload = packet[body:] if control & 1 else b""
        if not payload:
            return
        if packet[1] & 0x40:
            payload = payload[1 + payload[0] :]
            self._sections[pid] = bytearray()
        elif pid not in self._sections:
            return
        section = self._sections[pid]
        section += payload
        size = 3 + (int.from_bytes(section[1:3], "big") & 0x0FFF) if len(section) >= 3 else None
        if size is None or len(section) < size:
            return
        content = bytes(self._sections.pop(pid)[:size])
        if content == self._seen.get(pid) or len(content) < 12 or _crc(content):
            return
        if not content[5] & 1:  # of later
            return
        self._seen[pid] = content
        if pid == 0 and content[0] == PAT:
            self._take_list(content, place)
        elif pid in self._programmes and content[0] == PMT:
            self._take_programme(pid, content)
            self._compare(place)

    def _take_list(self, content: bytes, place: int) -> None:
        entries = {
            int.from_bytes(content[i + 2 : i + 4], "big") & 0x1FFF: int.from_bytes(content[i : i + 2], "big")
            for i in range(8, len(content) - 4, 4)
        }
        entries = {where: number for where, number in entries.items() if number}
        for where in set(self._programmes.items()) - set(entries.items()):
            self._videos.pop(where[0], None)
            self._seen.pop(where[0], None)
            self._table_at = place
        self._programmes = entries

    def _take_programme(self, pid: int, content: bytes) -> None:
        videos = set()
        at, end = 12 + (int.from_bytes(content[10:12], "big") & 0x0FFF), len(content) - 4
        while at + 5 <= end:
            kind, stream = content[at], int.from_bytes(content[at + 1 : at + 3], "big") & 0x1FFF
            length = int.from_bytes(content[at + 3 : at + 5], "big") & 0x0FFF
            about = content[at + 5 : at + 5 + length]
            if kind in VIDEO_TYPES or (kind == PRIVATE and _registered(about) in VIDEO_NAMES):
                videos.add((stream, kind))
            at += 5 + length
        self._videos[pid] = frozenset(videos)

    def _compare(self, place: int) -> None:
        announced = self.announced
        mine = {self.chosen} if self.chosen is not None else self._known
        if announced and mine and not mine & announced:
            self.change = place if self._table_at is None else self._table_at
            return
        self._table_at = None
        if self.chosen is not None:
            self.late_videos |= bool(announced - self._known)
        self._known |= announced


def _next_sync(data: bytes, start: int, length: int) -> int:
    """Where packets continue: two in a row, or one near the end of what is there."""
    at = data.find(SYNC, start)
    while at >= 0:
        if at + length >= len(data) or data[at + length] == SYNC:
            return at
        at = data.find(SYNC, at + 1)
    return len(data)


def _registered(descriptors: bytes) -> bytes | None:
    for tag, body in _descriptors(descriptors):
        if tag == REGISTRATION:
            return body[:4]
    return None


def _descriptors(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + 2 <= len(data):
        yield data[at], data[at + 2 : at + 2 + data[at + 1]]
        at += 2 + data[at + 1]


def _crc(section: bytes) -> int:
    """Zero if the section's checksum holds. Source: ISO/IEC 13818-1, annex A."""
    value = 0xFFFFFFFF
    for byte in section:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ 0x04C11DB7 if value & 0x80000000 else value << 1) & 0xFFFFFFFF
    return value
