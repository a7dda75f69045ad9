"""Small synthetic scenes with known truth, and a tracker run over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import av
import numpy as np

from anonator.core.config import Settings
from anonator.core.frames import Detections, Frame, Look, Masks
from anonator.core.tracking.linking import Tracker

Box = tuple[float, float, float, float]
Found = tuple[Box, float, int]
"""Box, score, quarter turns."""
FPS = 25
CANVAS = (300, 1200)
"""Rows and columns of the plane on which scenes are drawn; the frames themselves are tiny."""
SURE = 0.9


def tiny_frame(index: int, seconds: Fraction | None = None, size: int = 64) -> Frame:
    """A grey frame of size x size at index / FPS seconds unless told otherwise."""
    image = av.VideoFrame(size, size, "yuv420p")
    for plane in image.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    time_base = Fraction(1, 90000)
    return Frame(
        index, int((Fraction(index, FPS) if seconds is None else seconds) / time_base), time_base, image
    )


def detections(found: Sequence[Found]) -> Detections:
    return Detections(
        np.array([box for box, _, _ in found], np.float32).reshape(-1, 4),
        np.array([score for _, score, _ in found], np.float32),
        np.array([turns for _, _, turns in found], np.int32),
    )


def look_frames(frames: int, every: int, cuts: Sequence[int]) -> set[int]:
    """As sampling.look chooses them: every n-th of a scene, its first and its last frame."""
    ends = [*cuts, frames]
    wanted = {
        i for begin, end in zip(cuts, ends[1:], strict=True) for i in (*range(begin, end, every), end - 1)
    }
    return wanted


def looks(
    found: Mapping[int, Sequence[Found]],
    *,
    frames: int,
    every: int = 1,
    cuts: Sequence[int] = (0,),
    turned_every: int = 1,
    times: Sequence[Fraction] | None = None,
) -> Iterator[Look]:
    """What the detection stage would hand to the tracker; found holds detections of any frame."""
    wanted = sorted(look_frames(frames, every, cuts))
    for index in range(frames):
        frame = tiny_frame(index, times[index] if times else None)
        if index not in wanted:
            yield Look(frame, False, None)
            continue
        turned = wanted.index(index) % turned_every == 0
        seen = [f for f in found.get(index, ()) if turned or f[2] == 0]
        yield Look(frame, index in cuts, detections(seen), turned)


def track(
    found: Mapping[int, Sequence[Found]],
    *,
    frames: int,
    settings: Settings | None = None,
    tracker: Tracker | None = None,
    every: int = 1,
    cuts: Sequence[int] = (0,),
    turned_every: int = 1,
    times: Sequence[Fraction] | None = None,
) -> list[Masks]:
    """The masks of every frame; fails unless all frames come out in order, each once."""
    tracker = tracker or Tracker(settings or Settings())
    stream = looks(found, frames=frames, every=every, cuts=cuts, turned_every=turned_every, times=times)
    out = list(tracker.run(stream))
    assert [frame.index for frame, _ in out] == list(range(frames))
    return [masks for _, masks in out]


def drawn(boxes: Sequence[Sequence[float]] | np.ndarray) -> np.ndarray:
    """CANVAS bool: every pixel that the boxes touch."""
    canvas = np.zeros(CANVAS, bool)
    for x1, y1, x2, y2 in np.asarray(boxes, np.float64).reshape(-1, 4):
        columns = slice(max(0, int(np.floor(x1))), max(0, int(np.ceil(x2))))
        canvas[max(0, int(np.floor(y1))) : max(0, int(np.ceil(y2))), columns] = True
    return canvas


def inside(box: Box) -> np.ndarray:
    """CANVAS bool: the pixels wholly inside a box, so that a rounding error of float32 is no leak."""
    canvas = np.zeros(CANVAS, bool)
    x1, y1, x2, y2 = box
    columns = slice(max(0, int(np.ceil(x1))), max(0, int(np.floor(x2))))
    canvas[max(0, int(np.ceil(y1))) : max(0, int(np.floor(y2))), columns] = True
    return canvas


def covers(masks: Masks, box: Box) -> bool:
    """Whether every pixel of a box is under one of the masks."""
    return not (inside(box) & ~drawn(masks.boxes)).any()


@dataclass(frozen=True)
class Face:
    """One face on a straight way at constant speed."""

    first: int
    last: int
    """Frames in which it is in the picture, both included."""
    corner: tuple[float, float]
    """Left and top in its first frame."""
    speed: tuple[float, float] = (0.0, 0.0)
    """Pixels per frame."""
    size: float = 40
    missed: frozenset[int] = frozenset()
    """Frames in which the detector does not find it although it is there."""
    score: float = SURE
    turns: int = 0

    def at(self, index: int) -> Box:
        """Its box in a frame; the way goes on before and after its presence."""
        x = self.corner[0] + (index - self.first) * self.speed[0]
        y = self.corner[1] + (index - self.first) * self.speed[1]
        return x, y, x + self.size, y + self.size

    def present(self, index: int) -> bool:
        return self.first <= index <= self.last


@dataclass(frozen=True)
class Scene:
    """A synthetic video: faces, cuts, and detections that are wrong."""

    name: str
    faces: tuple[Face, ...]
    frames: int = 60
    cuts: tuple[int, ...] = (0,)
    every: tuple[int, ...] = (1, 3, 5)
    """The distances of detection frames with which it must come out right."""
    unseen: frozenset[int] = field(default=frozenset())
    """Frames in which a face need not be covered: nobody could know of it."""

    def found(self) -> dict[int, list[Found]]:
        """What a detector finds that sees all but the missed ones."""
        return {
            i: [
                (face.at(i), face.score, face.turns)
                for face in self.faces
                if face.present(i) and i not in face.missed
            ]
            for i in range(self.frames)
        }

    def scene_of(self, index: int) -> range:
        """The frames between the same two cuts."""
        begin = max(c for c in self.cuts if c <= index)
        end = min((c for c in self.cuts if c > index), default=self.frames)
        return range(begin, end)
