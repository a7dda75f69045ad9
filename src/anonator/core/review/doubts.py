"""Doubts: what a person should look at, the large and likely first, each stop to be judged at one look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from anonator.core.frames import Masks
from anonator.core.review.analysis import Analysis
from anonator.core.review.corrected import masks_after
from anonator.core.review.edits import Edit, Span
from anonator.core.review.judged import Judged, by_place, was_judged
from anonator.core.review.place_search import find_places
from anonator.core.review.places import BARE, ORDER, Kind, Place
from anonator.core.review.reviewed import apply
from anonator.core.review.stops import Stop, stops

HEAVY, LIGHT = 0.45, 0.1
"""From these weights on, a place is looked at first; and, if a mask covers it, on a still frame."""
PASSING_SECONDS = 1.0
"""Lighter ones that a mask covers are marked while so much is played before a stop."""
WHOLE = (Kind.NO_FACE, Kind.HARD_TO_SEE)
"""Kinds about whole pictures; each is a doubt of its own."""


class Rank(Enum):
    """How much a doubt is worth a look."""

    FIRST = "first"
    LATER = "later"
    """Small faces, weak hints, and masks that very probably hold."""


TOGETHER_SECONDS = {Rank.FIRST: 4.0, Rank.LATER: 30.0}
"""What begins within this time is one doubt."""
SEVERAL = {
    Kind.NEAR_MISS: "{} faint hints of faces, and nothing covers them",
    Kind.BREAKS_OFF: "{} faces begin or end inside the picture, and nothing covers them before or after",
    Kind.REPAIR: "the second look found {} faces here that had not been covered",
    Kind.GAP: "{} faces were not found for a while and covered where they must have been",
    Kind.ONCE: "{} faces were found only once",
    Kind.TURNED: "{} faces were found only in a turned picture",
    Kind.HELD: "{} drawn covers could not be followed, and stay where they were",
}
"""Of a kind, for more than one; whole pictures come alone."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """Places of a few seconds that are worth a look."""

    rank: Rank
    kind: Kind
    """Of its worst place."""
    span: Span
    """First and last PTS."""
    stops: tuple[Stop, ...]
    """In order; each place is judged at exactly one of them."""
    sentence: str
    """What is there, for people."""

    @property
    def places(self) -> tuple[Place, ...]:
        """All of them, in order of their stops."""
        return tuple(place for stop in self.stops for place in stop.places)

    @property
    def tracks(self) -> tuple[int, ...]:
        """The tracks that it is about."""
        return tuple(dict.fromkeys(place.track for place in self.places if place.track is not None))


def doubts(
    analysis: Analysis, edits: Sequence[Edit] = (), masks: Sequence[Masks] | None = None
) -> list[Doubt]:
    """All doubts about a video: those to look at first, then the others, and each of them in order of time.

    Args:
        analysis: of the video.
        edits: of the program and of people; what they cover is no doubt any more, and what they found
            right shares no stop with what is new.
        masks: of every frame after these edits, if they are known.
    """
    if not analysis.pts:
        return []
    state = apply(edits, analysis)
    places = find_places(analysis, state, masks or masks_after(analysis, state, analysis.masks()))
    grouping = _Grouping(analysis, by_place(state.judged))
    found = [grouping.doubt(group) for rank in Rank for group in grouping.groups(places, rank)]
    return sorted(found, key=lambda each: (list(Rank).index(each.rank), each.span, ORDER[each.kind]))


def rank_of(place: Place) -> Rank:
    """How soon a place is to be looked at."""
    return Rank.FIRST if place.weight >= HEAVY else Rank.LATER


def sentence_about(places: Iterable[Place]) -> str:
    """What is at some places, at least one, for people."""
    # a long gap is looked at twice, but is one
    counts = Counter(kind for kind, *_ in {(p.kind, p.track, p.span, p.box) for p in places})
    sentence = "; ".join(
        kind.value if number == 1 else SEVERAL[kind].format(number)
        for kind, number in sorted(counts.items(), key=lambda each: ORDER[each[0]])
    )
    return f"{sentence[0].upper()}{sentence[1:]}."


class _Grouping:
    def __init__(self, analysis: Analysis, judged: Judged) -> None:
        self._key, self._judged = analysis.key, judged
        self._pts = np.array(analysis.pts, np.int64)
        numerator, denominator = analysis.key.time_base
        self._second = denominator / numerator

    def groups(self, places: Iterable[Place], rank: Rank) -> Iterator[list[Place]]:
        """What is looked at together, in order of time."""
        group: list[Place] = []
        for place in places:
            if rank_of(place) is not rank:
                continue
            if place.kind in WHOLE:
                yield [place]
                continue
            if group and place.span[0] - group[0].span[0] > TOGETHER_SECONDS[rank] * self._second:
                yield group
                group = []
            group.append(place)
        if group:
            yield group

    def doubt(self, group: Sequence[Place]) -> Doubt:
        worst = min(group, key=lambda each: ORDER[each.kind])
        span = min(each.span[0] for each in group), max(each.span[1] for each in group)
        return Doubt(
            rank_of(group[0]),
            worst.kind,
            span,
            tuple(self._stops(group)),
            sentence_about(group),
        )

    def _stops(self, group: Sequence[Place]) -> list[Stop]:
        """The fewest frames on which each place can be judged, with the places that are judged there.

        What was found right has stops of its own: one with something new besides would have to be judged
        again, as often as a drawn cover brings a new place.
        """
        right = [place for place in group if was_judged(place, self._judged, self._key)]
        rest = [place for place in group if not was_judged(place, self._judged, self._key)]
        return sorted([*self._fewest(right), *self._fewest(rest)], key=lambda each: each.pts)

    def _fewest(self, group: Sequence[Place]) -> Iterator[Stop]:
        windows = [self._window(place) for place in group]
        left = list(range(len(group)))
        best = [int(np.searchsorted(self._pts, place.best)) for place in group]
        for at in stops(windows, best):
            here = [each for each in left if windows[each][0] <= at <= windows[each][1]]
            left = [each for each in left if each not in here]
            yield Stop(int(self._pts[at]), tuple(group[each] for each in here))

    def _window(self, place: Place) -> tuple[int, int]:
        """First and last frame at which a place may be judged."""
        first, last = place.window
        if place.weight < LIGHT and place.kind not in BARE:
            last = min(last + round(PASSING_SECONDS * self._second), int(self._pts[-1]))
        begin = int(np.searchsorted(self._pts, first))
        return begin, max(begin, int(np.searchsorted(self._pts, last, side="right")) - 1)
