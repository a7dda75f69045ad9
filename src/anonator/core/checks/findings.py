"""What the second detector found uncovered at one place in successive frames, and what that amounts to.

A detector that finds the same in the input as in the finished file only agrees with itself: shirts, hands and
caps look like faces to it in both. So a finding counts where something else speaks for it, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from itertools import groupby
from typing import TypeAlias

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.checks.evidence import SAME_FACE, Evidence
from anonator.core.frames import Float32Array
from anonator.core.job import NearMiss

SURE = 0.8
"""At such scores, in the finished frame and in the input, the second detector is taken at its word."""
PROBABLE = 0.5
"""Where both detectors see a face with such scores, one frame is enough."""
POSSIBLE = 0.3
"""The second detector's weakest finding; with the first one agreeing, it counts in several frames."""
FAINT = 0.2
"""What the second detector may see where a mask was there just before and is again soon after."""
FIRST_AGREES, FIRST_HINTS = 0.35, 0.1
"""Scores of the first detector: of those from which tracks start, and go on, in HIPAA mode."""
OFTEN = 3
"""So many frames of one place in which both detectors see a face."""
LONG, LONG_SECONDS, LONG_SCORE = 5, 0.2, 0.6
"""So many frames, so long and with such a mean score, the second detector alone is believed."""
BRIEF_SECONDS = 0.5
"""A hole in a mask is no longer than this."""
SMALLEST = 10
"""Nobody is recognised in a face of fewer pixels than this, so none is covered for its sake alone."""
DOUBTFUL = 0.5
"""What isn't confirmed but scores this is a near-miss."""
MISSING = 2
"""Frames in which the second detector may miss a face that it still follows."""
ENOUGH, SELDOM = 8, 5
"""After so many frames with evidence, only every n-th gets some."""
MOVED = 0.5
"""IoU with the last place that is to be covered, below which a moving face needs another."""

Covers: TypeAlias = Callable[[Float32Array, float], bool]
"""Whether a box (4,), xyxy in pixels, is covered at a time in seconds."""


class Verdict(Enum):
    """What a finding amounts to."""

    FACE = "face"
    """It is covered: before it is written or, if that is too late, in another file."""
    NEAR_MISS = "near-miss"
    """It is told to people, who must look there."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """One frame's part of a finding."""

    index: int
    seconds: float
    box: Float32Array
    """(4,) xyxy in pixels of the frame."""
    score: float
    """Of the second detector in the finished frame."""
    evidence: Evidence | None
    """What speaks for it in the input, where that was looked at."""


@dataclass(slots=True, eq=False)
class Finding:
    """One uncovered place that looks like a face, over successive frames."""

    sightings: list[Sighting] = field(default_factory=list)
    covered_before: bool = False
    """A mask was there just before."""
    covered_after: bool = False
    """A mask is there soon after."""
    margin: float = 0.0
    """So much lower than written above are all scores from which it counts."""
    judged: int = 0
    """Frames that have evidence."""
    passed_on: int = 0
    """Sightings that new_places has considered."""
    _kept: Sighting | None = None
    """The last that it returned."""

    @property
    def last(self) -> Sighting:
        """Where it was seen last."""
        return self.sightings[-1]

    def needs_evidence(self, index: int, score: float) -> bool:
        """Whether the input must be looked at for a sighting in this frame."""
        if score < (FAINT if self.covered_before else POSSIBLE) - self.margin:
            return False
        return self.judged < ENOUGH or index % SELDOM == 0

    def verdict(self) -> Verdict:
        """What it amounts to, by all that is known so far."""
        if self._is_large() and (self._is_a_hole() or self._both_agree() or self._second_insists()):
            return Verdict.FACE
        best = max(each.score for each in self.sightings)
        if best >= DOUBTFUL or any(e.first >= FIRST_AGREES for e, _ in self._judged()):
            return Verdict.NEAR_MISS
        return Verdict.NOTHING

    def near_miss(self) -> NearMiss:
        """The same for people."""
        best = max(self.sightings, key=lambda each: each.score)
        x1, y1, x2, y2 = best.box.tolist()
        first, last = self.sightings[0].seconds, self.last.seconds
        return NearMiss(best.index, first, last, (x1, y1, x2, y2), best.score)

    def places(self) -> Iterator[Sighting]:
        """Sightings that together show where it was, at most one where it stands still."""
        kept: Sighting | None = None
        for each in self.sightings:
            if _is_elsewhere(each, kept):
                kept = each
                yield each
        if kept is not None and kept is not self.last:
            yield self.last

    def new_places(self) -> Iterator[Sighting]:
        """The same of those sightings that came since the last call."""
        for each in self.sightings[self.passed_on :]:
            if _is_elsewhere(each, self._kept):
                self._kept = each
                yield each
        self.passed_on = len(self.sightings)

    def parts_left(self, is_covered: Covers, step: float) -> Iterator[Finding]:
        """What is still bare of it once there are more covers, each part with the covers beside it.

        Args:
            is_covered: whether one of those covers is on a box (4,) at a time.
            step: seconds from one frame to the next.
        """
        for covered, together in groupby(self.sightings, lambda each: is_covered(each.box, each.seconds)):
            part = list(together)
            if covered:
                continue
            first, last = part[0], part[-1]
            yield Finding(
                part,
                covered_before=(first is self.sightings[0] and self.covered_before)
                or any(is_covered(first.box, first.seconds - n * step) for n in range(1, MISSING + 1)),
                covered_after=(last is self.last and self.covered_after)
                or any(is_covered(last.box, last.seconds + n * step) for n in range(1, MISSING + 2)),
                margin=self.margin,
                judged=sum(each.evidence is not None for each in part),
            )

    def _judged(self) -> Iterator[tuple[Evidence, float]]:
        """Evidence and the score in the finished frame, both with the margin added."""
        for each in self.sightings:
            if each.evidence is not None:
                first, second = each.evidence.first + self.margin, each.evidence.second + self.margin
                yield replace(each.evidence, first=first, second=second), each.score + self.margin

    def _is_large(self) -> bool:
        return any(float((each.box[2:] - each.box[:2]).max()) >= SMALLEST for each in self.sightings)

    def _is_a_hole(self) -> bool:
        """A mask is missing for a moment; a weak sign of a face is enough there."""
        seconds = self.last.seconds - self.sightings[0].seconds
        if not (self.covered_before and self.covered_after and seconds <= BRIEF_SECONDS):
            return False
        return any(
            score >= PROBABLE or e.first >= FIRST_HINTS or e.second >= POSSIBLE for e, score in self._judged()
        )

    def _both_agree(self) -> bool:
        agreed = [
            min(e.first, e.second, score)
            for e, score in self._judged()
            if e.first >= FIRST_AGREES and min(e.second, score) >= POSSIBLE
        ]
        near_mask = self.covered_before or self.covered_after
        return len(agreed) >= (1 if near_mask else OFTEN) or max(agreed, default=0) >= PROBABLE

    def _second_insists(self) -> bool:
        if any(min(e.second, score) >= SURE for e, score in self._judged()):
            return True
        seconds = self.last.seconds - self.sightings[0].seconds
        mean = float(np.mean([each.score for each in self.sightings])) + self.margin
        return len(self.sightings) >= LONG and seconds >= LONG_SECONDS and mean >= LONG_SCORE


def _is_elsewhere(seen: Sighting, before: Sighting | None) -> bool:
    """Whether covering what was seen before, for a while, isn't enough to cover what is seen now."""
    if before is None or seen.seconds - before.seconds >= BRIEF_SECONDS:
        return True
    return bool(box_ops.iou(before.box[None], seen.box[None])[0, 0] < MOVED)


def continued(findings: Sequence[Finding], boxes: Float32Array) -> list[Finding | None]:
    """Which finding each box (N, 4) of the next frame continues, by overlap; each finding at most once."""
    result: list[Finding | None] = [None] * len(boxes)
    if not findings or not len(boxes):
        return result
    overlap = box_ops.iou(boxes, np.stack([each.last.box for each in findings]))
    while overlap.max() >= SAME_FACE:
        box, finding = np.unravel_index(int(overlap.argmax()), overlap.shape)
        result[int(box)] = findings[int(finding)]
        overlap[box, :] = overlap[:, finding] = 0
    return result
