"""The pictures of a video under review: decoded ahead in a thread, each exactly the frame that was asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anonator.core.frames import UInt8Array
from anonator.core.review.analysis import Analysis

CACHE_BYTES = 256 * 1024 * 1024
"""Of decoded frames that are kept, at most."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A decoded frame, ready to be drawn."""

    index: int
    """In the analysis; its PTS is analysis.pts[index], compared after decoding."""
    picture: UInt8Array
    """(H, W, 3) RGB with square pixels, no larger than was asked for."""
    speed: float = 0.0
    """At which it is being played; below 0 backwards, 0 if it was asked for by itself."""
    before: int = -1
    """The frame that was shown before it while playing; what lies between was played, too. -1 for none."""


class Film:
    """Decodes one video in its own thread "anonator-film"; made, asked and closed in the window's thread.

    Nothing here waits for decoding. Pictures are fetched with take(), which the window calls every few
    milliseconds (Playing does). The newest wish replaces the ones before it.
    """

    def __init__(self, video: Path, analysis: Analysis, cache_bytes: int = CACHE_BYTES) -> None:
        """Start the thread; the file is opened there.

        Args:
            video: the original.
            analysis: of that video; says which frames there are, and when.
            cache_bytes: of decoded frames to keep.
        """
        raise NotImplementedError

    def want(self, index: int, side: int) -> None:
        """Ask for one frame; this ends playing.

        Args:
            index: of the frame in the analysis.
            side: long side of the picture in pixels, at most; a smaller video is not enlarged.
        """
        raise NotImplementedError

    def play(self, index: int, speed: float, side: int) -> None:
        """Play from a frame to the end, or to the beginning, at the times of the video.

        Frames that the computer is too slow for aren't shown; if it is much too slow, playing takes longer.

        Args:
            index: of the first frame.
            speed: 1 is the video's own; below 0 backwards.
            side: as in want.
        """
        raise NotImplementedError

    def expect(self, indexes: Sequence[int]) -> None:
        """Say which frames will probably be asked for next, the likeliest first; decoded when there's time."""
        raise NotImplementedError

    def take(self) -> Shown | None:
        """The newest picture that has not been taken yet, or None.

        Raises:
            AnonatorError: the video can't be read there; told once, and asking again tries again.
        """
        raise NotImplementedError

    @property
    def is_busy(self) -> bool:
        """Whether a picture that was asked for is still missing, or it plays."""
        raise NotImplementedError

    def close(self) -> None:
        """End the thread and close the file; returns when both have happened. Safe to call twice."""
        raise NotImplementedError
