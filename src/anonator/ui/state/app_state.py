"""Everything the window shows, and who is told when it changes; no widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from anonator.core.config import Device, Encoder, Model, Settings
from anonator.ui.state.job import JobState, JobView, RowKey, RunState
from anonator.ui.state.view import View


@dataclass(frozen=True, slots=True)
class ModelsFound:
    """Which models are on this computer, how large each is in words, and what works here."""

    available: dict[Model, bool]
    sizes: dict[Model, str]
    encoders: tuple[Encoder, ...]
    openvino: tuple[Device, ...] = ()
    """The devices on which OpenVINO could run; none where it isn't installed."""

    def missing_size(self, model: Model) -> str | None:
        """The size of a model that isn't on this computer, "" if unknown; None if the model is here."""
        return None if self.available.get(model, True) else self.sizes.get(model, "")


@dataclass(frozen=True, slots=True)
class AppState:
    """The whole state of the window. Read it from here, never from a widget."""

    settings: Settings = field(default_factory=Settings)
    """Of the next job."""
    floor: Settings = field(default_factory=Settings)
    """What HIPAA mode asks for at the least: its own values, or the configuration file's."""
    folder: Path | None = None
    """Where results are saved; None means next to each video."""
    report_folder: Path | None = None
    """Where audit reports are saved, as the configuration file says; None means next to each result."""
    models: ModelsFound = field(
        default_factory=lambda: ModelsFound({Model.MOBILENET: True}, {}, (Encoder.X264,))
    )
    device: str | None = None
    """What the engine runs on, in words; None until it is loaded."""
    engine_failed: bool = False
    held: str = ""
    """Why the configuration file can't be used, which keeps Start disabled; "" if it can."""
    jobs: tuple[JobView, ...] = ()
    chosen: int | None = None
    """The number of the chosen row."""
    run: RunState = RunState.IDLE
    current: int | None = None
    """The number of the running job."""
    place: tuple[int, int] = (0, 0)
    """Which video of the run is running, counted from 1, and how many the run has."""
    last_run: int | None = None
    """The number of the job that ran last."""
    queue_remaining: float | None = None
    """Seconds until the whole queue is done; None if unknown."""
    starting: bool = False
    """Start was pressed, but the engine isn't ready yet."""
    closing: bool = False
    """The program closes as soon as nothing is running."""
    message: str = ""
    """The sentence at the top of the window."""
    view: View = field(default_factory=View)
    """The newest pictures; draw what `shown` returns."""
    playing: RowKey | None = None
    """The row whose video is being played."""
    large: bool = False
    """Whether the pictures take the whole window."""
    reviewing: int | None = None
    """The number of the row whose review has the window; None if the queue has it."""
    hint_read: bool = False
    """Whether somebody has read what is to be known about a review."""

    def job(self, number: int | None) -> JobView | None:
        """The job with this number, or None."""
        return next((job for job in self.jobs if job.number == number), None)

    @property
    def shown(self) -> View:
        """What may be drawn next to the chosen row: its own pictures, or none."""
        job = self.job(self.chosen)
        if job is None:
            return View()
        return self.view if self.view.of == job.key else View.opening(job.key)

    @property
    def waiting(self) -> tuple[JobView, ...]:
        """The jobs that Start would run."""
        return tuple(job for job in self.jobs if job.state is JobState.WAITING)

    @property
    def to_review(self) -> tuple[JobView, ...]:
        """The jobs whose results nobody has reviewed, if none is running or waits to be done."""
        if not self.idle or any(job.result_file is None or job.again is not None for job in self.waiting):
            return ()
        return tuple(job for job in self.jobs if job.may_review)

    @property
    def loaded(self) -> bool:
        """Whether the engine is loaded."""
        return self.device is not None

    @property
    def idle(self) -> bool:
        """Whether nothing is running or about to, so settings can be changed and frames tested."""
        return self.run is RunState.IDLE and not self.starting

    @property
    def may_start(self) -> bool:
        """Whether Start would do something."""
        return self.idle and not self.closing and not self.held and bool(self.waiting)

    @property
    def may_end(self) -> bool:
        """Whether the program is closing and nothing is running."""
        return self.closing and self.run is RunState.IDLE


class Store:
    """Holds the current state and tells its followers about each change; all in the window's thread."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._followers: list[Callable[[AppState], object]] = []

    @property
    def state(self) -> AppState:
        """The current state."""
        return self._state

    def follow(self, told: Callable[[AppState], object]) -> None:
        """Call this with the current state, and with every later one."""
        self._followers.append(told)
        told(self._state)

    def change(self, **values: Any) -> None:
        """Replace some fields of the state; followers hear only about real changes."""
        after = replace(self._state, **values)
        if after == self._state:
            return
        self._state = after
        for told in self._followers:
            told(self._state)  # not "after": an earlier follower may have changed the state again

    def say(self, message: str) -> None:
        """Show a sentence at the top of the window; an empty one keeps what is shown."""
        if message:
            self.change(message=message)
