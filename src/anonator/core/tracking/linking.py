"""Two-sided tracking: detections become tracks, which also cover the frames between and around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.optimize import linear_sum_assignment

from anonator.core import boxes as box_ops
from anonator.core.config import Settings
from anonator.core.frames import Detections, Float32Array, Frame, Look, Masks, TrackSummary
from anonator.core.tracking.covering import Coverage, Slot, Track

LOOKAHEAD_BYTES = 512 * 1024 * 1024
"""Frames that wait for their future take no more memory than this; then the last box is held instead."""
LONG_GAP_SECONDS = 0.3
"""Gaps from here on are told with their times: in shorter ones a face can't go far from its mask."""
SIZE_RATIO = 2.5
"""The same face does not change its size by more than this between two sightings."""
APART, IMPOSSIBLE = 1000.0, 1500.0
"""Costs of a pair that is only near, and of one that must not be linked.

Two near pairs cost more than one that overlaps and one that is left alone: overlap comes first.
"""


def horizon(settings: Settings) -> float:
    """For how many seconds after its last sighting a track may still be bridged or extended."""
    return max(settings.tracking.bridge_seconds, settings.tracking.extend_seconds)


class Tracker:
    """Turns looks into masks, frame by frame and in order, with a bounded look-ahead."""

    def __init__(self, settings: Settings) -> None:
        """Take the thresholds, times and distances from a job's settings."""
        self._t = settings.tracking
        self._start = settings.lowest_threshold
        self._start_turned = settings.threshold
        self._horizon = horizon(settings)
        self._coverage = Coverage(self._t.extend_seconds)
        self._active: list[Track] = []
        self._now = 0.0
        self._sar = np.float32(1)
        """Width of a pixel in heights: distances are those that people see."""
        self._next_id = 0
        self.summaries: list[TrackSummary] = []
        """Every finished track, in order of its end."""

    def run(self, looks: Iterable[Look]) -> Iterator[tuple[Frame, Masks]]:
        """Every frame of the looks, in order, with what must be covered in it."""
        for look in looks:
            if look.cut:
                yield from self._end_scene()
            self._coverage.window.append(Slot(look.frame, float(look.frame.seconds)))
            if look.detections is not None:
                self._now = float(look.frame.seconds)
                self._sar = np.float32(look.frame.sar)
                self._coverage.looks.append((look.frame.index, look.turned))
                self._take(look.frame.index, look.detections)
                yield from self._emit()
        yield from self._end_scene()

    # --- linking ------------------------------------------------------------------------------

    def _take(self, index: int, found: Detections) -> None:
        """Continue, open and close tracks with the detections of one frame."""
        # float32 like the scores: one of exactly the threshold counts
        upright = found.turns == 0
        strong = found.scores >= np.where(upright, self._start, self._start_turned).astype(np.float32)
        enough = np.where(upright, self._t.continue_threshold, self._start).astype(np.float32)
        weak = ~strong & (found.scores >= enough)
        # strong detections choose first, so that a doubtful one cannot take a track from a sure one
        for candidates, near in ((np.flatnonzero(strong), True), (np.flatnonzero(weak), False)):
            tracks = [t for t in self._active if t.index < index and self._may_go_on(t, index)]
            pairs = self._pairs(tracks, found.boxes[candidates], near=near)
            for track_number, candidate, overlap in pairs:
                self._continue(tracks[track_number], index, found, int(candidates[candidate]), overlap)
            linked = {int(candidates[candidate]) for _, candidate, _ in pairs}
            for i in candidates.tolist():
                # a turned face of a middling score opens a track that must be seen again to count
                if i not in linked and found.scores[i] >= self._start:
                    self._open(index, found, i, doubtful=not strong[i])
        for track in [t for t in self._active if self._now - t.seconds > self._horizon]:
            if self._coverage.overlooked(track, index + 1):
                self._close(track)

    def _may_go_on(self, track: Track, index: int) -> bool:
        """Whether a detection in this frame is near enough in time to be the same face."""
        # with few frames a second neighbouring looks are further apart than the longest gap
        return self._now - track.seconds <= self._t.bridge_seconds or not self._coverage.overlooked(
            track, index
        )

    def _pairs(self, tracks: list[Track], boxes: Float32Array, *, near: bool) -> list[tuple[int, int, bool]]:
        """Which track continues as which box: (track, box, whether they overlap), at the lowest total cost.

        Args:
            tracks: not yet continued in this frame.
            boxes: (N, 4) candidates.
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
        rows, columns = linear_sum_assignment(cost)
        return [
            (int(r), int(c), bool(overlaps[r, c]))
            for r, c in zip(rows, columns, strict=True)
            if cost[r, c] < IMPOSSIBLE
        ]

    def _distances(self, a: Float32Array, b: Float32Array) -> Float32Array:
        """(N, M) distances between the centres of a (N, 4) and b (M, 4), in heights of a pixel."""
        gap = box_ops.centres(a)[:, None] - box_ops.centres(b)[None]
        return np.asarray(np.hypot(gap[..., 0] * self._sar, gap[..., 1]), np.float32)

    def _open(self, index: int, found: Detections, i: int, *, doubtful: bool) -> None:
        box = found.boxes[i]
        track = Track(
            id=self._next_id,
            first_index=index,
            first_seconds=self._now,
            first_box=box,
            index=index,
            seconds=self._now,
            box=box,
            turned=bool(found.turns[i]),
            doubtful=doubtful,
            lowest_score=float(found.scores[i]),
        )
        self._next_id += 1
        self._active.append(track)
        self._coverage.cover(track, index, box)
        self._coverage.extend_before(track)

    def _continue(self, track: Track, index: int, found: Detections, i: int, overlap: bool) -> None:
        box, gap = found.boxes[i], self._now - track.seconds
        if track.doubtful:
            track.doubtful = False
            for pending_index, pending_box in track.pending:
                self._coverage.cover(track, pending_index, pending_box)
            track.pending.clear()
        if not overlap:
            # near but apart: perhaps another face, so the old one's future is covered as well
            self._coverage.extend_after(track)
        if gap > 0:
            shift = box_ops.centres(box[None])[0] - box_ops.centres(track.box[None])[0]
            speed = (shift / gap).astype(np.float32)
            track.speed = speed if track.sightings == 1 else (track.speed + speed) / 2
        self._coverage.bridge(track, index, box, self._now, overlap=overlap)
        if self._coverage.has_gap(track, index):
            track.gaps += 1
            if gap >= LONG_GAP_SECONDS:
                track.long_gaps.append((track.seconds, self._now))
        track.sightings += 1
        track.index, track.seconds, track.box = index, self._now, box
        track.turned = bool(found.turns[i])
        track.lowest_score = min(track.lowest_score, float(found.scores[i]))
        self._coverage.cover(track, index, box)
        if track.sightings == 2:
            self._coverage.extend_before(track)  # now that its speed is known

    def _close(self, track: Track) -> None:
        self._coverage.extend_after(track)
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

    # --- passing on ---------------------------------------------------------------------------

    def _end_scene(self) -> Iterator[tuple[Frame, Masks]]:
        for track in list(self._active):
            self._close(track)
        while self._coverage.window:
            yield self._coverage.release()
        self._coverage.looks.clear()

    def _emit(self) -> Iterator[tuple[Frame, Masks]]:
        """Pass on every frame that no future detection can change, and more if memory runs short."""
        window, looks = self._coverage.window, self._coverage.looks
        limit = max(2, LOOKAHEAD_BYTES // max(window[0].frame.nbytes, 1))
        full = max((i for i, turned in looks if turned), default=looks[-1][0])
        while window and window[0].frame.index < looks[-1][0]:
            slot = window[0]
            if slot.seconds + self._horizon > self._now or slot.frame.index >= full:
                if len(window) <= limit:
                    break
                for track in self._active:
                    # its fate is not known yet, so it stays covered where it was last seen
                    if track.index < slot.frame.index:
                        self._coverage.cover(track, slot.frame.index, track.box)
            yield self._coverage.release()
        # one look older than the window stays: a track may have to reach back to it
        while len(looks) > 1 and window and looks[1][0] < window[0].frame.index:
            looks.popleft()
