"""Keeps the last detector loaded, so that a queue of jobs loads it once."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.core.config import Device, Settings

if TYPE_CHECKING:  # it imports torch, which must wait until a job starts
    from anonator.core.detection.detector import FaceDetector


class DetectorCache:
    """The detector for the current settings; safe to use from several threads."""

    def __init__(self, weights: Path | None = None) -> None:
        """Load nothing yet.

        Args:
            weights: a weights file or folder to use instead of the known places.
        """
        self._weights = weights
        self._key: tuple[object, ...] | None = None
        self._detector: FaceDetector | None = None
        self._lock = threading.Lock()

    def get(self, settings: Settings) -> FaceDetector:
        """The detector for these settings; loads torch and the weights on first use.

        Raises:
            ModelError: the weights are missing or unusable.
            DeviceError: the chosen device isn't available, or lacks the chosen precision.
        """
        from anonator.core.detection.loading import load_detector

        preset = settings.preset
        key = (
            settings.model,
            settings.device,
            settings.precision,
            settings.hipaa and settings.device is Device.INTEL_GPU,  # float32 and nothing else
            settings.nms_threshold,
            preset.max_resolution,
            preset.batch_size,
            settings.tracking.continue_threshold,
        )
        with self._lock:
            # a detector that had to fall back from a GPU or OpenVINO isn't kept for the next job
            if self._detector is None or key != self._key or self._detector.notes:
                self._close()
                self._detector = load_detector(settings, self._weights)
                self._key = key
            return self._detector

    @property
    def device_line(self) -> str | None:
        """The device in words, or None if nothing is loaded."""
        return self._detector.device_line if self._detector else None

    def close(self) -> None:
        """Free the detector."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._detector is not None:
            self._detector.close()
            self._detector = self._key = None
