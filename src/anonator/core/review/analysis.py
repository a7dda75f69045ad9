"""Analysis: everything that was found in one video, made once and never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from anonator.core.config import Settings
from anonator.core.frames import Frame, Masks
from anonator.core.review.kept_sightings import Heap, Sightings
from anonator.core.review.shades import Shade, Shader
from anonator.core.tracking.covering import cover
from anonator.core.tracking.sightings import Moment, Sighting

MOST_NEAR_MISSES = 100_000
"""More are counted but not kept: nobody would look at them."""


@dataclass(frozen=True, slots=True)
class VideoKey:
    """What tells one video from another without naming it."""

    file_bytes: int
    frames: int
    width: int
    height: int
    time_base: tuple[int, int]
    pts_sha256: str
    """Of all presentation times, as 64-bit integers."""


@dataclass(frozen=True, slots=True)
class FoundTrack:
    """The sightings of one face through a scene, in order."""

    id: int
    sightings: Sightings


@dataclass(frozen=True, slots=True)
class Analysis:
    """What the first run found."""

    key: VideoKey
    settings: Settings
    weights_sha256: str
    """Of the weights that found it, or "" if a script's detector did."""
    pts: tuple[int, ...]
    """Of every frame, in order."""
    cuts: tuple[int, ...]
    """Frames that begin a scene, the first one included."""
    looks: tuple[tuple[int, bool], ...]
    """(frame, also turned?) where the detector looked in full size."""
    rooms: tuple[tuple[int, int], ...]
    """(frame, how many of its size may wait), wherever that changes."""
    tracks: tuple[FoundTrack, ...]
    near_misses: Sightings
    near_misses_left_out: int = 0
    shades: tuple[Shade, ...] = ()
    """Of every frame: how dark, sharp and moving it is."""
    second_opinions: Sightings = field(default_factory=Sightings)
    """What only a second detector saw, where there is one; it covers nothing."""

    @property
    def note(self) -> str:
        """What people must know about the near-misses, or ""."""
        if not self.near_misses_left_out:
            return ""
        return f"{self.near_misses_left_out:,} more weak detections were found than are kept."

    def moments(self) -> Iterator[Moment]:
        """What covering needs to know of every frame, in order."""
        ids = [np.full(len(track.sightings), track.id, np.int32) for track in self.tracks]
        tracks = np.concatenate([np.zeros(0, np.int32), *ids])
        rows = np.concatenate([Sightings().rows, *(track.sightings.rows for track in self.tracks)])
        order = np.argsort(rows["frame"], kind="stable")
        ends = np.searchsorted(rows["frame"][order], np.arange(len(self.pts)), side="right").tolist()
        begin = 0
        cuts, looks, rooms = set(self.cuts), dict(self.looks), dict(self.rooms)
        room = 2
        numerator, denominator = self.key.time_base
        for index, pts in enumerate(self.pts):
            room = rooms.get(index, room)
            yield Moment(
                index,
                # one correctly rounded division, as float() of the frame's own Fraction is
                pts * numerator / denominator,
                index in cuts,
                index in looks,
                looks.get(index, False),
                room,
                tuple(_sighting(tracks[at], rows[at]) for at in order[begin : ends[index]].tolist()),
            )
            begin = ends[index]

    def masks(self) -> Iterator[Masks]:
        """The masks of every frame, as the first run made them."""
        return cover(self.moments(), self.settings)


@dataclass(slots=True)
class Collector:
    """Takes down an analysis while the first run goes on."""

    pts: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    looks: list[tuple[int, bool]] = field(default_factory=list)
    rooms: list[tuple[int, int]] = field(default_factory=list)
    tracks: Heap = field(default_factory=Heap)
    near_misses: Heap = field(default_factory=Heap)
    left_out: int = 0
    shades: list[Shade] = field(default_factory=list)
    _shader: Shader = field(default_factory=Shader)
    _size: tuple[int, int] = (0, 0)
    _time_base: Fraction = Fraction(1)

    def hear(self, moment: Moment) -> None:
        """Take down what was found at one frame."""
        if moment.cut:
            self.cuts.append(moment.index)
        if moment.looked:
            self.looks.append((moment.index, moment.turned))
        if not self.rooms or self.rooms[-1][1] != moment.room:
            self.rooms.append((moment.index, moment.room))
        for sighting in moment.sightings:
            self.tracks.add(moment.index, sighting)
        room = MOST_NEAR_MISSES - len(self.near_misses)
        for missed in moment.missed[:room]:
            self.near_misses.add(moment.index, missed)
        self.left_out += max(0, len(moment.missed) - room)

    def see(self, frame: Frame) -> None:
        """Take down the time and the shade of the next frame."""
        self.pts.append(frame.pts)
        self.shades.append(self._shader.shade(frame))
        self._size, self._time_base = (frame.width, frame.height), frame.time_base

    def finished(self, settings: Settings, weights_sha256: str, file_bytes: int) -> Analysis:
        """The analysis of a video that was read to its end.

        Args:
            settings: of the job.
            weights_sha256: of the detector's weights, or "".
            file_bytes: length of the video's file.
        """
        digest = hashlib.sha256(np.array(self.pts, "<i8").tobytes()).hexdigest()
        base = self._time_base.as_integer_ratio()
        key = VideoKey(file_bytes, len(self.pts), *self._size, base, digest)
        return Analysis(
            key,
            settings,
            weights_sha256,
            tuple(self.pts),
            tuple(self.cuts),
            tuple(self.looks),
            tuple(self.rooms),
            tuple(FoundTrack(id, seen) for id, seen in self.tracks.by_track()),
            next((seen for _, seen in self.near_misses.by_track()), Sightings()),
            self.left_out,
            tuple(self.shades),
        )


def _sighting(track: int, row: Any) -> Sighting:
    _, _, score, turned, sure, overlaps = row.item()
    return Sighting(int(track), row["box"], score, turned, sure, overlaps)
