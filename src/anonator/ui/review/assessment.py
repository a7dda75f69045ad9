"""What takes long, for a worker: how much is covered on each frame, and where the doubts are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from anonator.core.frames import Masks
from anonator.core.review.analysis import Analysis
from anonator.core.review.corrected import masks_after
from anonator.core.review.doubts import Doubt, doubts
from anonator.core.review.edits import Edit
from anonator.core.review.reviewed import apply
from anonator.core.review.stops import Stop


@dataclass(frozen=True, slots=True)
class CardStop:
    """One stop of a doubt."""

    number: int
    """Among all stops, from 1, in the order in which they are gone through."""
    index: int
    """The frame."""
    stop: Stop
    is_done: bool = False
    """A person found nothing wrong there."""


@dataclass(frozen=True, slots=True)
class DoubtCard:
    """A doubt, with the number by which it is called as long as it lasts."""

    number: int
    doubt: Doubt
    stops: tuple[CardStop, ...]
    """In order; at least one."""

    @property
    def is_done(self) -> bool:
        """Whether a person found nothing wrong at any of its stops."""
        return all(stop.is_done for stop in self.stops)


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
        cards: list[DoubtCard] = []
        before = 0
        for number, each in enumerate(doubts(analysis, self.edits, masks), 1):
            stops = tuple(
                CardStop(before + at, order[stop.pts], stop) for at, stop in enumerate(each.stops, 1)
            )
            cards.append(DoubtCard(number, each, stops))
            before += len(stops)
        return Assessment(self.version, np.array([len(each) for each in masks], np.int32), tuple(cards))
