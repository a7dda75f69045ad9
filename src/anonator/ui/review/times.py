"""The frames of a video and their times, as a review counts them: by PTS, never by frame and rate."""

from __future__ import annotations

import bisect
from collections.abc import Sequence


class Times:
    """Goes from frames to times and back."""

    def __init__(self, pts: Sequence[int], time_base: tuple[int, int]) -> None:
        """Take the PTS of every frame, in order, and how long one unit is, in seconds."""
        self._pts = pts
        self._numerator, self._denominator = time_base

    def __len__(self) -> int:
        return len(self._pts)

    def pts(self, index: int) -> int:
        """Of the frame with this index."""
        return self._pts[self.inside(index)]

    def seconds_of(self, pts: int) -> float:
        """A PTS in seconds."""
        return pts * self._numerator / self._denominator

    def seconds(self, index: int) -> float:
        """When a frame is shown."""
        return self.seconds_of(self.pts(index))

    def index_of(self, pts: int) -> int:
        """The frame that is shown at a PTS."""
        return self.inside(bisect.bisect_right(self._pts, pts) - 1)

    def index_at(self, seconds: float) -> int:
        """The frame that is shown at a time; times as clocks show them are a little off."""
        return self.index_of(round(seconds * self._denominator / self._numerator))

    def span(self, begin: float, end: float) -> tuple[int, int]:
        """First and last PTS from one time to another, both included."""
        return self.pts(self.index_at(begin)), self.pts(self.index_at(end))

    def inside(self, index: int) -> int:
        """The nearest index that there is."""
        return min(max(0, index), len(self._pts) - 1)

    @property
    def whole(self) -> tuple[int, int]:
        """First and last PTS."""
        return self._pts[0], self._pts[-1]

    @property
    def length(self) -> float:
        """From the first frame to the last one, in seconds."""
        return self.seconds_of(self._pts[-1] - self._pts[0])
