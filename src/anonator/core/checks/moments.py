"""Moments of a result that a person should look at first, out of everything that was followed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from anonator.core.frames import TrackSummary
from anonator.core.job import NearMiss

MOST = 12
"""More would not be looked at; the longest count."""
SUSPECTED_FIRST = 6
"""So many suspected faces come before everything else, the others after it."""
JOINED_SECONDS = 0.5
"""Moments closer than this are one."""
RARELY_SEEN = 2
"""A track with no more sightings than this is uncertain, if none of them was sure."""


class Why(Enum):
    """Why a moment is worth a look, the most important first."""

    SUSPECTED = "suspected"
    """The second detector saw something uncovered that may be a face."""
    BRIDGED = "bridged"
    """A face was not detected for a while, and stayed covered."""
    UNCERTAIN = "uncertain"
    """Something was covered that could hardly be told to be a face."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A while in the video, in seconds from its start."""

    start: float
    end: float
    why: Why
    count: int = 1
    """How many gaps, tracks or findings it stands for."""

    @property
    def length(self) -> float:
        """In seconds."""
        return self.end - self.start


def moments_worth_a_look(
    tracks: Iterable[TrackSummary], threshold: float, near_misses: Iterable[NearMiss] = ()
) -> tuple[tuple[Moment, ...], int]:
    """The moments in the order of their times, and how many more there were.

    Args:
        tracks: everything that was followed.
        threshold: the score from which a detection is sure.
        near_misses: what the second detector saw uncovered.
    """
    suspected = _joined([Moment(m.start_seconds, m.end_seconds, Why.SUSPECTED) for m in near_misses])
    found = list(tracks)
    bridged = _joined([Moment(*gap, Why.BRIDGED) for track in found for gap in track.long_gaps])
    uncertain = _joined(
        [
            Moment(track.first_seconds, track.last_seconds, Why.UNCERTAIN)
            for track in found
            if track.sightings <= RARELY_SEEN and track.lowest_score < threshold
        ]
    )
    # a face that was lost may be bare nearby; what is hardly a face is rather covered for nothing
    first, *others = (sorted(each, key=_shortest_last) for each in (suspected, bridged, uncertain))
    # in a crowd much is suspected for a moment, which must not hide all the rest
    longest = [*first[:SUSPECTED_FIRST], *others[0], *others[1], *first[SUSPECTED_FIRST:]]
    kept = sorted(longest[:MOST], key=lambda moment: (moment.start, moment.end))
    return tuple(kept), len(longest) - len(kept)


def _shortest_last(moment: Moment) -> float:
    return -moment.length


def _joined(moments: Sequence[Moment]) -> list[Moment]:
    """The moments, with those that are close together joined."""
    joined: list[Moment] = []
    for moment in sorted(moments, key=lambda each: each.start):
        last = joined[-1] if joined else None
        if last is not None and moment.start - last.end <= JOINED_SECONDS:
            joined[-1] = Moment(last.start, max(last.end, moment.end), last.why, last.count + moment.count)
        else:
            joined.append(moment)
    return joined
