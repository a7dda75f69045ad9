"""anonymize: one video from a script, with the same guarantees as in the window."""

from __future__ import annotations

import contextlib
import os
import queue
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from anonator.core import process_setup
from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector_protocol import Detector, Detectors
from anonator.core.detection.given import GivenDetectors
from anonator.core.job import Job, JobResult, Preview, Progress
from anonator.core.job_thread import VideoProcessor
from anonator.core.result_names import plan
from anonator.core.writing import leftovers
from anonator.errors import AnonatorError, OutputError, SettingsError

T = TypeVar("T")

WAITING_CALLS = 8
"""If a callback is slower than the job, the job waits once this many calls are due."""
POLL_SECONDS = 0.05


def anonymize(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str] | None = None,
    *,
    settings: Settings | None = None,
    overwrite: bool = False,
    report_folder: str | os.PathLike[str] | None = None,
    tracks: str | os.PathLike[str] | None = None,
    save_tracks: str | os.PathLike[str] | None = None,
    weights: str | os.PathLike[str] | None = None,
    detector: Detector | None = None,
    on_progress: Callable[[Progress], object] | None = None,
    on_preview: Callable[[Preview], object] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> JobResult:
    """Cover the faces in a video, check the finished file, and return what was done.

    The result appears under its name only once it's complete and has passed its checks. After an error, a
    cancel or Ctrl+C, nothing is left on the disk. All callbacks run in the calling thread; an exception in
    one of them cancels the job and reaches you unchanged.

    Args:
        source: the video; it's only ever read.
        target: the result's name, ending in .mp4; None is <name>_anonymized.mp4 next to the source. With
            settings.report, the audit report is saved next to it, or in report_folder.
        settings: what to do; None is HIPAA mode with its defaults. Settings(hipaa=False) opens the lock but
            keeps HIPAA's other values; Settings.standard() is what the window starts from without the lock.
        overwrite: replace a result and its report if they already exist.
        report_folder: where the audit report is saved; the folder must exist.
        tracks: make the result from this tracks file and its edits, without looking for faces. Settings that
            decide what is found are then the file's own; settings=None takes all of the file's.
        save_tracks: keep what is found in a new tracks file of this name.
        weights: a file with the model's weights, or a folder that holds it, instead of the usual places.
        detector: finds the faces instead of the model that the settings name; see anonator.Detector. It's
            never closed here, so one detector can serve many videos, one after the other.
        on_progress: called about ten times a second.
        on_preview: called about four times a second with a small picture before and after.
        cancelled: called repeatedly; once it returns True, the job ends with JobCancelled.

    Returns:
        Where the result is, and what the job counted, checked and noticed.

    Raises:
        anonator.errors.AnonatorError: what went wrong and what to do; subclasses tell the kinds apart.
    """
    if settings is not None and not isinstance(settings, Settings):
        raise SettingsError(f"settings must be anonator.Settings, not {type(settings).__name__}.")
    if detector is not None and weights is not None:
        raise SettingsError("Give either a detector or weights, not both: a detector brings its own weights.")
    if tracks is not None and save_tracks is not None:
        raise SettingsError("Give either tracks or save_tracks: what is made from tracks finds no new ones.")
    settings = _settings(settings, tracks)
    process_setup.prepare()
    leftovers.sweep()
    calls: queue.Queue[Callable[[], object]] = queue.Queue(WAITING_CALLS)
    detectors: Detectors = DetectorCache(_path(weights)) if detector is None else GivenDetectors(detector)
    try:
        job = VideoProcessor(
            Job(
                Path(source),
                _target(Path(source), target, settings, _path(report_folder)),
                settings,
                overwrite,
                _path(tracks),
                _path(save_tracks),
                _path(report_folder),
            ),
            detectors=detectors,
            on_progress=_later(calls, on_progress),
            on_preview=_later(calls, on_preview),
        )
        return _wait(job, calls, cancelled)
    finally:
        detectors.close()


def _settings(given: Settings | None, tracks: str | os.PathLike[str] | None) -> Settings:
    if tracks is None:
        return Settings() if given is None else given
    from anonator.core.review.rendering import settings_for
    from anonator.core.review.tracks_file import read

    return settings_for(read(Path(tracks)).analysis.settings, given)


def _path(given: str | os.PathLike[str] | None) -> Path | None:
    return None if given is None else Path(given)


def _target(
    source: Path, target: str | os.PathLike[str] | None, settings: Settings, report_folder: Path | None
) -> Path:
    if target is None:
        return plan([source], None, settings, report_folder=report_folder)[0].target
    if Path(target).suffix.lower() != ".mp4":
        raise OutputError("The result is an MP4 file. Give it a name that ends in .mp4.")
    return Path(target)


def _later(
    calls: queue.Queue[Callable[[], object]], callback: Callable[[T], object] | None
) -> Callable[[T], None] | None:
    """What a job calls in its own thread, so that the callback runs in the caller's."""
    if callback is None:
        return None
    return lambda told: calls.put(partial(callback, told))


def _wait(
    job: VideoProcessor,
    calls: queue.Queue[Callable[[], object]],
    cancelled: Callable[[], bool] | None,
) -> JobResult:
    job.start()
    try:
        while not (job.done and calls.empty()):
            if cancelled is not None and cancelled():
                job.cancel()
            call = _next(calls)
            if call is not None:
                call()
        return job.wait()
    finally:
        # after an exception in a callback, or Ctrl+C: the job must have ended before the caller continues
        job.cancel()
        while not job.done:
            _next(calls)  # a job waiting for space in the queue would never see the cancel
        with contextlib.suppress(AnonatorError):
            job.wait()


def _next(calls: queue.Queue[Callable[[], object]]) -> Callable[[], object] | None:
    try:
        return calls.get(timeout=POLL_SECONDS)
    except queue.Empty:
        return None
