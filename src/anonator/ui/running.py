"""Starts, pauses and cancels the queue, and closes the program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from anonator.core.config import Settings
from anonator.core.job import Job, Preview, Progress
from anonator.ui.key_question import KeyRows
from anonator.ui.state.app_state import Store
from anonator.ui.state.job import Existing, JobView, LivePicture, Processor, RunState
from anonator.ui.state.job_queue import JobController, ProcessorFactory
from anonator.ui.work.worker import Task, Worker


class Run:
    """Carries out what people ask for, and copies the queue into the state."""

    def __init__(
        self,
        store: Store,
        queue: JobController,
        worker: Worker,
        *,
        load: Callable[[Settings], object],
        device_line: Callable[[], str | None],
        ask_existing: Callable[[Sequence[JobView]], Existing | None],
        ask_closing: Callable[..., bool],
        show_live: Callable[[LivePicture], None],
        keys: KeyRows,
    ) -> None:
        """Set it up; nothing runs yet.

        Args:
            store: holds the state.
            queue: the jobs.
            worker: the engine's worker.
            load: loads the engine for these settings.
            device_line: what the engine runs on; None until it is loaded.
            ask_existing: asks what to do with results of these jobs that already exist.
            ask_closing: asks whether to close, given how many videos wait and whether a job runs.
            show_live: shows a picture of the running job.
            keys: keeps the key file of a run with neutral names.
        """
        self._store, self._queue, self._worker = store, queue, worker
        self._load, self._device_line = load, device_line
        self._ask_existing, self._ask_closing, self._show_live = ask_existing, ask_closing, show_live
        self._keys = keys
        self._loading: Task | None = None
        self._asking = False

    # --- what people ask for

    def start(self) -> None:
        """Run the waiting jobs, once the engine is loaded and has finished any test of a frame."""
        state = self._store.state
        if not state.may_start:
            return
        asked = frozenset(job.number for job in state.waiting)
        conflicts = self._queue.conflicts(state.settings, state.folder, state.report_folder)
        existing = self._ask_existing(conflicts) if conflicts else Existing.KEEP_BOTH
        if existing is None or self._store.state.closing:
            return
        if not self._keys.begin(neutral=state.settings.neutral_name) or self._store.state.closing:
            return
        # loaded here, not in the job, so that a pending start can be cancelled at once; if loading
        # fails, the job fails too, and its row says why
        begin = partial(self._begin, existing, asked)
        self._loading = self._worker.submit(partial(self._load, state.settings), begin, begin)
        self.refresh(starting=True)

    def pause_or_resume(self) -> None:
        """Pause the running job, or resume it."""
        if self._queue.state is RunState.PAUSED:
            self._queue.resume()
        else:
            self._queue.pause()
        self.refresh()

    def cancel(self) -> None:
        """Cancel the running job or a pending start; the other jobs keep waiting."""
        if self._loading is not None:
            self._loading.withdraw()
        self._queue.cancel()
        self.refresh(starting=False)

    def close(self) -> None:
        """Close the program; if videos are waiting or running, ask, cancel and wait."""
        state = self._store.state
        busy = not state.idle
        if state.closing or self._asking:
            return
        self._asking = True
        try:
            if not (busy or state.waiting) or self._ask_closing(len(state.waiting), running=busy):
                self.end_at_once()
        finally:
            self._asking = False

    def end_at_once(self) -> None:
        """Close the program without asking, for example when the user logs out."""
        self._store.change(closing=True)
        self.cancel()

    # --- what the queue reports

    def poll(self) -> None:
        """Read what the running job has reported since the last call."""
        changes = self._queue.poll()
        finished = {job.number: job for job in self._queue.jobs if job.number in changes.jobs}
        kept, lost = self._keys.note(finished.values())
        for number, words in kept.items():
            self._queue.update(number, message=f"{finished[number].message}\n{words}")
        for number, words in lost.items():
            self._queue.update(number, message=f"{words}\n{finished[number].message}")
            self._store.say(words)
        if changes.jobs or changes.order or changes.run_ended:
            self.refresh()
        if changes.live is not None:
            self._show_live(changes.live)

    def refresh(self, **more: Any) -> None:
        """Copy the queue into the state, together with other values."""
        queue, state = self._queue, self._store.state
        jobs, current = queue.jobs, queue.current.number if queue.current else None
        chosen = state.chosen if current in (None, state.current) else current
        if all(job.number != chosen for job in jobs):
            chosen = jobs[0].number if jobs else None
        self._store.change(
            jobs=jobs,
            run=queue.state,
            current=current,
            place=queue.place,
            last_run=current or state.last_run,
            queue_remaining=queue.queue_remaining_seconds(),
            chosen=chosen,
            device=(self._device_line() if current else None) or state.device,
            **more,
        )

    def _begin(self, existing: Existing, asked: frozenset[int], _engine: object) -> None:
        """Start the jobs, now that the engine is free."""
        state = self._store.state
        self._queue.start(state.settings, state.folder, existing, asked, state.report_folder)
        self.refresh(starting=False)


def with_report_folder(store: Store, make: ProcessorFactory) -> ProcessorFactory:
    """A factory for jobs whose reports go where the configuration file says."""

    def made(
        job: Job, on_progress: Callable[[Progress], None], on_preview: Callable[[Preview], None]
    ) -> Processor:
        return make(replace(job, report_folder=store.state.report_folder), on_progress, on_preview)

    return made
