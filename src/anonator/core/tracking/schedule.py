"""Chooses the frames in which the detector looks: every n-th, both sides of a scene cut, and the last one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import groupby

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.config import Settings
from anonator.core.detection.detector_protocol import Detector, PartDetector
from anonator.core.frames import Detections, Frame, Look, Place, UInt8Array
from anonator.core.pictures.rgb import picture_within
from anonator.core.tracking.cuts import CutDetector
from anonator.core.tracking.watch import Glance, Watch, look_lightly

TURNED_EVERY = 5
"""With detection on every frame, the turned passes run on every n-th, or on the next one that is looked at in
full size: tracks bridge those between."""

LIGHT_WITHIN = 0.2
"""Seconds since the last look in full size after which half the size won't do: with few frames a second, a
small face may have come and gone."""

UPRIGHT, ALL_TURNS = (0,), (0, 1, 2, 3)
"""Quarter turns of a look."""

WAITING_BYTES = 256 * 1024 * 1024
"""Frames that wait for a batch to fill take no more than this; a large picture makes smaller batches."""


@dataclass(frozen=True, slots=True, eq=False)
class Planned:
    """One frame, and what the detector is to do with it."""

    frame: Frame
    cut: bool
    """True on the first frame of a scene, the very first frame included."""
    wanted: bool
    """Whether the detector looks at it."""
    turned: bool
    """Whether it also looks at the picture turned, and with its parts apart."""
    at_change: bool
    """Whether a scene begins or ends here."""
    light: bool = False
    """Whether half the size does, because frames shortly before and after it are looked at in full size."""

    @property
    def turns(self) -> tuple[int, ...]:
        """The quarter turns at which the detector looks."""
        return ALL_TURNS if self.turned else UPRIGHT


def look(
    frames: Iterable[Frame],
    detector: Detector,
    settings: Settings,
    checkpoint: Callable[[], None] | None = None,
) -> Iterator[Look]:
    """Pass every frame on, in order, with detections for those that were looked at; see plan."""
    batch = _Batch(detector, checkpoint)
    for planned in plan(frames, settings):
        yield from batch.add(planned)
    yield from batch.flush()


def plan(frames: Iterable[Frame], settings: Settings, *, begins_within: bool = False) -> Iterator[Planned]:
    """Choose where the detector looks, for every frame and in order.

    Detection frames are every n-th of a scene, its first and its last frame, so that whatever lies
    between two of them has a neighbour on both sides. A flash of one frame is looked at like a scene of
    its own, but it ends none: a face that it outshines stays covered. A black frame in place of one that
    cannot be decoded is neither looked at nor a cut: whatever was covered before and after it stays covered.

    Args:
        frames: one after another.
        settings: of the job.
        begins_within: whether the first frame lies within a scene; it then only tells where the next one
            is, and isn't passed on. Counting goes on as if that scene were the first of the video.
    """
    turn = _Turn(settings)
    held: tuple[Frame, bool, bool, bool] | None = None
    cuts = CutDetector(settings.tracking.cut_correlation)
    shape: tuple[int, int, Fraction] | None = None
    for frame in frames:
        if begins_within:
            begins_within, shape = False, frame.shape
            cuts.is_cut(frame)
            turn.go_to(frame.index, float(frame.seconds))
            continue
        reshaped = False
        if not frame.replaced:
            reshaped, shape = shape not in (None, frame.shape), frame.shape
        # when the picture's shape changes, nothing that was followed is where it was
        cut = changed = not frame.replaced and (cuts.is_cut(frame) or reshaped)
        # one frame is held back: only its successor tells whether it was the last of its scene, or a flash
        if held is not None:
            before, was_cut, had_changed, had_reshaped = held
            if was_cut and cuts.flashed and not (reshaped or had_reshaped):
                was_cut = cut = False
            yield turn.planned(before, was_cut, at_change=had_changed or changed)
        held = frame, cut, changed, reshaped
    if held is not None:
        yield turn.planned(held[0], held[1], at_change=True)


def find_faces(
    frames: Sequence[Frame],
    detector: Detector,
    turns: Sequence[int] = UPRIGHT,
    checkpoint: Callable[[], None] | None = None,
    *,
    light: bool = False,
) -> list[Detections]:
    """What the detector sees in frames, looking at each picture in the shape that players show.

    Args:
        frames: in any order.
        detector: of the job.
        turns: quarter turns at which it looks.
        checkpoint: called between layers of the network; may raise to end it there.
        light: whether half the size does.

    Returns:
        Detections for every frame, boxes in pixels of the frame.

    Raises:
        DetectionError: the detector failed.
    """
    found: list[Detections] = []
    # the detector takes pictures of one size at a time
    for _, alike in groupby(frames, key=lambda frame: frame.shape):
        # scaled down already where the detector would do so
        seen = [picture_within(frame, detector.max_resolution) for frame in alike]
        pictures = [picture for picture, _ in seen]
        if light:
            faces = look_lightly(detector, pictures, checkpoint)
        else:
            faces = detector.detect(pictures, turns, checkpoint=checkpoint)
        found += [in_frame(each, *view) for view, each in zip(seen, faces, strict=True)]
    return found


class _Turn:
    """Counts frames and looks, and so knows whose turn it is."""

    def __init__(self, settings: Settings) -> None:
        self._every = settings.preset.detect_every
        self._full_every = settings.preset.full_size_every
        looks = max(1, TURNED_EVERY // self._every)
        # turned looks are in full size, too
        self._turned_every = -(-looks // self._full_every) * self._full_every if settings.orientations else 0
        self._since_look = 0
        self._since_turned = 0
        self._since_full = 0
        self._full_seconds = -math.inf

    def go_to(self, index: int, seconds: float) -> None:
        """Count as if that frame, counted from the first of its scene, had just been planned."""
        self._full_seconds = seconds
        self._since_look = index % self._every
        looks = index // self._every
        self._since_turned = looks % self._turned_every if self._turned_every else 0
        self._since_full = looks % self._full_every

    def planned(self, frame: Frame, cut: bool, *, at_change: bool) -> Planned:
        """The next frame's plan."""
        self._since_look += 1
        wanted = not frame.replaced and (at_change or self._since_look >= self._every)
        turned = light = False
        if wanted:
            self._since_look = 0
            self._since_turned += 1
            self._since_full += 1
            turned = self._turned_every > 0 and (at_change or self._since_turned >= self._turned_every)
            near = float(frame.seconds) - self._full_seconds <= LIGHT_WITHIN
            light = near and not (at_change or turned or self._since_full >= self._full_every)
            if turned:
                self._since_turned = 0
            if not light:
                self._since_full, self._full_seconds = 0, float(frame.seconds)
        return Planned(frame, cut, wanted, turned, at_change, light)


class _Batch:
    """Collects frames until there is a batch of detection frames among them."""

    def __init__(self, detector: Detector, checkpoint: Callable[[], None] | None) -> None:
        self._detector, self._watch = detector, Watch(detector, checkpoint)
        self._fills = isinstance(detector, PartDetector)
        """Whether only pictures in full size count for a batch: those in half size make another one."""
        self._waiting: list[Planned] = []
        self._wanted = 0

    def add(self, planned: Planned) -> Iterator[Look]:
        self._wanted += planned.wanted and not (planned.light and self._fills)
        self._waiting.append(planned)
        waiting_bytes = len(self._waiting) * planned.frame.nbytes
        if self._wanted >= self._detector.batch_size or waiting_bytes >= WAITING_BYTES:
            yield from self.flush()

    def flush(self) -> Iterator[Look]:
        wanted = [each for each in self._waiting if each.wanted]
        views = [picture_within(each.frame, self._detector.max_resolution) for each in wanted]
        glances = [
            Glance(picture, each.turns, float(each.frame.seconds), each.at_change, each.light)
            for (picture, _), each in zip(views, wanted, strict=True)
        ]
        found = {
            each.frame.index: in_frame(faces, *view)
            for each, view, faces in zip(wanted, views, self._watch.look(glances), strict=True)
        }
        for each in self._waiting:
            yield Look(each.frame, each.cut, found.get(each.frame.index), each.turned, each.light)
        self._waiting.clear()
        self._wanted = 0


def in_frame(faces: Detections, picture: UInt8Array, place: Place) -> Detections:
    """What was found in a picture, with its boxes in pixels of the frame in which the picture has a place."""
    height, width = picture.shape[:2]
    boxes = box_ops.rescale(faces.boxes, place.width / width, place.height / height)
    corner = np.array([place.x, place.y, place.x, place.y], np.float32)
    return Detections(boxes + corner, faces.scores, faces.turns)
