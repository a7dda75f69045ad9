"""The whole pipeline: how a video becomes its anonymized copy, from the first byte read to the final name.

reading -> cuts -> detection -> tracking -> second detector -> masking -> writing -> checks -> name
                                                                  ^                    |
                                                                  +---- repair --------+
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from functools import partial

from anonator.core import forecast, preflight
from anonator.core.anonymizer import anonymize
from anonator.core.attempt import Attempt, Outgrown, Run
from anonator.core.checks.second_look import Uncovered, is_covered_with, patches_for
from anonator.core.clock_text import clock_text
from anonator.core.control import Control
from anonator.core.detection.detector_protocol import Detectors
from anonator.core.detection.joined import for_looking
from anonator.core.examining import examine
from anonator.core.finishing import publish
from anonator.core.frames import Frame, Masks
from anonator.core.job import Job, JobResult, Preview, Progress, Stage
from anonator.core.meter import Meter
from anonator.core.preview import anonymize_and_show
from anonator.core.reading.reader import VideoReader
from anonator.core.run_ahead import ahead
from anonator.core.tracking.schedule import look
from anonator.core.writing.partial_file import while_it_is_there
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
        """Free what an attempt keeps for the next one; safe to call twice."""
        self._run.remember(None)

    def run(self) -> JobResult:
        """Make the file, and make it again with wider masks as long as a face is visible in it.

        Raises:
            AnonatorError: whatever went wrong; nothing is left behind.
        """
        run = self._run
        preflight.prepare(run)
        for _ in range(MOST_ATTEMPTS):
            result, uncovered = self._make()
            if result is not None:
                return result
            log.info("the second look found %d faces", len(uncovered))
            if stubborn := [face for face in uncovered if is_covered_with(face, run.repairs)]:
                break
            run.repairs = [*run.repairs, *uncovered]
        seconds = (stubborn or uncovered)[0].seconds
        raise VerificationError(
            f"A face can still be seen at {clock_text(seconds, 1)} in the finished file, "
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
        with (
            VideoReader(job.source, settings.replaceable_frames, run.canvas) as reader,
            run.writer(reader) as writer,
        ):
            preflight.check(run, reader)
            attempt = Attempt(reader, writer, preflight.detector_for(run, self._detectors))
            run.control.checkpoint()
            self._pass(attempt)
            writer.close()
            with run.times.measured("checks"), while_it_is_there(writer.temporary_path):
                checks, uncovered = examine(run, attempt)
            if uncovered:
                return None, uncovered
            return publish(run, attempt, checks), []

    def _pass(self, attempt: Attempt) -> None:
        """Every frame on its way from reader to writer."""
        run, settings, times = self._run, self._run.job.settings, self._run.times
        meter = Meter(attempt.reader.info.header_frames, Stage.REPAIRING if run.repairs else Stage.WORKING)
        run.course.enter(partial(forecast.checks, run, attempt), forecast.whole_pass(run))

        def looked_at() -> None:
            run.control.checkpoint(meter)
            run.tell(meter.due(), attempt.share)

        with ExitStack() as stages:
            for frame, masks in self._to_cover(attempt, stages, looked_at):
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
        run.add(meter.elapsed())

    def _to_cover(
        self, attempt: Attempt, stages: ExitStack, looked_at: Callable[[], None]
    ) -> Iterable[tuple[Frame, Masks]]:
        """Every frame with what must be covered in it: searched, from kept tracks, or as before a repair."""
        run, settings, times = self._run, self._run.job.settings, self._run.times
        read = times.of("reading", attempt.frames(run))
        if run.rendering and not run.repairs:
            # masks are made where pictures are read, so that neither waits for the encoder
            noted = attempt.noted(times.waiting("tracking", read))
            made = times.of("tracking", run.rendered(run.rendering, noted, attempt.reader.file_bytes))
            return ahead(made, lambda each: each[0].nbytes, "decode", stages)
        frames = ahead(read, lambda frame: frame.nbytes, "decode", stages)
        if run.repairs:
            return run.record.replay(attempt.noted(frames), patches_for(run.covered_more))
        detector, stop = for_looking(attempt.detector, settings), run.control.stop_if_cancelled
        seen = times.of("detection", look(times.waiting("detection", frames), detector, settings, stop))
        looks = ahead(seen, lambda each: each.frame.nbytes, "detect", stages)
        # left first: a stage that waits for the one before it must find that one closed
        stages.callback(frames.close)
        tracked = times.of(
            "tracking", run.tracked(attempt.noted(times.waiting("tracking", looks), looked_at))
        )
        if run.second is None:
            return tracked
        watch = stages.enter_context(run.watch(run.second, attempt.detector))
        return times.of("second detector", watch.watched(times.waiting("second detector", tracked)))
