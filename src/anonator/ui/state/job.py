"""What a job of the queue is: its states, what is known of its file, how it reads, what runs it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from PIL import Image

from anonator.core.frames import JobResult, Preview, Progress


class JobState(Enum):
    """Where one job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """Not run, because its result was there already and the user wanted to keep that one."""


ACTIVE = (JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING)
FINISHED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.SKIPPED)
RETRIED = (JobState.FAILED, JobState.CANCELLED, JobState.SKIPPED)
"""May be run again."""


class RunState(Enum):
    """Where the whole queue stands."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"


class Existing(Enum):
    """What happens where a result is there already."""

    OVERWRITE = "overwrite"
    KEEP_BOTH = "keep both"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What a look at the file found."""

    seconds: float | None
    frames: int | None
    size_bytes: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class JobView:
    """One row of the queue at one moment."""

    number: int
    source: Path
    state: JobState = JobState.WAITING
    info: MediaInfo | None = None
    progress: Progress | None = None
    result: JobResult | None = None
    message: str = ""
    target: Path | None = None
    thumbnail: Image.Image | None = field(default=None, compare=False)
    """Comes together with info."""

    @property
    def state_text(self) -> str:
        """The state in words, with how far a running job is."""
        if self.state in (JobState.RUNNING, JobState.PAUSED):
            word = "" if self.state is JobState.RUNNING else "paused at "
            if self.progress is None:
                return word.removesuffix(" at ") or "opening"
            word += f"{self.progress.stage.word} ".lstrip()
            if self.progress.total:
                return f"{word}{min(100, 100 * self.progress.frame // self.progress.total)} %"
            return f"{word}frame {self.progress.frame:,}"
        if self.state is JobState.FAILED:
            return f"failed: {self.message}"
        return str(self.state.value)


@dataclass(frozen=True, slots=True)
class Changes:
    """What a poll found new."""

    jobs: frozenset[int] = frozenset()
    order: bool = False
    preview: Preview | None = None
    run_ended: bool = False


class Processor(Protocol):
    """What the controller needs of a running job (core.processor.VideoProcessor has it)."""

    @property
    def done(self) -> bool: ...
    def start(self) -> None: ...
    def cancel(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def wait(self, timeout: float | None = None) -> JobResult: ...
