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
from anonator.core.review.kept_sightings import Box
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
    stops: tuple[int, ...] = (0,)
    """The frames to look at, in order."""
    places: tuple[tuple[Box, ...], ...] = ()
    """Where to look on each of them; nothing is all of it."""


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
        cards = []
        for number, each in enumerate(doubts(analysis, self.edits, masks), 1):
            stops = tuple(order[pts] for pts in each.stops) or (order[each.span[0]],)
            places = tuple(self._bare(each, masks[stop], analysis.pts[stop]) for stop in stops)
            cards.append(DoubtCard(number, each, order[each.span[0]], stops=stops, places=places))
        return Assessment(self.version, np.array([len(each) for each in masks], np.int32), tuple(cards))

    def _bare(self, doubt: Doubt, masks: Masks, pts: int) -> tuple[Box, ...]:
        """The places of a doubt that are bare on a frame, or all that there is something to see at then."""
        covers = box_ops.expand(masks.boxes, self.analysis.settings.mask_scale)
        windows = zip(doubt.places, doubt.windows, strict=True)
        here = [place for place, (first, last) in windows if first <= pts <= last]
        if not here or not len(covers):
            return tuple(here)
        middles = box_ops.expand(np.array(here, np.float32), MIDDLE)
        bare = box_ops.inside(middles, covers).max(axis=1) < COVERED
        return tuple(place for place, is_bare in zip(here, bare.tolist(), strict=True) if is_bare) or tuple(
            here
        )
