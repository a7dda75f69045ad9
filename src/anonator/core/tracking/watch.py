"""Looks at pictures in order and, where the camera doesn't move, only at the part that has changed.

A part that has not changed beyond noise since it was last looked at cannot hold a new answer, so what was
found there is carried on. All of the picture is looked at afresh at the ends of a scene and, within it, every
two seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.detection.detector_protocol import Detector, PartDetector, View
from anonator.core.frames import Detections, UInt8Array

CELLS = 240
"""Cells along the longer side of the picture; the colours in each are averaged, and most noise with them."""
CHANGE = 6
"""A cell has changed where a colour differs by more than this, of 255."""
MARGIN = 128
"""Pixels, as the network sees them, around what has changed: a face is seen with what surrounds it."""
STEPS = 6, 4
"""Parts have few sizes, in steps of the picture's width and height: a network plans anew for every size."""
ALIGNED = 32
"""Parts begin at multiples of so many pixels, where the network's grid begins, too."""
MOST = 0.6
"""Where more of the picture would be looked at, all of it is."""
AFRESH_SECONDS = 2.0
"""All of the picture is looked at after this time, whatever has changed."""
SAME = 0.3
"""IoU from which a face and one that was carried on are the same."""
WITHIN = 0.7
"""Share of a face within one that was carried on, from which it is a piece of that one."""

Part = tuple[int, int, int, int]
"""xyxy in pixels of the picture, half-open; without area if there is nothing to look at."""
NOTHING: Part = (0, 0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """One picture, and how it is to be looked at."""

    picture: UInt8Array
    """(H, W, 3) RGB."""
    turns: tuple[int, ...]
    """Quarter turns, with 0 among them."""
    seconds: float
    """Presentation time."""
    afresh: bool
    """Whether all of it must be looked at."""
    light: bool = False
    """Whether half the size does where all of it is looked at: its neighbours get the full one."""


class Watch:
    """What is in the pictures of a video, one after another."""

    def __init__(self, detector: Detector, checkpoint: Callable[[], None] | None = None) -> None:
        """Nothing was seen yet.

        Args:
            detector: of the job.
            checkpoint: called between layers of the network; may raise to end it there.
        """
        self._detector, self._checkpoint = detector, checkpoint
        self._parts = detector if isinstance(detector, PartDetector) else None
        self._upright, self._turned = _Memory(), _Memory()
        self._size = (0, 0)

    def look(self, glances: Sequence[Glance]) -> list[Detections]:
        """Detections for every picture, in its pixels.

        Raises:
            DetectionError: the detector failed.
        """
        parts = [self._plan(each) for each in glances]
        if self._parts is None:
            seen = self._at_wholes(glances)
        else:
            seen = self._at_views(self._parts, glances, parts)
        return [self._remember(*each) for each in zip(glances, seen, parts, strict=True)]

    def _at_wholes(self, glances: Sequence[Glance]) -> list[Detections]:
        """What a detector sees that takes whole pictures, of one size and in the same turns at a time."""
        fresh: dict[int, Detections] = {}

        def kind(number: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
            return glances[number].turns, glances[number].picture.shape[:2]

        for (turns, _), alike in groupby(sorted(range(len(glances)), key=kind), key=kind):
            numbers = list(alike)
            pictures = [glances[i].picture for i in numbers]
            found = self._detector.detect(pictures, turns, checkpoint=self._checkpoint)
            fresh.update(zip(numbers, found, strict=True))
        return [fresh[i] for i in range(len(glances))]

    def _at_views(
        self, detector: PartDetector, glances: Sequence[Glance], parts: Sequence[Part | None]
    ) -> list[Detections]:
        """What is seen in one part of each picture, or in all of it, in pixels of the picture."""
        views = {
            i: _view(detector, each, part)
            for i, (each, part) in enumerate(zip(glances, parts, strict=True))
            if part != NOTHING
        }
        answers = detector.detect_views(list(views.values()), checkpoint=self._checkpoint) if views else []
        found = dict(zip(views, answers, strict=True))
        seen = []
        for i, part in enumerate(parts):
            faces = found.get(i, Detections.empty())
            corner = np.array((part or NOTHING)[:2] * 2, np.float32)
            seen.append(Detections(faces.boxes + corner, faces.scores, faces.turns))
        return seen

    def _memories(self, turns: tuple[int, ...]) -> tuple[_Memory, ...]:
        """Those that a look renews: a turned one is an upright one, too."""
        return (self._turned, self._upright) if len(turns) > 1 else (self._upright,)

    def _plan(self, glance: Glance) -> Part | None:
        """The part of a picture that must be looked at; None is all of it."""
        height, width = glance.picture.shape[:2]
        scale = self._parts.part_scale(width, height) if self._parts else None
        if scale is None:
            return None
        cells = _cells(glance.picture)
        memories = self._memories(glance.turns)
        changed = np.zeros(cells.shape[:2], bool)
        whole = glance.afresh or (width, height) != self._size
        self._size = width, height
        for memory in memories:
            if memory.is_stale(cells, glance.seconds):
                whole = True
            else:
                changed |= memory.changed(cells)
        part = None if whole else _part_around(changed, (width, height), scale)
        # what half the size shows is no reason to look less closely the next time
        for memory in () if glance.light else memories:
            memory.note(cells, None if part is None else changed, glance.seconds)
        return part

    def _remember(self, glance: Glance, fresh: Detections, part: Part | None) -> Detections:
        """What is in the whole picture, by what was seen now and before."""
        if glance.light:
            return _joined(self._upright.faces, fresh, part)
        first, *others = self._memories(glance.turns)
        for memory in others:
            memory.faces = _joined(memory.faces, fresh.select(fresh.turns == 0), part)
        first.faces = _joined(first.faces, fresh, part)
        return first.faces


def look_lightly(
    detector: Detector, pictures: Sequence[UInt8Array], checkpoint: Callable[[], None] | None = None
) -> list[Detections]:
    """Look at pictures of one size at half the size that the network sees else, where that saves time.

    Raises:
        DetectionError: the detector failed.
    """
    if not isinstance(detector, PartDetector):
        return detector.detect(pictures, checkpoint=checkpoint)
    glances = [Glance(each, (0,), 0.0, afresh=True, light=True) for each in pictures]
    return detector.detect_views([_view(detector, each, None) for each in glances], checkpoint=checkpoint)


def _view(detector: PartDetector, glance: Glance, part: Part | None) -> View:
    """What the detector is to look at; None is all of the picture."""
    height, width = glance.picture.shape[:2]
    scale = detector.part_scale(width, height)
    if part is None:
        light = glance.light and scale is not None
        return View(glance.picture, glance.turns, scale / 2 if light and scale is not None else None)
    assert scale is not None, "parts are planned only where this has a scale"
    x1, y1, x2, y2 = part
    picture = np.ascontiguousarray(glance.picture[y1:y2, x1:x2])
    return View(picture, glance.turns, scale / 2 if glance.light else scale)


class _Memory:
    """What one kind of look last saw, and how the picture was where it looked."""

    def __init__(self) -> None:
        self.faces = Detections.empty()
        self._cells: np.ndarray | None = None
        self._since = 0.0
        """When all of the picture was last looked at."""

    def is_stale(self, cells: np.ndarray, seconds: float) -> bool:
        """Whether nothing that was seen may be carried on."""
        known = self._cells
        age = seconds - self._since
        return known is None or known.shape != cells.shape or not 0 <= age < AFRESH_SECONDS

    def changed(self, cells: np.ndarray) -> np.ndarray:
        """(rows, columns) bool: where the picture isn't as it was when it was looked at there."""
        assert self._cells is not None
        differing = (np.abs(cells - self._cells) > CHANGE).any(axis=2).astype(np.uint8)
        # a face covers several cells; a lone one is noise, and would make a small part a large one
        pair = np.ones((2, 2), np.uint8)
        grouped = cv2.dilate(cv2.erode(differing, pair, anchor=(0, 0)), pair, anchor=(1, 1))
        return np.asarray(grouped, bool)

    def note(self, cells: np.ndarray, looked_at: np.ndarray | None, seconds: float) -> None:
        """Keep in mind how the picture is where it is looked at; None is everywhere."""
        if looked_at is None or self._cells is None:
            self._cells, self._since = cells, seconds
        else:
            self._cells = np.where(looked_at[..., None], cells, self._cells)


def _cells(picture: UInt8Array) -> np.ndarray:
    """(rows, columns, 3) int16 average colours."""
    height, width = picture.shape[:2]
    shrunk = min(1.0, CELLS / max(width, height))
    size = max(1, round(width * shrunk)), max(1, round(height * shrunk))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.int16)


def _part_around(changed: np.ndarray, size: tuple[int, int], scale: float) -> Part | None:
    """The part of a picture that shows what has changed, with its surroundings; None is all of it."""
    if not changed.any():
        return NOTHING
    ends = []
    for axis, length, step in ((0, size[0], STEPS[0]), (1, size[1], STEPS[1])):
        where = np.flatnonzero(changed.any(axis=axis))
        cell = length / changed.shape[1 - axis]
        low, high = where[0] * cell - MARGIN / scale, (where[-1] + 1) * cell + MARGIN / scale
        unit = -(-length // step)
        wanted = min(length, -int(-(high - low + ALIGNED) // unit) * unit)
        begin = int(max(0, (low + high - wanted) / 2)) // ALIGNED * ALIGNED
        begin = min(begin, length - wanted)
        ends.append((begin, begin + wanted))
    (x1, x2), (y1, y2) = ends
    return None if (x2 - x1) * (y2 - y1) > MOST * size[0] * size[1] else (x1, y1, x2, y2)


def _joined(before: Detections, fresh: Detections, part: Part | None) -> Detections:
    """What was found before, as far as it was not looked at again, and what was found now; best first."""
    if part is None:
        return fresh
    x1, y1, x2, y2 = part
    corners = before.boxes
    again = (corners[:, :2] >= (x1, y1)).all(axis=1) & (corners[:, 2:] <= (x2, y2)).all(axis=1)
    kept = before.select(np.flatnonzero(~again))
    if not len(kept) or not len(fresh):
        return fresh if len(fresh) else kept
    boxes, scores = kept.boxes.copy(), kept.scores.copy()
    overlap = box_ops.iou(fresh.boxes, kept.boxes)
    same = overlap.max(axis=1) > SAME
    piece = box_ops.inside(fresh.boxes, kept.boxes).max(axis=1) > WITHIN
    for i in np.flatnonzero(same):
        # a face that reaches beyond the part is covered as far as either look says
        face = overlap[i].argmax()
        boxes[face] = box_ops.hull(boxes[face][None], fresh.boxes[i][None])[0]
        scores[face] = max(scores[face], fresh.scores[i])
    new = fresh.select(np.flatnonzero(~(same | piece)))
    scores = np.concatenate([scores, new.scores])
    order = np.argsort(-scores, kind="stable")
    boxes, turns = np.concatenate([boxes, new.boxes]), np.concatenate([kept.turns, new.turns])
    return Detections(boxes[order], scores[order], turns[order])
