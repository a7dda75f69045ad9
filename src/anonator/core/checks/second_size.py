"""At what size the second detector sees a picture, and how long a look of that size takes."""

from __future__ import annotations

import time

import numpy as np

from anonator.core.config import MAX_UPSCALE, Settings
from anonator.core.detection.threads import cpu_threads
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import UInt8Array

SHARE, SHARE_STANDARD = 2 / 3, 1 / 2
"""Long side of what the second detector sees, in that of the first one: in HIPAA mode, and without."""


def long_side(picture: UInt8Array, settings: Settings) -> int:
    """Long side at which the second detector sees a picture, for these settings."""
    enlarged = MAX_UPSCALE * float(max(picture.shape[:2]))
    return min(largest_side(settings), round(enlarged * _share(settings)))


def _share(settings: Settings) -> float:
    return SHARE if settings.hipaa else SHARE_STANDARD


def largest_side(settings: Settings) -> int:
    """Long side of the largest picture that it sees, for these settings."""
    return round(settings.preset.max_resolution * _share(settings))


def seconds_each(second: YuNet, settings: Settings, width: int, height: int) -> float:
    """How long the look at a finished frame of that size takes, measured once."""
    blank = np.full((height, width, 3), 128, np.uint8)
    begin = time.perf_counter()
    second.find(blank, long_side(blank, settings))
    second.rest()  # a job that is made from kept tracks may never need it again
    return (time.perf_counter() - begin) / cpu_threads()
