"""On which frames the detector looks, and how: every n-th, both sides of a scene cut, the last one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from anonator.core import boxes as box_ops
from anonator.core.config import Settings
from anonator.core.frames import Detections, Frame, Look, UInt8Array
from anonator.core.scene import CutDetector
from anonator.core.video import to_rgb_within

TURNED_EVERY = 5
"""With detection on every frame, the turned passes run on every n-th: tracks bridge those between."""

WAITING_BYTES = 256 * 1024 * 1024
"""Frames that wait for a batch to fill take no more than this; a large picture makes smaller batches."""


class Detector(Protocol):
    """What this stage needs of a FaceDetector."""

    batch_size: int
    max_resolution: int

    def detect(self, pictures: Sequence[UInt8Array], turns: Sequence[int] = (0,)) -> list[Detections]:
        """N pictures in, N Detections out, in pixels of the pictures."""
        ...


def look(frames: Iterable[Frame], detector: Detector, settings: Settings) -> Iterator[Look]:
    """Pass every frame on, in order, with the detections of those that were looked at.

    Detection frames are every n-th of a scene, its first and its last frame, so that whatever lies
    between two of them has a neighbour on both sides. A flash of one frame is looked at like a scene of
    its own, but it ends none: a face that it outshines stays covered. A black frame in place of one that
    cannot be decoded is neither looked at nor a cut: what was covered before and after it goes on.
    """
    stage = _Stage(detector, settings)
    held: tuple[Frame, bool, bool] | None = None
    cuts = CutDetector(settings.tracking.cut_correlation)
    for frame in frames:
        cut = changed = not frame.replaced and cuts.is_cut(frame)
        # one frame is held back: only its successor tells whether it was the last of its scene, or a flash
        if held is not None:
            before, was_cut, had_changed = held
            if was_cut and cuts.flashed:
                was_cut = cut = False
            yield from stage.add(before, was_cut, at_change=had_changed or changed)
        held = frame, cut, changed
    if held is not None:
        yield from stage.add(held[0], held[1], at_change=True)
    yield from stage.flush()


def find_faces(frames: Sequence[Frame], detector: Detector, turns: Sequence[int] = (0,)) -> list[Detections]:
    """What the detector sees in frames of one size.

    Returns:
        Detections for every frame, boxes in pixels of the frame.

    Raises:
        DetectionError: the detector failed.
    """
    # scaled down already where the detector would do so
    pictures = [to_rgb_within(frame, detector.max_resolution) for frame in frames]
    found = detector.detect(pictures, turns)
    return [
        _in_frame(faces, picture, frame)
        for frame, picture, faces in zip(frames, pictures, found, strict=True)
    ]


class _Stage:
    """Collects frames until there is a batch of detection frames among them."""

    def __init__(self, detector: Detector, settings: Settings) -> None:
        self._detector = detector
        self._every = settings.preset.detect_every
        self._turned_every = max(1, TURNED_EVERY // self._every) if settings.orientations else 0
        self._waiting: list[tuple[Frame, bool, bool, bool]] = []  # frame, cut, look, turned
        self._wanted = 0
        self._since_look = 0
        self._since_turned = 0

    def add(self, frame: Frame, cut: bool, *, at_change: bool) -> Iterator[Look]:
        self._since_look += 1
        wanted = not frame.replaced and (at_change or self._since_look >= self._every)
        turned = False
        if wanted:
            self._since_look = 0
            self._since_turned += 1
            turned = self._turned_every > 0 and (at_change or self._since_turned >= self._turned_every)
            if turned:
                self._since_turned = 0
            self._wanted += 1
        self._waiting.append((frame, cut, wanted, turned))
        if self._wanted >= self._detector.batch_size or len(self._waiting) * frame.nbytes >= WAITING_BYTES:
            yield from self.flush()

    def flush(self) -> Iterator[Look]:
        found: dict[int, Detections] = {}
        for turns in ((0,), (0, 1, 2, 3)):
            group = [f for f, _, wanted, turned in self._waiting if wanted and turned == (len(turns) > 1)]
            if group:
                for frame, faces in zip(group, find_faces(group, self._detector, turns), strict=True):
                    found[frame.index] = faces
        for frame, cut, _, turned in self._waiting:
            yield Look(frame, cut, found.get(frame.index), turned)
        self._waiting.clear()
        self._wanted = 0


def _in_frame(faces: Detections, picture: UInt8Array, frame: Frame) -> Detections:
    height, width = picture.shape[:2]
    boxes = box_ops.rescale(faces.boxes, frame.width / width, frame.height / height)
    return Detections(boxes, faces.scores, faces.turns)
