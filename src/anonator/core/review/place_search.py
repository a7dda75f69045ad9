"""Finds the places that are worth a look: where a face may be bare, or the program had to guess."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.frames import Float32Array, Masks
from anonator.core.review.analysis import Analysis, FoundTrack
from anonator.core.review.chains import chains
from anonator.core.review.corrected import Float64Array, Int64Array, places_of
from anonator.core.review.kept_sightings import Box, Seen
from anonator.core.review.motion import further_in, moved, shown_by
from anonator.core.review.places import CHANCE, ORDER, SECOND_OPINION, Kind, Place
from anonator.core.review.reviewed import Reviewed
from anonator.core.review.twins import ALMOST, without_twins
from anonator.core.review.whole_pictures import whole_pictures
from anonator.core.tracking.covering import horizon

CENTRE, COVERED = 0.7, 0.9
"""A face is covered where this share of its central part, of this share of its sides, is."""
SURE_MISS = 0.25
"""A near-miss that comes alone is worth a look from this score on."""
CHAIN_SECONDS = 0.5
UNSEEN_LOOKS = 2
"""A gap of fewer looks between two sightings that overlap is none."""
NEAR_SECONDS = 0.2
"""So long before and after it was seen, something is still there to see."""
MOTION_SECONDS = 0.2
"""So far from its end, a track tells how its face moves there."""
STAYS = 0.95
"""A face of which at least this share is in the picture hasn't left it."""
SURE_SCORE = 0.5
"""From this score on, something is nearly always a face."""
SURE_SIGHTINGS = 6
"""A track of so many sightings is nearly always one."""
RISKY_SECONDS, MOST_RISK = 1.5, 0.8
"""Through a gap of this length, a face that moves may well have left the mask between its two ends."""
HIDDEN_SECONDS, HIDDEN_CHANCE = 0.6, 0.7
"""So long may another mask lie where a face was last, and so much less likely is it bare there afterwards."""
TWICE = 0.3
"""From this risk on, a gap is looked at twice."""


def find_places(analysis: Analysis, state: Reviewed, masks: Sequence[Masks]) -> list[Place]:
    """All places of a video that are worth a look, in order of time.

    Args:
        analysis: of the video.
        state: what follows from its edits.
        masks: of every frame after them, not yet enlarged.
    """
    found = _Search(analysis, state, masks).places()
    return sorted(found, key=lambda each: (each.span, ORDER[each.kind], each.box or ()))


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place, by frames."""

    kind: Kind
    first: int
    last: int
    box: Box | None = None
    track: int | None = None
    window: tuple[int, int] | None = None
    """First and last frame on which there is something to see, if that isn't all."""
    best: int | None = None
    """The frame on which it is most likely seen; None is the middle of those."""
    chance: float | None = None
    """None is that of the kind."""
    around: Box | None = None
    """Where to look, if that is more than the box."""


class _Search:
    def __init__(self, analysis: Analysis, state: Reviewed, masks: Sequence[Masks]) -> None:
        self._a, self._state, self._masks = analysis, state, masks
        self._per_second = analysis.key.time_base[1] / analysis.key.time_base[0]
        self._pts = np.array(analysis.pts, np.int64)
        seconds = (analysis.pts[-1] - analysis.pts[0]) / self._per_second
        self._rate = len(analysis.pts) / max(seconds, 1e-3)  # frames a second, on average
        self._looks = np.array([index for index, _ in analysis.looks], np.int64)
        self._turned = np.array([index for index, turned in analysis.looks if turned], np.int64)
        self._scenes = np.array([*analysis.cuts, len(analysis.pts)], np.int64)
        self._reach = horizon(analysis.settings) * self._per_second

    def places(self) -> list[Place]:
        spots = [*self._repairs(), *self._held(), *self._ends_of_drawn()]
        whole = whole_pictures(self._a, self._masks)
        spots += [_Spot(kind, first, last) for kind, first, last in whole]
        for track in self._a.tracks:
            spots += self._about(track)
        found = (map(self._place, each) for each in (spots, self._misses()))
        return without_twins(*([place for place in each if _is_something(place)] for each in found))

    def _place(self, spot: _Spot) -> Place:
        begin, end = spot.window or self._near(spot.first, spot.last)
        chance = CHANCE[spot.kind] if spot.chance is None else spot.chance
        span, window = (
            (int(self._pts[a]), int(self._pts[b])) for a, b in ((spot.first, spot.last), (begin, end))
        )
        best = (begin + end) // 2 if spot.best is None else spot.best
        return Place(spot.kind, span, window, int(self._pts[best]), spot.box, spot.track, chance, spot.around)

    # --- what nothing covers

    def _is_covered(self, index: int, box: Box) -> bool:
        if not 0 <= index < len(self._masks):
            return True
        masks = box_ops.expand(self._masks[index].boxes, self._a.settings.mask_scale)
        middle = box_ops.expand(np.array([box], np.float32), CENTRE)
        return bool((box_ops.inside(middle, masks) >= COVERED).any())

    def _misses(self) -> Iterator[_Spot]:
        """Near-misses that nothing covers: those that stay for a while, and strong ones."""
        once = [seen for t in self._a.tracks if _covers_nothing(t) for seen in t.sightings]
        weak = [each for each in (*self._a.near_misses, *once) if not self._is_covered(each.frame, each.box)]
        apart = CHAIN_SECONDS * self._per_second
        for chain in chains(weak, self._pts, apart):
            top = max(chain, key=lambda each: each.score)
            if len(chain) > 1 or top.score >= SURE_MISS:
                chance = min(1.0, top.score / SURE_SCORE) * (1.0 if len(chain) > 1 else 0.5)
                yield self._seen(Kind.NEAR_MISS, chain, top, min(chance, ALMOST))
        others = (e for e in self._a.second_opinions if not self._is_covered(e.frame, e.box))
        for chain in chains(others, self._pts, apart):
            top = max(chain, key=lambda each: each.score)
            yield self._seen(Kind.NEAR_MISS, chain, top, SECOND_OPINION)

    def _seen(
        self, kind: Kind, seen: Sequence[Seen], top: Seen, chance: float, track: int | None = None
    ) -> _Spot:
        """The place of one sighting, for as long as it shows the face of all of them."""
        span = seen[0].frame, seen[-1].frame
        window = shown_by(seen, top, *self._near(*span))
        return _Spot(kind, *span, top.box, track, window, top.frame, chance)

    # --- tracks

    def _about(self, track: FoundTrack) -> Iterator[_Spot]:
        if _covers_nothing(track):
            return
        seen, rows = list(track.sightings), track.sightings.rows
        firm = min(ALMOST, len(seen) / SURE_SIGHTINGS) * min(1.0, float(rows["score"].mean()) / SURE_SCORE)
        if len(seen) == 1:
            yield _Spot(Kind.ONCE, seen[0].frame, seen[0].frame, seen[0].box, track.id)
        elif rows["turned"].all():
            yield self._seen(Kind.TURNED, seen, seen[len(seen) // 2], CHANCE[Kind.TURNED], track.id)
        reach = MOTION_SECONDS * self._rate

        def end(at: int, step: int) -> Iterator[_Spot]:
            return self._breaks_off(track.id, seen[at], step, firm, further_in(seen, at, step, reach))

        yield from end(0, -1)
        for number, (before, after) in enumerate(pairwise(seen)):
            missing = self._looks_between(before, after)
            if self._pts[after.frame] - self._pts[before.frame] > self._reach and missing:
                yield from end(number, 1)
                yield from end(number + 1, -1)
            if missing >= UNSEEN_LOOKS or (missing and not _overlap(before.box, after.box)):
                yield from self._gap(track.id, before, after, _box(_hull([before.box, after.box])))
        yield from end(len(seen) - 1, 1)

    def _gap(self, id: int, before: Seen, after: Seen, hull: Box) -> Iterator[_Spot]:
        """A gap; a long one in which a face moves is looked at twice, because it may stray on either side."""
        chance, length = self._risk(before, after), after.frame - before.frame
        windows = [(before.frame + length // 4, after.frame - length // 4)]
        if chance >= TWICE and length >= 8:
            parts = (1 / 8, 3 / 8), (5 / 8, 7 / 8)
            windows = [(before.frame + round(a * length), before.frame + round(b * length)) for a, b in parts]
        for window in windows:
            yield _Spot(Kind.GAP, before.frame, after.frame, hull, id, window, chance=chance)

    def _risk(self, before: Seen, after: Seen) -> float:
        """How likely a face leaves its mask between two sightings: it has time to, and moves."""
        seconds = (self._pts[after.frame] - self._pts[before.frame]) / self._per_second
        moves = 1 - float(box_ops.iou(_array([before.box]), _array([after.box]))[0, 0])
        return min(1.0, float(seconds) / RISKY_SECONDS) * moves * MOST_RISK

    def _looks_between(self, before: Seen, after: Seen) -> int:
        """Looks that could have seen the face and did not."""
        looks = self._turned if before.turned and after.turned else self._looks
        first, last = np.searchsorted(looks, [before.frame + 1, after.frame])
        return int(last - first)

    def _breaks_off(
        self, id: int, end: Seen, step: int, chance: float, further: Seen | None = None
    ) -> Iterator[_Spot]:
        """Whether a face is bare just after its last mask, or just before its first one.

        Args:
            id: of the track.
            end: its last sighting, or its first one.
            step: 1 for after it, -1 for before it.
            chance: that a face is there.
            further: the sighting on the other side of that end, which tells how the face moves.
        """
        scene = np.searchsorted(self._scenes, end.frame, side="right")
        begin, stop = int(self._scenes[scene - 1]), int(self._scenes[scene])
        index = end.frame
        while begin <= index < stop and id in self._masks[index].track_ids:
            index += step
        stays = further is not None and self._stays(moved(end, further, index))
        if self._at_edge(end.box) and not stays and chance < 1:  # what was followed there may have been lost
            return
        for late in range(1 + round(HIDDEN_SECONDS * self._rate)):
            at = index + late * step
            if not begin <= at < stop:
                return
            # where it was, and where it has moved to: another face's mask may lie on either, and move on
            places = [moved(end, further, at), end.box] if further else [end.box]
            bare = [box for box in places if not self._is_covered(at, box)]
            if bare:
                near = self._near(at, at)
                window = (at, near[1]) if step > 0 else (near[0], at)
                if chance >= 1:
                    window = at, at  # of a drawn cover: there is a face
                span = min(at, end.frame), max(at, end.frame)
                likely = chance * (HIDDEN_CHANCE if late else 1.0)
                # a face that moves is not where it was when it was seen last
                way = [end.box, bare[0], *(moved(end, further, each) for each in window if further)]
                around = box_ops.clip(_hull(way), self._a.key.width, self._a.key.height)
                yield _Spot(Kind.BREAKS_OFF, *span, bare[0], id, window, at, likely, _box(around))
                return

    def _at_edge(self, box: Box) -> bool:
        """Whether a face of this size may have gone out of the picture."""
        x1, y1, x2, y2 = box
        margin = min(x2 - x1, y2 - y1) / 2
        key = self._a.key
        return x1 < margin or y1 < margin or x2 > key.width - margin or y2 > key.height - margin

    def _stays(self, box: Box) -> bool:
        """Whether a face of this place is still in the picture, although it was at its edge."""
        whole = np.array([(0, 0, self._a.key.width, self._a.key.height)], np.float32)
        return float(box_ops.inside(_array([box]), whole)[0, 0]) >= STAYS

    def _near(self, first: int, last: int) -> tuple[int, int]:
        """These frames and those near them, in the same scene."""
        reach = NEAR_SECONDS * self._per_second
        begin, end = np.searchsorted(self._scenes, [first, last], side="right")
        before = int(np.searchsorted(self._pts, self._pts[first] - reach))
        after = int(np.searchsorted(self._pts, self._pts[last] + reach, side="right")) - 1
        return max(before, int(self._scenes[begin - 1])), min(after, int(self._scenes[end]) - 1)

    # --- what the program or a person did

    def _repairs(self) -> Iterator[_Spot]:
        places = {id: box for id, _, box in self._state.keyframes}
        for id, (first, last) in sorted(self._state.added, reverse=True):
            if id in self._state.of_program:
                yield _Spot(Kind.REPAIR, self._frame(first), self._frame(last), places[id], id)

    def _held(self) -> Iterator[_Spot]:
        for id, (first, last) in sorted(self._state.held):
            boxes = [box for t, pts, box in self._state.keyframes if t == id and first <= pts <= last]
            yield _Spot(Kind.HELD, self._frame(first), self._frame(last), boxes[0] if boxes else None, id)

    def _ends_of_drawn(self) -> Iterator[_Spot]:
        """Where following a drawn cover ended, and the face may go on."""
        places = places_of(self._state.keyframes)
        for id, span in sorted(self._state.added):
            if id in self._state.of_program:
                continue
            times, sides = places[id]
            first, last = (
                Seen(self._frame(pts), _box_at(pts, times, sides), 1.0, False, True, True) for pts in span
            )
            yield from self._breaks_off(id, first, -1, 1.0)
            yield from self._breaks_off(id, last, 1, 1.0)

    def _frame(self, pts: int) -> int:
        return min(int(np.searchsorted(self._pts, pts)), len(self._pts) - 1)


def _is_something(place: Place) -> bool:
    """Whether there is anything to see: boxes at the edges may have no width."""
    return place.box is None or (place.box[2] - place.box[0] >= 1 and place.box[3] - place.box[1] >= 1)


def _box_at(pts: int, times: Int64Array, sides: Float64Array) -> Box:
    x1, y1, x2, y2 = (float(np.interp(pts, times, side)) for side in sides)
    return x1, y1, x2, y2


def _covers_nothing(track: FoundTrack) -> bool:
    return not any(seen.sure for seen in track.sightings)


def _array(boxes: Sequence[Box]) -> Float32Array:
    return np.array(boxes, np.float32).reshape(-1, 4)


def _hull(boxes: Sequence[Box]) -> Float32Array:
    """What is around all of them, (1, 4)."""
    sides = _array(boxes)
    return np.concatenate([sides[:, :2].min(0), sides[:, 2:].max(0)])[None]


def _box(boxes: Float32Array) -> Box:
    """The only one of (1, 4)."""
    x1, y1, x2, y2 = boxes[0].tolist()
    return x1, y1, x2, y2


def _overlap(a: Box, b: Box) -> bool:
    return not math.isclose(float(box_ops.iou(_array([a]), _array([b]))[0, 0]), 0.0)
