"""How far the second look is, by what its looks take: at the finished frames, then at those of the input."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

COMPARING = 1.0
"""So many times as long takes a look at the input, which is read for it and looked at frame by frame, as the
detector takes for the finished frame."""


@dataclass(slots=True)
class LookProgress:
    """How far the second look is, by the effort of its looks."""

    whole: int
    """At the finished frames."""
    looked: int = 0
    doubtful: int = 0
    """At those frames of the input that must be compared, as far as they are known."""
    compared: int = 0
    begun: float = field(default_factory=time.perf_counter)
    detector_seconds: float = 0.0
    comparing: float = COMPARING
    """What a comparison takes, in what a finished frame takes with everything that is done for it."""

    @contextlib.contextmanager
    def detecting(self) -> Iterator[None]:
        """Inside, the detector looks at finished frames."""
        begin = time.perf_counter()
        yield
        end = time.perf_counter()
        self.detector_seconds += end - begin
        self.comparing = COMPARING * self.detector_seconds / max(end - self.begun, 1e-9)

    @property
    def share(self) -> float:
        """How much is done, 0..1, if the rest of the frames are as doubtful as those before."""
        expected = self.doubtful * self.whole / self.looked if self.looked else 0.0
        return (self.looked + self.comparing * self.compared) / (self.whole + self.comparing * expected)
