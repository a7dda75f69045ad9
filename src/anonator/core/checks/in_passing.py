"""The second detector looks at covered frames before they are written; what it finds is covered at once.

So a face that the first detector missed costs a mask and not another file. Frames are held back for as long
as a mask reaches back from such a face. The check of the finished file decides as if none of this were: it
compares every frame with what was looked at here, and looks again where they differ.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.anonymizer import anonymize
from anonator.core.checks.covered import CENTRE, COVERED
from anonator.core.checks.every_frame import EveryFrame, uncovered
from anonator.core.checks.findings import LONG_SECONDS, MISSING, Finding, Verdict
from anonator.core.checks.remembered import Memory
from anonator.core.checks.second_look import PATCH_SECONDS, Uncovered, patches_for
from anonator.core.config import Settings
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.threads import cpu_threads
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Float32Array, Frame, Masks
from anonator.core.pictures.planes import copy_of

HELD_SECONDS = PATCH_SECONDS + LONG_SECONDS
"""So long a frame is held back after it was looked at: some faces are certain only after a few frames."""
HELD_BYTES = 112 * 1024 * 1024
"""Frames that were looked at and are held back take no more; in a large video, a face is covered for less
than a second before it is found."""
MARGIN = 0.02
"""By so much lower scores it believes in a face in passing: a cover costs little there, and the noise of
compression must not make a face, and another file, of what is nearly one here."""
GRID = (np.arange(12, dtype=np.float32) + np.float32(0.5)) / np.float32(12)
"""Where a box's points are along each of its sides."""


@dataclass(slots=True)
class _HeldFrames:
    """Frames with their masks that wait to be written, one after another."""

    waiting: deque[tuple[Frame, Masks]] = field(default_factory=deque)

    def frame(self, index: int) -> Frame:
        """The input's frame of that index, which is still there."""
        return self.waiting[index - self.waiting[0][0].index][0]

    def close(self) -> None:
        """Let go of all."""
        self.waiting.clear()


class InPassing:
    """Frames on their way to the encoder; close it, or leave its context, to end its threads."""

    def __init__(
        self,
        second: YuNet,
        first: Detector,
        settings: Settings,
        memory: Memory,
        found: list[Uncovered],
        checkpoint: Callable[[], None] | None = None,
    ) -> None:
        """Look at nothing yet.

        Args:
            second: the second detector.
            first: asked about what the second finds, while another thread may use it, too.
            settings: of the job.
            memory: takes down what is seen.
            found: gets the faces that are covered, in order.
            checkpoint: called where this takes long; may raise to end it.
        """
        self._settings, self._found = settings, found
        self._held = _HeldFrames()
        self._every = EveryFrame(
            second,
            first,
            self._held,
            settings,
            checkpoint,
            memory=memory,
            heard=self._cover,
            margin=MARGIN,
            # the first detector works all the while, and each thread takes memory
            threads=max(1, cpu_threads() // 2),
        )
        self._recent: deque[Uncovered] = deque()
        """Faces whose covers may reach frames that are still held."""
        self._open: dict[int, Finding] = {}
        """What may be a face and may still be seen again, by identity."""
        self._closed: deque[Finding] = deque()
        """The same in frames that are still held, but not seen again."""

    def __enter__(self) -> InPassing:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads; safe to call twice."""
        self._every.close()

    def watched(self, frames: Iterable[tuple[Frame, Masks]]) -> Iterator[tuple[Frame, Masks]]:
        """The same frames, with masks on what the second detector found besides.

        Raises:
            DetectionError: a detector failed.
        """
        for frame, masks in frames:
            self._held.waiting.append((frame, masks))
            covered = replace(frame, image=copy_of(frame.image), unfitted=None)
            anonymize(covered, masks, self._settings)
            self._every.see(covered)
            yield from self._ready()
        self._every.catch_up()
        while self._held.waiting:
            yield self._next()

    def _ready(self) -> Iterator[tuple[Frame, Masks]]:
        waiting = self._held.waiting
        while waiting and waiting[0][0].index < self._every.taken:
            looked_at = self._held.frame(self._every.taken - 1)
            old = looked_at.seconds - waiting[0][0].seconds > HELD_SECONDS
            held = self._every.taken - waiting[0][0].index
            if not old and held * looked_at.nbytes <= HELD_BYTES:
                break
            yield self._next()

    def _next(self) -> tuple[Frame, Masks]:
        frame, masks = self._held.waiting.popleft()
        seconds = float(frame.seconds)
        while self._recent and self._recent[0].seconds < seconds - PATCH_SECONDS:
            self._recent.popleft()
        return frame, masks.with_more(patches_for(self._recent).boxes(seconds))

    def _cover(self, findings: Sequence[Finding]) -> None:
        """Cover those that are faces, as soon as that is certain."""
        self._open |= {id(each): each for each in findings}
        new = []
        for finding in findings:
            is_new = finding.passed_on < len(finding.sightings)
            if is_new and (finding.passed_on or finding.verdict() is Verdict.FACE):
                new += [uncovered(each) for each in finding.new_places()]
        ended = [key for key, each in self._open.items() if each.last.index < self._every.taken - MISSING - 1]
        closed = [self._open.pop(key) for key in ended]
        self._closed += [each for each in closed if not each.passed_on]  # others are covered already
        beside = list(self._beside_covers(closed)) if self._recent else []
        while new or beside:
            self._found += new + beside
            self._recent += new + beside
            new, beside = [], list(self._beside_covers(self._closed))

    def _beside_covers(self, findings: Sequence[Finding]) -> Iterator[Uncovered]:
        """Faces in what is bare of these beside covers: weaker signs do there, as for any hole in a mask.

        The check of the finished file would find them there, and have another file made.
        """
        waiting, patches = self._held.waiting, patches_for(self._recent)
        oldest, newest = waiting[0][0], waiting[-1][0]
        step = float(newest.seconds - oldest.seconds) / max(1, newest.index - oldest.index)
        while self._closed and self._closed[0].sightings[0].index < oldest.index:
            self._closed.popleft()

        def is_covered(box: Float32Array, seconds: float) -> bool:
            place = round((seconds - float(oldest.seconds)) / step) if step else 0
            masks = waiting[place][1] if 0 <= place < len(waiting) else Masks.empty()
            covers = box_ops.expand(masks.with_more(patches.boxes(seconds)).boxes, self._settings.mask_scale)
            return _share_within(box_ops.expand(box[None], CENTRE)[0], covers) >= COVERED

        for finding in findings:
            if finding.passed_on or finding.sightings[0].index < oldest.index:
                continue
            for part in finding.parts_left(is_covered, step):
                neighbours = part.covered_before, part.covered_after
                if neighbours == (finding.covered_before, finding.covered_after):
                    continue  # then all has been said
                if self._every.weighed(part).verdict() is Verdict.FACE:
                    yield from map(uncovered, part.places())


def _share_within(box: Float32Array, covers: Float32Array) -> float:
    """How much of a box (4,) lies within others (N, 4) together, by a grid of points in it."""
    x1, y1, x2, y2 = box.tolist()
    across, down = x1 + (x2 - x1) * GRID, y1 + (y2 - y1) * GRID
    columns = (covers[:, :1] <= across) & (across <= covers[:, 2:3])
    rows = (covers[:, 1:2] <= down) & (down <= covers[:, 3:])
    return float((columns[:, None, :] & rows[:, :, None]).any(axis=0).mean()) if len(covers) else 0.0
