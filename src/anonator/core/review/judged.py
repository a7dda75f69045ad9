"""Judged: which places a person has looked at and found right, as edits keep it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from anonator.core.review.analysis import VideoKey
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.kept_sightings import Box
from anonator.core.review.places import Kind, Place
from anonator.core.review.stops import Stop

Judged = Mapping[Box, Iterable[int]]
"""By place: PTS at which a person found it right."""


def finding_right(kind: Kind, stop: Stop, key: VideoKey) -> Edit:
    """The edit, still without a number, that says that all of a stop is right; the kind is its doubt's."""
    boxes = sorted((_moment(place, stop), _box(place, key)) for place in stop.places)
    span = stop.pts, stop.pts
    return Edit(0, Operation.RIGHT, None, span, tuple(boxes), kind.name.lower())


def by_place(judged: Iterable[tuple[int, Box]]) -> Judged:
    """What edits say was judged, (PTS, place), in a form that is quick to ask."""
    made: dict[Box, list[int]] = {}
    for pts, box in judged:
        made.setdefault(box, []).append(pts)
    return made


def is_judged(stop: Stop, judged: Judged, key: VideoKey) -> bool:
    """Whether a person found everything right that is to be judged at a stop."""
    return all(was_judged(place, judged, key) for place in stop.places)


def was_judged(place: Place, judged: Judged, key: VideoKey) -> bool:
    """Whether a person found a place right while there was something to see."""
    first, last = place.window
    return any(first <= pts <= last for pts in judged.get(_box(place, key), ()))


def _moment(place: Place, stop: Stop) -> int:
    """When a place is there, as near to the stop as may be."""
    first, last = place.window
    return min(max(stop.pts, first), last)


def _box(place: Place, key: VideoKey) -> Box:
    return place.box or (0.0, 0.0, float(key.width), float(key.height))
