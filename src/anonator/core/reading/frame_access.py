"""Delivers the frames of a video from any one on, each exactly as a job gets it; for reviews."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from anonator.core.frames import Frame
from anonator.core.reading.canvas import find_canvas
from anonator.core.reading.reader import VideoReader
from anonator.core.reading.seeking import Hole, Late, SeekingReader
from anonator.errors import InputError

log = logging.getLogger(__name__)

CHANGED = "This isn't the video that was analyzed, or it has been changed since."
MOST_SEEKS = 6
"""Seeks that may land too late before the video is read from its beginning."""


class FrameAccess:
    """One video, read from wherever it is wanted; for one thread at a time.

    A frame is known by its presentation time, never by what a seek promised. Where the times in the file
    can't be trusted, the video is read from its beginning, as the job did: slow, but never a wrong frame.
    """

    def __init__(
        self,
        path: Path,
        pts: Sequence[int],
        size: tuple[int, int],
        damaged_limit: int = 0,
        tick: Callable[[], None] = lambda: None,
    ) -> None:
        """Open the video.

        Args:
            path: of the file.
            pts: presentation time of every frame, as the job got them.
            size: width and height of the job's frames.
            damaged_limit: of the job.
            tick: called for every packet while the file is gone through; may raise to end it.

        Raises:
            InputError: it can't be used, or it isn't that video.
        """
        self._path, self._pts, self._limit = path, pts, damaged_limit
        self._from_start: VideoReader | None = None
        self._reader = SeekingReader(path, pts)
        try:
            self._begin(size, tick)
        except BaseException:
            self.close()
            raise

    def _begin(self, size: tuple[int, int], tick: Callable[[], None]) -> None:
        path, pts = self._path, self._pts
        if size != (self._reader.info.width, self._reader.info.height) or not self._reader.has_own_shape:
            canvas = find_canvas(path, tick)
            self._reader.close()
            self._reader = SeekingReader(path, pts, canvas)
        self._canvas = self._reader.info.canvas
        if size != (self._reader.info.width, self._reader.info.height):
            raise InputError(CHANGED)
        self.can_seek = self._reader.is_in_order(tick)
        """Whether any frame is reached quickly."""

    def twin(self) -> FrameAccess:
        """Another access to the same video, to read two parts of it at once.

        Raises:
            InputError: it can't be used any more.
        """
        other = copy.copy(self)
        other._reader = SeekingReader(self._path, self._pts, self._canvas)
        other._reader.keys = self._reader.keys
        other._from_start = None
        return other

    @property
    def skims(self) -> bool:
        """Whether frames that no other one depends on may be left out; the others stay exact."""
        return self._reader.skims

    @skims.setter
    def skims(self, yes: bool) -> None:
        self._reader.skims = yes

    def frames_on(self, first: int, before: int = 0) -> Iterator[Frame | None]:
        """The frames from one on, in order, to the last one; another call ends those of the call before.

        None comes in between, after every packet, so that the caller can break off.

        Args:
            first: index of the first frame wanted.
            before: up to so many frames before it come, too, as far as they follow the same key frame.

        Raises:
            AnonatorError: a frame is damaged or missing, or it isn't the video.
        """
        if self.can_seek:
            aim = self._pts[max(0, first - self._reader.lead)] - self._reader.shift
            for _ in range(MOST_SEEKS):
                try:
                    for frame in self._reader.frames_since(aim, first, before):
                        yield frame
                        if frame is not None and frame.index >= first:
                            first, before = frame.index + 1, 0
                    return
                except Late as late:
                    aim = late.landed - 1
                except Hole as hole:
                    log.debug("a frame is read from the beginning: %s", hole)
                    break
        yield from self._read_on(first)

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._reader.close()
        if self._from_start is not None:
            self._from_start.close()

    def _read_on(self, first: int) -> Iterator[Frame | None]:
        """The frames from one on, by reading from the beginning."""
        if self._from_start is not None:
            self._from_start.close()
        self._from_start = reader = VideoReader(self._path, self._limit, self._canvas)
        for frame in reader:
            if frame.index >= len(self._pts) or frame.pts != self._pts[frame.index]:
                raise InputError(CHANGED)
            yield frame if frame.index >= first else None
