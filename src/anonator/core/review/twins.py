"""Twins: a near-miss where a track breaks off is the same face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.review.places import Kind, Place

SAME_PLACE = 0.3
"""IoU at which two near-misses are one, and one of them belongs to a track that breaks off."""
ALMOST = 0.99
"""Only what the program or a person covered by hand is to be looked at in any case."""


def without_twins(places: list[Place], missed: list[Place]) -> list[Place]:
    """All of them, but near-misses where a track breaks off are what makes that one likely."""
    ends = [at for at, place in enumerate(places) if place.kind is Kind.BREAKS_OFF and place.box]
    boxes = np.array([box for at in ends if (box := places[at].box)], np.float32).reshape(-1, 4)
    left = []
    for miss in missed:
        overlap = (
            box_ops.iou(np.array([miss.box or (0, 0, 0, 0)], np.float32), boxes)[0] if ends else np.zeros(0)
        )
        same = [
            ends[i]
            for i in np.flatnonzero(overlap >= SAME_PLACE).tolist()
            if places[ends[i]].window[0] <= miss.window[1] and miss.window[0] <= places[ends[i]].window[1]
        ]
        for at in same:
            chance = 1 - (1 - places[at].chance) * (1 - miss.chance)
            places[at] = replace(places[at], chance=min(chance, ALMOST))
        left += [] if same else [miss]
    return places + left
