"""What is in a drawn box, found again on the next frame: by its points, and by a detector if there is one."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.detection.detector_protocol import Detector
from anonator.core.frames import Float32Array, Frame, UInt8Array
from anonator.core.pictures.rgb import to_rgb
from anonator.core.review.flow import flowed
from anonator.core.review.kept_sightings import Box

LONG_SIDE = 960
"""Pictures are followed at no more than this."""
CROP, CROP_SIDE = 2.5, 48
"""The detector sees this many box sizes around a box, at least so many pixels, ..."""
SHOWN_SIDE = 160
"""... enlarged or reduced to this."""
LOOK_EVERY, TURN_EVERY = 2, 6
"""It looks at every n-th frame while the flow holds, and turned at every n-th if it sees nothing upright."""
SAME = 0.35
"""IoU with where the flow leads, at which a detection is the same face."""
OTHERS = 0.5
"""IoU at which a detection is another track's face."""
MOST_TRUST = 0.6
"""How far a sure detection draws the box to it, 0..1; an unsure one by its score, because it flickers."""
LEARN = 0.1
"""How fast the box's relation to detections is learnt, 0..1."""
HOLD_GROWTH = 1.03
LARGEST_HOLD = 1.8


class Face:
    """What is in the box, from frame to frame."""

    def __init__(self, frame: Frame, box: Box, detector: Detector | None) -> None:
        """Begin on a frame with the box that a person drew."""
        self.box = box
        self._detector = detector
        self._scale = min(1.0, LONG_SIDE / max(frame.width, frame.height))
        self._grey = self._small(frame)
        self._drawn: Float32Array | None = None
        """Where a person's box is about the detector's: shift and size in sizes of the latter."""
        self._held = 1.0
        self._count = 0
        seen = self._seen(frame, box, [])
        if seen is not None:
            self._drawn = _relation(box, seen[0])

    def next(self, frame: Frame, others: Sequence[Box]) -> bool:
        """Go on to the next frame; False if the box could only be held."""
        grey = self._small(frame)
        moved = flowed(self._grey, grey, _scaled(self._true, self._scale))
        self._grey = grey
        expected = self._true if moved is None else _scaled(moved, 1 / self._scale)
        self._count += 1
        look = moved is None or self._count % LOOK_EVERY == 0
        seen = self._seen(frame, expected if moved else self.box, others) if look else None
        if seen is not None:
            if self._drawn is None:
                self._drawn = _relation(expected, seen[0])
            trust = min(MOST_TRUST, seen[1])
            drawn = _settled(expected, _placed(seen[0], self._drawn), trust)
            self._drawn = self._drawn + LEARN * (_relation(expected, seen[0]) - self._drawn)
            expected = drawn
        if moved is None and seen is None:
            true = self._true
            self._held = min(self._held * HOLD_GROWTH, LARGEST_HOLD)
            self.box = _grown(true, self._held)
            return False
        self._held, self.box = 1.0, expected
        return True

    @property
    def _true(self) -> Box:
        """The box without what it grew by while it was held."""
        return _grown(self.box, 1 / self._held)

    def _small(self, frame: Frame) -> UInt8Array:
        luma = frame.planes()[0]
        if self._scale == 1:
            return np.ascontiguousarray(luma)
        size = (round(frame.width * self._scale), round(frame.height * self._scale))
        return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _seen(self, frame: Frame, box: Box, others: Sequence[Box]) -> tuple[Box, float] | None:
        """The face that the detector sees in the box, upright or else turned, and its score."""
        if self._detector is None:
            return None
        x1, y1, x2, y2 = box
        half = max((x2 - x1), (y2 - y1), CROP_SIDE / CROP) * CROP / 2
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        left, top = max(0, int(x - half)), max(0, int(y - half))
        crop = to_rgb(frame)[top : int(y + half), left : int(x + half)]
        if min(crop.shape[:2]) < 8:
            return None
        scale = SHOWN_SIDE / max(crop.shape[:2])
        how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        shown = np.asarray(cv2.resize(crop, None, fx=scale, fy=scale, interpolation=how), np.uint8)
        for turns in ((0,), (1, 2, 3)) if self._count % TURN_EVERY == 0 else ((0,),):
            found = self._detector.detect([shown], turns)[0]
            boxes = found.boxes / np.float32(scale) + np.array([left, top, left, top], np.float32)
            best = _best(boxes, found.scores, box, others)
            if best is not None:
                return best
        return None


def _best(
    boxes: Float32Array, scores: Float32Array, box: Box, others: Sequence[Box]
) -> tuple[Box, float] | None:
    """The detection that is most likely the face in the box, and its score."""
    own = np.array([box], np.float32)
    if not len(boxes):
        return None
    # a person draws around the head, so the face may be a part of the box
    same = np.maximum(box_ops.iou(boxes, own)[:, 0], box_ops.inside(boxes, own)[:, 0] * 0.9)
    ratio = box_ops.areas(boxes) / max(float(box_ops.areas(own)[0]), 1.0)
    same[(ratio > 3) | (ratio < 0.15)] = 0
    if others:
        taken = box_ops.iou(boxes, np.array(others, np.float32)).max(axis=1)
        same[taken >= OTHERS] = 0
    best = int(np.argmax(same * np.sqrt(scores)))
    if same[best] < SAME:
        return None
    x1, y1, x2, y2 = boxes[best].tolist()
    return (x1, y1, x2, y2), float(scores[best])


def _relation(box: Box, seen: Box) -> Float32Array:
    """(4,) shift of the centre and size, in sizes of what was seen."""
    size = max(seen[2] - seen[0], 1.0), max(seen[3] - seen[1], 1.0)
    return np.array(
        [
            (box[0] + box[2] - seen[0] - seen[2]) / 2 / size[0],
            (box[1] + box[3] - seen[1] - seen[3]) / 2 / size[1],
            (box[2] - box[0]) / size[0],
            (box[3] - box[1]) / size[1],
        ],
        np.float32,
    )


def _placed(seen: Box, relation: Float32Array) -> Box:
    """The box that has this relation to what was seen."""
    size = seen[2] - seen[0], seen[3] - seen[1]
    shift_x, shift_y, wide, high = relation.tolist()
    x, y = (seen[0] + seen[2]) / 2 + shift_x * size[0], (seen[1] + seen[3]) / 2 + shift_y * size[1]
    return x - wide * size[0] / 2, y - high * size[1] / 2, x + wide * size[0] / 2, y + high * size[1] / 2


def _settled(expected: Box, seen: Box, trust: float) -> Box:
    """On the way to what was seen."""
    x1, y1, x2, y2 = (a + trust * (b - a) for a, b in zip(expected, seen, strict=True))
    return x1, y1, x2, y2


def _scaled(box: Box, by: float) -> Box:
    x1, y1, x2, y2 = (each * by for each in box)
    return x1, y1, x2, y2


def _grown(box: Box, by: float) -> Box:
    x1, y1, x2, y2 = box_ops.expand(np.array([box], np.float32), by)[0].tolist()
    return x1, y1, x2, y2
