"""What takes long, for a worker: how much is covered on each frame, and where the doubts are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.frames import Masks
from anonator.core.review.analysis import Analysis
from anonator.core.review.corrected import masks_after
from anonator.core.review.doubts import Doubt, doubts
from anonator.core.review.edits import Edit
from anonator.core.review.reviewed import apply

MIDDLE, COVERED = 0.5, 0.9
"""A place is bare unless this share of its middle, of this share of its sides, is covered."""


@dataclass(frozen=True, slots=True)
class DoubtCard:
    """A doubt, with the number by which it is called as long as it lasts."""

    number: int
    doubt: Doubt
    index: int
    """Of its first frame."""
    is_done: bool = False
    """A person found nothing wrong with it."""
    stop: int = 0
    """The frame to look at: the first one on which one of its places is bare, or else the middle one."""


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """What an assessor made of one state of a review."""

    version: int
    """Of the session that it was made for."""
    counts: np.ndarray
    """(frames,) int32: places covered on each frame."""
    doubts: tuple[DoubtCard, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Assessor:
    """Makes an assessment of one state of a review."""

    version: int
    analysis: Analysis
    edits: tuple[Edit, ...]
    found: Sequence[Masks]

    def __call__(self) -> Assessment:
        """Do it; this takes seconds for long videos."""
        analysis = self.analysis
        masks = masks_after(analysis, apply(self.edits, analysis), self.found)
        order = {pts: index for index, pts in enumerate(analysis.pts)}
        cards = tuple(
            DoubtCard(number, each, order[each.span[0]], stop=self._stop(each, order, masks))
            for number, each in enumerate(doubts(analysis, self.edits, masks), 1)
        )
        return Assessment(self.version, np.array([len(each) for each in masks], np.int32), cards)

    def _stop(self, doubt: Doubt, order: dict[int, int], masks: Sequence[Masks]) -> int:
        """The frame on which a person sees best what a doubt is about."""
        first, last = (order[pts] for pts in doubt.span)
        places = np.array(doubt.places, np.float32).reshape(-1, 4)
        middles = box_ops.expand(places, MIDDLE)
        for index in range(first, last + 1) if len(places) else ():
            covers = box_ops.expand(masks[index].boxes, self.analysis.settings.mask_scale)
            if not len(covers) or (box_ops.inside(middles, covers).max(axis=1) < COVERED).any():
                return index
        return (first + last) // 2
