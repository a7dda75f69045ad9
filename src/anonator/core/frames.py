"""What flows through the pipeline, from stage to stage: frames, detections and masks."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:  # the window imports this module at its start
    from av import VideoFrame

UInt8Array = npt.NDArray[np.uint8]
Float32Array = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]
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
    light: bool = False
    """True if it may have looked at half the size: a face that it didn't see can be there all the same."""


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

    def with_more(self, boxes: Float32Array) -> Masks:
        """The same and more boxes (K, 4), which belong to no track."""
        ids = np.concatenate([self.track_ids, np.full(len(boxes), -1, np.int32)])
        return Masks(np.concatenate([self.boxes, boxes]), ids) if len(boxes) else self


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
    long_gaps: tuple[tuple[float, float], ...] = ()
    """(last seen, seen again) of the longer gaps, in seconds."""
