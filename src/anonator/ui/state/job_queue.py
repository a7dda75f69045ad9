"""The queue of jobs and its state machine; no widgets, so it can be tested without a display."""

from __future__ import annotations

import contextlib
import datetime
import logging
import traceback
from collections.abc import Callable, Collection
from dataclasses import replace
from functools import partial
from pathlib import Path

from anonator.core.config import Settings
from anonator.core.job import Job, Preview, Progress
from anonator.errors import AnonatorError, JobCancelled
from anonator.ui.state import text
from anonator.ui.state.job import (
    FINISHED,
    Changes,
    Existing,
    JobState,
    JobView,
    Processor,
    ResultFile,
    ReviewMark,
    RunState,
)
from anonator.ui.state.job_list import JobList
from anonator.ui.state.job_reports import JobReports
from anonator.ui.state.queue_time import remaining_seconds
from anonator.ui.state.result_names import RunNames
from anonator.ui.state.stricter import Stricter

logger = logging.getLogger(__name__)

ProcessorFactory = Callable[[Job, Callable[[Progress], None], Callable[[Preview], None]], Processor]
KeepAwake = Callable[[], contextlib.AbstractContextManager[object]]


class JobController(JobList):
    """Runs a list of jobs one after another; poll reports what changed.

    Call all methods from one thread, the window's. Processors call back in their own; what they report
    goes through a queue that poll reads.
    """

    def __init__(
        self,
        make_processor: ProcessorFactory,
        keep_awake: KeepAwake = contextlib.nullcontext,
        new_tracks: Callable[[], Path | None] = lambda: None,
    ) -> None:
        """Set it up.

        Args:
            make_processor: makes what runs a job.
            keep_awake: a context that keeps the computer awake.
            new_tracks: names the file in which what a job finds is kept for its review; None if it can't be.
        """
        super().__init__()
        self._new_tracks = new_tracks
        self._make_processor = make_processor
        self._keep_awake = keep_awake
        self._awake = contextlib.ExitStack()
        self._reports = JobReports()
        self._state = RunState.IDLE
        self._current: int | None = None
        self._processor: Processor | None = None
        self._settings = Settings()
        self._names = RunNames()
        self._stop_after_current = False
        self._begun = 0

    # --- the state

    @property
    def state(self) -> RunState:
        """The state of the whole queue."""
        return self._state

    @property
    def current(self) -> JobView | None:
        """The running job."""
        return self.get(self._current)

    @property
    def place(self) -> tuple[int, int]:
        """Which video of this run is the running one, counted from 1, and how many the run has so far."""
        return self._begun, self._begun + len(self.waiting())

    def queue_remaining_seconds(self) -> float | None:
        """Time until the whole queue is done; None if unknown."""
        return remaining_seconds(self.current, self.waiting())

    # --- the queue

    def remove(self, number: int) -> None:
        """Remove a job from the queue; a running one is cancelled and stays in the list."""
        if number == self._current:
            self._cancel_current()
        else:
            super().remove(number)

    def retry(self, number: int) -> None:
        """Put a failed, cancelled or skipped job back in the queue; an older result is kept."""
        self._names.forget(number)
        super().retry(number)

    def run_again(
        self, number: int, existing: Existing = Existing.KEEP_BOTH, stricter: Stricter | None = None
    ) -> None:
        """Put a finished job back in the queue, to be done with the settings of the next run.

        Its result is touched only once the new one is complete; after a failure or a cancel it is still
        there.

        Args:
            number: of a job that is done, failed, cancelled or skipped; others are left alone.
            existing: whether the new result replaces the one that exists or is saved next to it; the run
                won't ask again.
            stricter: how much stricter than the others of that run it is done.
        """
        job = self.get(number)
        if job is not None and job.state in FINISHED:
            self._names.forget(number)
            again = existing if job.result_file is not None else None
            self.begin_anew(
                number,
                state=JobState.WAITING,
                progress=None,
                result=None,
                message=stricter.words if stricter else "",
                target=None,
                again=again,
                stricter=stricter,
            )

    # --- the run

    def conflicts(
        self, settings: Settings, folder: Path | None, report_folder: Path | None = None
    ) -> tuple[JobView, ...]:
        """The waiting jobs whose result already exists."""
        return RunNames(settings, folder, report_folder).conflicts(self.jobs)

    def start(
        self,
        settings: Settings,
        folder: Path | None,
        existing: Existing = Existing.KEEP_BOTH,
        asked: Collection[int] | None = None,
        report_folder: Path | None = None,
    ) -> None:
        """Run all waiting jobs with the same settings.

        Args:
            settings: for every job of this run.
            folder: where results are saved; None means next to each video.
            existing: what to do with the jobs that conflicts names. Videos added later keep both.
            asked: the jobs that were waiting when the user chose; None means all that are waiting now.
            report_folder: where reports are saved; None means next to each result.
        """
        if self._state is not RunState.IDLE:
            return
        self._settings, self._names = settings, RunNames(settings, folder, report_folder)
        self._stop_after_current = False
        for number, reason in self._names.settle(self.jobs, existing, asked).items():
            self.update(number, state=JobState.SKIPPED, message=reason)
        self._begun = 0
        if self.waiting():
            self._state = RunState.RUNNING
            self._awake.enter_context(self._keep_awake())
            self._start_next()

    def pause(self) -> None:
        """Stop working until resume."""
        if self._state is RunState.RUNNING and self._processor is not None and self._current is not None:
            self._processor.pause()
            self._state = RunState.PAUSED
            self.update(self._current, state=JobState.PAUSED)

    def resume(self) -> None:
        """Continue after a pause."""
        if self._state is RunState.PAUSED and self._processor is not None and self._current is not None:
            self._processor.resume()
            self._state = RunState.RUNNING
            self.update(self._current, state=JobState.RUNNING)

    def cancel(self) -> None:
        """Cancel the job that runs and leave the others waiting."""
        if self._state is not RunState.IDLE:
            self._stop_after_current = True
            self._cancel_current()

    def poll(self) -> Changes:
        """Read what the processor reported since the last call, and start the next job after one ends."""
        finished = self._processor is not None and self._processor.done
        progress, live = self._reports.newest(self.current.key if self.current else None)
        if progress is not None and self._current is not None:
            self.update(self._current, progress=progress)
        ended = False
        if finished:
            self._finish_current()
            ended = not self._start_next()
        changed, order = self.take_changes()
        return Changes(changed, order, live, ended)

    # --- inside

    def _cancel_current(self) -> None:
        if self._processor is not None and self._current is not None:
            self._state = RunState.CANCELLING
            self.update(self._current, state=JobState.CANCELLING)
            self._processor.cancel()

    def _start_next(self) -> bool:
        """Start the first waiting job that can start; False if the run has ended."""
        while not self._stop_after_current and (waiting := self.waiting()):
            job = waiting[0]
            self._begun += 1
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
        name, overwrite = self._names.take(job, self.jobs)
        number = self._current = job.number
        key = replace(job, generation=job.generation + 1).key
        settings = job.stricter.of(self._settings) if job.stricter else self._settings
        self._processor = self._make_processor(
            Job(
                job.source,
                name.target,
                settings,
                overwrite,
                save_tracks=self._new_tracks(),
                report_folder=self._names.report_folder,
            ),
            partial(self._reports.put, key),
            partial(self._reports.put, key),
        )
        self.begin_anew(
            number,
            state=JobState.RUNNING,
            target=name.target,
            progress=None,
            result=None,
            message="",
            again=None,
        )
        self._processor.start()

    def _finish_current(self) -> None:
        assert self._processor is not None and self._current is not None, "a job that ended was running"
        number, processor = self._current, self._processor
        self._processor = self._current = None
        try:
            result = processor.wait(0)
        except JobCancelled:
            self.update(number, state=JobState.CANCELLED, message="Cancelled; nothing was left behind.")
        except Exception as error:  # shown in the row: one failure doesn't stop the rest
            self._fail(number, error)
        else:
            if note := self._names.note(number):
                result = replace(result, notes=(*result.notes, note))
            self.update(
                number,
                state=JobState.DONE,
                result=result,
                target=result.target,
                result_file=ResultFile(
                    result.target,
                    result.report_page or result.report,
                    self._settings.hipaa,
                    datetime.datetime.now().astimezone(),
                ),
                message=text.result_summary(result),
                review=ReviewMark(result.tracks_file) if result.tracks_file is not None else None,
            )

    def _fail(self, number: int, error: Exception) -> None:
        if not isinstance(error, AnonatorError):
            # the message of a foreign error may contain a path, so only its type and place are logged
            place = "".join(traceback.format_tb(error.__traceback__))
            logger.error("job %d failed unexpectedly: %s\n%s", number, type(error).__name__, place)
        self.update(number, state=JobState.FAILED, message=text.error_sentence(error))
