"""Records of masks in few words."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np

from anonator.core.frames import Frame, Masks
from anonator.core.tracking.mask_record import MaskRecord


def frame(index: int) -> Frame:
    return Frame(index, index * 2, Fraction(1, 50), av.VideoFrame(16, 16, "yuv420p"))


def masks(*tracks: int) -> Masks:
    boxes = np.array([[t, t + 0.5, t + 10, t + 12.25] for t in tracks], np.float32).reshape(-1, 4)
    return Masks(boxes, np.array(tracks, np.int32))


def recorded(*tracks: tuple[int, ...]) -> MaskRecord:
    record = MaskRecord()
    for index, present in enumerate(tracks):
        record.add(frame(index), masks(*present))
    return record
