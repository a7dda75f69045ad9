"""How long each frame of the result is shown, which MP4 stores for every packet."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterator

from anonator.core.reading.av_types import Packet
from anonator.core.reading.info import VideoInfo
from anonator.errors import OutputError

FASTEST_CLOCK = 10_000_000
"""Ticks per second at most: MP4 counts the time between two frames in 32 bits."""
SLOWEST_CLOCK = 10_000
"""FFmpeg's own lower bound for MP4; coarser clocks are multiplied, which changes no time."""


class FrameLengths:
    """Holds the encoder's packets back, in its order, until it is known how long their frames are shown."""

    def __init__(self, info: VideoInfo) -> None:
        """Take the description of the frames that will come."""
        self.pts: array[int] = array("q")
        """Times of all frames, in units of the video's time base."""
        self.clock = clock_rate(info)
        """Ticks per second in the file."""
        self._info = info
        self._own = 0  # what the input says of the last frame's length, or 0
        self._waiting: deque[Packet] = deque()
        self._lengths: dict[int, int] = {}
        self._first_dts: int | None = None
        self._last_dts = 0

    @property
    def owes(self) -> bool:
        """Whether a packet waits for its frame, or a frame for its packet."""
        return bool(self._waiting or self._lengths)

    def enter(self, pts: int, length: int) -> None:
        """Note the next frame's time, and how long the input shows it, or 0."""
        if self.pts:
            self._lengths[self.pts[-1]] = pts - self.pts[-1]
        self.pts.append(pts)
        self._own = length

    def end(self) -> None:
        """Say that no frame comes any more."""
        self._lengths[self.pts[-1]] = self._final()

    def add(self, packet: Packet) -> None:
        """Take the next packet in the encoder's order."""
        self._waiting.append(packet)

    def ready(self, *, last: bool) -> Iterator[Packet]:
        """The packets that can be written now; last says that no others come.

        Raises:
            OutputError: two frames are further apart than the file can hold.
        """
        while self._waiting and self._waiting[0].pts in self._lengths:
            packet = self._waiting.popleft()
            pts, dts = packet.pts, packet.dts
            assert pts is not None and dts is not None
            length = self._lengths.pop(pts)
            if self._first_dts is None:
                self._first_dts = self._last_dts = dts
            self._check_gap(max(dts - self._last_dts, pts - dts, length))
            self._last_dts = dts
            if last and not self._waiting:
                # MP4 adds up durations in decoding order; the sum must be the length that is shown
                shown = self.pts[-1] + self._final() - self.pts[0]
                length = max(length, shown - (dts - self._first_dts))
            packet.duration = length
            yield packet

    def _check_gap(self, ticks: int) -> None:
        """MP4 holds differences of times in 31 bits; FFmpeg checks only some of them."""
        if ticks * self._info.time_base * self.clock >= 1 << 31:
            raise OutputError(
                "Two frames of the video are many hours apart, which an MP4 file cannot hold. "
                "Cut the video there first."
            )

    def _final(self) -> int:
        """How long the last frame lasts: what the input said, else as long as the one before."""
        if self._own > 0:
            return self._own
        if len(self.pts) > 1:
            return self.pts[-1] - self.pts[-2]
        return max(1, round(1 / self._info.average_rate / self._info.time_base))


def clock_rate(info: VideoInfo) -> int:
    """Ticks per second in which all times are whole numbers, if MP4 can count so fast."""
    scale = info.time_base.denominator
    while scale < SLOWEST_CLOCK:
        scale *= 2
    return min(scale, FASTEST_CLOCK)
