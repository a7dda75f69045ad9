"""Checks in a transport stream whether a picture that FFmpeg suspects is complete, as before a join."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

SYNC, LONGEST = 0x47, 1 << 24
"""First byte of each transport packet; bytes in which the end of a picture is looked for."""
MOST_PICTURES = 2
"""FFmpeg's suspicion reaches the picture before the one that it means."""
SIZES = ((188, 0), (192, 4), (204, 0))
"""Bytes from one transport packet to the next, and those in front of each. Source: ISO 13818-1, BDAV, DVB."""


def is_whole(path: Path, start: int | None, data: bytes) -> bool:
    """Whether a picture that FFmpeg suspects, and the one after it, are there up to where a recording begins.

    It suspects those before a join, because the count of transport packets starts again there. They are
    whole if the counts go on up to there, if the last packet before was filled up, which is done only at
    the end of a picture, and if the tables with which recordings begin come next.

    Args:
        start: byte at which FFmpeg found it.
        data: as FFmpeg put it together.
    """
    if start is None:
        return False
    with open(path, "rb") as file:
        for length, front in SIZES:
            file.seek(start + front)
            if file.read(length + 1)[::length] == bytes([SYNC, SYNC]):
                file.seek(start + front)
                return _is_whole(_packets(file, length), data)
    return False


def _packets(file: BinaryIO, length: int) -> Iterator[bytes]:
    while packet := file.read(length):
        yield packet[:188]


def _is_whole(packets: Iterator[bytes], data: bytes) -> bool:
    own, count, filled, tables, pictures = -1, -1, False, False, 0
    payload = bytearray()
    for packet in packets:
        # the last bit is the mark of damage in transmission
        if len(packet) < 188 or packet[0] != SYNC or packet[1] & 0x80 or len(payload) > LONGEST:
            return False
        pid, begins = int.from_bytes(packet[1:3], "big") & 0x1FFF, bool(packet[1] & 0x40)
        own = pid if own < 0 else own
        tables |= pid == 0
        if pid != own or not packet[3] & 0x10:
            continue
        if begins:
            pictures += 1
            if pictures == 2 and _contents(payload) != data:
                return False
        if count >= 0 and packet[3] & 15 != (count + 1) & 15:
            return begins and filled and tables
        if not 1 <= pictures <= MOST_PICTURES:
            return False
        count, tables = packet[3] & 15, False
        extra = 1 + packet[4] if packet[3] & 0x20 else 0
        filled = bool(extra) and _is_filled(packet[4:])
        payload += packet[4 + extra :]
    return False


def _is_filled(field: bytes) -> bool:
    """Whether an adaptation field is longer than what it says: the rest only fills the packet up."""
    if not field[0]:
        return True
    flags = field[1]
    needed = 1 + 6 * bool(flags & 0x10) + 6 * bool(flags & 0x08) + bool(flags & 0x04)
    if flags & 0x02:
        needed += 1 + field[min(1 + needed, len(field) - 1)]
    if flags & 0x01:
        needed += 1 + field[min(1 + needed, len(field) - 1)]
    return field[0] > needed


def _contents(packet: bytearray) -> bytes:
    return bytes(packet[9 + packet[8] :]) if len(packet) > 9 else b""
