"""What speaks for a face at a place of the input: both detectors look at the place cut out and enlarged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections, Float32Array, Frame, UInt8Array
from anonator.core.pictures.rgb import picture_within

SIDE, FACE = 112, 30
"""Pixels of a cut-out, and of the place in its middle. Both detectors enlarge it once more."""
SAME_FACE = 0.3
"""IoU at which two boxes count as the same face."""


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """What both detectors see in the input at one place."""

    first: float
    """The best score of the first detector, 0..1; 0 if it sees no face there."""
    second: float
    """The same of the second one."""
    boxes: Float32Array
    """(N, 4) xyxy in pixels of the frame: where they see it."""


class Judge:
    """Looks at places of the input with both detectors, in the thread that uses the first one."""

    def __init__(self, first: Detector, second: YuNet, checkpoint: Callable[[], None] | None) -> None:
        self._first, self._second, self._checkpoint = first, second, checkpoint

    def look(self, frame: Frame, places: Float32Array) -> list[Evidence]:
        """The evidence for a face at each place.

        Args:
            frame: of the input.
            places: (N, 4) xyxy in pixels of the frame.

        Raises:
            DetectionError: a detector failed.
        """
        if not len(places):
            return []
        picture, place = picture_within(frame, self._first.max_resolution)
        scale = place.width / picture.shape[1], place.height / picture.shape[0]
        corner = np.array([place.x, place.y] * 2, np.float32)
        cuts = [
            _CutOut.of(picture, box) for box in box_ops.rescale(places - corner, 1 / scale[0], 1 / scale[1])
        ]
        answers = self._first.detect([cut.pixels for cut in cuts], checkpoint=self._checkpoint)
        found: list[Evidence] = []
        for cut, answer in zip(cuts, answers, strict=True):
            first = cut.same(answer)
            second = [cut.same(self._second.find(cut.pixels, side)) for side in (SIDE, 2 * SIDE)]
            there = np.concatenate([first.boxes, *(each.boxes for each in second)])
            found.append(
                Evidence(
                    float(first.scores.max(initial=0)),
                    max(float(each.scores.max(initial=0)) for each in second),
                    box_ops.rescale(there, *scale) + corner,
                )
            )
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _CutOut:
    """A place of a picture with what surrounds it, enlarged or made smaller to one size."""

    pixels: UInt8Array
    """(SIDE, SIDE, 3) RGB."""
    box: Float32Array
    """(4,) the place, xyxy in pixels of the picture."""
    corner: tuple[int, int]
    """(x, y) in the picture; it may lie outside of it."""
    scale: float
    """How many times it was enlarged."""

    @classmethod
    def of(cls, picture: UInt8Array, box: Float32Array) -> _CutOut:
        x1, y1, x2, y2 = (float(v) for v in box)
        side = max(8, round(max(x2 - x1, y2 - y1) * SIDE / FACE))
        left, top = round((x1 + x2 - side) / 2), round((y1 + y2 - side) / 2)
        height, width = picture.shape[:2]
        within = picture[max(0, top) : top + side, max(0, left) : left + side]
        beyond = max(0, -top), max(0, top + side - height), max(0, -left), max(0, left + side - width)
        if any(beyond):
            within = cast(UInt8Array, cv2.copyMakeBorder(within, *beyond, cv2.BORDER_REPLICATE))
        method = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
        pixels = cast(UInt8Array, cv2.resize(within, (SIDE, SIDE), interpolation=method))
        return cls(pixels, box, (left, top), SIDE / side)

    def same(self, faces: Detections) -> Detections:
        """Those of the faces found in it that are the face at its place, boxes in pixels of the picture."""
        boxes = faces.boxes / np.float32(self.scale) + np.array(self.corner * 2, np.float32)
        same = box_ops.iou(self.box[None], boxes)[0] >= SAME_FACE
        return Detections(boxes[same], faces.scores[same], faces.turns[same])
