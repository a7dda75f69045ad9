"""Shades: how dark, how sharp and how moving each picture is, in three numbers that show nothing of it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from anonator.core.frames import Frame, UInt8Array

GRID = 96
"""Points across and down at which movement and light are taken."""
MOVING = 99
"""Percentile of the points' changes: a person far away moves a hundredth of the picture."""
ROWS = 12
"""Every n-th row tells how sharp a picture is."""


class Shade(NamedTuple):
    """One picture in numbers, 0..255."""

    moving: int
    """How much one of its livelier points has changed since the last picture."""
    light: int
    """The mean of its luma, in full range."""
    sharp: int
    """The 99th percentile of the steps from one pixel to the next."""


class Shader:
    """Takes the shades of frames, one after another."""

    def __init__(self) -> None:
        self._before: UInt8Array | None = None

    def shade(self, frame: Frame) -> Shade:
        """The next frame's."""
        luma = frame.planes()[0]
        height, width = luma.shape
        grid = luma[:: max(1, height // GRID), :: max(1, width // GRID)].copy()
        moving = 0.0
        if self._before is not None and self._before.shape == grid.shape:
            moving = float(np.percentile(np.abs(grid.astype(np.int16) - self._before), MOVING))
        self._before = grid
        light = float(grid.mean())
        if not frame.full_range:
            light = (light - 16) * 255 / 219
        steps = np.abs(np.diff(luma[::ROWS].astype(np.int16), axis=1))
        return Shade(round(moving), min(255, max(0, round(light))), round(float(np.percentile(steps, 99))))
