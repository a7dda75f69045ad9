"""Linking: the detections of each frame become sightings of tracks."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.config import MAX_UPSCALE, Settings
from anonator.core.frames import Detections, Float32Array, Frame, Look, Masks, TrackSummary
from anonator.core.tracking.assignment import cheapest_pairs
from anonator.core.tracking.covering import Covering, horizon, patience
from anonator.core.tracking.sightings import Looks, Moment, Sighting, Track

LOOKAHEAD_BYTES = 512 * 1024 * 1024
"""Frames that wait for their future take no more memory than this; then the last box is held instead."""
NEAR_MISS = 0.15
"""A detection that belongs to no track is worth remembering from this score on."""
LONG_GAP_SECONDS = 0.3
"""Gaps from here on are told with their times: in shorter ones a face can't go far from its mask."""
SIZE_RATIO = 2.5
"""The same face does not change its size by more than this between two sightings."""
LARGE = 128
"""Long side, in pixels that the network sees, from which turned faces are easy to see: one of a middling
score must be seen a third time to count."""
APART, IMPOSSIBLE = 1000.0, 1500.0
"""Costs of a pair that is only near, and of one that must not be linked.

Two near pairs cost more than one that overlaps and one that is left alone: overlap comes first.
"""


class Tracker:
    """Turns looks into sightings of tracks, frame by frame and in order, and those into masks."""

    def __init__(self, settings: Settings) -> None:
        """Take the thresholds, times and distances from a job's settings."""
        self._settings, self._t = settings, settings.tracking
        self._start = settings.lowest_threshold
        self._start_turned = settings.threshold
        self._horizon, self._patience = horizon(settings), patience(settings)
        self._looks = Looks()
        self._active: list[Track] = []
        self._now = 0.0
        self._sar = np.float32(1)
        """Width of a pixel in heights: distances are those that people see."""
        self._scene_begins: int | None = None
        """The first frame of the scene that was looked at."""
        self._room = 2
        """How many frames may wait for their future."""
        self._large = 0.0
        """LARGE in pixels of the frame."""
        self._next_id = 0
        self.summaries: list[TrackSummary] = []
        """Every finished track, in order of its end."""

    def run(
        self, looks: Iterable[Look], heard: Callable[[Moment], None] | None = None
    ) -> Iterator[tuple[Frame, Masks]]:
        """Every frame of the looks, in order, with what must be covered in it.

        Args:
            looks: of every frame.
            heard: called with all that covering gets to know of each frame, in order.
        """
        covering, waiting = Covering(self._settings), deque[Frame]()
        for look in looks:
            moment = self.linked(look)
            if heard is not None:
                heard(moment)
            waiting.append(look.frame)
            for masks in covering.add(moment):
                yield waiting.popleft(), masks
        for masks in covering.end():
            yield waiting.popleft(), masks
        self._end_scene()

    def linked(self, look: Look) -> Moment:
        """One look as covering gets it: what was seen in it of which track."""
        frame, found = look.frame, look.detections
        room = self._room = max(2, LOOKAHEAD_BYTES // max(frame.nbytes, 1))
        if look.cut:
            self._end_scene()
        sightings: list[Sighting] = []
        missed: list[Sighting] = []
        if found is not None:
            self._now, self._sar = float(frame.seconds), np.float32(frame.sar)
            longest = max(frame.width, frame.height)
            self._large = LARGE / min(self._settings.preset.max_resolution / longest, MAX_UPSCALE)
            if not look.light:
                self._looks.add(frame.index, look.turned)
            if self._scene_begins is None:
                self._scene_begins = frame.index
            sightings, missed = self._take(frame.index, found, turned=look.turned)
        return Moment(
            frame.index,
            float(frame.seconds),
            look.cut,
            found is not None and not look.light,
            look.turned,
            room,
            tuple(sightings),
            tuple(missed),
        )

    def _take(self, index: int, found: Detections, *, turned: bool) -> tuple[list[Sighting], list[Sighting]]:
        """Continue, open and close tracks with the detections of one frame; what is left is a near-miss."""
        # float32 like the scores: one of exactly the threshold counts
        upright = found.turns == 0
        strong = found.scores >= np.where(upright, self._start, self._start_turned).astype(np.float32)
        enough = np.where(upright, self._t.continue_threshold, self._start).astype(np.float32)
        weak = ~strong & (found.scores >= enough)
        certain = found.scores >= np.float32(self._start_turned)
        sightings: list[Sighting] = []
        left = set(np.flatnonzero(found.scores >= np.float32(NEAR_MISS)).tolist())

        def seen(track: int, i: int, *, sure: bool = True, overlaps: bool = True) -> Sighting:
            found_turned = bool(found.turns[i])
            return Sighting(track, found.boxes[i], float(found.scores[i]), found_turned, sure, overlaps)

        # strong detections choose first, so that a doubtful one cannot take a track from a sure one
        for candidates, near in ((np.flatnonzero(strong), True), (np.flatnonzero(weak), False)):
            tracks = [t for t in self._active if t.index < index and self._may_go_on(t, index)]
            # an upright look can't see a turned face: a middling score there would lead its track away
            unseen = np.array([t.turned and not t.doubtful and not turned for t in tracks], bool)
            barred = unseen[:, None] & ~certain[candidates]
            pairs = self._pairs(tracks, found.boxes[candidates], barred, near=near)
            linked = {int(candidates[candidate]) for _, candidate, _ in pairs}
            for track_number, candidate, overlaps in pairs:
                track = tracks[track_number]
                i = int(candidates[candidate])
                sure = bool(strong[i] or upright[i]) or self._is_believed(track, found.boxes[i], index)
                sightings.append(seen(track.id, i, sure=sure, overlaps=overlaps))
                if self._looks.between(track.index, index):
                    track.gaps += 1
                    if self._now - track.seconds >= LONG_GAP_SECONDS:
                        track.long_gaps.append((track.seconds, self._now))
                track.see(sightings[-1], index, self._now)
            for i in candidates.tolist():
                # a turned face of a middling score opens a track that must be seen again to count
                if i not in linked and found.scores[i] >= self._start:
                    sightings.append(seen(self._next_id, i, sure=bool(strong[i])))
                    self._active.append(Track.opened(sightings[-1], index, self._now))
                    self._next_id += 1
                    linked.add(i)
            left -= linked
        for track in list(self._active):
            if self._looks.ended(track, index, self._now, self._horizon):
                self._close(track)
        self._looks.forget(min((track.index for track in self._active), default=index) + 1)
        return sightings, [seen(-1, i, sure=False) for i in sorted(left)]

    def _may_go_on(self, track: Track, index: int) -> bool:
        """Whether a detection in this frame is near enough in time to be the same face."""
        longest, since = self._t.bridge_seconds, track.seconds
        if track.doubtful and self._is_large(track.box):
            longest, since = self._patience, track.first_seconds
        # with few frames a second neighbouring looks are further apart than the longest gap
        return self._now - since <= longest or not self._looks.overlooked(track, index)

    def _is_large(self, box: Float32Array) -> bool:
        return float((box[2:] - box[:2]).max()) >= self._large

    def _is_believed(self, track: Track, box: Float32Array, index: int) -> bool:
        """Whether a track counts once a turned detection of a middling score has continued it."""
        if not track.doubtful or not self._is_large(box):
            return True
        # a third one must come as soon again, or it would come too late; before a scene nothing denies it
        too_late = 2 * (self._now - track.first_seconds) > self._patience
        too_late |= 2 * (index - track.first_index) >= self._room
        return track.sightings > 1 or too_late or track.first_index == self._scene_begins

    def _pairs(
        self, tracks: list[Track], boxes: Float32Array, barred: np.ndarray, *, near: bool
    ) -> list[tuple[int, int, bool]]:
        """Which track continues as which box: (track, box, whether they overlap), at the lowest total cost.

        Args:
            tracks: not yet continued in this frame.
            boxes: (N, 4) candidates.
            barred: (M, N) bool, which track can't continue as which box.
            near: whether boxes that do not overlap may be linked when they are near enough.
        """
        if not tracks or not len(boxes):
            return []
        last = np.stack([t.box for t in tracks])
        expected = np.stack([t.moved(t.box, self._now - t.seconds) for t in tracks])
        overlap = np.maximum(box_ops.iou(last, boxes), box_ops.iou(expected, boxes))
        stretch = float(np.sqrt(self._sar))
        size = np.maximum(box_ops.sizes(last)[:, None] * stretch, 1.0)
        other = np.maximum(box_ops.sizes(boxes)[None, :] * stretch, 1.0)
        distance = np.minimum(self._distances(last, boxes), self._distances(expected, boxes))
        distance /= (size + other) / 2
        alike = np.maximum(size / other, other / size) <= SIZE_RATIO
        overlaps = overlap >= self._t.link_iou
        cost = np.where(overlaps, 1 - overlap, IMPOSSIBLE)
        if near:
            apart = ~overlaps & alike & (distance <= self._t.link_distance)
            cost = np.where(apart, APART + distance, cost)
        cost = np.where(barred, IMPOSSIBLE, cost)
        return [(r, c, bool(overlaps[r, c])) for r, c in cheapest_pairs(cost) if cost[r, c] < IMPOSSIBLE]

    def _distances(self, a: Float32Array, b: Float32Array) -> Float32Array:
        """(N, M) distances between the centres of a (N, 4) and b (M, 4), in heights of a pixel."""
        gap = box_ops.centres(a)[:, None] - box_ops.centres(b)[None]
        return np.asarray(np.hypot(gap[..., 0] * self._sar, gap[..., 1]), np.float32)

    def _close(self, track: Track) -> None:
        self._active.remove(track)
        if not track.doubtful:
            self.summaries.append(
                TrackSummary(
                    track.first_seconds,
                    track.seconds,
                    track.sightings,
                    track.gaps,
                    track.lowest_score,
                    tuple(track.long_gaps),
                )
            )

    def _end_scene(self) -> None:
        for track in list(self._active):
            track.doubtful = track.doubtful and not self._looks.believed_at_end(track)
            self._close(track)
        self._looks.clear()
        self._scene_begins = None
