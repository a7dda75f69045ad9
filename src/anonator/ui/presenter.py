"""Renders the controller's state: queue, running job, buttons, device line and status."""

from __future__ import annotations

from typing import Protocol

from anonator.ui.layout import Layout
from anonator.ui.preview_desk import PreviewDesk
from anonator.ui.state import text
from anonator.ui.state.job import Changes, JobState, JobView, RunState
from anonator.ui.state.job_queue import JobController
from anonator.ui.work.event_log import EventLog


class HasDevice(Protocol):
    """What the presenter needs of the engine."""

    def device_line(self) -> str | None: ...


class Presenter:
    """Knows what is shown, and nothing that is not shown."""

    def __init__(
        self,
        layout: Layout,
        controller: JobController,
        desk: PreviewDesk,
        engine: HasDevice,
        events: EventLog,
    ) -> None:
        self._layout, self._controller, self._desk = layout, controller, desk
        self._engine, self._events = engine, events
        self.loaded = False
        self.held = False
        """The configuration file cannot be used, so nothing is started."""
        self._last_run: int | None = None

    def show(self, changes: Changes) -> None:
        """Render what a poll of the controller found new."""
        if changes.order:
            self.show_queue()
        for number in changes.jobs:
            job = self._controller.get(number)
            if job is not None:
                self._show_job(job)
        current = self._controller.current
        in_sight = current is not None and self._layout.queue_view.selected == current.number
        if changes.preview is not None and in_sight:
            self._desk.live(changes.preview)
        if changes.run_ended:
            states = [job.state for job in self._controller.jobs]
            self._events.write(
                "run ended", done=states.count(JobState.DONE), failed=states.count(JobState.FAILED)
            )

    def show_queue(self) -> None:
        """Render the list in its order, or the drop area where it is empty."""
        jobs = self._controller.jobs
        self._layout.queue_view.show_order(jobs)
        self._layout.show_videos(bool(jobs))
        self._desk.forget({job.number for job in jobs})
        if not jobs:
            self._desk.choose(None)

    def engine_loaded(self, device_line: str | None) -> None:
        """Show the device, or that there is no engine."""
        self.loaded = device_line is not None
        self._layout.device.configure(text=device_line or "The engine is not loaded")

    def show_run(self, *, starting: bool, closing: bool) -> None:
        """Render progress, buttons and status.

        Args:
            starting: the user pressed Start and the engine is not free yet.
            closing: the program ends as soon as the running job has been cancelled.
        """
        controller, foot = self._controller, self._layout.foot
        state, waiting, current = controller.state, controller.waiting(), controller.current
        idle = state is RunState.IDLE and not starting
        foot.show_run(RunState.RUNNING if starting else state, 0 if self.held else len(waiting))
        self._layout.panel.enable(idle, may_unlock=not self.held)
        foot.show_status("Closing…" if closing else self._status(starting), self._stage(starting))
        self._desk.engine_changed(loaded=self.loaded, free=idle)
        if current is not None:
            foot.show_progress(
                current.progress, controller.queue_remaining_seconds(), starting=state is RunState.RUNNING
            )
            if line := self._engine.device_line():
                self.engine_loaded(line)
        elif starting:
            foot.show_progress(None, None, starting=True)
        elif self._last_run is not None:
            last = controller.get(self._last_run)
            if last is not None and last.result is not None and not waiting:
                foot.show_progress(text.whole_job(last.result), 0.0, ended=True)
            else:
                foot.show_progress(None, None)
        self._layout.keep_focus()

    def _show_job(self, job: JobView) -> None:
        before = self._layout.queue_view.shown(job.number)
        if before is None or before.state is not job.state:
            self._events.write("job", number=job.number, state=job.state.value)
            if job.state is JobState.RUNNING:
                self._last_run = job.number
                if before is None or before.state is JobState.WAITING:
                    self._layout.queue_view.select(job.number)
        if job.progress is not None and job.state is JobState.RUNNING:
            frame, total = job.progress.frame, job.progress.total
            stage = job.progress.stage.value
            self._events.write("progress", number=job.number, frame=frame, total=total, stage=stage)
        self._layout.queue_view.show_job(job)
        self._desk.job_changed(job)

    def _stage(self, starting: bool) -> str:
        """What is being done, where that is not the plain work on one frame after another."""
        current = self._controller.current
        if starting:
            return text.READYING if self.loaded else text.LOADING_ENGINE
        if self._controller.state is RunState.RUNNING and current is not None:
            return text.stage(current.progress)
        return ""

    def _status(self, starting: bool) -> str:
        jobs, current = self._controller.jobs, self._controller.current
        waiting = self._controller.waiting()
        if starting:
            return "Starting…"
        if current is not None:
            word = {RunState.PAUSED: "Paused: video", RunState.CANCELLING: "Cancelling: video"}
            place = [job.number for job in jobs].index(current.number) + 1
            begin = word.get(self._controller.state, "Video")
            return f"{begin} {place} of {len(jobs)}, {current.source.name}"
        if waiting and self.held:
            return "Start is held: the configuration file must be mended first"
        if waiting:
            infos = [job.info for job in waiting if job.info is not None]
            known = [info.seconds for info in infos if info.seconds is not None]
            length = f", {text.duration(sum(known))} in all" if len(known) == len(waiting) else ""
            return f"Ready: {text.count(len(waiting), 'video')}{length}"
        return text.queue_summary([job.state.value for job in jobs]) if jobs else "Drop videos to begin"
