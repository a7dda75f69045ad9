"""Flow: where a box goes from one picture to the next, by the points in it (median flow, Lucas-Kanade)."""

from __future__ import annotations

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.frames import Float32Array, UInt8Array
from anonator.core.review.kept_sightings import Box

POINTS = 8
"""Points across and down a box."""
INNER = 0.8
"""They lie in this share of its sides: at its edges is background."""
FEWEST = 16
"""So many of them must come back."""
ALIKE, PATCH = 0.4, 24
"""Correlation of the two boxes' pictures, so large, from which they show the same."""
WINDOW = (15, 15)
LEVELS = 3
ERROR = 0.06
"""Most that points may miss their origin by on the way back, in box sizes; at least a pixel."""
GROWTH = 1.15
"""A box changes its size by no more than this from one picture to the next."""


def flowed(before: UInt8Array, after: UInt8Array, box: Box) -> Box | None:
    """The box in the next picture, or None if its points cannot be followed there and back.

    Args:
        before: (H, W) luma.
        after: likewise, of the same size.
        box: in the first one.
    """
    height, width = before.shape
    x1, y1, x2, y2 = box_ops.expand(np.array([box], np.float32), INNER)[0].tolist()
    across = np.linspace(max(x1, 0), min(x2, width - 1), POINTS, dtype=np.float32)
    down = np.linspace(max(y1, 0), min(y2, height - 1), POINTS, dtype=np.float32)
    if across[0] >= across[-1] or down[0] >= down[-1]:
        return None
    points = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 1, 2)
    there, found, _ = cv2.calcOpticalFlowPyrLK(before, after, points, None, winSize=WINDOW, maxLevel=LEVELS)  # type: ignore[call-overload]
    back, also, _ = cv2.calcOpticalFlowPyrLK(after, before, there, None, winSize=WINDOW, maxLevel=LEVELS)  # type: ignore[call-overload]
    error = np.linalg.norm(back - points, axis=2)[:, 0]
    limit = max(1.0, ERROR * min(box[2] - box[0], box[3] - box[1]))
    good = (found[:, 0] == 1) & (also[:, 0] == 1) & (error <= limit)
    if np.count_nonzero(good) < FEWEST:
        return None
    old, new = points[good, 0], there[good, 0]
    shift = np.median(new - old, axis=0)
    size = float(np.clip(_growth(old, new), 1 / GROWTH, GROWTH))
    middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2]) + shift
    half = np.array([box[2] - box[0], box[3] - box[1]]) * size / 2
    (left, top), (right, bottom) = (middle - half).tolist(), (middle + half).tolist()
    there_box = left, top, right, bottom
    return there_box if _likeness(before, after, box, there_box) >= ALIKE else None


def _likeness(before: UInt8Array, after: UInt8Array, box: Box, there: Box) -> float:
    """How much the pictures in two boxes correlate, -1..1."""
    first, second = _patch(before, box), _patch(after, there)
    spread = float(first.std() * second.std())
    return float((first * second).mean()) / spread if spread > 1 else 1.0


def _patch(picture: UInt8Array, box: Box) -> Float32Array:
    x1, y1, x2, y2 = box
    centre, size = ((x1 + x2) / 2, (y1 + y2) / 2), (max(2, round(x2 - x1)), max(2, round(y2 - y1)))
    cut = cv2.resize(cv2.getRectSubPix(picture, size, centre), (PATCH, PATCH), interpolation=cv2.INTER_AREA)
    return np.asarray(cut, np.float32) - np.float32(cut.mean())


def _growth(old: Float32Array, new: Float32Array) -> float:
    """By how much the distances between points have grown."""
    first, second = np.triu_indices(len(old), 1)
    were = np.linalg.norm(old[first] - old[second], axis=1)
    far = were > np.median(were)
    are = np.linalg.norm(new[first] - new[second], axis=1)
    return float(np.median(are[far] / were[far])) if far.any() else 1.0
