"""What a job is, what it tells while it runs, and what it has done."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.core.config import Settings

if TYPE_CHECKING:
    from anonator.core.frames import UInt8Array  # NumPy isn't needed until a job starts

SUFFIX = "_anonymized"
RESULT_NAME = re.compile(rf"(?P<stem>.*){SUFFIX}(_\d+)?\.mp4$", re.IGNORECASE | re.DOTALL)
"""Names that results get, numbered if they were taken, with the stem of the video."""
REPORT_SUFFIX = "_report.json"
PAGE_SUFFIX = "_report.html"
NO_SOUND = "the original has no sound"
"""What JobResult.audio says of an input without sound."""


@dataclass(frozen=True, slots=True)
class Job:
    """One video to be anonymized."""

    source: Path
    """The input; it is only ever read."""
    target: Path
    """The output's final name."""
    settings: Settings
    """How to do it."""
    overwrite: bool = False
    """Whether an existing target, and its report and the report's page, may be replaced."""

    tracks: Path | None = None
    """Make the result from this tracks file, without looking for faces."""
    save_tracks: Path | None = None
    """Keep what is found in a tracks file of this name."""
    report_folder: Path | None = None
    """Where the report and its page go; None is next to the result."""

    @property
    def report_target(self) -> Path:
        """The audit report's final name."""
        return report_target(self.target, self.report_folder)

    @property
    def page_target(self) -> Path:
        """The final name of the report's page."""
        return page_target(self.target, self.report_folder)


class Stage(Enum):
    """What a job is doing."""

    WORKING = "working"
    CHECKING = "checking"
    """The finished file is read again."""
    REPAIRING = "repairing"
    """The check found a face, so the file is made again, with wider masks there."""

    @property
    def word(self) -> str:
        """What to call it in a line about progress; "" for plain work on frame after frame."""
        return {Stage.WORKING: "", Stage.CHECKING: "checking", Stage.REPAIRING: "covering more"}[self]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job has got, as reported to its callbacks."""

    frame: int
    """Frames written so far; while checking, frames that were looked through."""
    total: int | None
    """Frames that the header promises, or None if it does not say."""
    elapsed_seconds: float
    """Time since the first frame was requested, without pauses, over all stages."""
    fps: float
    """Frames per second over the last few seconds; 0 before the second frame."""
    remaining_seconds: float | None = None
    """Until the end of the whole job, checks included, a repair once a check has found a face that
    needs it. None until the estimate is steady."""
    stage: Stage = Stage.WORKING
    """What is being done; each stage counts its frames from 0."""
    done: float = 0.0
    """How much of the whole job is done, 0..1; it never falls."""
    at_least: bool = False
    """Whether more than remaining_seconds may remain, because a check may still find a face to cover."""


@dataclass(frozen=True, slots=True, eq=False)
class Preview:
    """A small picture of the same frame before and after, for people to look at."""

    original: UInt8Array
    """(H, W, 3) RGB."""
    anonymized: UInt8Array
    """(H, W, 3) RGB, same size."""
    seconds: float
    """Presentation time of the frame."""
    faces: int | None
    """Masks on this frame; None if they weren't counted."""
    note: str = ""
    """In what a test of this frame differs from the job, for people; empty if in nothing."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """What may be a face but was not confirmed, and no mask covers: people must look there."""

    frame: int
    """Index of the frame in which it looks most like a face."""
    start_seconds: float
    """Presentation time of the first frame in which it was seen."""
    end_seconds: float
    """That of the last one."""
    box: tuple[float, float, float, float]
    """xyxy in pixels of the frame in which it looks most like a face."""
    score: float
    """Of the second detector there, 0..1."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """What a finished job has done."""

    target: Path
    """The finished file."""
    frames: int
    """Frames decoded, masked, encoded and found again in the finished file."""
    masked_frames: int
    """Frames with at least one mask."""
    tracks: int
    """Faces followed; one person who leaves and comes back counts twice."""
    seconds: float
    """How long the job took."""
    device: str
    """The device line, such as "CPU, bfloat16"."""
    audio: str
    """What became of the sound, in words: "removed", "kept unchanged", "the original has no sound", ..."""
    checks: tuple[str, ...] = field(default=())
    """Sentences about the checks that the finished file passed."""
    report: Path | None = None
    """The audit report (JSON), or None if none was requested."""
    report_page: Path | None = None
    """The same as a page to read and print (HTML)."""
    tracks_file: Path | None = None
    """Where what was found is kept, or None if that was not asked for."""
    reviewed_by: str = ""
    """Initials under the review that the result was made from, or "" if there are none."""
    replaced_frames: int = 0
    """Frames that could not be decoded and are black in the result; always 0 in HIPAA mode."""
    notes: tuple[str, ...] = field(default=())
    """Sentences that the user should read."""
    gaps_bridged: int = 0
    """How often a followed face was not found for a while but stayed covered."""
    near_misses: tuple[NearMiss, ...] = field(default=())
    """What the second detector saw uncovered that may be a face, in order of time."""
    covered_more: tuple[tuple[tuple[int, int], tuple[float, float, float, float]], ...] = ()
    """What the second look of a result made from kept tracks covered besides: first and last PTS, and xyxy of
    the face in pixels. The tracks don't have it yet."""
    stage_seconds: dict[str, float] = field(default_factory=dict)
    """How long each stage worked; stages work at the same time, so the sum is more than the job took."""


def default_target(source: Path, folder: Path | None = None) -> Path:
    """<name>_anonymized.mp4 next to the source, or in that folder."""
    return (folder or source.parent) / f"{source.stem}{SUFFIX}.mp4"


def result_target(source: Path, folder: Path | None, settings: Settings) -> Path:
    """The output's name according to the settings: based on the source's, or random with neutral_name.

    A random name is different at every call.
    """
    if settings.neutral_name:
        return (folder or source.parent) / f"{secrets.token_hex(4)}{SUFFIX}.mp4"
    return default_target(source, folder)


def report_target(target: Path, folder: Path | None = None) -> Path:
    """The name of the report that belongs to an output, next to it or in that folder."""
    return (folder or target.parent) / (target.stem + REPORT_SUFFIX)


def page_target(target: Path, folder: Path | None = None) -> Path:
    """The name of the page, made to be read and printed, of that report."""
    return (folder or target.parent) / (target.stem + PAGE_SUFFIX)
