"""The whole pipeline: how a video becomes its anonymized copy, from the first byte read to the final name.

reading -> cuts -> detection -> tracking -> masking -> writing -> checks -> name
                                               ^                    |
                                               +---- repair --------+
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial

from anonator.core import forecast
from anonator.core.anonymizer import anonymize
from anonator.core.areas import area
from anonator.core.attempt import Attempt, Outgrown, Run
from anonator.core.checks.every_frame import seconds_each
from anonator.core.checks.findings import FAINT
from anonator.core.checks.second_ffmpeg import second_ffmpeg_version
from anonator.core.checks.second_look import Uncovered, is_covered_with, patches_for
from anonator.core.clock_text import clock_text
from anonator.core.control import Control
from anonator.core.detection.detector_protocol import Detector, Detectors
from anonator.core.detection.joined import for_looking
from anonator.core.detection.spare import SpareDetector
from anonator.core.detection.yunet import YuNet
from anonator.core.examining import examine
from anonator.core.finishing import publish
from anonator.core.frames import Frame, Masks
from anonator.core.job import Job, JobResult, Preview, Progress, Stage
from anonator.core.meter import Meter
from anonator.core.preview import anonymize_and_show
from anonator.core.reading.canvas import find_canvas
from anonator.core.reading.reader import VideoReader
from anonator.core.review import tracks_file
from anonator.core.review.rendering import Rendering
from anonator.core.run_ahead import ahead
from anonator.core.tracking.schedule import look
from anonator.core.writing.disk_space import require_room
from anonator.core.writing.partial_file import check_target
from anonator.core.writing.writer import VideoWriter
from anonator.errors import VerificationError

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 4
"""After this many attempts, the job fails if the second look still finds other faces."""


class Processor:
    """Does one job in the calling thread; on return the result has its final name."""

    def __init__(
        self,
        job: Job,
        detectors: Detectors,
        control: Control,
        on_progress: Callable[[Progress], None] | None = None,
        on_preview: Callable[[Preview], None] | None = None,
    ) -> None:
        """Set the job up; nothing is opened yet."""
        self._run = Run(job, control, on_progress, on_preview)
        self._detectors = detectors

    def close(self) -> None:
        """Free what an attempt keeps for the next one."""
        self._run.remember(None)

    def run(self) -> JobResult:
        """Make the file, and make it again with wider masks as long as a face is visible in it.

        Raises:
            AnonatorError: whatever went wrong; nothing is left behind.
        """
        run = self._run
        second_ffmpeg_version()  # checked before hours of work, not after
        if run.job.settings.looks_at_every_frame:  # likewise
            run.second = YuNet(FAINT)
        if run.job.tracks is not None:
            run.rendering = Rendering(tracks_file.read(run.job.tracks), run.job.settings)
        run.canvas = find_canvas(run.job.source, run.control.stop_if_cancelled)
        uncovered: list[Uncovered] = []
        for _ in range(MOST_ATTEMPTS):
            result, uncovered = self._make()
            if result is not None:
                return result
            log.info("the second look found %d faces", len(uncovered))
            again = [face for face in uncovered if is_covered_with(face, run.repairs)]
            if again:
                uncovered = again
                break
            run.repairs = [*run.repairs, *uncovered]
        raise VerificationError(
            f"A face can still be seen at {clock_text(uncovered[0].seconds, 1)} in the finished file, "
            "although it was covered more widely there, so the file was deleted. Try Quality or Original."
        )

    def _make(self) -> tuple[JobResult | None, list[Uncovered]]:
        """One attempt, started again if its pictures turn out to be larger than the key frames said."""
        while True:
            try:
                return self._attempt()
            except Outgrown as exc:
                log.info("larger pictures came than fit into the result; starting again")
                self._run.start_again(exc.canvas)

    def _attempt(self) -> tuple[JobResult | None, list[Uncovered]]:
        """Make a file: it gets its name, or it is deleted and the faces seen in it are returned."""
        run, job, settings = self._run, self._run.job, self._run.job.settings
        limit = 0 if settings.hipaa else settings.damaged_frames_limit
        with (
            VideoReader(job.source, limit, run.canvas) as reader,
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
            for each in settings.areas:
                area(each).pixels(reader.info.width, reader.info.height)  # not only when its time comes
            if settings.report:
                for paper in (job.report_target, job.page_target):
                    check_target(paper, reader.info.file_id, job.overwrite)
            if job.save_tracks is not None:
                check_target(job.save_tracks, reader.info.file_id, job.overwrite)
            if run.second is not None and not run.second_seconds:
                size = reader.info.display_width, reader.info.display_height
                run.second_seconds = seconds_each(run.second, settings, *size)
            attempt = Attempt(reader, writer, self._detector())
            run.control.checkpoint()
            self._pass(attempt)
            writer.close()
            with run.times.measured("checks"):
                checks, uncovered = examine(run, attempt)
            if uncovered:
                return None, uncovered
            return publish(run, attempt, checks), []

    def _detector(self) -> Detector:
        """The one that looks; from kept tracks only if it must."""
        settings, rendering = self._run.job.settings, self._run.rendering
        if rendering is None:
            return self._detectors.get(settings)
        by_script = not rendering.analysis.weights_sha256
        return SpareDetector(self._detectors, settings, by_script=by_script)

    def _pass(self, attempt: Attempt) -> None:
        """Every frame on its way from reader to writer."""
        run, settings, times = self._run, self._run.job.settings, self._run.times
        meter = Meter(attempt.reader.info.header_frames, Stage.REPAIRING if run.repairs else Stage.WORKING)
        again = forecast.rewriting(run) if run.repairs else None
        run.course.enter(partial(forecast.checks, run, attempt), again)
        with ExitStack() as stages:
            read = times.of("reading", attempt.frames(run))
            if run.rendering and not run.repairs:
                # masks are made where pictures are read, so that neither waits for the encoder
                noted = attempt.noted(times.waiting("tracking", read))
                replayed = run.rendered(run.rendering, noted, attempt.reader.file_bytes)
                made = times.of("tracking", replayed)
                covered: Iterable[tuple[Frame, Masks]] = ahead(made, lambda e: e[0].nbytes, "decode", stages)
            elif run.repairs:
                frames = ahead(read, lambda f: f.nbytes, "decode", stages)
                covered = run.record.replay(attempt.noted(frames), patches_for(run.repairs))
            else:
                frames = ahead(read, lambda f: f.nbytes, "decode", stages)
                stop = run.control.stop_if_cancelled
                detector = for_looking(attempt.detector, settings)
                seen = look(times.waiting("detection", frames), detector, settings, stop)
                looks = ahead(times.of("detection", seen), lambda each: each.frame.nbytes, "detect", stages)
                # left first: a stage that waits for the one before it must find that one closed
                stages.callback(frames.close)
                noted_looks = attempt.noted(times.waiting("tracking", looks))
                covered = times.of("tracking", run.tracked(noted_looks))
            for frame, masks in covered:
                run.control.checkpoint(meter)
                with times.measured("masking"):
                    if run.on_preview is not None and meter.preview_is_due():
                        run.on_preview(anonymize_and_show(frame, masks, settings))
                    else:
                        anonymize(frame, masks, settings)
                with times.measured("writing"):
                    attempt.writer.write(frame)
                attempt.count(masks)
                run.tell(meter.count(), attempt.share)
            run.control.checkpoint(meter)
            run.tell(meter.progress(), 1.0)
        run.seconds += meter.elapsed()
