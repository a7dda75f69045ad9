"""Two detectors that look together: what the second one finds joins what the first one found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from anonator.core.config import SecondDetector, Settings
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.weights import WeightsFile
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections, UInt8Array

LESS = np.float32(0.2)
"""So much less than it says counts a score of the second detector, which is generous with low ones."""
LOWEST = 0.3
"""Weaker faces of the second detector don't even continue a track."""


class JoinedDetector:
    """A Detector that asks two; boxes of one face are merged by NMS. It owns neither of them."""

    def __init__(self, first: Detector, second: YuNet, nms_threshold: float) -> None:
        """Join two detectors.

        Args:
            first: looks upright and turned; what it says of itself is said of both.
            second: looks upright.
            nms_threshold: boxes that overlap more than this are one face.
        """
        self._first, self._second, self._nms = first, second, nms_threshold

    @property
    def name(self) -> str:
        """Of the first."""
        return self._first.name

    @property
    def batch_size(self) -> int:
        """Of the first."""
        return self._first.batch_size

    @property
    def max_resolution(self) -> int:
        """Of the first."""
        return self._first.max_resolution

    @property
    def device_line(self) -> str:
        """Of the first."""
        return self._first.device_line

    @property
    def notes(self) -> Sequence[str]:
        """Of the first."""
        return self._first.notes

    @property
    def weights(self) -> WeightsFile | None:
        """Of the first."""
        return self._first.weights

    def detect(
        self,
        pictures: Sequence[UInt8Array],
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        """Find the faces in pictures of one size, as Detector says.

        Raises:
            DetectionError: one of the two failed.
        """
        found = self._first.detect(pictures, turns, checkpoint=checkpoint)
        return [
            self._joined(faces, self._second.find(picture, self.max_resolution))
            for faces, picture in zip(found, pictures, strict=True)
        ]

    def close(self) -> None:
        """Do nothing: both belong to others."""

    def _joined(self, faces: Detections, more: Detections) -> Detections:
        # it loads torch, which a job with a detector of one's own may do without
        from anonator.core.detection.passes import suppress

        return suppress(
            np.concatenate([faces.boxes, more.boxes]),
            np.concatenate([faces.scores, more.scores - LESS]),
            np.concatenate([faces.turns, more.turns]),
            self._nms,
        )


def for_looking(first: Detector, settings: Settings) -> Detector:
    """What looks for faces in a job: the first detector, or both where the settings say so."""
    if settings.second_detector is not SecondDetector.LOOK:
        return first
    return JoinedDetector(first, YuNet(LOWEST), settings.nms_threshold)
