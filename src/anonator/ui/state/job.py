"""A job in the queue: its states, what is known about its file, its words, what runs it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Protocol

from PIL import Image

from anonator.core.job import JobResult, Preview, Progress
from anonator.ui.state.stricter import Stricter


class JobState(Enum):
    """The state of one job."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """Not run, because its result already existed and the user wanted to keep that one."""


ACTIVE = (JobState.RUNNING, JobState.PAUSED, JobState.CANCELLING)
FINISHED = (JobState.DONE, JobState.FAILED, JobState.CANCELLED, JobState.SKIPPED)
WITH_RESULT = (JobState.DONE, JobState.SKIPPED)
"""Jobs whose video has a result."""
RETRIED = (JobState.FAILED, JobState.CANCELLED, JobState.SKIPPED)
"""Jobs in these states can run again."""


class RunState(Enum):
    """The state of the whole queue."""

    IDLE = "idle"
    RUNNING = "running"
    PAUSED = "paused"
    CANCELLING = "cancelling"


class Existing(Enum):
    """What to do if a result already exists."""

    OVERWRITE = "overwrite"
    KEEP_BOTH = "keep both"
    SKIP = "skip"


class Clear(Enum):
    """What leaves the list when it is cleared."""

    FINISHED = "finished"
    """Jobs that are done or skipped: their videos have results."""
    ALL = "all"
    """Those that failed or were cancelled as well."""


@dataclass(frozen=True, slots=True)
class RowKey:
    """A row in one of its lives: pictures carry it, so that none is shown next to another row."""

    number: int
    generation: int
    """Rises whenever the row begins anew."""


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What is known about a video file."""

    seconds: float | None
    frames: int | None
    size_bytes: int
    width: int
    height: int


WAITS_AGAIN = {
    None: "waiting, has a result",
    Existing.KEEP_BOTH: "waiting, keeps its result",
    Existing.OVERWRITE: "waiting, replaces its result",
}
"""By what happens to the result of a row that waits."""


@dataclass(frozen=True, slots=True)
class ResultFile:
    """A finished video that belongs to a row, made now or by an earlier run."""

    path: Path
    report: Path | None = None
    """The page of its audit report, or the data if there is no page."""
    hipaa: bool | None = None
    """Whether it was made in HIPAA mode; None if nothing says so."""
    made: datetime.datetime | None = None
    """When, in local time."""
    reviewed_by: str | None = None
    """Initials of who signed it, "" if nobody did; None if nothing says so."""
    warnings: tuple[str, ...] = ()
    """What people must know about it, as its report says."""


@dataclass(frozen=True, slots=True)
class ReviewMark:
    """How far the review of a row's result is."""

    tracks: Path | None = None
    """Where its tracks and edits are kept; None if they aren't any more."""
    share_seen: float = 0.0
    begun: bool = False
    """Whether a person has looked at it or changed something."""
    signed: str = ""
    """Initials of who signed it."""

    @property
    def words(self) -> str:
        """The state of the review."""
        if self.signed:
            return f"reviewed by {self.signed}"
        if self.begun:
            return f"in review, {min(99, int(self.share_seen * 100)) if self.share_seen < 1 else 100} % seen"
        return "not reviewed"


@dataclass(frozen=True, slots=True)
class JobView:
    """One row of the queue, as it is now."""

    number: int
    source: Path
    state: JobState = JobState.WAITING
    generation: int = 0
    info: MediaInfo | None = None
    progress: Progress | None = None
    result: JobResult | None = None
    message: str = ""
    target: Path | None = None
    """What the current or last run of this job writes."""
    result_file: ResultFile | None = None
    """The finished video that exists, which need not be of the last run."""
    again: Existing | None = None
    """Set when it is to run again: what happens to result_file."""
    stricter: Stricter | None = None
    """How much stricter than the others of its run it is done."""
    review: ReviewMark | None = None
    """How far its review is; None if there's nothing to review."""
    thumbnail: Image.Image | None = field(default=None, compare=False)
    """Set together with info."""

    @property
    def key(self) -> RowKey:
        """What its pictures are marked with."""
        return RowKey(self.number, self.generation)

    @property
    def is_done(self) -> bool:
        """Whether its result is that of its last run."""
        return self.state is JobState.DONE

    @property
    def may_review(self) -> bool:
        """Whether its result can be looked at and corrected, because nobody has signed it yet."""
        if self.review is None or self.review.tracks is None or self.review.signed:
            return False
        return self.result_file is not None and self.state not in ACTIVE and self.again is None

    @property
    def may_review_again(self) -> bool:
        """Whether its review is signed, and kept, so that a new one can begin with it."""
        if self.review is None or self.review.tracks is None or not self.review.signed:
            return False
        return self.result_file is not None and self.state not in ACTIVE and self.again is None

    @property
    def state_text(self) -> str:
        """The state in words, with the progress of a running job."""
        if self.state in (JobState.RUNNING, JobState.PAUSED):
            word = "" if self.state is JobState.RUNNING else "paused at "
            if self.progress is None:
                return word.removesuffix(" at ") or "opening"
            word += f"{self.progress.stage.word} ".lstrip()
            return f"{word}{self.progress.done:.0%}".replace("%", " %")
        if self.state is JobState.FAILED:
            return f"failed: {self.message}"
        if self.state is JobState.WAITING and self.result_file is not None:
            words = WAITS_AGAIN[self.again]
            kept = self.again is None and self.review is not None
            return f"{words}, {self.review.words}" if kept and self.review is not None else words
        if self.state in WITH_RESULT and self.review is not None:
            words = self.review.words
            return words if self.review.begun or self.review.signed else f"done, {words}"
        return str(self.state.value)


@dataclass(frozen=True, slots=True)
class LivePicture:
    """A picture of a running job."""

    of: RowKey
    preview: Preview


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the last poll."""

    jobs: frozenset[int] = frozenset()
    order: bool = False
    live: LivePicture | None = None
    run_ended: bool = False


class Processor(Protocol):
    """What the controller needs from a running job (core.processor.VideoProcessor has it)."""

    @property
    def done(self) -> bool: ...
    def start(self) -> None: ...
    def cancel(self) -> None: ...
    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def wait(self, timeout: float | None = None) -> JobResult: ...
