"""The input's frames once more, for comparing finished ones with them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from anonator.core.frames import Frame
from anonator.core.pictures.shape import Canvas
from anonator.core.reading.reader import VideoReader
from anonator.errors import VerificationError


class InputFrames:
    """The input's frames, in order, read only as far as one is asked for."""

    def __init__(self, path: Path, damaged_limit: int, canvas: Canvas | None) -> None:
        """Open nothing yet.

        Args:
            path: of the input.
            damaged_limit: as for VideoReader.
            canvas: the size of the output's pictures; None is that of its first.
        """
        self._open = partial(VideoReader, path, damaged_limit, canvas)
        self._reader: VideoReader | None = None
        self._frames: Iterator[Frame] = iter(())

    def frame(self, index: int) -> Frame:
        """The frame of that index, which must be behind the one asked for before.

        Raises:
            DecodeError: as readers do.
            VerificationError: there is no such frame.
        """
        if self._reader is None:
            self._reader = self._open()
            self._frames = iter(self._reader)
        for frame in self._frames:
            if frame.index == index:
                return frame
        raise VerificationError(
            "The video changed during the job, so the job was stopped and nothing was written. Run it "
            "again once no other program is writing to it."
        )

    def close(self) -> None:
        """Close the input, if it was opened."""
        if self._reader is not None:
            self._reader.close()
