"""A detector provided by the caller: each of its answers is checked before a job relies on it.

A wrong answer could leave a face visible: boxes that are not numbers cover nothing. So the job ends instead.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.config import Settings
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.weights import WeightsFile
from anonator.core.frames import APART, Detections, UInt8Array
from anonator.errors import AnonatorError, DetectionError


class GivenDetectors:
    """Always the same detector; it still belongs to its owner, so it's never closed here."""

    def __init__(self, detector: Detector) -> None:
        self._detector = GivenDetector(detector)

    def get(self, settings: Settings) -> Detector:
        """The detector that was given, whatever the settings."""
        return self._detector

    def close(self) -> None:
        """Do nothing: the owner may want the detector for the next video."""


def fault_in(answers: object, pictures: Sequence[UInt8Array]) -> str:
    """What is wrong with a detector's answers, as the end of a sentence; empty if nothing is.

    Args:
        answers: what detect returned.
        pictures: what it was asked about.
    """
    if not isinstance(answers, (list, tuple)):
        return f"returned {type(answers).__name__} instead of a list"
    if len(answers) != len(pictures):
        return f"returned {len(answers)} answers for {len(pictures)} pictures"
    for answer, picture in zip(answers, pictures, strict=True):
        if not isinstance(answer, Detections):
            return f"answered with {type(answer).__name__} instead of anonator.Detections"
        height, width = picture.shape[:2]
        x1, y1, x2, y2 = answer.boxes.T
        if not np.isfinite(answer.boxes).all():
            return "returned a box whose corners are not finite numbers"
        if (x2 <= x1).any() or (y2 <= y1).any():
            return "returned a box without area; boxes are x1, y1, x2, y2 with x1 < x2 and y1 < y2"
        if (x1 < 0).any() or (y1 < 0).any() or (x2 > width).any() or (y2 > height).any():
            return f"returned a box that extends beyond its picture of {width}x{height} pixels"
        if not ((answer.scores >= 0) & (answer.scores <= 1)).all():  # NaN is neither
            return "returned a score that is not between 0 and 1"
        if not ((answer.turns >= 0) & (answer.turns <= APART)).all():
            return "returned turns that are not quarter turns from 0 to 3"
    return ""


class GivenDetector:
    """Passes everything to another detector, and ends the job at its first wrong answer."""

    def __init__(self, detector: Detector) -> None:
        self._inner, self._turn = detector, threading.Lock()
        self.weights: WeightsFile | None = None
        self._take_over()

    def _take_over(self) -> None:
        # what a detector says of itself may change while it works, as its batches do when memory runs out
        inner = self._inner
        self.batch_size, self.max_resolution = inner.batch_size, inner.max_resolution
        self.name, self.device_line, self.weights = inner.name, inner.device_line, inner.weights
        self.notes = [
            f"The faces were found by the calling program's own detector ({self.name}), not by the model "
            f"named in the settings.",
            *inner.notes,
        ]

    def detect(
        self,
        pictures: Sequence[UInt8Array],
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        try:
            with self._turn:  # nobody said that it could do two things at once
                answers = self._inner.detect(pictures, turns, checkpoint=checkpoint)
        except (AnonatorError, MemoryError):
            raise
        except Exception as exc:
            raise DetectionError(
                f"The given detector failed ({type(exc).__name__}), so the job was stopped and "
                "nothing was written."
            ) from exc
        self._take_over()
        fault = fault_in(inside := _inside(answers, pictures), pictures)
        if fault:
            raise DetectionError(
                f"The given detector {fault}, so the job was stopped and nothing was written. "
                "anonator.testing.check_detector checks what it must do."
            )
        return inside

    def close(self) -> None:
        """Do nothing: the detector belongs to its owner."""


def _inside(answers: list[Detections], pictures: Sequence[UInt8Array]) -> list[Detections]:
    """The answers with boxes cut at the edges of their pictures; what isn't an answer stays unchanged."""
    if not isinstance(answers, (list, tuple)) or len(answers) != len(pictures):
        return answers
    return [
        Detections(
            box_ops.clip(answer.boxes, picture.shape[1], picture.shape[0]), answer.scores, answer.turns
        )
        if isinstance(answer, Detections) and np.isfinite(answer.boxes).all()
        else answer
        for answer, picture in zip(answers, pictures, strict=True)
    ]
