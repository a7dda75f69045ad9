"""The checks of the closed file before it gets its name, or the faces that can still be seen in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from anonator.core import forecast
from anonator.core.attempt import Attempt, Run
from anonator.core.checks.every_frame import EveryFrame, second_detector_passed
from anonator.core.checks.file_checks import Check, examine_file
from anonator.core.checks.second_ffmpeg import Playback
from anonator.core.checks.second_look import (
    Uncovered,
    frames_near,
    frames_to_look_at,
    is_covered_with,
    second_look_passed,
    uncovered_faces,
)
from anonator.core.config import Settings
from anonator.core.job import Stage
from anonator.core.meter import Meter
from anonator.core.reading.reader import VideoReader


def examine(run: Run, attempt: Attempt) -> tuple[list[Check], list[Uncovered]]:
    """The checks that the closed file passed, or the faces that are still visible in it.

    Raises:
        VerificationError: the file is not what it must be.
        JobCancelled: meanwhile.
    """
    settings, writer = run.job.settings, attempt.writer
    uncovered: list[Uncovered] = []
    done = 0.0

    def later() -> float:
        """What follows: nothing, or a repair and another check if there's a face to cover."""
        if done <= 0 or not _over_the_threshold(uncovered, settings):
            return 0.0
        return forecast.rewriting(run) + meter.elapsed() / done

    run.course.enter(later, forecast.checks(run, attempt))
    meter = Meter(attempt.masked, Stage.CHECKING)
    checks = [*examine_file(writer, attempt.reader.info, settings, attempt.decoded, attempt.masked)]
    with Playback(writer.temporary_path) as playback:

        def tick() -> None:
            run.control.checkpoint(meter)
            while not run.may_repair and meter.frames < playback.frames:
                run.tell(meter.count(), meter.frames / attempt.masked)  # looking for faces has its own count

        def looked(share: float) -> None:
            nonlocal done
            done = share
            run.control.checkpoint(meter)
            run.tell(meter.count() if meter.frames < attempt.masked else meter.due(), share)

        if run.may_repair:
            passed = _look_again(run, attempt, looked, uncovered)
            run.checking = meter.elapsed()
            if _over_the_threshold(uncovered, settings):
                run.seconds += meter.elapsed()
                return [], uncovered
            checks += passed
        checks.append(playback.finish(attempt.masked, tick))
        tick()
    run.tell(meter.progress(), 1.0)
    run.seconds += meter.elapsed()
    return checks, []


def _over_the_threshold(faces: Sequence[Uncovered], settings: Settings) -> bool:
    """Whether the file must be made again."""
    return any(face.second or face.score >= settings.threshold for face in faces)


def _look_again(
    run: Run, attempt: Attempt, tick: Callable[[float], None], uncovered: list[Uncovered]
) -> list[Check]:
    """What both detectors say of the finished file; the list gets the faces that can be seen in it."""
    settings, source = run.job.settings, run.job.source
    finished, stop = attempt.writer.temporary_path, run.control.stop_if_cancelled
    checks: list[Check] = []
    with ExitStack() as stack:
        second: EveryFrame | None = None
        shown = run.rendering.shown if run.rendering else None
        # more black cannot uncover a face: tracks that only cover more were checked in their first run
        if run.second is not None and (run.rendering is None or run.rendering.lost):
            watching = EveryFrame(run.second, attempt.detector, source, settings, run.canvas, stop, shown)
            second = stack.enter_context(watching)
        if settings.hipaa:
            wanted = _wanted(run, attempt)
            if second is not None:
                wanted.setdefault(attempt.masked - 1, False)  # the file is read to its last frame
            for face in _looked_at_again(run, attempt, wanted, tick, second):
                uncovered.append(face)  # one by one: the forecast asks for them meanwhile
            checks.append(second_look_passed(len(wanted), sum(not face.second for face in run.repairs)))
        elif second is not None:
            for frame in stack.enter_context(VideoReader(finished)):
                tick(frame.index / attempt.masked)
                second.see(frame)
        if second is not None:
            seen = second.finish(attempt.masked)
            firm = [face for face in uncovered if face.score >= settings.threshold]
            uncovered += [face for face in seen.uncovered if not is_covered_with(face, firm)]
            run.near_misses = seen.near_misses
            checks.append(second_detector_passed(seen, sum(face.second for face in run.repairs)))
    return checks


def _looked_at_again(
    run: Run,
    attempt: Attempt,
    wanted: Mapping[int, bool],
    tick: Callable[[float], None],
    second: EveryFrame | None,
) -> Iterator[Uncovered]:
    """The faces that the job's own detector sees; the second one gets every frame that is read."""
    if wanted:
        yield from uncovered_faces(
            attempt.writer.temporary_path,
            run.job.source,
            wanted,
            attempt.detector,
            run.job.settings,
            tick,
            run.canvas,
            run.control.stop_if_cancelled,
            run.rendering.shown if run.rendering else None,
            None if second is None else second.see,
        )


def _wanted(run: Run, attempt: Attempt) -> dict[int, bool]:
    """The finished frames that the job's own detector looks at again, and whether turned, too."""
    over = [face for face in run.repairs if face.score >= run.job.settings.threshold]
    near = frames_near(over, float(attempt.reader.info.average_rate), len(run.record))
    if run.rendering:
        sample = run.rendering.to_look_at()
    else:
        sample = frames_to_look_at(run.record, another_sees_all=run.second is not None)
    return {**dict.fromkeys(near, False), **sample}
