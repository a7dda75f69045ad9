"""A clip with two bright spots, and a detector that takes them for faces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np

from anonator import Detections
from anonator.core.frames import UInt8Array

FRAMES = 60
SPOTS = ((64, 64, 96, 96), (192, 64, 224, 96))
"""Where they are, xyxy; a picture is 320x192."""
MASKS = ((56, 56, 104, 104), (184, 56, 232, 104))
"""The same, 1.5 times as large."""


def spot_clip(path: Path, frames: int = FRAMES) -> Path:
    """25 frames a second; the first spot is there from 10 to 49, the second always."""
    noise = np.random.default_rng(3).integers(60, 120, (12, 20, 3), np.uint8)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        for i in range(frames):
            picture = noise.repeat(16, 0).repeat(16, 1)
            for (x1, y1, x2, y2), there in zip(SPOTS, (10 <= i < 50, True), strict=True):
                if there:
                    picture[y1:y2, x1:x2] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


class Spotter:
    """Finds bright spots; the second one not in some of the pictures that it looks at."""

    name, batch_size, max_resolution, device_line = "Spotter", 4, 640, "nowhere"
    notes: tuple[str, ...] = ()
    weights = None

    def __init__(self, blind: range = range(0)) -> None:
        self._blind, self.pictures = blind, 0

    def detect(
        self,
        pictures: Sequence[UInt8Array],
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        """The spots that are bright."""
        return [self._seen(picture) for picture in pictures]

    def _seen(self, picture: UInt8Array) -> Detections:
        bright = [s for s in SPOTS if picture[s[1] + 8 : s[3] - 8, s[0] + 8 : s[2] - 8].mean() > 180]
        if self.pictures in self._blind:
            bright = [s for s in bright if s is not SPOTS[1]]
        self.pictures += 1
        return Detections.upright(bright, [0.9] * len(bright))

    def close(self) -> None:
        """Nothing to free."""


class Unasked(Spotter):
    """Must not be asked."""

    def _seen(self, picture: UInt8Array) -> Detections:
        raise AssertionError("somebody looked")
