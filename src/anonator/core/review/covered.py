"""Covered: what is black on every frame after all edits, for other programs and for lists."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.review.analysis import Analysis
from anonator.core.review.corrected import Corrected
from anonator.core.review.edits import Edit
from anonator.core.review.kept_sightings import Box
from anonator.core.review.reviewed import apply


def covered(analysis: Analysis, edits: Sequence[Edit]) -> Iterator[dict[int, Box]]:
    """For every frame, in order: the place that each track or area covers, cut at the picture's edges.

    Where a track has several masks in a frame, the place holds all of them.
    """
    scale, key = analysis.settings.mask_scale, analysis.key
    corrected = Corrected(apply(edits, analysis), scale)
    for pts, found in zip(analysis.pts, analysis.masks(), strict=True):
        masks = corrected.masks(pts, found)
        boxes = box_ops.clip(box_ops.expand(masks.boxes, scale), key.width, key.height)
        places: dict[int, Box] = {}
        for id in dict.fromkeys(masks.track_ids.tolist()):
            own = boxes[masks.track_ids == id]
            corners = np.concatenate([own[:, :2].min(0), own[:, 2:].max(0)]).tolist()
            x1, y1, x2, y2 = (round(float(v), 2) for v in corners)
            if x1 < x2 and y1 < y2:
                places[id] = x1, y1, x2, y2
        yield places


def stretches(frames: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of every run of numbers without a gap; they rise."""
    begin = None
    for at, index in enumerate(frames):
        if begin is None:
            begin = index
        if at + 1 == len(frames) or frames[at + 1] != index + 1:
            yield begin, index
            begin = None
