"""VideoProcessor: one job from the input file to the finished output, in the background, with progress."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anonator.core.config import Settings, require_lock_holds
from anonator.core.frames import Frame, JobResult, Look, Preview, Progress, UInt8Array
from anonator.core.meter import Meter
from anonator.errors import AnonatorError, JobCancelled

if TYPE_CHECKING:  # these import torch, cv2 and av, which must wait until a job starts
    from anonator.core.detector import FaceDetector

log = logging.getLogger(__name__)

SUFFIX = "_anonymized"
DECODED_BYTES = 24 * 1024 * 1024
"""Frames that wait between the decoder and the detector."""
LOOKED_BYTES = 24 * 1024 * 1024
"""Frames that wait between the detector and the tracker."""
PREVIEW_SIDE = 640
"""Long side of the preview pictures, in pixels."""


@dataclass(frozen=True, slots=True)
class Job:
    """One video to be anonymized."""

    source: Path
    """The input; it is only ever read."""
    target: Path
    """The output's final name."""
    settings: Settings
    """What to do."""
    overwrite: bool = False
    """Whether an existing target may be replaced."""


def default_target(source: Path, folder: Path | None = None) -> Path:
    """<name>_anonymized.mp4 beside the source, or in that folder."""
    return (folder or source.parent) / f"{source.stem}{SUFFIX}.mp4"


class DetectorCache:
    """Keeps the last detector loaded, so that a queue of jobs loads it once."""

    def __init__(self, weights: Path | None = None) -> None:
        """Load nothing yet.

        Args:
            weights: a weights file or folder to use instead of the known places.
        """
        self._weights = weights
        self._key: tuple[Any, ...] | None = None
        self._detector: FaceDetector | None = None
        self._lock = threading.Lock()

    def get(self, settings: Settings) -> FaceDetector:
        """The detector for these settings; loads torch and the weights on first use.

        Raises:
            ModelError: the weights are missing or unusable.
            DeviceError: the chosen device is not to be had.
        """
        from anonator.core.detector import load_detector

        preset = settings.preset
        key = (
            settings.model,
            settings.device,
            preset.max_resolution,
            preset.batch_size,
            settings.tracking.continue_threshold,
        )
        with self._lock:
            # a detector that had to retreat from the GPU is not kept for the next job
            if self._detector is None or key != self._key or self._detector.notes:
                self._close()
                self._detector = load_detector(settings, self._weights)
                self._key = key
            return self._detector

    @property
    def device_line(self) -> str | None:
        """The device in words, or None while nothing is loaded."""
        return self._detector.device_line if self._detector else None

    def close(self) -> None:
        """Free the detector."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._detector is not None:
            self._detector.close()
            self._detector = self._key = None


class VideoProcessor:
    """Runs one job; start it in the background, or run it in the calling thread."""

    def __init__(
        self,
        job: Job,
        *,
        detectors: DetectorCache | None = None,
        on_progress: Callable[[Progress], None] | None = None,
        on_preview: Callable[[Preview], None] | None = None,
    ) -> None:
        """Check the job's settings; nothing is opened yet.

        Args:
            job: what to do.
            detectors: shared with other jobs, so that the model is loaded once.
            on_progress: called about ten times a second, in the job's thread.
            on_preview: called about four times a second, in the job's thread.

        Raises:
            HipaaLockError: the settings say HIPAA and carry other values.
        """
        require_lock_holds(job.settings)
        self.job = job
        self._own_detectors = detectors is None
        self._detectors = detectors or DetectorCache()
        self._on_progress, self._on_preview = on_progress, on_preview
        self._cancelled = threading.Event()
        self._running = threading.Event()
        self._running.set()
        self._done = threading.Event()
        self._frames_decoded = 0
        self._result: JobResult | None = None
        self._error: BaseException | None = None
        self._thread: threading.Thread | None = None

    # --- control, from any thread -------------------------------------------------------------

    def start(self) -> None:
        """Run the job in a thread of its own."""
        self._thread = threading.Thread(target=self._run_and_keep, name="anonator-job", daemon=True)
        self._thread.start()

    def cancel(self) -> None:
        """Ask the job to stop; wait() then raises JobCancelled, and nothing is left on disk."""
        self._cancelled.set()
        self._running.set()

    def pause(self) -> None:
        """Hold the job until resume or cancel."""
        self._running.clear()

    def resume(self) -> None:
        """Let a paused job go on."""
        self._running.set()

    @property
    def done(self) -> bool:
        """Whether the job has ended, one way or another."""
        return self._done.is_set()

    def wait(self, timeout: float | None = None) -> JobResult:
        """Wait for the end of a started job.

        Raises:
            TimeoutError: it has not ended after so many seconds.
            AnonatorError: the job's own error; JobCancelled after cancel.
        """
        if not self._done.wait(timeout):
            raise TimeoutError("the job is still running")
        if self._thread is not None:
            self._thread.join()
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def run(self) -> JobResult:
        """Run the job in this thread; the same as start and wait."""
        self._run_and_keep()
        return self.wait()

    # --- the job ------------------------------------------------------------------------------

    def _run_and_keep(self) -> None:
        try:
            self._result = self._work()
        except AnonatorError as exc:
            log.info("job ended: %s", type(exc).__name__)
            self._error = exc
        except MemoryError as exc:
            self._error = AnonatorError(
                "This computer ran out of memory. Close other programs, or choose a faster performance mode."
            )
            self._error.__cause__ = exc
        except BaseException as exc:
            log.exception("job ended by an unexpected error")
            self._error = AnonatorError(
                "Something unexpected went wrong, so the job was stopped and nothing was written. "
                "Please report it; the log file says where it happened."
            )
            self._error.__cause__ = exc
        finally:
            if self._own_detectors:
                self._detectors.close()
            self._done.set()

    def _work(self) -> JobResult:
        from anonator.core.anonymizer import anonymize
        from anonator.core.media.writer import VideoWriter
        from anonator.core.pipeline import RunAhead
        from anonator.core.sampling import look
        from anonator.core.tracker import Tracker
        from anonator.core.verification import verify_frames
        from anonator.core.video import VideoReader

        job, settings = self.job, self.job.settings
        with contextlib.ExitStack() as stack:
            reader = stack.enter_context(VideoReader(job.source))
            writer = stack.enter_context(
                VideoWriter(
                    job.target,
                    reader.info,
                    encoder=settings.encoder,
                    preset=settings.preset.encoder_preset,
                    crf=settings.crf,
                    audio_from=job.source if settings.keep_audio else None,
                    overwrite=job.overwrite,
                )
            )
            detector = self._detectors.get(settings)
            self._checkpoint()
            decoded = stack.enter_context(
                RunAhead(
                    self._decoded(reader),
                    nbytes=_frame_bytes,
                    limit=DECODED_BYTES,
                    name="anonator-decode",
                )
            )
            looks = stack.enter_context(
                RunAhead(
                    look(decoded, detector, settings),
                    nbytes=_look_bytes,
                    limit=LOOKED_BYTES,
                    name="anonator-detect",
                )
            )
            # left first: a stage that waits for the one before it must find that one closed
            stack.callback(decoded.close)
            tracker = Tracker(settings)
            meter = Meter(reader.info.header_frames)
            masked_frames = 0
            for frame, masks in tracker.run(looks):
                self._checkpoint(meter)
                show = self._on_preview is not None and meter.preview_is_due()
                before = self._small(frame) if show else None
                anonymize(frame, masks, settings.mode, settings.mask_scale)
                if before is not None and self._on_preview is not None:
                    self._on_preview(Preview(before, self._small(frame), float(frame.seconds), len(masks)))
                writer.write(frame)
                masked_frames += len(masks) > 0
                self._tell(meter.count())
            self._checkpoint(meter)
            writer.close()
            verify_frames(writer, reader.info.time_base, decoded=self._frames_decoded, masked=meter.frames)
            self._tell(meter.progress())
            writer.publish()
        log.info("job done: %d frames, %d with masks, %.1f s", meter.frames, masked_frames, meter.elapsed())
        return JobResult(
            target=job.target,
            frames=meter.frames,
            masked_frames=masked_frames,
            tracks=len(tracker.summaries),
            seconds=meter.elapsed(),
            device=detector.device_line,
            audio=writer.audio_outcome,
            notes=(*reader.notes, *detector.notes),
        )

    def _decoded(self, reader: Iterable[Frame]) -> Iterator[Frame]:
        """The frames, counted; a cancelled job ends here by an exception, never by an early end."""
        for frame in reader:
            self._stop_if_cancelled()
            self._frames_decoded += 1
            yield frame

    def _checkpoint(self, meter: Meter | None = None) -> None:
        """Wait while the job is paused, and end it when it was cancelled."""
        if not self._running.is_set() and meter is not None:
            meter.stop_clock()
            self._running.wait()
            meter.start_clock()
        self._stop_if_cancelled()

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise JobCancelled("The job was cancelled; nothing was written.")

    def _tell(self, progress: Progress | None) -> None:
        if progress is not None and self._on_progress is not None:
            self._on_progress(progress)

    @staticmethod
    def _small(frame: Frame) -> UInt8Array:
        from anonator.core.video import to_rgb_within

        return to_rgb_within(frame, PREVIEW_SIDE)


def preview_frame(source: Path, seconds: float, settings: Settings, detectors: DetectorCache) -> Preview:
    """One frame before and after, as a job with these settings would make it from this frame alone.

    Args:
        source: the video.
        seconds: presentation time; the frame shown then, or the last one.
        settings: of the job.
        detectors: keeps the model.

    Raises:
        AnonatorError: what a job would raise.
    """
    from anonator.core.anonymizer import anonymize
    from anonator.core.sampling import look
    from anonator.core.tracker import Tracker
    from anonator.core.video import VideoReader

    require_lock_holds(settings)
    with VideoReader(source) as reader:
        frame = reader.frame_at(seconds)
    detector = detectors.get(settings)
    ((frame, masks),) = Tracker(settings).run(look([frame], detector, settings))
    before = VideoProcessor._small(frame)
    anonymize(frame, masks, settings.mode, settings.mask_scale)
    return Preview(before, VideoProcessor._small(frame), float(frame.seconds), len(masks))


def _frame_bytes(frame: Frame) -> int:
    return frame.nbytes


def _look_bytes(look: Look) -> int:
    return look.frame.nbytes
