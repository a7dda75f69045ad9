"""The checks of the closed file before it gets its name, or the faces that can still be seen in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from anonator.core import forecast
from anonator.core.anonymizer import covered_pixels
from anonator.core.attempt import Attempt, Run
from anonator.core.checks.every_frame import EveryFrame, second_detector_passed
from anonator.core.checks.file_checks import Check, examine_file
from anonator.core.checks.input_frames import InputFrames
from anonator.core.checks.remembered import Memory, Rectangle
from anonator.core.checks.second_ffmpeg import Playback
from anonator.core.checks.second_look import (
    Uncovered,
    frames_near,
    frames_to_look_at,
    is_covered_with,
    patches_for,
    second_look_passed,
    uncovered_faces,
)
from anonator.core.config import Settings
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Frame
from anonator.core.job import Stage
from anonator.core.meter import Meter
from anonator.core.process_setup import give_back_freed_memory
from anonator.core.reading.reader import VideoReader

LOOKED_AT_AGAIN = 10
"""In HIPAA mode, the second detector looks again at every n-th frame that shows only what it saw before."""


def examine(run: Run, attempt: Attempt) -> tuple[list[Check], list[Uncovered]]:
    """The checks that the closed file passed or didn't need, or the faces that are still visible in it.

    Raises:
        VerificationError: the file is not what it must be.
        JobCancelled: meanwhile.
    """
    settings, writer = run.job.settings, attempt.writer
    give_back_freed_memory()  # frames and encoder are gone; what the checks need has other sizes
    uncovered: list[Uncovered] = []
    done, share_again = 0.0, forecast.checking_again(run)

    def later() -> float:
        """What follows: nothing, or a repair and another check if there's a face to cover."""
        if done <= 0 or not _over_the_threshold(uncovered, settings):
            return 0.0
        return forecast.rewriting(run) + share_again * meter.elapsed() / done

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
            give_back_freed_memory()
            run.checking = share_again * meter.elapsed()
            if _over_the_threshold(uncovered, settings):
                run.seconds += meter.elapsed()
                return [], uncovered
            run.remember(None)
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
    settings, finished = run.job.settings, attempt.writer.temporary_path
    repaired = [sum(face.second is second for face in run.covered_more) for second in (False, True)]
    checks: list[Check] = []
    with ExitStack() as stack:
        second: EveryFrame | None = None
        # more black cannot uncover a face: tracks that only cover more were checked in their first run
        if run.second is not None and (run.rendering is None or run.rendering.lost):
            second = _watching(run, attempt, run.second, stack)
        if settings.hipaa:
            wanted = _wanted(run, attempt)
            if second is not None:
                wanted.setdefault(attempt.masked - 1, False)  # the file is read to its last frame
            known: list[int] = []
            for face in _looked_at_again(run, attempt, wanted, tick, second, known):
                uncovered.append(face)  # one by one: the forecast asks for them meanwhile
            checks.append(second_look_passed(len(wanted), repaired[False], len(known)))
        elif second is not None:
            for frame in stack.enter_context(VideoReader(finished)):
                tick(frame.index / attempt.masked)
                second.see(frame)
        if second is not None:
            seen = second.finish(attempt.masked)
            firm = [face for face in uncovered if face.score >= settings.threshold]
            uncovered += [face for face in seen.uncovered if not is_covered_with(face, firm)]
            run.near_misses = seen.near_misses
            checks.append(second_detector_passed(seen, repaired[True]))
    return checks


def _watching(run: Run, attempt: Attempt, second: YuNet, stack: ExitStack) -> EveryFrame:
    """The second detector, which remembers what it saw in the file before; it ends with the stack."""
    job, settings, patches = run.job, run.job.settings, patches_for(run.covered_more)

    def covered(frame: Frame) -> Sequence[Rectangle]:
        boxes = patches.boxes(float(frame.seconds))
        return covered_pixels(boxes, settings.mask_scale, frame.width, frame.height)

    memory = Memory(job.target.parent, run.memory, covered)
    stack.callback(run.remember, memory)  # once that of the file before is read
    return stack.enter_context(
        EveryFrame(
            second,
            attempt.detector,
            InputFrames(job.source, settings.replaceable_frames, run.canvas),
            settings,
            run.control.stop_if_cancelled,
            run.rendering.shown if run.rendering else None,
            memory,
            known_every=LOOKED_AT_AGAIN if settings.hipaa else 0,
        )
    )


def _looked_at_again(
    run: Run,
    attempt: Attempt,
    wanted: Mapping[int, bool],
    tick: Callable[[float], None],
    second: EveryFrame | None,
    known: list[int],
) -> Iterator[Uncovered]:
    """The faces that the job's own detector sees; the second one gets every frame that is read.

    Frames that show nothing but what they showed in the file before were looked at there, and go into the
    list. Those where that detector found a face, and those around it, are looked at all the same.
    """
    anew = {*_near_repairs(run, attempt), *(face.index for face in run.repairs if not face.second)}

    def passing(frame: Frame) -> bool:
        if second is None:
            return True
        second.see(frame)
        # what was known before the first file was written was never looked at by that detector
        if not (run.repairs and second.knows_frame) or frame.index in anew:
            return True
        known.extend([frame.index] if frame.index in wanted else [])
        return False

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
            passing,
        )


def _near_repairs(run: Run, attempt: Attempt) -> Iterator[int]:
    """The frames around what was covered more widely, to see whether it is covered now."""
    over = [face for face in run.repairs if face.score >= run.job.settings.threshold]
    return frames_near(over, float(attempt.reader.info.average_rate), len(run.record))


def _wanted(run: Run, attempt: Attempt) -> dict[int, bool]:
    """The finished frames that the job's own detector looks at again, and whether turned, too."""
    if run.rendering:
        sample = run.rendering.to_look_at()
    else:
        sample = frames_to_look_at(run.record, another_sees_all=run.second is not None)
    return {**dict.fromkeys(_near_repairs(run, attempt), False), **sample}
