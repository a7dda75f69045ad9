"""What a job needs from a detector, so that another one can replace the program's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from anonator.core.config import Settings
from anonator.core.detection.weights import WeightsFile
from anonator.core.frames import Detections, UInt8Array


class Detector(Protocol):
    """Finds faces in pictures; a job uses it from one thread at a time.

    `anonator.testing.check_detector` checks whether an object keeps this contract.
    """

    # read-only here, so that an object may have plain attributes, class attributes or properties

    @property
    def name(self) -> str:
        """What finds the faces, for the report, such as "RetinaNetMobileNetV1"."""
        ...

    @property
    def batch_size(self) -> int:
        """The best number of pictures per call; detect takes any number."""
        ...

    @property
    def max_resolution(self) -> int:
        """Longest side in pixels that it makes use of; larger pictures are scaled down for it."""
        ...

    @property
    def device_line(self) -> str:
        """Where it runs, for people, such as "CPU, float32"."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """Sentences for the user about what had to be changed along the way."""
        ...

    @property
    def weights(self) -> WeightsFile | None:
        """What it was loaded from, for the report; None if there is nothing to tell."""
        ...

    def detect(
        self,
        pictures: Sequence[UInt8Array],
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        """Find the faces in pictures of one size.

        Args:
            pictures: N >= 1 arrays (H, W, 3) uint8 RGB, with square pixels.
            turns: quarter turns, counter-clockwise, at which each picture is to be looked at; the boxes are
                still those of the upright picture.
            checkpoint: to be called now and then where this takes long; it may raise to end the call.

        Returns:
            N Detections, one for each picture, boxes in its pixels; a picture without faces has an empty one.

        Raises:
            DetectionError: it failed. It never answers with "no faces" instead.
        """
        ...

    def close(self) -> None:
        """Free what it holds; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture or a part of one, and how it is to be looked at."""

    picture: UInt8Array
    """(H, W, 3) RGB."""
    turns: Sequence[int] = (0,)
    """Quarter turns, as for detect."""
    scale: float | None = None
    """Pixels that the network sees for each one of it: what part_scale gave for the whole picture, or less;
    None is what detect chooses."""


@runtime_checkable
class PartDetector(Detector, Protocol):
    """A detector that can look at a part of a picture as closely as at all of it; none needs to."""

    def part_scale(self, width: int, height: int) -> float | None:
        """Pixels that the network sees for each one of such a picture; None if parts would save nothing."""
        ...

    def detect_views(
        self, views: Sequence[View], *, checkpoint: Callable[[], None] | None = None
    ) -> list[Detections]:
        """Find the faces in pictures and parts of pictures, each looked at in its own way.

        Args:
            views: N of them, of any sizes.
            checkpoint: as for detect.

        Returns:
            N Detections, boxes in pixels of what was looked at.

        Raises:
            DetectionError: it failed.
        """
        ...


class Detectors(Protocol):
    """Where a job gets its detector from."""

    def get(self, settings: Settings) -> Detector:
        """The detector for these settings.

        Raises:
            ModelError: the weights are missing or unusable.
            DeviceError: the chosen device isn't available.
        """
        ...

    def close(self) -> None:
        """Free what it holds."""
        ...
