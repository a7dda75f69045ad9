"""Remembers packets by the number under which each goes through the decoder, and what is lost with each."""

from __future__ import annotations

from dataclasses import dataclass

from anonator.core.reading.av_types import Packet
from anonator.core.reading.leading_pictures import LONGEST_DELAY


@dataclass(frozen=True, slots=True)
class Lost:
    """A frame that the input has and that cannot be decoded, or not be trusted."""

    pts: int | None
    """Its presentation time in the stream's time base, or None if the file does not say."""
    duration: int
    """In the stream's time base; 0 if the file does not say."""


UNKNOWN = Lost(None, 0)
"""The frame of a packet that came too long ago."""


def is_before(pts: int | None, other: int | None) -> bool:
    """Whether a time is known to be before another one."""
    return pts is not None and other is not None and pts < other


class NumberedPackets:
    """The packets of a stream in order of decoding, numbered from 0; old ones are forgotten."""

    def __init__(self) -> None:
        self.count = 0
        """How many there were."""
        self.keys: set[int] = set()
        """Packets of key frames."""
        self.hidden: set[int] = set()
        """Packets whose pictures an edit list hides."""
        self.missed: set[int] = set()
        """Packets whose picture was given up before it came."""
        self._frames: dict[int, Lost] = {}
        self._seams: set[int] = set()  # packets at which the decoding time jumps back
        self._last_dts: int | None = None

    def enter(self, packet: Packet) -> int:
        """Give a packet its number."""
        number = self.count
        self.count += 1
        self._frames[number] = Lost(packet.pts, packet.duration or 0)
        self._forget(number - 4 * LONGEST_DELAY)
        if is_before(packet.dts, self._last_dts):
            self._seams.add(number)
        self._last_dts = packet.dts
        if packet.is_discard:
            self.hidden.add(number)
        return number

    def frame(self, number: int | None) -> Lost:
        """What is lost if the packet of that number is."""
        return UNKNOWN if number is None else self._frames.get(number, UNKNOWN)

    def recording_goes_on_to(self, number: int) -> int:
        """The next key frame or jump back after a packet; another recording may be joined on from there."""
        return min((later for later in self.keys | self._seams if later > number), default=self.count)

    def _forget(self, number: int) -> None:
        self._frames.pop(number, None)
        for kept in (self.keys, self._seams, self.hidden, self.missed):
            kept.discard(number)
