"""What must be right before hours of work: programs, models, kept tracks, the disk, names of results."""

from __future__ import annotations

from anonator.core.areas import area
from anonator.core.attempt import Run
from anonator.core.checks.findings import FAINT
from anonator.core.checks.in_passing import MARGIN
from anonator.core.checks.second_ffmpeg import second_ffmpeg_version
from anonator.core.checks.second_size import seconds_each
from anonator.core.detection.detector_protocol import Detector, Detectors
from anonator.core.detection.spare import SpareDetector
from anonator.core.detection.yunet import YuNet
from anonator.core.reading.canvas import find_canvas
from anonator.core.reading.reader import VideoReader
from anonator.core.review import tracks_file
from anonator.core.review.rendering import Rendering
from anonator.core.writing.disk_space import require_room
from anonator.core.writing.partial_file import TemporaryFile, check_target
from anonator.errors import OutputError, OutputExistsError

NO_FOLDER = (
    "The folder for audit reports isn't there, or nothing can be saved in it, so the job didn't begin. "
    "Create it, allow writing to it, or name another one in the configuration file or with --report-dir."
)
REPORT_EXISTS = (
    "The audit report would have the name of one that already exists. Choose another name for the result, "
    "move the old report away, or overwrite it."
)


def prepare(run: Run) -> None:
    """Find what all attempts need: second FFmpeg, second detector, kept tracks, the result's size.

    Raises:
        AnonatorError: something is missing or cannot be read.
        JobCancelled: meanwhile.
    """
    second_ffmpeg_version()
    if run.job.settings.looks_at_every_frame:
        run.second = YuNet(FAINT - MARGIN)
    if run.job.tracks is not None:
        run.rendering = Rendering(tracks_file.read(run.job.tracks), run.job.settings)
    run.canvas = find_canvas(run.job.source, run.control.stop_if_cancelled)


def check(run: Run, reader: VideoReader) -> None:
    """Make sure that there is space for this video, and that everything can get its name.

    Raises:
        OutputError: there is no space, or a name is taken or impossible.
        SettingsError: an area lies outside the picture.
    """
    job, settings, info = run.job, run.job.settings, reader.info
    require_room(job.target.parent, info, reader.file_bytes, settings.crf)
    for each in settings.areas:
        area(each).pixels(info.width, info.height)  # not only when its time comes
    if job.save_tracks is not None:
        check_target(job.save_tracks, info.file_id, job.overwrite)
    for paper in (job.report_target, job.page_target) if settings.report else ():
        try:
            check_target(paper, info.file_id, job.overwrite)
        except OutputExistsError as exc:  # perhaps far from the result
            raise OutputExistsError(REPORT_EXISTS) from exc
    if settings.report and job.report_folder is not None:
        try:
            TemporaryFile(job.report_folder, ".partial.json").remove()
        except OutputError as exc:
            raise OutputError(NO_FOLDER) from exc
    if run.second is not None and not run.watches_in_passing and not run.second_seconds:
        run.second_seconds = seconds_each(run.second, settings, info.display_width, info.display_height)


def detector_for(run: Run, detectors: Detectors) -> Detector:
    """The detector that looks; from kept tracks it is loaded only if it must look.

    Raises:
        ModelError: the weights are missing or unusable.
        DeviceError: the chosen device isn't available.
    """
    settings, rendering = run.job.settings, run.rendering
    if rendering is None:
        return detectors.get(settings)
    return SpareDetector(detectors, settings, by_script=not rendering.analysis.weights_sha256)
