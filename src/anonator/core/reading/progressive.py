"""Makes decoded pictures progressive: each shows one moment, whether the video is interlaced or not."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction

from av import VideoFrame

from anonator.core.pictures.deinterlacing import Deinterlacer
from anonator.core.reading.numbered_packets import Lost


class Progressive:
    """Deinterlaces from the first interlaced picture on, and leaves all before it as they are."""

    def __init__(self, time_base: Fraction) -> None:
        """Set it up for pictures whose times have this unit, in seconds."""
        self._time_base = time_base
        self.deinterlaced = False
        """Whether any picture was interlaced so far."""

    def pictures(self, decoded: Iterable[VideoFrame | Lost]) -> Iterator[VideoFrame | Lost]:
        """The pictures, in order; what was lost stays where it was."""
        deinterlacer: Deinterlacer | None = None
        for picture in decoded:
            if isinstance(picture, Lost):
                if deinterlacer is not None:  # black must not mix with its neighbours
                    yield from deinterlacer.finish()
                yield picture
                continue
            if deinterlacer is None and not picture.interlaced_frame:
                yield picture
                continue
            deinterlacer = deinterlacer or Deinterlacer(self._time_base)
            self.deinterlaced = True
            yield from deinterlacer.push(picture)
        if deinterlacer is not None:
            yield from deinterlacer.finish()
