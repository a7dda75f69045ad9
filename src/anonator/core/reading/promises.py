"""What a file's header says about its video; any single figure is often wrong."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import av

from anonator.core.reading.opening import OpenedVideo


@dataclass(frozen=True, slots=True)
class Promises:
    """What the header says is there."""

    frames: int | None
    """None if it does not say."""
    packets: int
    """Frames without those that an edit list cuts off; 0 if it does not say."""
    seconds: Fraction | None
    """How long the video is, or None if it does not say."""
    is_cut: bool
    """The file is shorter than its outer structure says."""

    @classmethod
    def of(cls, video: OpenedVideo) -> Promises:
        """Read them from a file that was just opened."""
        stream, container = video.stream, video.container
        frames = stream.frames or None
        packets = frames or 0
        if "mp4" in container.format.name and stream.index_entries:
            packets = min(packets, len(stream.index_entries))
        seconds = None
        if stream.duration:
            seconds = stream.duration * video.time_base
        elif container.duration:
            seconds = Fraction(container.duration, av.time_base)
        is_cut = video.promised_size is not None and video.promised_size > video.file_size
        return cls(frames, packets, seconds, is_cut)

    def exceed(self, packets: int, seconds: Fraction) -> bool:
        """Whether more frames and more time were promised than came.

        Args:
            packets: that came.
            seconds: that they cover.
        """
        if not self.packets or not self.seconds or packets >= self.packets:
            return False
        return self.seconds - seconds > self.seconds / self.packets / 2
