"""A second, different detector looks at every covered frame; what it finds is looked up in the input."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.checks.covered import is_covered
from anonator.core.checks.evidence import SAME_FACE, Evidence, Judge
from anonator.core.checks.file_checks import Check
from anonator.core.checks.findings import FAINT, MISSING, Finding, Sighting, Verdict, continued
from anonator.core.checks.remembered import Memory, brightness_of, looked_at_before
from anonator.core.checks.second_look import Uncovered
from anonator.core.checks.second_size import largest_side, long_side
from anonator.core.config import Settings
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.threads import cpu_threads
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections, Float32Array, Frame, UInt8Array
from anonator.core.job import NearMiss
from anonator.core.pictures.rgb import picture_within
from anonator.core.tracking.schedule import in_frame
from anonator.errors import VerificationError

BLOCK = 8
"""Side of the blocks of pixels whose mean brightness tells whether a picture changed."""
UNCHANGED = 2
"""A picture in which no block's brightness differs by more than this from one looked at is the same."""
OFTEN_WEIGHED = 50
"""A place is weighed at each of its first sightings, and later at about so many for each e-fold of them."""
AHEAD_BYTES = 64 * 1024 * 1024
"""Frames whose looks are on their way take no more; large ones are looked at one by one."""
MOST_EVIDENCE = 20_000
"""More isn't kept for the next file, but asked for again."""
MOST_NEAR_MISSES = 1000
"""More aren't kept, the best scores first: nobody would look at them."""


class Originals(Protocol):
    """Where the input's frames come from."""

    def frame(self, index: int) -> Frame:
        """The frame of that index; they are asked for in rising order."""
        ...

    def close(self) -> None:
        """Let go of what was opened for it; safe to call twice."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What the second detector saw in a finished file."""

    frames: int
    """Frames of the file; all were looked at, or are the same as one that was."""
    uncovered: tuple[Uncovered, ...]
    """Places where faces can be seen."""
    near_misses: tuple[NearMiss, ...]
    """What may be a face but wasn't confirmed, in order of time."""
    known: int = 0
    """Frames that were looked at in an earlier version of the file, and show nothing more."""


@dataclass(slots=True, eq=False)
class _Waiting:
    """A frame whose look is on its way."""

    frame: Frame
    found: Future[Detections]
    looked_at: UInt8Array
    """The brightness of the picture that was looked at."""


@dataclass(slots=True)
class EveryFrame:
    """Takes the finished frames one after the other; close it, or leave its context, to end its threads."""

    second: YuNet
    first: Detector
    """Asked, beside the second, about what the second finds; in the thread that gives the frames."""
    originals: Originals
    """Closed with this."""
    settings: Settings
    checkpoint: Callable[[], None] | None = None
    """Called where this takes long; may raise to end it."""
    visible: Mapping[int, Float32Array] | None = None
    """By frame, (N, 4) places that a person decided to leave visible."""
    memory: Memory | None = None
    """Of what was seen in the attempt before; takes down what is seen now."""
    known_every: int = 0
    """Every n-th of the frames that show only what was seen before is looked at all the same; 0 is none."""
    heard: Callable[[Sequence[Finding]], None] | None = None
    """Called after each frame with all that could be faces so far."""
    margin: float = 0.0
    """By so much lower scores it believes in a face."""
    threads: int = field(default_factory=cpu_threads)
    taken: int = 0
    """Frames whose findings are known."""
    knows_frame: bool = False
    """Whether the frame given last shows only what it showed in the attempt before."""
    _frames: int = 0
    _known: int = 0
    _waiting: deque[_Waiting] = field(default_factory=deque)
    _mosaic: UInt8Array | None = None
    """Of the last picture that was looked at."""
    _brightness: UInt8Array = field(default_factory=lambda: np.zeros((0, 0), np.uint8))
    _last: Future[Detections] | None = None
    _open: list[Finding] = field(default_factory=list)
    _uncovered: list[Uncovered] = field(default_factory=list)
    _near_misses: list[NearMiss] = field(default_factory=list)
    _before: deque[Frame] = field(default_factory=lambda: deque(maxlen=MISSING))
    _judge: Judge = field(init=False)
    _pool: ThreadPoolExecutor = field(init=False)
    _ahead: int = field(init=False)

    def __post_init__(self) -> None:
        self._ahead = 2 * self.threads
        self._pool = ThreadPoolExecutor(self.threads, "anonator-second")
        self._judge = Judge(self.first, self.second, self.checkpoint)

    def __enter__(self) -> EveryFrame:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End the threads, free their memory and close the input; safe to call twice."""
        self._pool.shutdown(cancel_futures=True)
        self.second.rest()
        self.originals.close()

    def see(self, frame: Frame) -> None:
        """Take the next finished frame.

        Raises:
            DecodeError, DetectionError: as readers and detectors do.
        """
        if frame.index != self._frames:
            raise VerificationError("The finished file was not read frame by frame. Run the job again.")
        self._frames += 1
        known = self.memory.recall(frame) if self.memory else None
        self.knows_frame = known is not None
        anew = self.known_every and frame.index % self.known_every == 0
        if known is not None and not anew:
            self._known += 1
            self._waiting.append(_Waiting(frame, _done(known.bare), known.picture))
        else:
            mosaic = brightness_of(frame, BLOCK)
            if self._last is None or not _same(mosaic, self._mosaic):
                self._mosaic, self._last = mosaic, self._pool.submit(self._look, frame)
                self._brightness = brightness_of(frame)
            # the next file is compared with what all were shown first, so that small changes can't add up
            looked_at = self._brightness if known is None else known.picture
            self._waiting.append(_Waiting(frame, self._last, looked_at))
        while len(self._waiting) > min(self._ahead, max(1, AHEAD_BYTES // frame.nbytes)):
            self._take(self._waiting.popleft())

    def finish(self, frames: int) -> Seen:
        """What was seen once all frames were given.

        Args:
            frames: how many there are.

        Raises:
            VerificationError: not all were given.
        """
        self.catch_up()
        if self._frames != frames:
            raise VerificationError(
                f"The second detector looked at {self._frames:,} of {frames:,} frames of the finished file, "
                "so it was deleted. Run the job again."
            )
        for finding in self._open:
            self._end(finding)
        self._open.clear()
        return Seen(
            self._frames,
            tuple(sorted(self._uncovered, key=lambda face: face.index)),
            tuple(sorted(self._best_near_misses(), key=lambda miss: miss.frame)),
            self._known,
        )

    def catch_up(self) -> None:
        """Wait for the looks at all frames that were given."""
        while self._waiting:
            self._take(self._waiting.popleft())

    def weighed(self, finding: Finding) -> Finding:
        """The same with all evidence that it needs; the originals of its frames must still be there."""
        for i, each in enumerate(finding.sightings):
            if each.evidence is None and finding.needs_evidence(each.index, each.score):
                (told,) = self._ask(each.index, each.box[None])
                finding.sightings[i] = replace(each, evidence=told)
                finding.judged += 1
        return finding

    def _look(self, frame: Frame) -> Detections:
        """In a thread of the pool."""
        picture, place = picture_within(frame, largest_side(self.settings))
        found = self.second.find(picture, long_side(picture, self.settings))
        return in_frame(found, picture, place)

    def _take(self, waiting: _Waiting) -> None:
        """Compare what was found in the next frame with its masks, the frames before it, and the input."""
        frame, found = waiting.frame, waiting.found.result()
        found = found.select(found.scores >= np.float32(FAINT - self.margin))
        for finding in self._open:
            finding.covered_after |= is_covered(frame, finding.last.box)
        free = (self.visible or {}).get(frame.index, Detections.empty().boxes)
        meant = (box_ops.iou(found.boxes, free) >= SAME_FACE).any(axis=1)
        covered = np.array([is_covered(frame, box) for box in found.boxes], bool)
        bare = found.select(~(meant | covered))
        if self.memory is not None:
            self.memory.note(waiting.looked_at, bare)
        findings = [
            finding
            or Finding(covered_before=any(is_covered(each, box) for each in self._before), margin=self.margin)
            for finding, box in zip(continued(self._open, bare.boxes), bare.boxes, strict=True)
        ]
        self._add(frame, bare, findings)
        self._open += [each for each in findings if each.sightings and each not in self._open]
        self._before.append(frame)
        self.taken += 1
        if self.heard is not None:
            self.heard([each for each in self._open if each.passed_on or _is_worth_weighing(each)])
        still_open: list[Finding] = []
        for finding in self._open:
            if finding.last.index < frame.index - MISSING:
                self._end(finding)
            else:
                still_open.append(finding)
        self._open = still_open

    def _add(self, frame: Frame, bare: Detections, findings: Sequence[Finding]) -> None:
        """One more sighting for each finding, with evidence where it is needed."""
        scores = bare.scores.tolist()
        asked = [i for i, each in enumerate(findings) if each.needs_evidence(frame.index, scores[i])]
        evidence = dict(zip(asked, self._ask(frame.index, bare.boxes[asked]), strict=True))
        for i, (finding, score) in enumerate(zip(findings, scores, strict=True)):
            told = evidence.get(i)
            if told is not None:
                finding.judged += 1
                if len(told.boxes) and all(is_covered(frame, box) for box in told.boxes):
                    continue  # the face that is there in the input is covered
            box: Float32Array = bare.boxes[i]
            finding.sightings.append(Sighting(frame.index, float(frame.seconds), box, score, told))

    def _ask(self, index: int, places: Float32Array) -> Sequence[Evidence]:
        """What is known already isn't asked again."""
        kept = self.memory.evidence if self.memory else {}
        keys = [(index, place.tobytes()) for place in places]
        told = {key: kept[key] for key in keys if key in kept}
        new = [i for i, key in enumerate(keys) if key not in told]
        if new:
            answers = self._judge.look(self.originals.frame(index), places[new])
            fresh = {keys[i]: each for i, each in zip(new, answers, strict=True)}
            told |= fresh
            if len(kept) < MOST_EVIDENCE:
                kept |= fresh
        return [told[key] for key in keys]

    def _end(self, finding: Finding) -> None:
        """Keep what the finding amounts to, and forget it."""
        verdict = finding.verdict()
        if verdict is Verdict.FACE:
            self._uncovered += [uncovered(each) for each in finding.places()]
        elif verdict is Verdict.NEAR_MISS:
            self._near_misses.append(finding.near_miss())
            if len(self._near_misses) >= 2 * MOST_NEAR_MISSES:
                self._near_misses = self._best_near_misses()

    def _best_near_misses(self) -> list[NearMiss]:
        return sorted(self._near_misses, key=lambda miss: -miss.score)[:MOST_NEAR_MISSES]


def second_detector_passed(seen: Seen, repaired: int) -> Check:
    """The sentence on a file in which no uncovered face was confirmed.

    Args:
        seen: what the second detector saw.
        repaired: faces that it found in earlier versions of the file.
    """
    after = f", after {repaired:,} were covered more widely" if repaired else ""
    count = len(seen.near_misses)
    doubts = f"; {count:,} {'place' if count == 1 else 'places'} may deserve a look" if count else ""
    return Check(
        "second detector",
        f"A second, different detector looked at all {seen.frames:,} finished frames and found no face "
        f"left uncovered{after}{looked_at_before(seen.known)}{doubts}.",
    )


def uncovered(sighting: Sighting) -> Uncovered:
    """The same for those who cover it."""
    x1, y1, x2, y2 = sighting.box.tolist()
    return Uncovered(sighting.index, sighting.seconds, (x1, y1, x2, y2), sighting.score, second=True)


def _is_worth_weighing(finding: Finding) -> bool:
    count = len(finding.sightings)
    return count % max(1, count // OFTEN_WEIGHED) == 0


def _done(found: Detections) -> Future[Detections]:
    """What needn't be waited for."""
    known: Future[Detections] = Future()
    known.set_result(found)
    return known


def _same(mosaic: UInt8Array, other: UInt8Array | None) -> bool:
    return other is not None and bool(np.max(cv2.absdiff(mosaic, other)) <= UNCHANGED)
