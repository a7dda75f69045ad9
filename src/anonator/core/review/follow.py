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

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.detection.detector_protocol import Detector
from anonator.core.frames import Frame
from anonator.core.reading.reader import VideoReader
from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import Edit, Operation, Span, own_id
from anonator.core.review.face_in_box import OTHERS, Face
from anonator.core.review.kept_sightings import Box

LOWEST_SCORE = 0.05
"""A detector for following is loaded with this as the lowest score that continues a track."""
HOLD_SECONDS = 1.0
WIDER, LEAST_WIDER = 1.5, 2.0
"""Where a box was followed and not placed, it is so many times as large, and at least so many pixels larger
on each side, because nothing is followed exactly; ..."""
WIDER_SECONDS = 0.2
"""... all of that from so far away from the nearest placed one."""
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
    placed, base = [pts for pts, _ in places], float(Fraction(*analysis.key.time_base))
    return Followed(tuple(_widened(step, placed, base) for step in steps))


def _widened(step: Step, placed: Sequence[int], base: float) -> Step:
    """A step as it is to be covered: exactly as a person placed it, and wider the farther away that is.

    Args:
        step: where the box was followed to.
        placed: PTS at which a person placed it.
        base: seconds of a unit of PTS.
    """
    away = min(abs(step.pts - pts) for pts in placed) * base
    share = min(1.0, away / WIDER_SECONDS)
    if not share:
        return step
    x1, y1, x2, y2 = step.box
    across, down = (max(side * (WIDER - 1) / 2, LEAST_WIDER) * share for side in (x2 - x1, y2 - y1))
    box = x1 - across, y1 - down, x2 + across, y2 + down
    return Step(step.pts, box, step.held)


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
        self._seen: dict[int, list[tuple[int, Box]]] = {}
        for track in analysis.tracks:
            for each in track.sightings:
                self._seen.setdefault(each.frame, []).append((track.id, each.box))

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
        face = Face(frame, box, self._detector)
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
        return self._seen.get(self._index(pts), [])


def _mixed(one: Box, other: Box, share: float) -> Box:
    x1, y1, x2, y2 = (a * (1 - share) + b * share for a, b in zip(one, other, strict=True))
    return x1, y1, x2, y2


def _iou(one: Box, other: Box) -> float:
    return float(box_ops.iou(np.array([one], np.float32), np.array([other], np.float32))[0, 0])
