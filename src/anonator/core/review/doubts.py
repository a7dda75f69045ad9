"""Doubts: the places that a person should look at first, in order, each with a sentence that says why."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.frames import Float32Array, Masks
from anonator.core.review.analysis import Analysis, FoundTrack
from anonator.core.review.corrected import masks_after
from anonator.core.review.edits import Edit, Span
from anonator.core.review.kept_sightings import Box, Seen
from anonator.core.review.reviewed import Reviewed, apply
from anonator.core.review.stops import stops
from anonator.core.tracking.covering import horizon

TOGETHER_SECONDS = 2.0
"""What begins within this time is looked at in one go, so it is one doubt with several places."""
CENTRE, COVERED = 0.7, 0.9
"""A face is covered where this share of its central part, of this share of its sides, is."""
SURE_MISS = 0.25
"""A near-miss that comes alone is worth a look from this score on."""
SAME_PLACE = 0.3
"""IoU at which two near-misses are one."""
CHAIN_SECONDS = 0.5
UNSEEN_LOOKS = 2
"""A gap of fewer looks between two sightings that overlap is none."""
STILL_MOVING = 24
"""Change of luma from which a picture moves."""
ALONE_SECONDS = 5.0
"""So long may something move without any face."""
DARK, BLURRED = 25, 5
"""Below these, a picture is too dark or too blurred to find faces in it."""
HARD_SECONDS = 1.0
NEAR_SECONDS = 0.2
"""So long before and after it was seen, something is still there to see."""


class Kind(Enum):
    """Why a place is worth a look; the most likely leaks come first."""

    NEAR_MISS = "something that may be a face was too weak to count, and nothing covers it"
    BREAKS_OFF = "a face begins or ends inside the picture, and nothing covers its place before or after"
    REPAIR = "the second look found a face here that had not been covered"
    GAP = "a face was not found for a while and covered where it must have been"
    ONCE = "a face was found only once"
    TURNED = "a face was found only in a turned picture"
    HELD = "a drawn cover could not be followed and was held"
    NO_FACE = "something moves, but no face was found for more than 5 seconds"
    HARD_TO_SEE = "the picture is too dark or too blurred to find faces in it"


ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True, slots=True)
class Doubt:
    """A place and a time that are worth a look."""

    kind: Kind
    span: Span
    """First and last PTS."""
    places: tuple[Box, ...]
    """Where in the picture; none is all of it."""
    tracks: tuple[int, ...]
    """The tracks that it is about."""
    sentence: str
    stops: tuple[int, ...]
    """PTS of the frames to look at, in order: each place is worth a look on one of them."""
    windows: tuple[Span, ...] = ()
    """First and last PTS at which there is something to see at each place."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """One thing about one face."""

    kind: Kind
    first: int
    """Frame."""
    last: int
    place: Box | None = None
    track: int | None = None
    window: tuple[int, int] | None = None
    """First and last frame on which there is something to see, if that isn't all."""


def doubts(
    analysis: Analysis, edits: Sequence[Edit] = (), masks: Sequence[Masks] | None = None
) -> list[Doubt]:
    """All doubts about a video, the kinds in their order, and each kind in order of time.

    Args:
        analysis: of the video.
        edits: of the program and of people; what they cover is no doubt any more.
        masks: of every frame after these edits, if they are known.
    """
    if not analysis.pts:
        return []
    state = apply(edits, analysis)
    return _Search(analysis, state, masks or masks_after(analysis, state, analysis.masks())).doubts()


class _Search:
    def __init__(self, analysis: Analysis, state: Reviewed, masks: Sequence[Masks]) -> None:
        self._a, self._state, self._masks = analysis, state, masks
        self._per_second = analysis.key.time_base[1] / analysis.key.time_base[0]
        self._pts = np.array(analysis.pts, np.int64)
        self._looks = np.array([index for index, _ in analysis.looks], np.int64)
        self._turned = np.array([index for index, turned in analysis.looks if turned], np.int64)
        self._scenes = np.array([*analysis.cuts, len(analysis.pts)], np.int64)
        self._reach = horizon(analysis.settings) * self._per_second

    def doubts(self) -> list[Doubt]:
        spots = [*self._misses(), *self._repairs(), *self._held()]
        for track in self._a.tracks:
            spots += self._about(track)
        found = [*self._together(spots), *map(self._alone, [*self._no_face(), *self._hard_to_see()])]
        return sorted(found, key=lambda each: (ORDER[each.kind], each.span))

    # --- what nothing covers

    def _is_covered(self, index: int, box: Box) -> bool:
        if not 0 <= index < len(self._masks):
            return True
        masks = box_ops.expand(self._masks[index].boxes, self._a.settings.mask_scale)
        middle = box_ops.expand(np.array([box], np.float32), CENTRE)
        return bool((box_ops.inside(middle, masks) >= COVERED).any())

    def _misses(self) -> Iterator[_Spot]:
        """Near-misses that nothing covers: those that stay for a while, and strong ones."""
        once = [t.sightings[0] for t in self._a.tracks if _covers_nothing(t)]
        weak = [each for each in (*self._a.near_misses, *once) if not self._is_covered(each.frame, each.box)]
        for chain in self._chains(weak):
            if len(chain) > 1 or chain[0].score >= SURE_MISS:
                yield _Spot(Kind.NEAR_MISS, chain[0].frame, chain[-1].frame, chain[len(chain) // 2].box)
        others = (e for e in self._a.second_opinions if not self._is_covered(e.frame, e.box))
        for chain in self._chains(others):
            yield _Spot(Kind.NEAR_MISS, chain[0].frame, chain[-1].frame, chain[len(chain) // 2].box)

    def _chains(self, seen: Iterable[Seen]) -> list[list[Seen]]:
        """Detections of one place, one after another."""
        chains: list[list[Seen]] = []
        for each in sorted(seen, key=lambda s: s.frame):
            now = self._pts[each.frame] - CHAIN_SECONDS * self._per_second
            near = [c for c in chains if self._pts[c[-1].frame] >= now]
            overlap = box_ops.iou(_array([each.box]), _array([c[-1].box for c in near]))[0]
            if len(near) and overlap.max() >= SAME_PLACE:
                near[int(overlap.argmax())].append(each)
            else:
                chains.append([each])
        return chains

    # --- tracks

    def _about(self, track: FoundTrack) -> Iterator[_Spot]:
        if _covers_nothing(track):
            return
        seen, rows = list(track.sightings), track.sightings.rows
        if len(seen) == 1:
            yield _Spot(Kind.ONCE, seen[0].frame, seen[0].frame, seen[0].box, track.id)
        elif rows["turned"].all():
            yield _Spot(Kind.TURNED, seen[0].frame, seen[-1].frame, seen[len(seen) // 2].box, track.id)
        yield from self._breaks_off(track.id, None, seen[0])
        for before, after in pairwise(seen):
            missing = self._looks_between(before, after)
            if self._pts[after.frame] - self._pts[before.frame] > self._reach and missing:
                yield from self._breaks_off(track.id, before, None)
                yield from self._breaks_off(track.id, None, after)
            if missing >= UNSEEN_LOOKS or (missing and not _overlap(before.box, after.box)):
                hull = box_ops.hull(_array([before.box]), _array([after.box]))[0].tolist()
                quarter = (after.frame - before.frame) // 4
                window = before.frame + quarter, after.frame - quarter
                yield _Spot(Kind.GAP, before.frame, after.frame, tuple(hull), track.id, window)
        yield from self._breaks_off(track.id, seen[-1], None)

    def _looks_between(self, before: Seen, after: Seen) -> int:
        """Looks that could have seen the face and did not."""
        looks = self._turned if before.turned and after.turned else self._looks
        first, last = np.searchsorted(looks, [before.frame + 1, after.frame])
        return int(last - first)

    def _breaks_off(self, id: int, last: Seen | None, first: Seen | None) -> Iterator[_Spot]:
        """Whether a face is bare just after its last mask, or just before its first one."""
        end = last or first
        assert end is not None
        step = 1 if last else -1
        scene = np.searchsorted(self._scenes, end.frame, side="right")
        begin, stop = int(self._scenes[scene - 1]), int(self._scenes[scene])
        if self._at_edge(end.box):
            return
        index = end.frame
        while begin <= index < stop and id in self._masks[index].track_ids:
            index += step
        if begin <= index < stop and not self._is_covered(index, end.box):
            first_near, last_near = self._near(index, index)
            window = (index, last_near) if step > 0 else (first_near, index)
            yield _Spot(Kind.BREAKS_OFF, min(index, end.frame), max(index, end.frame), end.box, id, window)

    def _at_edge(self, box: Box) -> bool:
        """Whether a face of this size may have gone out of the picture."""
        x1, y1, x2, y2 = box
        margin = min(x2 - x1, y2 - y1) / 2
        key = self._a.key
        return x1 < margin or y1 < margin or x2 > key.width - margin or y2 > key.height - margin

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

    def _frame(self, pts: int) -> int:
        return min(int(np.searchsorted(self._pts, pts)), len(self._pts) - 1)

    # --- whole pictures

    def _no_face(self) -> Iterator[_Spot]:
        for first, last in self._stretches([not len(each) for each in self._masks], ALONE_SECONDS):
            moving = [shade.moving >= STILL_MOVING for shade in self._a.shades[first : last + 1]]
            if sum(moving) * 5 >= len(moving) > 0:
                yield _Spot(Kind.NO_FACE, first, last)

    def _hard_to_see(self) -> Iterator[_Spot]:
        hard = [shade.light < DARK or shade.sharp < BLURRED for shade in self._a.shades]
        for first, last in self._stretches(hard, HARD_SECONDS):
            yield _Spot(Kind.HARD_TO_SEE, first, last)

    def _stretches(self, holds: list[bool], seconds: float) -> Iterator[tuple[int, int]]:
        """First and last frame of every stretch where something holds for longer than that."""
        begin = None
        for index, each in enumerate([*holds, False]):
            if each and begin is None:
                begin = index
            elif not each and begin is not None:
                if self._pts[index - 1] - self._pts[begin] > seconds * self._per_second:
                    yield begin, index - 1
                begin = None

    # --- doubts of spots

    def _together(self, spots: Iterable[_Spot]) -> Iterator[Doubt]:
        """One doubt for all that begins within a short time."""
        group: list[_Spot] = []
        for spot in sorted(spots, key=lambda each: (each.first, each.last)):
            late = self._pts[spot.first] - self._pts[group[0].first] if group else 0
            if late > TOGETHER_SECONDS * self._per_second:
                yield self._doubt(group)
                group = []
            group.append(spot)
        if group:
            yield self._doubt(group)

    def _alone(self, spot: _Spot) -> Doubt:
        return self._doubt([spot])

    def _doubt(self, group: Sequence[_Spot]) -> Doubt:
        worst = min(group, key=lambda each: ORDER[each.kind])
        kinds = sorted({each.kind for each in group}, key=ORDER.__getitem__)
        sentence = "; ".join(kind.value for kind in kinds)
        if len(group) > 1:
            sentence += f" ({len(group)} places)"
        first, last = min(each.first for each in group), max(each.last for each in group)
        windows = [spot.window or self._near(spot.first, spot.last) for spot in group]
        return Doubt(
            worst.kind,
            (int(self._pts[first]), int(self._pts[last])),
            tuple(each.place for each in group if each.place is not None),
            tuple(dict.fromkeys(each.track for each in group if each.track is not None)),
            f"{sentence[0].upper()}{sentence[1:]}.",
            tuple(int(self._pts[at]) for at in stops(windows)),
            tuple(
                (int(self._pts[begin]), int(self._pts[end]))
                for spot, (begin, end) in zip(group, windows, strict=True)
                if spot.place is not None
            ),
        )


def _covers_nothing(track: FoundTrack) -> bool:
    return len(track.sightings) == 1 and not track.sightings[0].sure


def _array(boxes: Sequence[Box]) -> Float32Array:
    return np.array(boxes, np.float32).reshape(-1, 4)


def _overlap(a: Box, b: Box) -> bool:
    return not math.isclose(float(box_ops.iou(_array([a]), _array([b]))[0, 0]), 0.0)
