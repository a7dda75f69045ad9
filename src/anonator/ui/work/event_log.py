"""Events for tests that drive the program, written only if ANONATOR_UI_EVENTS names a file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from anonator.ui.state.app_state import AppState
from anonator.ui.state.job import JobState, JobView, RunState

VARIABLE = "ANONATOR_UI_EVENTS"


class EventLog:
    """Appends one JSON line per event to a file, or does nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._before: AppState | None = None

    @classmethod
    def from_environment(cls) -> EventLog:
        """The log set by the environment."""
        name = os.environ.get(VARIABLE)
        return cls(Path(name) if name else None)

    def write(self, event: str, **fields: object) -> None:
        """Append an event, with the time of a clock that all processes share."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8", errors="surrogateescape") as file:
                file.write(json.dumps({"ev": event, "t": time.monotonic(), **fields}) + "\n")

    def follow(self, state: AppState) -> None:
        """Append what happened to the jobs since the last call."""
        before, self._before = self._before, state
        if self._path is None or before is None or before.jobs is state.jobs:
            return
        known = {job.number: job for job in before.jobs}
        for job in state.jobs:
            if known.get(job.number) is not job:
                self._write_job(known.get(job.number), job)
        if before.run is not RunState.IDLE and state.run is RunState.IDLE:
            states = [job.state for job in state.jobs]
            self.write("run ended", done=states.count(JobState.DONE), failed=states.count(JobState.FAILED))

    def _write_job(self, before: JobView | None, job: JobView) -> None:
        if before is None or before.state is not job.state:
            self.write("job", number=job.number, state=job.state.value)
        progress = job.progress
        if progress is not None and job.state is JobState.RUNNING:
            frame, total, stage = progress.frame, progress.total, progress.stage.value
            self.write("progress", number=job.number, frame=frame, total=total, stage=stage)
