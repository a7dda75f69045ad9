"""Chains: detections of one place, one after another."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.review.corrected import Int64Array
from anonator.core.review.kept_sightings import Seen
from anonator.core.review.twins import SAME_PLACE


def chains(seen: Iterable[Seen], pts: Int64Array, apart: float) -> list[list[Seen]]:
    """Put detections of one place together.

    Args:
        seen: detections, in any order.
        pts: of every frame.
        apart: PTS between two of a chain, at most.
    """
    made: list[list[Seen]] = []
    near: list[list[Seen]] = []
    for each in sorted(seen, key=lambda s: s.frame):
        near = [chain for chain in near if pts[chain[-1].frame] >= pts[each.frame] - apart]
        last = np.array([chain[-1].box for chain in near], np.float32).reshape(-1, 4)
        overlap = box_ops.iou(np.array([each.box], np.float32), last)[0]
        if len(near) and overlap.max() >= SAME_PLACE:
            near[int(overlap.argmax())].append(each)
        else:
            made.append([each])
            near.append(made[-1])
    return made
