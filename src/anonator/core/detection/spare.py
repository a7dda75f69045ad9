"""A detector that is loaded only once it is asked to look, for jobs that rarely need one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from anonator.core.config import Settings
from anonator.core.detection.detector_protocol import Detector, Detectors
from anonator.core.detection.weights import WeightsFile
from anonator.core.frames import Detections, UInt8Array

UNUSED = "no detector was loaded: the masks come from the tracks of an earlier run and their review"


class SpareDetector:
    """Loads the detector of these settings at the first look, and is it from then on."""

    def __init__(self, detectors: Detectors, settings: Settings, *, by_script: bool = False) -> None:
        """Load nothing yet.

        Args:
            detectors: where it comes from.
            settings: of the job.
            by_script: whether a script's own detector found the tracks.
        """
        self.by_script = by_script
        self._detectors, self._settings = detectors, settings
        self._loaded: Detector | None = None

    @property
    def loaded(self) -> bool:
        """Whether it was needed."""
        return self._loaded is not None

    @property
    def name(self) -> str:
        """What the settings name."""
        if self._loaded:
            return self._loaded.name
        return "a script's own detector" if self.by_script else self._settings.model.value

    @property
    def device_line(self) -> str:
        """Where it runs, if it does."""
        return self._loaded.device_line if self._loaded else UNUSED

    @property
    def notes(self) -> Sequence[str]:
        """What had to be changed along the way."""
        return self._loaded.notes if self._loaded else ()

    @property
    def weights(self) -> WeightsFile | None:
        """What it was loaded from, if it was."""
        return self._loaded.weights if self._loaded else None

    @property
    def batch_size(self) -> int:
        """The best number of pictures per call; asking loads it."""
        return self._load().batch_size

    @property
    def max_resolution(self) -> int:
        """Longest side that it makes use of; asking loads it."""
        return self._load().max_resolution

    def detect(
        self,
        pictures: Sequence[UInt8Array],
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        """Find the faces in pictures, as the real one does."""
        return self._load().detect(pictures, turns, checkpoint=checkpoint)

    def close(self) -> None:
        """Do nothing: it belongs to those who gave it."""

    def _load(self) -> Detector:
        if self._loaded is None:
            self._loaded = self._detectors.get(self._settings)
        return self._loaded
