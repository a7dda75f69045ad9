"""YuNet: a second face detector, of another architecture than the first and run by OpenCV instead of PyTorch.

It misses other faces than the first one does. Its network is part of the package and checked before use.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import cv2
import numpy as np

from anonator import models
from anonator.core import boxes as box_ops
from anonator.core.config import MAX_UPSCALE
from anonator.core.detection.known_weights import YUNET
from anonator.core.frames import Detections, Float32Array, UInt8Array
from anonator.errors import DetectionError, WeightsInvalidError, WeightsMissingError

NAME = "YuNet"
NMS_IOU = 0.3
"""Boxes that overlap more than this are one face."""
MOST_FACES = 5000
"""Candidates of one picture that reach non-maximum suppression."""
FAILED = (
    "The second detector failed, so it can't be told whether a face was missed, and the job was stopped. "
    "Run it again; if it fails again, the log says why."
)


class YuNet:
    """Finds upright faces in pictures, in as many threads at once as call it."""

    def __init__(self, lowest_score: float) -> None:
        """Read the network and check it.

        Args:
            lowest_score: weaker faces are left out, 0..1.

        Raises:
            WeightsMissingError, WeightsInvalidError: it isn't in the package as it was published.
            DetectionError: OpenCV can't run it.
        """
        self._lowest = lowest_score
        self._network = _published_network()
        self._free: list[cv2.FaceDetectorYN] = []
        """Not in use. No threading.local: CPython 3.11 can hang when one is freed while other threads end."""
        # it warns on every start that a choice of targets, which nobody made, has no effect
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            self._free.append(self._make((32, 32)))
        except cv2.error as exc:
            raise DetectionError(FAILED) from exc

    def find(self, picture: UInt8Array, long_side: int) -> Detections:
        """Find the faces in one picture.

        Args:
            picture: (H, W, 3) uint8 RGB with square pixels.
            long_side: the network sees it with a long side of this many pixels, but enlarged by no more
                than the first detector's pictures are.

        Returns:
            Detections by falling score, boxes in pixels of the picture.

        Raises:
            DetectionError: it failed, or answered with impossible numbers.
        """
        height, width = picture.shape[:2]
        scale = min(long_side / max(width, height), MAX_UPSCALE)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        try:
            if size != (width, height):
                method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
                picture = cast(UInt8Array, cv2.resize(picture, size, interpolation=method))
            found = self._detect(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), size)
        except cv2.error as exc:
            raise DetectionError(FAILED) from exc
        # a row: x, y, width, height, five landmarks, score
        rows = np.zeros((0, 15), np.float32) if found is None else np.asarray(found, np.float32)
        if not np.isfinite(rows).all():
            raise DetectionError(FAILED)
        return _detections(rows, (width / size[0], height / size[1]), (width, height))

    def rest(self) -> None:
        """Free what it holds between pictures: some 66 MB for each thread that called it."""
        self._free.clear()

    def _detect(self, bgr: cv2.typing.MatLike, size: tuple[int, int]) -> cv2.typing.MatLike | None:
        """By an object that no other thread uses meanwhile."""
        try:
            detector = self._free.pop()
        except IndexError:
            detector = self._make(size)
        detector.setInputSize(size)
        found: cv2.typing.MatLike | None = detector.detect(bgr)[1]
        self._free.append(detector)  # one that failed is not used again
        return found

    def _make(self, size: tuple[int, int]) -> cv2.FaceDetectorYN:
        return cv2.FaceDetectorYN.create(
            "onnx", self._network, np.zeros(0, np.uint8), size, self._lowest, NMS_IOU, MOST_FACES
        )


def _detections(rows: Float32Array, scale: tuple[float, float], size: tuple[int, int]) -> Detections:
    corners = np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:4]], axis=1)
    boxes = box_ops.clip(box_ops.rescale(corners, *scale), *size)
    real = box_ops.areas(boxes) > 0
    boxes, scores = boxes[real], np.clip(rows[real, 14], 0, 1)
    order = np.argsort(-scores, kind="stable")
    return Detections.upright(boxes[order], scores[order])


def _published_network() -> UInt8Array:
    """The bytes that were checked are those that OpenCV reads: no file can change in between."""
    try:
        content = (Path(models.__file__).parent / YUNET.file_name).read_bytes()
    except OSError as exc:
        raise WeightsMissingError(
            "The second detector's network is missing. Install Anonator again."
        ) from exc
    if hashlib.sha256(content).hexdigest() != YUNET.sha256:
        raise WeightsInvalidError(
            f"The second detector's network ({YUNET.file_name}) is damaged: its SHA-256 is wrong. "
            "Install Anonator again."
        )
    return np.frombuffer(content, np.uint8)
