"""One run of a job: the passes through the pipeline, the checks of the finished file, report and name."""

from __future__ import annotations

import contextlib
import datetime
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from anonator.core.anonymizer import anonymize
from anonator.core.checks import report
from anonator.core.checks.file_checks import Check, examine_file
from anonator.core.checks.second_ffmpeg import Playback, second_ffmpeg, second_ffmpeg_version
from anonator.core.checks.second_look import (
    Uncovered,
    frames_near,
    frames_to_look_at,
    patches_for,
    second_look_passed,
    uncovered_faces,
    was_covered_before,
)
from anonator.core.control import Control
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector import FaceDetector
from anonator.core.frames import Frame, JobResult, Look, Masks, Preview, Progress, Stage, TrackSummary
from anonator.core.hipaa_lock import waiver_note
from anonator.core.job import Job
from anonator.core.meter import Meter
from anonator.core.pictures.shape import Canvas
from anonator.core.preview import anonymize_and_show
from anonator.core.reading.canvas import find_canvas
from anonator.core.reading.opening import without_path
from anonator.core.reading.reader import VideoReader
from anonator.core.run_ahead import RunAhead
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.mask_record import MaskRecord
from anonator.core.tracking.schedule import look
from anonator.core.writing.disk_space import require_room
from anonator.core.writing.partial_file import TemporaryFile, check_target, output_error
from anonator.core.writing.writer import VideoWriter
from anonator.errors import OutputError, VerificationError

log = logging.getLogger(__name__)

DECODED_BYTES = 24 * 1024 * 1024
"""Frames that wait between the decoder and the detector."""
LOOKED_BYTES = 24 * 1024 * 1024
"""Frames that wait between the detector and the tracker."""

MOST_ATTEMPTS = 4
"""A file in which the second look finds other faces each time is given up after so many."""
MOST_SIZES = 4
"""How often a job starts again because larger pictures come; later ones are then scaled down."""
NO_REPORT = (
    "The report could not be written beside the finished video, which is complete and was checked. "
    "Run the job again if you need the report."
)


class _Outgrown(Exception):
    """The pictures are larger than the result, and for long enough to start again."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__("pictures larger than the result")
        self.canvas = canvas


@dataclass(slots=True)
class _Attempt:
    """One file on its way, and what its frames did."""

    reader: VideoReader
    writer: VideoWriter
    detector: FaceDetector
    repairs: list[Uncovered]
    """Faces that could be seen in the attempt before."""
    decoded: int = 0
    masked: int = 0
    """Frames that went through the anonymizer, with or without a face."""
    with_masks: int = 0


class JobRun:
    """The work of a VideoProcessor, in its thread."""

    def __init__(
        self,
        job: Job,
        detectors: DetectorCache,
        control: Control,
        on_progress: Callable[[Progress], None] | None = None,
        on_preview: Callable[[Preview], None] | None = None,
    ) -> None:
        self._job, self._settings = job, job.settings
        self._detectors, self._control = detectors, control
        self._on_progress, self._on_preview = on_progress, on_preview
        self._started = datetime.datetime.now(datetime.timezone.utc)
        self._seconds = 0.0
        self._canvas: Canvas | None = None
        """Size of the result's pictures; None until the input was gone over for it."""
        self._sizes = 0
        """How often the job has started again because larger pictures came."""
        self._record = MaskRecord()
        self._tracks: list[TrackSummary] = []
        self._cuts: list[float] = []
        """Seconds at which scenes begin, but for the first."""

    def run(self) -> JobResult:
        """Do it; on return the output has its final name.

        Raises:
            AnonatorError: whatever went wrong; then nothing is left.
        """
        second_ffmpeg()  # asked for before hours of work, not after
        self._canvas = find_canvas(self._job.source, self._control.stop_if_cancelled)
        repairs: list[Uncovered] = []
        for _ in range(MOST_ATTEMPTS):
            result, uncovered = self._run_growing(repairs)
            if result is not None:
                return result
            log.info("the second look found %d faces", len(uncovered))
            again = [face for face in uncovered if was_covered_before(face, repairs)]
            if again:
                uncovered = again
                break
            repairs = [*repairs, *uncovered]
        raise VerificationError(
            f"A face can still be seen at {_clock(uncovered[0].seconds)} in the finished file, although it "
            "was covered more widely there, so the file was deleted. Try Quality or Original."
        )

    def _run_growing(self, repairs: list[Uncovered]) -> tuple[JobResult | None, list[Uncovered]]:
        """Make a file, and again where its pictures turn out to be larger than their key frames told."""
        while True:
            try:
                return self._run_once(repairs)
            except _Outgrown as exc:
                log.info("larger pictures have come than the result has room for; starting again")
                self._canvas, self._sizes = exc.canvas, self._sizes + 1
                self._record, self._cuts = MaskRecord(), []

    def _run_once(self, repairs: list[Uncovered]) -> tuple[JobResult | None, list[Uncovered]]:
        """Make a file: it gets its name, or it is gone and the faces that can be seen in it are told."""
        job, settings = self._job, self._settings
        with (
            VideoReader(
                job.source,
                damaged_limit=0 if settings.hipaa else settings.damaged_frames_limit,
                canvas=self._canvas,
            ) as reader,
            VideoWriter(
                job.target,
                reader.info,
                encoder=settings.encoder,
                preset=settings.preset.encoder_preset,
                crf=settings.crf,
                audio_from=job.source if settings.keep_audio else None,
                overwrite=job.overwrite,
            ) as writer,
        ):
            require_room(job.target.parent, reader.info, reader.file_bytes, settings.crf)
            if settings.report:
                check_target(job.report_target, reader.info.file_id, job.overwrite)
            attempt = _Attempt(reader, writer, self._detectors.get(settings), repairs)
            self._control.checkpoint()
            # a large network takes seconds for a picture, and who cancels does not want to wait for it
            attempt.detector.checkpoint = self._control.stop_if_cancelled
            try:
                self._pass(attempt)
                writer.close()
                checks, uncovered = self._examine(attempt)
            finally:
                attempt.detector.checkpoint = None
            if uncovered:
                return None, uncovered
            return self._finish(attempt, checks), []

    # --- the pass through the pipeline

    def _pass(self, attempt: _Attempt) -> None:
        settings, writer = self._settings, attempt.writer
        stage = Stage.REPAIRING if attempt.repairs else Stage.WORKING
        meter = Meter(attempt.reader.info.header_frames, stage)
        with contextlib.ExitStack() as stack:
            decoded = stack.enter_context(
                RunAhead(
                    self._decoded(attempt),
                    nbytes=lambda frame: frame.nbytes,
                    limit=DECODED_BYTES,
                    name="anonator-decode",
                )
            )
            if attempt.repairs:
                covered = self._record.replay(decoded, patches_for(attempt.repairs))
            else:
                covered = self._looked_at(decoded, attempt.detector, stack)
            for frame, masks in covered:
                self._control.checkpoint(meter)
                if self._on_preview is not None and meter.preview_is_due():
                    self._on_preview(anonymize_and_show(frame, masks, settings))
                else:
                    anonymize(
                        frame,
                        masks,
                        settings.mode,
                        settings.mask_scale,
                        settings.blur_strength,
                        settings.mosaic_blocks,
                    )
                writer.write(frame)
                attempt.masked += 1
                attempt.with_masks += len(masks) > 0
                self._tell(meter.count())
            self._control.checkpoint(meter)
            self._tell(meter.progress())
        self._seconds += meter.elapsed()

    def _decoded(self, attempt: _Attempt) -> Iterator[Frame]:
        """The frames, counted; a cancelled job ends here by an exception, never by an early end."""
        for frame in attempt.reader:
            self._control.stop_if_cancelled()
            larger = attempt.reader.outgrown_by
            if larger is not None and self._sizes < MOST_SIZES:
                raise _Outgrown(larger)
            attempt.decoded += 1
            yield frame

    def _looked_at(
        self, decoded: RunAhead[Frame], detector: FaceDetector, stack: contextlib.ExitStack
    ) -> Iterator[tuple[Frame, Masks]]:
        """Frames with what the detector and the tracker want covered, written down for the second look."""
        looks = stack.enter_context(
            RunAhead(
                look(decoded, detector, self._settings),
                nbytes=lambda look: look.frame.nbytes,
                limit=LOOKED_BYTES,
                name="anonator-detect",
            )
        )
        # left first: a stage that waits for the one before it must find that one closed
        stack.callback(decoded.close)
        tracker = Tracker(self._settings)
        self._tracks = tracker.summaries
        for frame, masks in tracker.run(self._noted(looks)):
            if self._settings.hipaa:
                self._record.add(frame, masks)
            yield frame, masks

    def _noted(self, looks: Iterable[Look]) -> Iterator[Look]:
        for each in looks:
            if each.cut and each.frame.index:
                self._cuts.append(float(each.frame.seconds))
                self._record.cuts.append(each.frame.index)
            if each.turned:
                self._record.turned.append(each.frame.index)
            yield each

    # --- the end

    def _examine(self, attempt: _Attempt) -> tuple[list[Check], list[Uncovered]]:
        """The checks that the closed file passed, or the faces that can be seen in it."""
        info, writer = attempt.reader.info, attempt.writer
        meter = Meter(attempt.masked, Stage.CHECKING)
        checks = [*examine_file(writer, info, self._settings, attempt.decoded, attempt.masked)]
        with Playback(writer.temporary_path) as playback:

            def tick() -> None:
                self._control.checkpoint(meter)
                while meter.frames < playback.frames:
                    self._tell(meter.count())

            if self._settings.hipaa:
                looked_at, uncovered = self._look_again(attempt, tick)
                if any(face.score >= self._settings.threshold for face in uncovered):
                    return [], uncovered
                checks.append(second_look_passed(looked_at, len(attempt.repairs)))
            checks.append(playback.finish(attempt.masked, tick))
            tick()
        self._tell(meter.progress())
        self._seconds += meter.elapsed()
        return checks, []

    def _look_again(self, attempt: _Attempt, tick: Callable[[], None]) -> tuple[int, list[Uncovered]]:
        """How many finished frames were looked at, and the faces that can be seen in them."""
        over = [face for face in attempt.repairs if face.score >= self._settings.threshold]
        near = frames_near(over, float(attempt.reader.info.average_rate), len(self._record))
        wanted = {**dict.fromkeys(near, False), **frames_to_look_at(self._record)}
        found = uncovered_faces(
            attempt.writer.temporary_path,
            self._job.source,
            wanted,
            attempt.detector,
            self._settings,
            tick,
            self._canvas,
        )
        return len(wanted), found

    def _finish(self, attempt: _Attempt, checks: list[Check]) -> JobResult:
        """Write the report, and give both files their names."""
        job, settings, reader, writer = self._job, self._settings, attempt.reader, attempt.writer
        notes = [*reader.notes, *attempt.detector.notes, *_repair_notes(attempt.repairs)]
        notes += filter(None, [waiver_note(settings)])
        if settings.report:
            content = report.to_json(self._audit(attempt, checks, notes))
            # both are complete on the disk before either gets its name
            paper = TemporaryFile(job.target.parent, ".partial.json")
            try:
                paper.write(content)
                paper.close()
                writer.publish()
                notes += self._publish_report(paper)
            except OSError as exc:
                raise output_error(exc) from without_path(exc)
            finally:
                paper.remove()
        else:
            writer.publish()
        log.info(
            "job done: %d frames, %d with masks, %.1f s", attempt.masked, attempt.with_masks, self._seconds
        )
        return JobResult(
            target=job.target,
            frames=attempt.masked,
            masked_frames=attempt.with_masks,
            tracks=len(self._tracks),
            seconds=self._seconds,
            device=attempt.detector.device_line,
            audio=writer.audio_outcome,
            checks=tuple(check.sentence for check in checks),
            report=job.report_target if settings.report and NO_REPORT not in notes else None,
            replaced_frames=reader.replaced_frames,
            notes=tuple(notes),
            gaps_bridged=sum(track.gaps_bridged for track in self._tracks),
        )

    def _publish_report(self, paper: TemporaryFile) -> list[str]:
        """Give the report its name; the verified video has its own by now and is not taken away again."""
        try:
            paper.publish(self._job.report_target, self._job.overwrite)
        except (OSError, OutputError) as exc:
            log.warning("the report could not be given its name (%s)", type(exc).__name__)
            return [NO_REPORT]
        return []

    def _audit(self, attempt: _Attempt, checks: list[Check], notes: list[str]) -> report.Audit:
        reader, writer, tick = attempt.reader, attempt.writer, self._control.checkpoint
        return report.Audit(
            settings=self._settings,
            info=reader.info,
            weights=attempt.detector.weights,
            device=attempt.detector.device_line,
            second_ffmpeg=second_ffmpeg_version(),
            started=self._started,
            finished=datetime.datetime.now(datetime.timezone.utc),
            decoded=attempt.decoded,
            masked=attempt.masked,
            encoded=writer.frames_written,
            verified=attempt.masked,
            with_masks=attempt.with_masks,
            replaced=reader.replaced_frames,
            tracks=self._tracks,
            cuts_seconds=self._cuts,
            audio=writer.audio_outcome,
            checks=checks,
            repaired=attempt.repairs,
            warnings=notes,
            output_sha256=report.sha256_of(writer.temporary_path, tick),
            output_bytes=writer.bytes_written,
            input_sha256=report.sha256_of(self._job.source, tick) if self._settings.hash_input else None,
        )

    def _tell(self, progress: Progress | None) -> None:
        if progress is not None and self._on_progress is not None:
            self._on_progress(progress)


def _repair_notes(repairs: list[Uncovered]) -> Iterator[str]:
    if repairs:
        moments = ", ".join(dict.fromkeys(_clock(face.seconds) for face in repairs[:5]))
        yield (
            f"The check of the finished file found a face at {moments}"
            + (" and other moments" if len(repairs) > 5 else "")
            + "; the file was made again with wider masks there, and then passed. Look there first."
        )


def _clock(seconds: float) -> str:
    """Such as 1:02:03.4."""
    minutes, rest = divmod(round(seconds, 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}"
