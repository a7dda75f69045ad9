"""Covering: what tracks put on the frames at which their faces were seen, between them and around them.

A pure function of sightings, cuts and looks. The streaming run feeds it as frames pass; a kept analysis feeds
it later, without frames. Both get the same masks, because the same code makes them from the same moments.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.config import Settings
from anonator.core.frames import Float32Array, Masks
from anonator.core.tracking.sightings import Looks, Moment, Sighting, Track


@dataclass(slots=True, eq=False)
class Slot:
    """A frame that waits until everything that could cover it is known."""

    index: int
    seconds: float
    room: int
    boxes: list[Float32Array] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)

    def masks(self) -> Masks:
        """What covers the frame, in the order of the tracks' numbers."""
        if not self.boxes:
            return Masks.empty()
        ids = np.array(self.ids, np.int32)
        order = np.argsort(ids, kind="stable")
        return Masks(np.stack(self.boxes)[order], ids[order])


def horizon(settings: Settings) -> float:
    """For how many seconds after its last sighting a track may still be bridged or extended."""
    return max(settings.tracking.bridge_seconds, settings.tracking.extend_seconds)


def patience(settings: Settings) -> float:
    """For how many seconds after its first sighting a large doubtful track may wait to be believed.

    As a rule all that it covers then, from before that sighting on, still waits.
    """
    tracking = settings.tracking
    return max(horizon(settings) - tracking.extend_seconds, tracking.bridge_seconds / 2)


def cover(moments: Iterable[Moment], settings: Settings) -> Iterator[Masks]:
    """The masks of every frame, in order, from all that was found in a video."""
    covering = Covering(settings)
    for moment in moments:
        yield from covering.add(moment)
    yield from covering.end()


class Covering:
    """Turns moments into masks, in order, with a bounded look-ahead."""

    def __init__(self, settings: Settings) -> None:
        """Take the times from a job's settings."""
        self._extend_seconds = settings.tracking.extend_seconds
        self._horizon = horizon(settings)
        self._window: deque[Slot] = deque()
        """The waiting frames, one after another."""
        self._looks = Looks()
        self._active: dict[int, Track] = {}
        self._now = 0.0

    def add(self, moment: Moment) -> Iterator[Masks]:
        """Take the next frame; pass on every one that no later frame can change."""
        if moment.cut:
            yield from self.end()
        self._window.append(Slot(moment.index, moment.seconds, moment.room))
        if moment.looked or moment.sightings:
            self._now = moment.seconds
        if moment.looked:
            self._looks.add(moment.index, moment.turned)
        for seen in moment.sightings:
            self._see(moment.index, seen)
        if moment.looked:
            for track in list(self._active.values()):
                if self._looks.ended(track, moment.index, self._now, self._horizon):
                    self._close(track)
            yield from self._emit()

    def end(self) -> Iterator[Masks]:
        """Close the scene: pass on every frame that still waits."""
        for track in list(self._active.values()):
            if self._looks.believed_at_end(track):
                self._believe(track)
            self._close(track)
        while self._window:
            yield self._window.popleft().masks()
        self._looks.clear()

    def _see(self, index: int, seen: Sighting) -> None:
        track = self._active.get(seen.track)
        if track is None:
            track = self._active[seen.track] = Track.opened(seen, index, self._now)
            self._cover(track, index, seen.box)
            self._extend_before(track)
            return
        if seen.sure:
            self._believe(track)
        if not seen.overlaps:
            # near but apart: perhaps another face, so the old one's future is covered as well
            self._extend_after(track)
        self._bridge(track, index, seen)
        track.see(seen, index, self._now)
        self._cover(track, index, seen.box)
        if track.sightings == 2:
            self._extend_before(track)  # now that its speed is known

    def _believe(self, track: Track) -> None:
        """Put on the frames what a doubtful track kept until now."""
        track.doubtful = False
        for index, box in track.pending:
            self._cover(track, index, box)
        track.pending.clear()

    def _close(self, track: Track) -> None:
        self._extend_after(track)
        del self._active[track.id]

    def _cover(self, track: Track, index: int, box: Float32Array) -> None:
        """Put a track's box on a waiting frame, or keep it until the track is confirmed."""
        if track.doubtful:
            track.pending.append((index, box))
        elif index >= self._window[0].index:
            slot = self._window[index - self._window[0].index]
            slot.boxes.append(box)
            slot.ids.append(track.id)

    def _bridge(self, track: Track, index: int, seen: Sighting) -> None:
        """Cover the frames between a track's last sighting and this one, along the face's path."""
        before = self._seconds_of(track.index, track.seconds)
        span = max(self._now - before, 1e-6)
        a, b = track.box[None], seen.box[None]
        neighbours = not self._looks.between(track.index, index)
        for between in range(max(track.index + 1, self._window[0].index), index):
            if neighbours and not seen.overlaps:
                # too fast to know where it was at this moment
                self._cover(track, between, box_ops.hull(a, b)[0])
                continue
            here = (self._seconds_of(between, before) - before) / span
            step = 1 / (index - track.index)
            early = box_ops.interpolate(a, b, max(here - step, 0.0))
            late = box_ops.interpolate(a, b, min(here + step, 1.0))
            self._cover(track, between, box_ops.hull(early, late)[0])

    def _extend_before(self, track: Track) -> None:
        """Cover the frames before the first sighting: a while, and at least back to the look before it."""
        reach = self._looks.before(track)
        for slot in self._window:
            if slot.index >= track.first_index:
                break
            early = track.first_seconds - slot.seconds
            if early <= self._extend_seconds or slot.index > reach:
                there = track.moved(track.first_box, -early)
                self._cover(track, slot.index, box_ops.hull(track.first_box[None], there[None])[0])

    def _extend_after(self, track: Track) -> None:
        """Cover the frames after the last sighting: a while, and at least up to the next look."""
        # looks at frames that memory pushed out early no longer end what is covered: rather too much
        after = self._looks.after(track, self._looks.last_before(self._window[0].index))
        reach = self._window[-1].index + 1 if after is None else after
        for slot in self._window:
            late = slot.seconds - track.seconds
            if slot.index > track.index and (late <= self._extend_seconds or slot.index < reach):
                there = track.moved(track.box, late)
                self._cover(track, slot.index, box_ops.hull(track.box[None], there[None])[0])

    def _seconds_of(self, index: int, otherwise: float) -> float:
        position = index - self._window[0].index
        return self._window[position].seconds if position >= 0 else otherwise

    def _emit(self) -> Iterator[Masks]:
        """Pass on every frame that no future detection can change, and more if memory runs short."""
        window, full = self._window, self._looks.last_turned
        limit = window[0].room
        while window and window[0].index < self._looks.last:
            slot = window[0]
            if slot.seconds + self._horizon > self._now or slot.index >= full:
                if len(window) <= limit:
                    break
                for track in self._active.values():
                    # its fate is not known yet, so it stays covered where it was last seen
                    if track.index < slot.index:
                        self._cover(track, slot.index, track.box)
            yield window.popleft().masks()
        oldest = min((track.index for track in self._active.values()), default=self._looks.last)
        self._looks.forget(min(window[0].index, oldest + 1))
