"""The window's side of the engine: loads it, tests frames, downloads models, creates processors."""

from __future__ import annotations

import contextlib
import gc
import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from anonator.core import process_setup
from anonator.core.config import Model, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector_protocol import Detector
from anonator.core.job import Job, Preview, Progress
from anonator.core.job_thread import VideoProcessor
from anonator.ui.state.app_state import ModelsFound
from anonator.ui.state.job import Processor
from anonator.ui.work import torch_loading as loading
from anonator.ui.work.thumbnails import PICTURE_SIDE
from anonator.ui.work.worker import call_stepped_back

NEEDED_BY_A_JOB = ("anonator.core.preview", "anonator.core.processor")
"""Imported early, because importing them when the first job starts would freeze the window."""


@dataclass(frozen=True, slots=True)
class EngineReady:
    """The engine is loaded."""

    device_line: str


class BackgroundProcessor(VideoProcessor):
    """A job whose threads have a lower priority than the window's."""

    def start(self) -> None:
        """Run the job in its own thread."""
        call_stepped_back(super().start)


class Engine:
    """All the heavy work for the window; call every method except make_processor in a worker."""

    def __init__(self) -> None:
        self._detectors = DetectorCache()
        self._for_following: DetectorCache | None = None

    def load(self, settings: Settings) -> EngineReady:
        """Load torch, the model in the settings, and whatever else a job needs.

        Raises:
            ModelError, DeviceError: raised by the engine.
        """
        with loading.smoothly():
            for module in NEEDED_BY_A_JOB:
                importlib.import_module(module)
            process_setup.prepare_ffmpeg()
            self._detectors.get(settings)
        return EngineReady(self._detectors.device_line or "")

    def device_line(self) -> str | None:
        """The device in words, or None if nothing is loaded yet."""
        return self._detectors.device_line

    def test_frame(
        self,
        source: Path,
        seconds: float,
        settings: Settings,
        on_first: Callable[[Preview], None],
        stop_if_cancelled: Callable[[], None],
    ) -> Preview:
        """What a job with these settings would cover in one frame.

        Args:
            source: the video.
            seconds: where the frame is.
            settings: of the job.
            on_first: called with what is known after a while, if looking takes longer.
            stop_if_cancelled: called again and again; may raise to end it.

        Raises:
            AnonatorError: whatever a job would raise.
        """
        from anonator.core.preview import preview_frame

        return preview_frame(
            source,
            seconds,
            settings,
            self._detectors,
            side=PICTURE_SIDE,
            on_first=on_first,
            stop_if_cancelled=stop_if_cancelled,
        )

    def make_processor(
        self, job: Job, on_progress: Callable[[Progress], None], on_preview: Callable[[Preview], None]
    ) -> Processor:
        """A job that shares the loaded model.

        Raises:
            HipaaLockError: the settings say HIPAA mode but have values it doesn't allow.
        """
        return BackgroundProcessor(
            job, detectors=self._detectors, on_progress=on_progress, on_preview=on_preview
        )

    def keep_awake(self) -> contextlib.AbstractContextManager[object]:
        """A context that keeps the computer awake, if the system supports that."""
        return process_setup.keep_awake()

    def find_models(self) -> ModelsFound:
        """Find the models on this computer, try its encoders, and ask OpenVINO for its devices."""
        from anonator.core.detection import weights
        from anonator.core.detection.openvino_package import usable_devices
        from anonator.core.writing.encoders import usable_encoders

        process_setup.prepare_ffmpeg()
        return ModelsFound(
            {model: weights.is_available(model) for model in Model},
            {m: weights.human_size(m) for m in Model if weights.can_be_downloaded(m)},
            usable_encoders(),
            usable_devices(),
        )

    def download(
        self, model: Model, progress: Callable[[int, int | None], None], cancelled: Callable[[], bool]
    ) -> None:
        """Download a model's weights; call it only after the user has agreed.

        Raises:
            DownloadError, WeightsInvalidError, JobCancelled: raised by the engine.
        """
        from anonator.core.detection import weights

        weights.download(model, progress=progress, cancelled=cancelled)

    def adopt(self, model: Model, file: Path) -> None:
        """Copy the user's weights file to where the engine looks for it.

        Raises:
            WeightsInvalidError: it isn't the right file, so it wasn't kept.
            ModelError: it couldn't be copied.
        """
        from anonator.core.detection import weights

        weights.adopt(model, file)

    def following_detector(self) -> Detector | None:
        """What sees faces in a drawn cover that is followed; its own, because a job may use the other one.

        Raises:
            ModelError, DeviceError: raised by the engine.
        """
        from anonator.core.review.follow import LOWEST_SCORE

        if self._for_following is None:
            self._for_following = DetectorCache()
        settings = Settings.standard()
        tracking = replace(settings.tracking, continue_threshold=LOWEST_SCORE)
        return self._for_following.get(replace(settings, tracking=tracking))

    def close(self) -> None:
        """Free the models."""
        if self._for_following is not None:
            self._for_following.close()
        self._detectors.close()
        gc.unfreeze()
