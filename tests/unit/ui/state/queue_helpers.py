"""A queue whose jobs end when the test says so."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from anonator.core.config import Settings
from anonator.core.job import Job, JobResult, Preview, Progress
from anonator.ui.state.job import Existing
from anonator.ui.state.job_queue import JobController


class FakeProcessor:
    """A job that ends when the test says so."""

    def __init__(
        self, job: Job, on_progress: Callable[[Progress], None], on_preview: Callable[[Preview], None]
    ) -> None:
        self.job, self.on_progress, self.on_preview = job, on_progress, on_preview
        self.calls: list[str] = []
        self.done = False
        self._error: Exception | None = None

    def start(self) -> None:
        self.calls.append("start")

    def cancel(self) -> None:
        self.calls.append("cancel")

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def wait(self, timeout: float | None = None) -> JobResult:
        if self._error is not None:
            raise self._error
        return JobResult(self.job.target, 30, 20, 2, 1.5, "CPU, bfloat16", "removed")

    def end(self, error: Exception | None = None) -> None:
        if error is None:
            self.job.target.write_bytes(b"result")
        self._error, self.done = error, True


class Bench:
    """A controller with a record of the processors that it made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[FakeProcessor] = []
        self.awake = 0
        self.controller = JobController(self._make, self._keep_awake)

    def _make(self, job: Job, *callbacks: Callable[..., None]) -> FakeProcessor:
        self.made.append(FakeProcessor(job, *callbacks))
        return self.made[-1]

    @contextlib.contextmanager
    def _keep_awake(self) -> Iterator[None]:
        self.awake += 1
        yield
        self.awake -= 1

    def add(self, *names: str) -> tuple[int, ...]:
        return self.controller.add([self.folder / name for name in names])

    def start(self, existing: Existing = Existing.KEEP_BOTH) -> None:
        self.controller.start(Settings(), None, existing)

    def end(self, error: Exception | None = None) -> None:
        self.made[-1].end(error)
        self.controller.poll()

    def states(self) -> list[str]:
        return [job.state.value for job in self.controller.jobs]


def progress(frame: int, total: int | None = 100, fps: float = 10.0) -> Progress:
    remaining = None if total is None else (total - frame) / fps
    return Progress(frame, total, frame / fps, fps, remaining, done=frame / 100)
