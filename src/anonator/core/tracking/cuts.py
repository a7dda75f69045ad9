"""Scene cuts: two neighbouring frames whose colours have little in common."""

from __future__ import annotations

import cv2
import numpy as np

from anonator.core.frames import Float32Array, Frame

SMALL_SIDE = 96
"""Rows of the small picture that is compared; more adds cost, not certainty."""
BINS = (16, 8, 8)
"""Histogram bins of Y, U and V; chroma of ordinary pictures fills few of them."""


class CutDetector:
    """Tells for each frame whether it begins a new scene; frames must come in order."""

    def __init__(self, correlation: float) -> None:
        """Remember the threshold.

        Args:
            correlation: a cut is where the histograms' correlation is lower than this, -1..1.
        """
        self._threshold = correlation
        self._last: Float32Array | None = None
        self._before: Float32Array | None = None
        self.flashed = False
        """The last frame was a cut, and the one before its predecessor looks like it after all."""

    def is_cut(self, frame: Frame) -> bool:
        """True on the first frame of a scene; the first frame of a video is one."""
        histogram = colour_histogram(frame)
        before, last = self._before, self._last
        self._before, self._last = last, histogram
        cut = last is None or not self._alike(last, histogram)
        self.flashed = cut and before is not None and self._alike(before, histogram)
        return cut

    def _alike(self, a: Float32Array, b: Float32Array) -> bool:
        return bool(cv2.compareHist(a, b, cv2.HISTCMP_CORREL) >= self._threshold)


def colour_histogram(frame: Frame) -> Float32Array:
    """(16, 8, 8) float32 joint histogram of Y, U and V of every n-th pixel, summing to 1."""
    y, u, v = frame.planes()
    step = max(1, u.shape[0] // SMALL_SIDE)
    # chroma is stored at half size: every n-th of it pairs with every 2n-th of the luma
    small = np.ascontiguousarray(
        np.stack(
            [
                y[:: 2 * step, :: 2 * step][: (u.shape[0] - 1) // step + 1],
                u[::step, ::step],
                v[::step, ::step],
            ],
            axis=2,
        )
    )
    histogram = cv2.calcHist([small], [0, 1, 2], None, list(BINS), [0, 256, 0, 256, 0, 256])
    return np.asarray(histogram / histogram.sum(), np.float32)
