"""The window's side of the engine: loads it, tests frames, fetches models, makes processors."""

from __future__ import annotations

import contextlib
import gc
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from anonator.core import process_setup
from anonator.core.config import Model, Settings
from anonator.core.frames import Preview, Progress
from anonator.core.job_thread import DetectorCache, Job, VideoProcessor, preview_frame
from anonator.ui.state.app_state import ModelsFound
from anonator.ui.state.job import Processor
from anonator.ui.work import torch_loading as loading
from anonator.ui.work.worker import call_stepped_back

NEEDED_BY_A_JOB = ("anonator.core.preview", "anonator.core.processor")
"""What would otherwise be imported, and hold up the window, when the first job begins."""


@dataclass(frozen=True, slots=True)
class EngineReady:
    """The engine stands."""

    device_line: str


class BackgroundProcessor(VideoProcessor):
    """A job whose threads go after the window's."""

    def start(self) -> None:
        """Run the job in a thread of its own."""
        call_stepped_back(super().start)


class Engine:
    """Everything heavy that the window asks for; all methods but make_processor belong into a worker."""

    def __init__(self) -> None:
        self._detectors = DetectorCache()

    def load(self, settings: Settings) -> EngineReady:
        """Load torch, the model that the settings name, and what a job needs besides.

        Raises:
            ModelError, DeviceError: as the engine says.
        """
        with loading.smoothly():
            for module in NEEDED_BY_A_JOB:
                importlib.import_module(module)
            process_setup.silence_ffmpeg()
            self._detectors.get(settings)
        return EngineReady(self._detectors.device_line or "")

    def device_line(self) -> str | None:
        """The device in words, or None while nothing is loaded."""
        return self._detectors.device_line

    def test_frame(self, source: Path, seconds: float, settings: Settings) -> Preview:
        """What the settings would cover in the frame of one moment.

        Raises:
            AnonatorError: what a job would raise.
        """
        return preview_frame(source, seconds, settings, self._detectors)

    def make_processor(
        self, job: Job, on_progress: Callable[[Progress], None], on_preview: Callable[[Preview], None]
    ) -> Processor:
        """A job that shares the loaded model.

        Raises:
            HipaaLockError: the settings say HIPAA and carry other values.
        """
        return BackgroundProcessor(
            job, detectors=self._detectors, on_progress=on_progress, on_preview=on_preview
        )

    def keep_awake(self) -> contextlib.AbstractContextManager[object]:
        """Keeps the computer awake while it is open, where the system can do that."""
        from wakepy import keep

        return keep.running(on_fail="pass")

    def find_models(self) -> ModelsFound:
        """Look which models are on this computer, and try its encoders."""
        from anonator.core.detection import weights
        from anonator.core.writing.encoders import usable_encoders

        process_setup.silence_ffmpeg()
        return ModelsFound(
            {model: weights.is_available(model) for model in Model},
            {m: weights.human_size(m) for m in Model if weights.can_be_downloaded(m)},
            usable_encoders(),
        )

    def download(
        self, model: Model, progress: Callable[[int, int | None], None], cancelled: Callable[[], bool]
    ) -> None:
        """Fetch a model's weights, after the user said yes.

        Raises:
            DownloadError, WeightsInvalidError, JobCancelled: as the engine says.
        """
        from anonator.core.detection import weights

        weights.download(model, progress=progress, cancelled=cancelled)

    def adopt(self, model: Model, file: Path) -> None:
        """Copy a weights file that the user has to where the engine looks.

        Raises:
            WeightsInvalidError: it is not the right one; it was not kept.
            ModelError: it could not be copied.
        """
        from anonator.core.detection import weights

        weights.adopt(model, file)

    def close(self) -> None:
        """Free the model."""
        self._detectors.close()
        gc.unfreeze()
