"""The queue of jobs and its state machine; no widgets, so that it is tested without a display."""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from anonator.core.config import Settings
from anonator.core.frames import Preview, Progress
from anonator.core.processor import Job, default_target
from anonator.errors import AnonatorError, JobCancelled
from anonator.ui import text
from anonator.ui.jobs import FINISHED, Changes, Existing, JobState, JobView, MediaInfo, Processor, RunState

logger = logging.getLogger(__name__)


ProcessorFactory = Callable[[Job, Callable[[Progress], None], Callable[[Preview], None]], Processor]
KeepAwake = Callable[[], contextlib.AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class _Event:
    job: int
    content: Progress | Preview


class JobController:
    """Holds the queue, runs its jobs one after another, and tells what changed when it is polled.

    All methods belong to one thread, the window's. Processors call back in theirs; what they say
    crosses in a queue and is read by poll.
    """

    def __init__(
        self, make_processor: ProcessorFactory, keep_awake: KeepAwake = contextlib.nullcontext
    ) -> None:
        self._make_processor = make_processor
        self._keep_awake = keep_awake
        self._awake = contextlib.ExitStack()
        self._jobs: dict[int, JobView] = {}
        self._numbers = itertools.count(1)
        self._inbox: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self._changed: set[int] = set()
        self._order_changed = False
        self._state = RunState.IDLE
        self._current: int | None = None
        self._processor: Processor | None = None
        self._settings: Settings | None = None
        self._folder: Path | None = None
        self._overwrite: set[int] = set()
        self._stop_after_current = False

    # --- what can be read

    @property
    def state(self) -> RunState:
        """Where the whole queue stands."""
        return self._state

    @property
    def jobs(self) -> tuple[JobView, ...]:
        """The queue in its order."""
        return tuple(self._jobs.values())

    @property
    def current(self) -> JobView | None:
        """The job that is being worked on."""
        return self._jobs.get(self._current) if self._current is not None else None

    def job(self, number: int) -> JobView | None:
        """The job of that number, or None when it was removed."""
        return self._jobs.get(number)

    def waiting(self) -> tuple[JobView, ...]:
        """The jobs that a start would run."""
        return tuple(job for job in self.jobs if job.state is JobState.WAITING)

    def queue_remaining_seconds(self) -> float | None:
        """Time until the whole queue is done, from the present speed; None where it cannot be told."""
        current = self.current
        if current is None or current.progress is None or current.progress.remaining_seconds is None:
            return None
        frames = 0
        for job in self.waiting():
            if job.info is None or job.info.frames is None:
                return None
            frames += job.info.frames
        if frames and current.progress.fps <= 0:
            return None
        return current.progress.remaining_seconds + (frames / current.progress.fps if frames else 0.0)

    # --- the queue

    def add(self, sources: Sequence[Path]) -> tuple[int, ...]:
        """Append videos and give their numbers; one that waits or runs already is not added twice."""
        there = {job.source for job in self.jobs if job.state not in FINISHED}
        numbers = []
        for source in sources:
            if source in there:
                continue
            there.add(source)
            number = next(self._numbers)
            self._jobs[number] = JobView(number, source)
            self._order_changed = True
            self._changed.add(number)
            numbers.append(number)
        return tuple(numbers)

    def set_info(self, number: int, info: MediaInfo) -> None:
        """Note what a look at the file found."""
        if number in self._jobs:
            self._update(number, info=info)

    def set_unreadable(self, number: int, message: str) -> None:
        """Mark a waiting job as failed because its file cannot be read."""
        job = self._jobs.get(number)
        if job is not None and job.state is JobState.WAITING:
            self._update(number, state=JobState.FAILED, message=message)

    def remove(self, number: int) -> None:
        """Take a job out of the queue; one that runs is cancelled first and stays as cancelled."""
        if number == self._current:
            self._cancel_current()
        elif self._jobs.pop(number, None) is not None:
            self._order_changed = True

    def move(self, number: int, steps: int) -> None:
        """Move a job up (negative) or down the queue."""
        order = list(self._jobs)
        if number not in order:
            return
        at = order.index(number)
        to = max(0, min(len(order) - 1, at + steps))
        order.insert(to, order.pop(at))
        self._jobs = {key: self._jobs[key] for key in order}
        self._order_changed = True

    def retry(self, number: int) -> None:
        """Let a failed or cancelled job wait again."""
        job = self._jobs.get(number)
        if job is not None and job.state in (JobState.FAILED, JobState.CANCELLED):
            self._overwrite.discard(number)
            self._update(number, state=JobState.WAITING, progress=None, message="", target=None)

    def clear_finished(self) -> None:
        """Take everything out that is done, failed or cancelled."""
        self._jobs = {key: job for key, job in self._jobs.items() if job.state not in FINISHED}
        self._order_changed = True

    # --- the run

    def conflicts(self, folder: Path | None) -> tuple[JobView, ...]:
        """The waiting jobs whose result is there already."""
        return tuple(job for job in self.waiting() if default_target(job.source, folder).exists())

    def start(self, settings: Settings, folder: Path | None, existing: Existing = Existing.KEEP_BOTH) -> None:
        """Run all waiting jobs with the same settings.

        Args:
            settings: for every job of this run.
            folder: where results go; None is beside each video.
            existing: what happens to the jobs that conflicts names. Videos added later keep both.
        """
        if self._state is not RunState.IDLE:
            return
        self._overwrite.clear()
        for job in self.conflicts(folder):
            if existing is Existing.OVERWRITE:
                self._overwrite.add(job.number)
            elif existing is Existing.SKIP:
                self._update(
                    job.number, state=JobState.CANCELLED, message="Skipped: its result is there already."
                )
        self._settings, self._folder, self._stop_after_current = settings, folder, False
        if self.waiting():
            self._state = RunState.RUNNING
            self._awake.enter_context(self._keep_awake())
            self._start_next()

    def pause(self) -> None:
        """Stop working until resume."""
        if self._state is RunState.RUNNING and self._processor is not None and self._current is not None:
            self._processor.pause()
            self._state = RunState.PAUSED
            self._update(self._current, state=JobState.PAUSED)

    def resume(self) -> None:
        """Go on after pause."""
        if self._state is RunState.PAUSED and self._processor is not None and self._current is not None:
            self._processor.resume()
            self._state = RunState.RUNNING
            self._update(self._current, state=JobState.RUNNING)

    def cancel(self) -> None:
        """Cancel the job that runs and leave the others waiting."""
        if self._state is not RunState.IDLE:
            self._stop_after_current = True
            self._cancel_current()

    def poll(self) -> Changes:
        """Take in what the processor said since the last call, and start the next job when one ended."""
        finished = self._processor is not None and self._processor.done
        preview = self._drain()
        ended = False
        if finished:
            self._finish_current()
            ended = not self._start_next()
        changes = Changes(frozenset(self._changed), self._order_changed, preview, ended)
        self._changed.clear()
        self._order_changed = False
        return changes

    # --- inside

    def _update(self, number: int, **values: object) -> None:
        self._jobs[number] = replace(self._jobs[number], **values)  # type: ignore[arg-type]
        self._changed.add(number)

    def _cancel_current(self) -> None:
        if self._processor is not None and self._current is not None:
            self._state = RunState.CANCELLING
            self._update(self._current, state=JobState.CANCELLING)
            self._processor.cancel()

    def _drain(self) -> Preview | None:
        preview: Preview | None = None
        progress: Progress | None = None
        with contextlib.suppress(queue.Empty):
            while True:
                event = self._inbox.get_nowait()
                if event.job != self._current:
                    continue
                if isinstance(event.content, Progress):
                    progress = event.content
                else:
                    preview = event.content
        if progress is not None and self._current is not None:
            self._update(self._current, progress=progress)
        return preview

    def _start_next(self) -> bool:
        """Start the first waiting job that can be started; False when the run has ended."""
        while not self._stop_after_current and (waiting := self.waiting()):
            job = waiting[0]
            try:
                self._launch(job)
            except AnonatorError as error:
                self._fail(job.number, error)
                self._processor = self._current = None
                continue
            self._state = RunState.RUNNING
            return True
        self._state = RunState.IDLE
        self._awake.close()
        return False

    def _launch(self, job: JobView) -> None:
        assert self._settings is not None, "a run has settings"
        target, overwrite = self._free_target(job)
        number = self._current = job.number
        put = self._inbox.put
        self._processor = self._make_processor(
            Job(job.source, target, self._settings, overwrite),
            lambda progress: put(_Event(number, progress)),
            lambda preview: put(_Event(number, preview)),
        )
        self._update(number, state=JobState.RUNNING, target=target, progress=None, result=None, message="")
        self._processor.start()

    def _free_target(self, job: JobView) -> tuple[Path, bool]:
        """The result's path and whether it may replace a file: numbered where a result has that name."""
        target = default_target(job.source, self._folder)
        made_now = {other.target for other in self.jobs if other.state is JobState.DONE}
        if job.number in self._overwrite and target not in made_now:
            return target, True
        candidates = (target.with_name(f"{target.stem}_{n}{target.suffix}") for n in itertools.count(2))
        return next(path for path in itertools.chain((target,), candidates) if not path.exists()), False

    def _finish_current(self) -> None:
        assert self._processor is not None and self._current is not None, "a job that ended was running"
        number, processor = self._current, self._processor
        self._processor = self._current = None
        try:
            result = processor.wait(0)
        except JobCancelled:
            self._update(number, state=JobState.CANCELLED, message="Cancelled; nothing was left behind.")
        except Exception as error:  # shown in the row: one failure does not stop the rest
            self._fail(number, error)
        else:
            self._update(
                number,
                state=JobState.DONE,
                result=result,
                target=result.target,
                message=text.result_summary(result),
            )

    def _fail(self, number: int, error: Exception) -> None:
        if not isinstance(error, AnonatorError):
            # the message of a foreign error may hold a path, so only its type and place are logged
            place = "".join(traceback.format_tb(error.__traceback__))
            logger.error("job %d failed unexpectedly: %s\n%s", number, type(error).__name__, place)
        self._update(number, state=JobState.FAILED, message=text.error_sentence(error))
