"""Two detectors that look together: what the second one finds joins what the first one found."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.config import MAX_UPSCALE, SecondDetector, Settings
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.tilted import Tilted
from anonator.core.detection.weights import WeightsFile
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections, UInt8Array

LESS = np.float32(0.2)
"""So much less than it says counts a score of the second detector, which is generous with low ones."""
LOWEST = 0.3
"""Weaker faces of the second detector don't even continue a track."""
SHARE = 2 / 3
"""Long side of what the second detector sees, in that of the first one."""
TILTS = (45, -45)
"""Where the first looks at a picture turned by quarters, the second looks at it turned by these degrees."""
LARGE, SURE = 80, 0.7
"""From this long side on, in pixels that the second detector sees, a tilted face must have this score, as
large faces are easy to see, or be seen by the first detector, too, however weakly."""
SAME = 0.2
"""IoU from which two boxes are the same face for that."""


class JoinedDetector:
    """A Detector that asks two; boxes of one face are merged by NMS. It owns neither of them."""

    def __init__(self, first: Detector, second: YuNet, nms_threshold: float) -> None:
        """Join two detectors.

        Args:
            first: looks upright and turned; what it says of itself is said of both.
            second: looks upright, and tilted where the first looks turned.
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
        answers: list[Detections] = []
        for faces, picture in zip(found, pictures, strict=True):
            if checkpoint is not None:
                checkpoint()
            side = round(SHARE * min(self.max_resolution, MAX_UPSCALE * max(picture.shape[:2])))
            more = [self._second.find(picture, side)]
            if len(turns) > 1:
                tilted = (self._find_tilted(picture, side, degrees) for degrees in TILTS)
                large = LARGE * max(picture.shape[:2]) / side
                more += [_believed(each, faces, large) for each in tilted]
            answers.append(self._joined(faces, more))
        return answers

    def close(self) -> None:
        """Do nothing: both belong to others."""

    def _find_tilted(self, picture: UInt8Array, side: int, degrees: float) -> Detections:
        tilted = Tilted(picture, degrees)
        larger = max(tilted.picture.shape[:2]) / max(picture.shape[:2])
        found = self._second.find(tilted.picture, round(side * larger))
        boxes = tilted.upright(found.boxes)
        # the tracker trusts a face that was found turned less, whatever the angle
        turned = Detections(boxes, found.scores, np.ones(len(boxes), np.int32))
        return turned.select(box_ops.areas(boxes) > 0)

    def _joined(self, faces: Detections, more: Sequence[Detections]) -> Detections:
        # it loads torch, which a job with a detector of one's own may do without
        from anonator.core.detection.passes import suppress

        return suppress(
            np.concatenate([faces.boxes, *(each.boxes for each in more)]),
            np.concatenate([faces.scores, *(each.scores - LESS for each in more)]),
            np.concatenate([faces.turns, *(each.turns for each in more)]),
            self._nms,
        )


def _believed(tilted: Detections, faces: Detections, large: float) -> Detections:
    """What was found tilted, without large faces of a low score of which the first detector sees nothing.

    Args:
        tilted: of the second detector.
        faces: all that the first one sees in the same picture.
        large: long side from which a face is large, in pixels of the picture.
    """
    small = (tilted.boxes[:, 2:] - tilted.boxes[:, :2]).max(axis=1, initial=0) < large
    seen = box_ops.iou(tilted.boxes, faces.boxes).max(axis=1, initial=0) >= SAME
    return tilted.select(small | seen | (tilted.scores >= np.float32(SURE)))


def for_looking(first: Detector, settings: Settings) -> Detector:
    """What looks for faces in a job: the first detector, or both where the settings say so."""
    if settings.second_detector is not SecondDetector.LOOK:
        return first
    return JoinedDetector(first, YuNet(LOWEST), settings.nms_threshold)
