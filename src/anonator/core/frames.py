"""What flows through the pipeline: Frame, Detections, Masks, and the Progress reported to the caller."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # the window imports this module at its start
    from av import VideoFrame

UInt8Array = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]
Int32Array = npt.NDArray[np.int32]
SQUARE = Fraction(1)
"""The sample aspect ratio of square pixels."""

APART = 4
"""Used as turns if a face was found only in the picture with its parts apart.

Like a turned face it is looked for on every n-th frame only, so it is tracked like one.
"""


def _check_rows(name: str, array: np.ndarray, shape: tuple[int, ...], dtype: type) -> None:
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"{name}: expected shape {shape} and dtype {np.dtype(dtype)}, "
            f"got shape {array.shape} and dtype {array.dtype}"
        )


@dataclass(frozen=True, slots=True)
class Place:
    """A rectangle of whole pixels in a frame; its corner is even, because chroma has half the samples."""

    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Unfitted:
    """The picture of a frame as it was before it was fitted into the result's size."""

    image: VideoFrame
    """In yuv420p, 8 bits, even width and height."""
    sar: Fraction
    """Width of its pixels in heights of its pixels."""
    place: Place
    """Where it is in the frame; the rest of the frame is black."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture on its way from the decoder to the encoder."""

    index: int
    """Position in order of presentation, from 0."""
    pts: int
    """Presentation time in units of time_base."""
    time_base: Fraction
    """Seconds per unit of pts."""
    image: VideoFrame
    """The picture in yuv420p, 8 bits, even width and height."""
    replaced: bool = False
    """True if the input's frame cannot be decoded and this is a black one in its place."""
    sar: Fraction = SQUARE
    """Width of a pixel in heights of a pixel."""
    unfitted: Unfitted | None = None
    """The picture before it was scaled and framed in black; None if the frame is the picture itself."""

    @property
    def shape(self) -> tuple[int, int, Fraction]:
        """(width, height, sample aspect ratio) of the picture before it was fitted."""
        image, sar = (self.unfitted.image, self.unfitted.sar) if self.unfitted else (self.image, self.sar)
        return int(image.width), int(image.height), sar

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.image.width)

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.image.height)

    @property
    def seconds(self) -> Fraction:
        """Presentation time in seconds."""
        return self.pts * self.time_base

    @property
    def full_range(self) -> bool:
        """True where black is 0 and white 255, False where they are 16 and 235."""
        from av.video.reformatter import ColorRange

        return self.image.color_range == ColorRange.JPEG

    @property
    def nbytes(self) -> int:
        """Size of the planes in bytes, without padding."""
        pixels = self.width * self.height
        if self.unfitted is not None:
            pixels += int(self.unfitted.image.width) * int(self.unfitted.image.height)
        return pixels * 3 // 2

    def planes(self) -> tuple[UInt8Array, UInt8Array, UInt8Array]:
        """Views on the planes: Y (H, W), U and V (H/2, W/2), uint8.

        They share memory with the decoder until make_writable has been called.
        """
        y, u, v = (
            np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)[
                : plane.height, : plane.width
            ]
            for plane in self.image.planes
        )
        return y, u, v

    def make_writable(self) -> None:
        """Give this frame its own copy of the planes where the decoder still refers to them."""
        self.image.make_writable()


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The faces that the detector found in one frame; none is an empty array, never None."""

    boxes: Float32Array
    """(N, 4) xyxy in pixels of the frame, half-open."""
    scores: Float32Array
    """(N,) in 0..1."""
    turns: Int32Array
    """(N,) quarter turns of the picture in which the face was found: 0 upright, 1 to 3 turned; or APART."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        _check_rows("boxes", self.boxes, (n, 4), np.float32)
        _check_rows("scores", self.scores, (n,), np.float32)
        _check_rows("turns", self.turns, (n,), np.int32)

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> Detections:
        """No faces."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int32))

    @classmethod
    def upright(cls, boxes: npt.ArrayLike, scores: npt.ArrayLike) -> Detections:
        """Detections of an upright picture from anything that NumPy reads as (N, 4) and (N,)."""
        b = np.asarray(boxes, np.float32).reshape(-1, 4)
        return cls(b, np.asarray(scores, np.float32).reshape(-1), np.zeros(len(b), np.int32))

    def select(self, index: np.ndarray) -> Detections:
        """The detections that a boolean mask or an index array names."""
        return Detections(self.boxes[index], self.scores[index], self.turns[index])


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """One frame with what the detector saw in it, if it was asked."""

    frame: Frame
    cut: bool
    """True on the first frame of a scene, the very first frame included."""
    detections: Detections | None
    """None if the detector was not asked; a frame without faces has empty Detections."""
    turned: bool = False
    """True if the detector also looked at the picture turned, and with its parts apart."""


@dataclass(frozen=True, slots=True, eq=False)
class Masks:
    """What must be covered in one frame, as the tracker decided."""

    boxes: Float32Array
    """(N, 4) xyxy in pixels of the frame, half-open, before the mask scale."""
    track_ids: Int32Array
    """(N,) the track that each box belongs to."""

    def __post_init__(self) -> None:
        n = len(self.boxes)
        _check_rows("boxes", self.boxes, (n, 4), np.float32)
        _check_rows("track_ids", self.track_ids, (n,), np.int32)

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def empty(cls) -> Masks:
        """Nothing to cover."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.int32))


@dataclass(frozen=True, slots=True)
class TrackSummary:
    """What the report says about one track; no picture and no position."""

    first_seconds: float
    """Time of the first sighting."""
    last_seconds: float
    """Time of the last one."""
    sightings: int
    """Detections that belong to it."""
    gaps_bridged: int
    """How often the face was not found for a while but stayed covered."""
    lowest_score: float
    """The lowest score of its detections, 0..1."""


NO_SOUND = "the original has no sound"
"""What JobResult.audio says of an input without sound."""


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
    """Until the end of the whole job, checks included; None until the estimate is steady."""
    stage: Stage = Stage.WORKING
    """What is being done; each stage counts its frames from 0."""
    done: float = 0.0
    """How much of the whole job is done, 0..1; it never falls."""


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
    """The audit report next to the result, or None if none was requested."""
    replaced_frames: int = 0
    """Frames that could not be decoded and are black in the result; always 0 in HIPAA mode."""
    notes: tuple[str, ...] = field(default=())
    """Sentences that the user should read."""
    gaps_bridged: int = 0
    """How often a followed face was not found for a while but stayed covered."""
    stage_seconds: dict[str, float] = field(default_factory=dict)
    """How long each stage worked; stages work at the same time, so the sum is more than the job took."""
