"""Sightings: what linking hands to covering, and what both of them remember of a face and of the looks."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.frames import Float32Array

PREDICT_SECONDS = 0.5
"""How long a face is expected to keep its speed."""


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One detection that belongs to a track."""

    track: int
    box: Float32Array
    """(4,) xyxy in pixels of the frame."""
    score: float
    turned: bool
    """It was found in a turned picture only."""
    sure: bool = True
    """A track that opens with an unsure one covers nothing until a sure one continues it."""
    overlaps: bool = True
    """It overlaps the track's last box, or where that was expected; if not, it is only near."""


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """All that covering knows of one frame."""

    index: int
    seconds: float
    cut: bool
    """It begins a scene."""
    looked: bool
    """The detector was asked, and looked in full size: a face that isn't among the sightings was missed."""
    turned: bool
    """It also looked at the picture turned."""
    room: int
    """How many frames of this size may wait for their future."""
    sightings: tuple[Sighting, ...] = ()
    """At most one of each track."""
    missed: tuple[Sighting, ...] = ()
    """Detections too weak to belong to a track; they cover nothing."""


@dataclass(slots=True, eq=False)
class Track:
    """One face, followed through a scene up to its last sighting."""

    id: int
    first_index: int
    first_seconds: float
    first_box: Float32Array
    index: int
    """Frame of the last sighting; seconds and box belong to it."""
    seconds: float
    box: Float32Array
    turned: bool
    """The last sighting was in a turned picture only."""
    doubtful: bool
    """Covers nothing until a sure sighting continues it."""
    lowest_score: float
    speed: Float32Array = field(default_factory=lambda: np.zeros(2, np.float32))
    """(2,) of the centre, in pixels per second, smoothed."""
    sightings: int = 1
    gaps: int = 0
    long_gaps: list[tuple[float, float]] = field(default_factory=list)
    pending: list[tuple[int, Float32Array]] = field(default_factory=list)
    """What a doubtful track will cover once it is confirmed."""

    @classmethod
    def opened(cls, seen: Sighting, index: int, seconds: float) -> Track:
        """A track with its first sighting."""
        box = seen.box
        return cls(
            id=seen.track,
            first_index=index,
            first_seconds=seconds,
            first_box=box,
            index=index,
            seconds=seconds,
            box=box,
            turned=seen.turned,
            doubtful=not seen.sure,
            lowest_score=seen.score,
        )

    def see(self, seen: Sighting, index: int, seconds: float) -> None:
        """Take the next sighting."""
        gap = seconds - self.seconds
        if gap > 0:
            shift = box_ops.centres(seen.box[None])[0] - box_ops.centres(self.box[None])[0]
            speed = (shift / gap).astype(np.float32)
            self.speed = speed if self.sightings == 1 else (self.speed + speed) / 2
        self.doubtful = self.doubtful and not seen.sure
        self.sightings += 1
        self.index, self.seconds, self.box, self.turned = index, seconds, seen.box, seen.turned
        self.lowest_score = min(self.lowest_score, seen.score)

    def moved(self, box: Float32Array, seconds: float) -> Float32Array:
        """(4,) that box after the track's speed has acted on it for so long, forwards or backwards."""
        reach = np.float32(min(max(seconds, -PREDICT_SECONDS), PREDICT_SECONDS))
        x, y = self.speed * reach
        moved: Float32Array = box + np.array((x, y, x, y), np.float32)  # crowds ask this 200 times a frame
        return moved


class Looks:
    """The frames at which the detector looked, as far back as an active track may need them."""

    def __init__(self) -> None:
        self._seen: deque[tuple[int, bool]] = deque()

    def add(self, index: int, turned: bool) -> None:
        """Append a look."""
        self._seen.append((index, turned))

    def clear(self) -> None:
        """Forget all of them."""
        self._seen.clear()

    def forget(self, before: int) -> None:
        """Forget those before a frame, but for the last of them: a track may have to reach back to it."""
        while len(self._seen) > 1 and self._seen[1][0] < before:
            self._seen.popleft()

    @property
    def last(self) -> int:
        """The frame of the last look."""
        return self._seen[-1][0]

    @property
    def last_turned(self) -> int:
        """The frame of the last look that was also turned, or of the last one if none was."""
        return max((i for i, turned in self._seen if turned), default=self.last)

    def between(self, first: int, last: int) -> bool:
        """Whether there was a look after one frame and before another."""
        return any(first < look < last for look, _ in self._seen)

    def last_before(self, index: int) -> int:
        """The last look before a frame, or 0."""
        return max((i for i, _ in self._seen if i < index), default=0)

    def before(self, track: Track) -> int:
        """The last look before a track's first sighting that could have seen it, or -1."""
        return max(
            (i for i, turned in self._seen if i < track.first_index and _could(track, turned)), default=-1
        )

    def after(self, track: Track, since: int = 0) -> int | None:
        """The first look after a track's last sighting, and since a frame, that could have seen it."""
        could = (i for i, turned in self._seen if i > track.index and i >= since and _could(track, turned))
        return min(could, default=None)

    def ended(self, track: Track, index: int, seconds: float, horizon: float) -> bool:
        """Whether a track has ended: not seen for too long, although a look up to now could have seen it."""
        return seconds - track.seconds > horizon and self.overlooked(track, index + 1)

    def believed_at_end(self, track: Track) -> bool:
        """Whether a doubtful track counts where its scene ends: seen again, and no look spoke against it."""
        return track.sightings > 1 and self.after(track) is None

    def overlooked(self, track: Track, before: int) -> bool:
        """Whether a look after the last sighting, and before that frame, could have seen the face."""
        after = self.after(track)
        return after is not None and after < before


def _could(track: Track, turned: bool) -> bool:
    return turned or not track.turned
