"""Covering: what a track puts on the frames at which its face was seen, between them and around them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.frames import Float32Array, Frame, Masks

PREDICT_SECONDS = 0.5
"""How long a face is expected to keep its speed."""


@dataclass(slots=True, eq=False)
class Slot:
    """A frame that waits until everything that could cover it is known."""

    frame: Frame
    seconds: float
    boxes: list[Float32Array] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Track:
    """One face, followed through a scene."""

    id: int
    first_index: int
    first_seconds: float
    first_box: Float32Array
    index: int
    """Frame of the last sighting; seconds and box belong to it."""
    seconds: float
    box: Float32Array
    turned: bool
    """The last sighting was in a turned picture only."""
    doubtful: bool
    """Covers nothing until it is seen a second time."""
    lowest_score: float
    speed: Float32Array = field(default_factory=lambda: np.zeros(2, np.float32))
    """(2,) of the centre, in pixels per second, smoothed."""
    sightings: int = 1
    gaps: int = 0
    long_gaps: list[tuple[float, float]] = field(default_factory=list)
    pending: list[tuple[int, Float32Array]] = field(default_factory=list)
    """What a doubtful track will cover once it is confirmed."""

    def moved(self, box: Float32Array, seconds: float) -> Float32Array:
        """(4,) that box after the track's speed has acted on it for so long, forwards or backwards."""
        reach = np.clip(seconds, -PREDICT_SECONDS, PREDICT_SECONDS)
        return (box + np.tile(self.speed * np.float32(reach), 2)).astype(np.float32)


class Coverage:
    """The frames waiting until everything that could cover them is known."""

    def __init__(self, extend_seconds: float) -> None:
        """Take how long before its first sighting and after its last one a face is covered."""
        self._extend_seconds = extend_seconds
        self.window: deque[Slot] = deque()
        """The waiting frames, one after another."""
        self.looks: deque[tuple[int, bool]] = deque()
        """(frame, also turned?) of the looks that the window's frames may still need."""

    def overlooked(self, track: Track, before: int) -> bool:
        """Whether a look after the last sighting, and before that frame, could have seen the face."""
        return any(track.index < i < before and (turned or not track.turned) for i, turned in self.looks)

    def has_gap(self, track: Track, index: int) -> bool:
        """Whether there was a look between a track's last sighting and this one."""
        return any(track.index < look < index for look, _ in self.looks)

    def cover(self, track: Track, index: int, box: Float32Array) -> None:
        """Put a track's box on a waiting frame, or keep it until the track is confirmed."""
        if track.doubtful:
            track.pending.append((index, box))
        elif index >= self.window[0].frame.index:
            slot = self.window[index - self.window[0].frame.index]
            slot.boxes.append(box)
            slot.ids.append(track.id)

    def bridge(self, track: Track, index: int, box: Float32Array, now: float, *, overlap: bool) -> None:
        """Cover the frames between a track's last sighting and this one, along the face's path."""
        before = self._seconds_of(track.index, track.seconds)
        span = max(now - before, 1e-6)
        a, b = track.box[None], box[None]
        neighbours = not self.has_gap(track, index)
        for between in range(track.index + 1, index):
            if between < self.window[0].frame.index:
                continue
            if neighbours and not overlap:
                # too fast to know where it was at this moment
                self.cover(track, between, box_ops.hull(a, b)[0])
                continue
            here = (self._seconds_of(between, before) - before) / span
            step = 1 / (index - track.index)
            early = box_ops.interpolate(a, b, max(here - step, 0.0))
            late = box_ops.interpolate(a, b, min(here + step, 1.0))
            self.cover(track, between, box_ops.hull(early, late)[0])

    def extend_before(self, track: Track) -> None:
        """Cover the frames before the first sighting: a while, and at least back to the look before it."""
        looked = [i for i, turned in self.looks if i < track.first_index and (turned or not track.turned)]
        reach = max(looked, default=-1)
        for slot in self.window:
            if slot.frame.index >= track.first_index:
                break
            early = track.first_seconds - slot.seconds
            if early <= self._extend_seconds or slot.frame.index > reach:
                there = track.moved(track.first_box, -early)
                self.cover(track, slot.frame.index, box_ops.hull(track.first_box[None], there[None])[0])

    def extend_after(self, track: Track) -> None:
        """Cover the frames after the last sighting: a while, and at least up to the next look."""
        looked = [i for i, turned in self.looks if i > track.index and (turned or not track.turned)]
        reach = min(looked, default=self.window[-1].frame.index + 1)
        for slot in self.window:
            late = slot.seconds - track.seconds
            if slot.frame.index > track.index and (late <= self._extend_seconds or slot.frame.index < reach):
                there = track.moved(track.box, late)
                self.cover(track, slot.frame.index, box_ops.hull(track.box[None], there[None])[0])

    def _seconds_of(self, index: int, otherwise: float) -> float:
        position = index - self.window[0].frame.index
        return self.window[position].seconds if position >= 0 else otherwise

    def release(self) -> tuple[Frame, Masks]:
        """The first waiting frame with what covers it."""
        slot = self.window.popleft()
        if not slot.boxes:
            return slot.frame, Masks.empty()
        return slot.frame, Masks(np.stack(slot.boxes), np.array(slot.ids, np.int32))
