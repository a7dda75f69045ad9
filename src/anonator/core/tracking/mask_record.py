"""A compact record of what was covered where in a video, so that it can be covered again without looking."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anonator.core.frames import Float32Array, Frame, Look, Masks
from anonator.errors import VerificationError


class MaskRecord:
    """The masks of every frame, in order: 20 bytes a mask, 12 bytes a frame."""

    def __init__(self) -> None:
        self._boxes = array("f")
        self._ids = array("i")
        self._ends = array("l", [0])
        self._pts = array("q")
        self.cuts: list[int] = []
        """Indexes of the frames that begin a scene, but for the very first."""
        self.cut_seconds: list[float] = []
        """When they begin."""
        self.turned: list[int] = []
        """Indexes of the frames at which the detector also looked turned."""
        self.looked_at = 0
        """Frames at which the detector looked."""

    def __len__(self) -> int:
        return len(self._pts)

    def add(self, frame: Frame, masks: Masks) -> None:
        """Append the next frame's masks."""
        self._boxes.frombytes(masks.boxes.tobytes())
        self._ids.frombytes(masks.track_ids.astype(np.intc).tobytes())
        self._ends.append(len(self._ids))
        self._pts.append(frame.pts)

    def noted(self, looks: Iterable[Look]) -> Iterator[Look]:
        """The same looks; cuts and turned looks are written down."""
        for look in looks:
            if look.cut and look.frame.index:
                self.cuts.append(look.frame.index)
                self.cut_seconds.append(float(look.frame.seconds))
            self.looked_at += look.detections is not None
            if look.turned:
                self.turned.append(look.frame.index)
            yield look

    def masks(self, index: int) -> Masks:
        """The masks of one frame."""
        begin, end = self._ends[index], self._ends[index + 1]
        boxes = np.array(self._boxes[4 * begin : 4 * end], np.float32).reshape(-1, 4)
        return Masks(boxes, np.array(self._ids[begin:end], np.int32))

    def replay(self, frames: Iterable[Frame], patches: Patches) -> Iterator[tuple[Frame, Masks]]:
        """The same frames with the recorded masks and what the patches add.

        Raises:
            VerificationError: the frames are not those that were recorded.
        """
        index = -1
        for index, frame in enumerate(frames):
            if index >= len(self) or frame.pts != self._pts[index]:
                break
            yield frame, self.masks(index).with_more(patches.boxes(float(frame.seconds)))
        else:
            if index + 1 == len(self):
                return
        raise VerificationError(
            "The video changed during the job, so the job was stopped and nothing was written. Run it "
            "again once no other program is writing to it."
        )

    def edges(self) -> Iterator[int]:
        """The frames just before a track's first mask and just after its last one."""
        before: set[int] = set()
        for index in range(len(self)):
            now = set(self._ids[self._ends[index] : self._ends[index + 1]])
            if now - before and index:
                yield index - 1
            if before - now:
                yield index
            before = now


@dataclass(frozen=True)
class Patches:
    """Additional places to cover, each for a while before and after a moment."""

    seconds: tuple[float, ...]
    """(N,) moments."""
    places: tuple[tuple[float, float, float, float], ...]
    """(N,) boxes xyxy in pixels, before the mask scale."""
    reach: float
    """Seconds before and after."""

    def boxes(self, seconds: float) -> Float32Array:
        """(K, 4) the places to be covered at a moment."""
        moments, places = self._arrays
        near: Float32Array = places[np.abs(moments - seconds) <= self.reach]
        return near

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, Float32Array]:
        """(N,) moments and (N, 4) places: they are asked about once for each frame."""
        return np.array(self.seconds, np.float64), np.array(self.places, np.float32).reshape(-1, 4)
