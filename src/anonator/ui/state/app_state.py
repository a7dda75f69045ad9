"""Everything that the window shows at one moment, and who is told when it changes; no widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from anonator.core.config import Encoder, Model, Settings
from anonator.core.frames import Preview, UInt8Array
from anonator.ui.state.job import JobState, JobView, RunState

COVERED = "Anonymized"
"""Stands over the right picture, unless something better can be said of it."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What the viewer shows: on each side a picture, or words where there is none."""

    job: int | None = None
    """The number of the job whose video it is."""
    original: UInt8Array | str = "Choose a video in the list."
    """A picture is (H, W, 3) RGB."""
    anonymized: UInt8Array | str = ""
    caption: str = COVERED
    faces: int | None = None
    """Masks on the frame; None where nobody counted them."""
    length: float | None = None
    """Of the video, in seconds."""
    moment: float = 0.0
    """Where the slider is, in seconds."""
    seconds: float = 0.0
    """The time of the frame in sight, which may differ a little from the moment."""
    may_move: bool = False
    may_test: bool = False

    def with_preview(self, preview: Preview, caption: str = COVERED) -> View:
        """The same view with both pictures of another frame."""
        return replace(
            self,
            original=preview.original,
            anonymized=preview.anonymized,
            faces=preview.faces,
            seconds=preview.seconds,
            caption=caption,
        )

    def with_original(self, original: UInt8Array | str, words: str) -> View:
        """The same view with words where the anonymized picture will be."""
        return replace(self, original=original, anonymized=words, caption=COVERED, faces=None)


@dataclass(frozen=True, slots=True)
class ModelsFound:
    """Which models are on this computer, how large each is in words, and which encoders work here."""

    available: dict[Model, bool]
    sizes: dict[Model, str]
    encoders: tuple[Encoder, ...]

    def missing_size(self, model: Model) -> str | None:
        """How large a model is that isn't on this computer, "" where nobody knows; None if it is here."""
        return None if self.available.get(model, True) else self.sizes.get(model, "")


@dataclass(frozen=True, slots=True)
class AppState:
    """The window at one moment. Whoever wants to know something asks here, and never a widget."""

    settings: Settings = field(default_factory=Settings)
    """Of the next job."""
    folder: Path | None = None
    """Where results go; None is beside each video."""
    models: ModelsFound = field(
        default_factory=lambda: ModelsFound({Model.MOBILENET: True}, {}, (Encoder.X264,))
    )
    device: str | None = None
    """What the engine runs on, in words; None until it is loaded."""
    engine_failed: bool = False
    held: str = ""
    """Why the configuration file cannot be used, so that nothing is started; "" where all is well."""
    jobs: tuple[JobView, ...] = ()
    chosen: int | None = None
    """The number of the chosen row."""
    run: RunState = RunState.IDLE
    current: int | None = None
    """The number of the job that is being worked on."""
    last_run: int | None = None
    """The number of the job that was worked on last."""
    queue_remaining: float | None = None
    """Seconds until the whole queue is done; None where it cannot be told."""
    starting: bool = False
    """Somebody pressed Start, and the engine is not ready yet."""
    closing: bool = False
    """The program ends as soon as nothing runs any more."""
    message: str = ""
    """The sentence at the head of the window."""
    view: View = field(default_factory=View)

    def job(self, number: int | None) -> JobView | None:
        """The job of that number, or None where there is none."""
        return next((job for job in self.jobs if job.number == number), None)

    @property
    def waiting(self) -> tuple[JobView, ...]:
        """The jobs that a start would run."""
        return tuple(job for job in self.jobs if job.state is JobState.WAITING)

    @property
    def loaded(self) -> bool:
        """Whether the engine is loaded."""
        return self.device is not None

    @property
    def idle(self) -> bool:
        """Whether nothing runs or is about to, so that settings may be changed and frames be tested."""
        return self.run is RunState.IDLE and not self.starting

    @property
    def may_start(self) -> bool:
        """Whether Start would do something."""
        return self.idle and not self.closing and not self.held and bool(self.waiting)

    @property
    def may_end(self) -> bool:
        """Whether the program is to end, and nothing runs any more."""
        return self.closing and self.run is RunState.IDLE


class Store:
    """Holds the present state and tells its followers of each change; all in the window's thread."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._followers: list[Callable[[AppState], object]] = []

    @property
    def state(self) -> AppState:
        """How things are now."""
        return self._state

    def follow(self, told: Callable[[AppState], object]) -> None:
        """Tell somebody the present state, and every later one."""
        self._followers.append(told)
        told(self._state)

    def change(self, **values: Any) -> None:
        """Replace some fields of the state; what changes nothing is not told."""
        after = replace(self._state, **values)
        if after == self._state:
            return
        self._state = after
        for told in self._followers:
            told(self._state)  # not after: the follower before may have changed something more

    def say(self, message: str) -> None:
        """Show a sentence at the head of the window; none leaves the one that is there."""
        if message:
            self.change(message=message)
