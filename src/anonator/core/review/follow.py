"""Following: a box that a person drew goes along with what is in it, both ways, until it is lost.

It stops at cuts, at the picture's edges and where it is lost for long. Where it is lost for a while, the box
is held and grows; that stretch is marked, because a person should look at it. Boxes that a person placed are
never changed: what lies between two of them is followed from both.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.detection.detector_protocol import Detector
from anonator.core.frames import Float32Array, Frame, UInt8Array
from anonator.core.pictures.rgb import to_rgb
from anonator.core.reading.reader import VideoReader
from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import Edit, Operation, Span, own_id
from anonator.core.review.flow import flowed
from anonator.core.review.kept_sightings import Box

LONG_SIDE = 960
"""Pictures are followed at no more than this."""
LOWEST_SCORE = 0.05
"""A detector for following is loaded with this as the lowest score that continues a track."""
CROP = 2.5
"""The detector sees this many box sizes around a box, at least CROP_SIDE pixels."""
CROP_SIDE = 96
SAME = 0.35
"""IoU with where the flow leads, at which a detection is the same face."""
OTHERS = 0.5
"""IoU at which a detection is another track's face."""
SETTLE = 0.4
"""How fast the size follows that of detections, 0..1."""
HOLD_SECONDS = 1.0
HOLD_GROWTH = 1.03
LARGEST_HOLD = 1.8
CHUNK_SECONDS = 4.0
CHUNK_BYTES = 128 * 1024 * 1024
"""To go backwards, so much is read forwards at a time."""


@dataclass(frozen=True, slots=True)
class Step:
    """Where the box is on one frame."""

    pts: int
    box: Box
    held: bool = False


@dataclass(frozen=True, slots=True)
class Followed:
    """Where a drawn box went, in order of time."""

    steps: tuple[Step, ...]

    @property
    def span(self) -> Span:
        """First and last PTS."""
        return self.steps[0].pts, self.steps[-1].pts

    @property
    def held(self) -> list[Span]:
        """The stretches in which it was only held."""
        spans: list[list[int]] = []
        before = False
        for step in self.steps:
            if step.held and before:
                spans[-1][1] = step.pts
            elif step.held:
                spans.append([step.pts, step.pts])
            before = step.held
        return [(first, last) for first, last in spans]

    def edits(self, number: int) -> list[Edit]:
        """A cover that goes there, and marks where it was held.

        Args:
            number: of the first edit.
        """
        boxes = tuple((step.pts, step.box) for step in self.steps)
        made = [Edit(number, Operation.ADD, None, self.span, boxes)]
        for span in self.held:
            made.append(Edit(number + len(made), Operation.HELD, own_id(number), span))
        return made


def follow(
    video: Path,
    analysis: Analysis,
    places: Sequence[tuple[int, Box]],
    detector: Detector | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> Followed:
    """Follow a drawn box before, between and after the places where a person put it.

    Args:
        video: the original.
        analysis: of it: its cuts, and where other faces are.
        places: (PTS, box), in order of time, at least one; all in one scene.
        detector: sees faces in the box again, if one is given; best with LOWEST_SCORE.
        checkpoint: called for every frame; may raise to end it.

    Raises:
        InputError: the video cannot be read.
    """
    way = _Way(video, analysis, detector, checkpoint)
    steps = [*reversed(list(way.before(*places[0])))]
    for (pts, box), following in zip(places, [*places[1:], None], strict=True):
        steps.append(Step(pts, box))
        if following is None:
            steps += way.after(pts, box)
        else:
            steps += way.between((pts, box), following)
    return Followed(tuple(steps))


class _Way:
    """The frames of a scene, and how a box goes along them."""

    def __init__(
        self,
        video: Path,
        analysis: Analysis,
        detector: Detector | None,
        checkpoint: Callable[[], None],
    ) -> None:
        self._video, self._a, self._detector, self._checkpoint = video, analysis, detector, checkpoint
        self._base = Fraction(*analysis.key.time_base)

    def after(self, pts: int, box: Box) -> Iterator[Step]:
        return self._along(self._forwards(pts), pts, box)

    def before(self, pts: int, box: Box) -> Iterator[Step]:
        return self._along(self._backwards(pts), pts, box)

    def between(self, first: tuple[int, Box], last: tuple[int, Box]) -> Iterator[Step]:
        """Followed from both ends; each counts the more, the nearer it is, and held ones not at all."""
        ahead = {step.pts: step for step in self.after(*first) if step.pts < last[0]}
        back = {step.pts: step for step in self.before(*last) if step.pts > first[0]}
        for pts in self._a.pts[bisect.bisect_right(self._a.pts, first[0]) : self._index(last[0])]:
            share = (pts - first[0]) / (last[0] - first[0])
            one, other = ahead.get(pts), back.get(pts)
            if one and other and one.held == other.held:
                yield Step(pts, _mixed(one.box, other.box, share), one.held)
            elif one or other:
                kept = one if one and not (one.held and other) else other
                assert kept is not None
                yield kept
            else:
                yield Step(pts, _mixed(first[1], last[1], share), held=True)

    def _index(self, pts: int) -> int:
        return bisect.bisect_left(self._a.pts, pts)

    def _scene(self, pts: int) -> tuple[int, int]:
        """First and last PTS of the scene."""
        scene = bisect.bisect_right(self._a.cuts, self._index(pts))
        first = self._a.cuts[scene - 1] if scene else 0
        end = self._a.cuts[scene] if scene < len(self._a.cuts) else len(self._a.pts)
        return self._a.pts[first], self._a.pts[end - 1]

    def _read(self, first: int, last: int) -> Iterator[Frame]:
        """The frames from one moment to another."""
        with VideoReader(self._video) as reader:
            for frame in reader.frames_from(float(first * self._base)):
                if frame.pts > last:
                    return
                if frame.pts >= first:
                    yield frame

    def _forwards(self, pts: int) -> Iterator[Frame]:
        return self._read(pts, self._scene(pts)[1])

    def _backwards(self, pts: int) -> Iterator[Frame]:
        first, _ = self._scene(pts)
        last = self._index(pts)
        while True:
            frames, room = self._chunk(last)
            begin = max(self._index(first), last - frames + 1)
            chunk = list(self._read(self._a.pts[begin], self._a.pts[last]))
            yield from reversed(chunk)
            if begin <= self._index(first) or not chunk or not room:
                return
            last = begin - 1

    def _chunk(self, last: int) -> tuple[int, bool]:
        """How many frames up to this one are read at a time, and whether there are any."""
        size = self._a.key.width * self._a.key.height * 3 // 2
        seconds = bisect.bisect_left(self._a.pts, self._a.pts[last] - CHUNK_SECONDS / self._base)
        return max(2, min(last - seconds + 1, CHUNK_BYTES // size)), last > 0

    def _along(self, frames: Iterable[Frame], pts: int, box: Box) -> Iterator[Step]:
        """The steps after the first frame, which is the one with the box."""
        frames = iter(frames)
        frame = next(frames, None)
        if frame is None or frame.pts != pts:
            return
        known = self._others(pts)
        strangers = {id for id, other in known if _iou(box, other) < OTHERS / 2}
        face = _Face(frame, box, self._detector)
        lost: float | None = None
        for frame in frames:
            self._checkpoint()
            away = [other for id, other in self._others(frame.pts) if id in strangers]
            went = face.next(frame, away)
            if not went:
                lost = float(frame.seconds) if lost is None else lost
                if abs(float(frame.seconds) - lost) > HOLD_SECONDS:
                    return
            else:
                lost = None
            x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
            if not (0 <= x < frame.width and 0 <= y < frame.height):
                return
            yield Step(frame.pts, face.box, held=lost is not None)

    def _others(self, pts: int) -> list[tuple[int, Box]]:
        """The faces that tracks were seen at, at this moment."""
        index = self._index(pts)
        if not hasattr(self, "_seen"):
            seen: dict[int, list[tuple[int, Box]]] = {}
            for track in self._a.tracks:
                for each in track.sightings:
                    seen.setdefault(each.frame, []).append((track.id, each.box))
            self._seen = seen
        return self._seen.get(index, [])


class _Face:
    """What is in the box, from frame to frame."""

    def __init__(self, frame: Frame, box: Box, detector: Detector | None) -> None:
        self.box = box
        self._detector = detector
        self._scale = min(1.0, LONG_SIDE / max(frame.width, frame.height))
        self._grey = self._small(frame)
        self._drawn: Float32Array | None = None
        """Where a person's box is about the detector's: shift and size in sizes of the latter."""
        self._held = 1.0
        seen = self._seen(frame, box, [])
        if seen is not None:
            self._drawn = _relation(box, seen)

    def next(self, frame: Frame, others: Sequence[Box]) -> bool:
        """Go on to the next frame; False if the box could only be held."""
        grey = self._small(frame)
        moved = flowed(self._grey, grey, _scaled(self._true, self._scale))
        self._grey = grey
        expected = self._true if moved is None else _scaled(moved, 1 / self._scale)
        seen = self._seen(frame, expected if moved else self.box, others)
        if seen is not None:
            if self._drawn is None:
                self._drawn = _relation(expected, seen)
            expected = _settled(expected, _placed(seen, self._drawn))
        if moved is None and seen is None:
            self._held = min(self._held * HOLD_GROWTH, LARGEST_HOLD)
            self.box = _grown(self._true, self._held)
            return False
        self._held, self.box = 1.0, expected
        return True

    @property
    def _true(self) -> Box:
        """The box without what it grew by while it was held."""
        return _grown(self.box, 1 / self._held)

    def _small(self, frame: Frame) -> UInt8Array:
        luma = frame.planes()[0]
        if self._scale == 1:
            return np.ascontiguousarray(luma)
        size = (round(frame.width * self._scale), round(frame.height * self._scale))
        return np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.uint8)

    def _seen(self, frame: Frame, box: Box, others: Sequence[Box]) -> Box | None:
        """The face that the detector sees in the box, upright or else turned."""
        if self._detector is None:
            return None
        x1, y1, x2, y2 = box
        half = max((x2 - x1), (y2 - y1), CROP_SIDE / CROP) * CROP / 2
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        left, top = max(0, int(x - half)), max(0, int(y - half))
        crop = to_rgb(frame)[top : int(y + half), left : int(x + half)]
        if min(crop.shape[:2]) < 16:
            return None
        for turns in ((0,), (1, 2, 3)):
            found = self._detector.detect([np.ascontiguousarray(crop)], turns)[0]
            boxes = found.boxes + np.array([left, top, left, top], np.float32)
            best = _best(boxes, found.scores, box, others)
            if best is not None:
                return best
        return None


def _best(boxes: Float32Array, scores: Float32Array, box: Box, others: Sequence[Box]) -> Box | None:
    own = np.array([box], np.float32)
    if not len(boxes):
        return None
    # a person draws around the head, so the face may be a part of the box
    same = np.maximum(box_ops.iou(boxes, own)[:, 0], box_ops.inside(boxes, own)[:, 0] * 0.9)
    ratio = box_ops.areas(boxes) / max(float(box_ops.areas(own)[0]), 1.0)
    same[(ratio > 3) | (ratio < 0.15)] = 0
    if others:
        taken = box_ops.iou(boxes, np.array(others, np.float32)).max(axis=1)
        same[taken >= OTHERS] = 0
    best = int(np.argmax(same * np.sqrt(scores)))
    if same[best] < SAME:
        return None
    x1, y1, x2, y2 = boxes[best].tolist()
    return x1, y1, x2, y2


def _relation(box: Box, seen: Box) -> Float32Array:
    """(4,) shift of the centre and size, in sizes of what was seen."""
    size = max(seen[2] - seen[0], 1.0), max(seen[3] - seen[1], 1.0)
    return np.array(
        [
            (box[0] + box[2] - seen[0] - seen[2]) / 2 / size[0],
            (box[1] + box[3] - seen[1] - seen[3]) / 2 / size[1],
            (box[2] - box[0]) / size[0],
            (box[3] - box[1]) / size[1],
        ],
        np.float32,
    )


def _placed(seen: Box, relation: Float32Array) -> Box:
    """The box that has this relation to what was seen."""
    size = seen[2] - seen[0], seen[3] - seen[1]
    shift_x, shift_y, wide, high = relation.tolist()
    x, y = (seen[0] + seen[2]) / 2 + shift_x * size[0], (seen[1] + seen[3]) / 2 + shift_y * size[1]
    return x - wide * size[0] / 2, y - high * size[1] / 2, x + wide * size[0] / 2, y + high * size[1] / 2


def _settled(expected: Box, seen: Box) -> Box:
    """The place of what was seen, its size half-way to it: detections flicker."""
    x, y = (seen[0] + seen[2]) / 2, (seen[1] + seen[3]) / 2
    half = [
        ((1 - SETTLE) * (expected[i + 2] - expected[i]) + SETTLE * (seen[i + 2] - seen[i])) / 2
        for i in (0, 1)
    ]
    return x - half[0], y - half[1], x + half[0], y + half[1]


def _mixed(one: Box, other: Box, share: float) -> Box:
    x1, y1, x2, y2 = (a * (1 - share) + b * share for a, b in zip(one, other, strict=True))
    return x1, y1, x2, y2


def _scaled(box: Box, by: float) -> Box:
    x1, y1, x2, y2 = (each * by for each in box)
    return x1, y1, x2, y2


def _grown(box: Box, by: float) -> Box:
    x1, y1, x2, y2 = box_ops.expand(np.array([box], np.float32), by)[0].tolist()
    return x1, y1, x2, y2


def _iou(one: Box, other: Box) -> float:
    return float(box_ops.iou(np.array([one], np.float32), np.array([other], np.float32))[0, 0])
