"""Kept sightings: the detections of a track in a few bytes each, because a crowd has millions."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, overload

import numpy as np

from anonator.core.tracking.sightings import Sighting

Box = tuple[float, float, float, float]
"""xyxy in pixels of the frame."""
ROW = np.dtype(
    [("frame", "<i4"), ("box", "<f4", 4), ("score", "<f4"), ("turned", "?"), ("sure", "?"), ("overlaps", "?")]
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One detection: a sighting of a track, or a near-miss."""

    frame: int
    box: Box
    score: float
    turned: bool
    sure: bool
    overlaps: bool


class Sightings(Sequence[Seen]):
    """Detections in order of their frames; equal ones are equal."""

    def __init__(self, rows: Any = ()) -> None:
        """Take rows of ROW's fields, or an array of them, which must not change later."""
        self.rows = rows if isinstance(rows, np.ndarray) else np.array(list(rows), ROW)

    def __len__(self) -> int:
        return len(self.rows)

    @overload
    def __getitem__(self, index: int) -> Seen: ...

    @overload
    def __getitem__(self, index: slice) -> Sightings: ...

    def __getitem__(self, index: int | slice) -> Seen | Sightings:
        if isinstance(index, slice):
            return Sightings(self.rows[index])
        return _seen(self.rows[index].item())

    def __iter__(self) -> Iterator[Seen]:
        return map(_seen, self.rows.tolist())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sightings) and np.array_equal(self.rows, other.rows)

    def __hash__(self) -> int:
        return hash(self.rows.tobytes())

    def plain(self) -> list[list[Any]]:
        """The rows as JSON can hold them, with no more digits than 32 bits have."""
        boxes = self.rows["box"].astype("U").astype(float).tolist()
        scores = self.rows["score"].astype("U").astype(float).tolist()
        rest = self.rows[["turned", "sure", "overlaps"]].tolist()
        frames = self.rows["frame"].tolist()
        return [list(row[:3]) + list(row[3]) for row in zip(frames, boxes, scores, rest, strict=True)]

    @classmethod
    def from_plain(cls, rows: Iterable[Sequence[Any]]) -> Sightings:
        """The sightings that plain() made these rows of.

        Raises:
            ValueError, TypeError: they are something else.
        """
        taken = np.array([(row[0], tuple(row[1]), *row[2:]) for row in rows], ROW)
        if not np.isfinite(taken["box"]).all():
            raise ValueError("a box that is not of numbers")
        return cls(taken)


def _seen(row: tuple[Any, ...]) -> Seen:
    frame, (x1, y1, x2, y2), score, turned, sure, overlaps = row
    return Seen(frame, (float(x1), float(y1), float(x2), float(y2)), score, turned, sure, overlaps)


@dataclass(slots=True)
class Heap:
    """Takes sightings down as they come, 27 bytes each."""

    _tracks: array[int] = field(default_factory=lambda: array("i"))
    _frames: array[int] = field(default_factory=lambda: array("i"))
    _boxes: array[float] = field(default_factory=lambda: array("f"))
    """x1, y1, x2, y2 and score of each."""
    _flags: array[int] = field(default_factory=lambda: array("B"))

    def __len__(self) -> int:
        return len(self._frames)

    def add(self, frame: int, each: Sighting) -> None:
        """Append a detection."""
        self._tracks.append(each.track)
        self._frames.append(frame)
        self._boxes.extend((*each.box.tolist(), each.score))
        self._flags.append(each.turned | each.sure << 1 | each.overlaps << 2)

    def by_track(self) -> Iterator[tuple[int, Sightings]]:
        """What was taken down, by its track's id."""
        rows = np.zeros(len(self), ROW)
        rows["frame"] = self._frames
        numbers = np.frombuffer(self._boxes, np.float32).reshape(-1, 5) if len(self) else np.zeros((0, 5))
        rows["box"], rows["score"] = numbers[:, :4], numbers[:, 4]
        flags = np.array(self._flags, np.uint8)
        for bit, name in enumerate(("turned", "sure", "overlaps")):
            rows[name] = flags >> bit & 1
        tracks = np.array(self._tracks, np.int32)
        order = np.argsort(tracks, kind="stable")
        for id in np.unique(tracks).tolist():
            begin, end = np.searchsorted(tracks[order], [id, id + 1])
            yield id, Sightings(rows[order[begin:end]])
