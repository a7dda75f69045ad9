"""The detector's second look: is there a face left in the finished file?

What's left between black boxes can look like a face that isn't there: on a crowd the detector sees shirts and
wheels as faces in a finished frame. So a finding counts where the same frame of the input shows a face at the
same place, by the scores from which a track starts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.checks.covered import CENTRE, COVERED, black_luma, pixels_within
from anonator.core.checks.file_checks import Check
from anonator.core.checks.look_progress import LookProgress
from anonator.core.checks.remembered import looked_at_before
from anonator.core.config import Settings
from anonator.core.detection.detector_protocol import Detector
from anonator.core.frames import Detections, Float32Array, Frame
from anonator.core.pictures.shape import Canvas
from anonator.core.reading.reader import VideoReader
from anonator.core.tracking.mask_record import MaskRecord, Patches
from anonator.core.tracking.schedule import find_faces

SAMPLE_EVERY = 10
"""Every n-th finished frame is looked at, and those at the ends of tracks and scenes."""
THIN_SAMPLE_EVERY = 15
"""Where the job looked at every frame and a second detector sees every one as it is covered: there the first
one finds little that it didn't find before, unless the masks aren't where they belong. An odd number, so that
frames are among them that were looked at in half size only."""
TURNED_EVERY = 6
"""Every n-th of the frames that the job looked at turned is looked at turned again."""
TURNED_EFFORT = 4
"""A look that is also turned takes this many upright ones."""
SAME_FACE = 0.3
"""IoU at which a face in the finished frame and one in the input's frame count as the same."""
AROUND = 4.0
"""How much of the finished picture around a finding is kept, in its sizes, for comparing with the input."""
PATCH_SCALE = 1.5
"""How much wider the mask gets on a face that the second look has found."""
PATCH_SECONDS = 1.0
"""How long before and after that moment."""
NEAR_EVERY = 5
"""Every n-th frame of that time is looked at once it is covered."""
NOT_NEEDED = (
    "No mask is smaller than in the first run, whose result passed this check, so the detector did not look "
    "again."
)


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A face that can be seen in the finished file, or that could be if it hadn't been covered in time."""

    index: int
    """Frame."""
    seconds: float
    """Presentation time."""
    box: tuple[float, float, float, float]
    """xyxy in pixels."""
    score: float
    """Of the detector, in the finished frame, 0..1."""
    second: bool = False
    """The second detector found it, and it was confirmed."""


def frames_to_look_at(record: MaskRecord, *, another_sees_all: bool = False) -> dict[int, bool]:
    """Indexes of the frames of the sample, and whether each is also looked at turned.

    Turned looks are repeated only where the job made them: elsewhere in a crowd, some shirt looks like a
    face lying down for a frame, which no track begins with.

    Args:
        record: of the whole video.
        another_sees_all: whether a second detector looks at every finished frame.
    """
    last = len(record) - 1
    thin = another_sees_all and record.looked_at >= len(record)
    chosen = {*range(0, last + 1, THIN_SAMPLE_EVERY if thin else SAMPLE_EVERY), last}
    for cut in record.cuts:
        chosen |= {cut - 1, cut}
    for edge in () if thin else record.edges():
        # in a crowd tracks end in every frame: one look nearby serves them all
        if not chosen & {edge - 1, edge, edge + 1}:
            chosen.add(edge)
    turned = set(record.turned[::TURNED_EVERY])
    return {index: index in turned for index in sorted(chosen | turned) if 0 <= index <= last}


def effort(looks: Mapping[int, bool]) -> int:
    """What it takes to look at frames, in looks at an upright picture.

    Args:
        looks: frames, and whether to look at them turned too.
    """
    return len(looks) + (TURNED_EFFORT - 1) * sum(looks.values())


def uncovered_faces(
    finished: Path,
    source: Path,
    wanted: Mapping[int, bool],
    detector: Detector,
    settings: Settings,
    tick: Callable[[float], None],
    canvas: Canvas | None = None,
    checkpoint: Callable[[], None] | None = None,
    visible: Mapping[int, Float32Array] | None = None,
    passing: Callable[[Frame], bool] | None = None,
) -> Iterator[Uncovered]:
    """Look for faces in frames of a finished file, and for the same faces in the input.

    All from the lowest score that starts a track come, each as soon as it is found: if the file is made again
    for a face over the threshold, those just under it are covered, too, or they might be over it the next
    time.

    Args:
        finished: the output, complete, under its temporary name.
        source: the input.
        wanted: frames, and whether to look at them turned too.
        detector: as for the job.
        settings: of the job.
        tick: called for every frame that was read, with how much is done, 0..1; may raise to end it.
        checkpoint: passed to the detector, for which one batch may take seconds.
        canvas: the size of the output's pictures, where the input has several; None is that of its first.
        visible: by frame, (N, 4) places that a person decided to leave visible.
        passing: called with every finished frame that is read, whether or not it is wanted; says whether
            it needs a look, if it is.

    Raises:
        DecodeError, DetectionError: as readers and detectors do.
    """
    suspects: dict[int, list[_Suspect]] = {}
    way = LookProgress(effort(wanted))

    def passes(frame: Frame) -> bool:
        needs_a_look = passing is None or passing(frame)
        if not needs_a_look and frame.index in wanted:
            way.looked += effort({frame.index: wanted[frame.index]})
        return needs_a_look

    for frames, turned in _batches(
        _only(finished, wanted, lambda: tick(way.share), passing=passes), wanted, detector.batch_size
    ):
        with way.detecting():
            seen_in = find_faces(frames, detector, _turns(turned), checkpoint)
        for frame, faces in zip(frames, seen_in, strict=True):
            found = [
                _Suspect.cut_out(frame, box, float(score))
                for box, score in zip(faces.boxes, faces.scores, strict=True)
                if score >= settings.lowest_threshold
            ]
            free = (visible or {}).get(frame.index, Detections.empty().boxes)
            found = [each for each in found if not (box_ops.iou(each.box[None], free) >= SAME_FACE).any()]
            if bare := [suspect for suspect in found if not suspect.is_black(suspect.box)]:
                suspects[frame.index] = bare
                way.doubtful += effort({frame.index: turned})
        way.looked += effort(dict.fromkeys((frame.index for frame in frames), turned))
    for frame in _only(source, suspects, lambda: tick(way.share), canvas) if suspects else ():
        seen = find_faces([frame], detector, _turns(wanted[frame.index]), checkpoint)[0]
        starts = np.where(seen.turns == 0, settings.lowest_threshold, settings.threshold)
        seen = seen.select(seen.scores >= starts.astype(np.float32))
        for suspect in suspects[frame.index]:
            same = seen.boxes[box_ops.iou(suspect.box[None], seen.boxes)[0] >= SAME_FACE]
            if not all(suspect.is_black(box) for box in same):
                x1, y1, x2, y2 = suspect.box.tolist()
                yield Uncovered(frame.index, float(frame.seconds), (x1, y1, x2, y2), suspect.score)
        way.compared += effort({frame.index: wanted[frame.index]})


@dataclass(frozen=True, slots=True, eq=False)
class _Suspect:
    """What looks like a face in a finished frame, with the picture around it."""

    box: Float32Array
    """(4,) xyxy in pixels of the frame."""
    score: float
    black: np.ndarray
    """(h, w) bool: where the surroundings are black."""
    corner: tuple[int, int]
    """(x, y) of the surroundings in the frame."""

    @classmethod
    def cut_out(cls, frame: Frame, box: Float32Array, score: float) -> _Suspect:
        x1, y1, x2, y2 = pixels_within(box_ops.expand(box[None], AROUND)[0], frame.width, frame.height)
        shade = frame.planes()[0][y1:y2, x1:x2]
        return cls(box, score, shade <= black_luma(frame), (x1, y1))

    def is_black(self, box: Float32Array) -> bool:
        """Whether the middle of a box shows a mask and no more."""
        height, width = self.black.shape
        middle = box_ops.expand(box[None], CENTRE)[0] - np.array(self.corner * 2, np.float32)
        x1, y1, x2, y2 = pixels_within(middle, width, height)
        area = self.black[y1:y2, x1:x2]
        return area.size == 0 or float(area.mean()) >= COVERED


def _turns(turned: bool) -> tuple[int, ...]:
    return (0, 1, 2, 3) if turned else (0,)


def second_look_passed(looked_at: int, repaired: int, known: int = 0) -> Check:
    """What a report says of a file in which no face was found, or that wasn't looked at again.

    Args:
        looked_at: finished frames.
        repaired: places where faces were found before.
        known: how many of these frames were looked at in an earlier version, and show the same.
    """
    if not looked_at:
        return Check("second look", NOT_NEEDED, was_needed=False)
    after = f", after {repaired:,} were covered more widely" if repaired else ""
    again = f"{after}{looked_at_before(known)}"
    return Check(
        "second look", f"The detector looked again at {looked_at:,} finished frames and found no face{again}."
    )


def patches_for(faces: Iterable[Uncovered]) -> Patches:
    """What else must be covered to make these faces disappear."""
    found = list(faces)
    boxes = box_ops.expand(np.array([f.box for f in found], np.float32).reshape(-1, 4), PATCH_SCALE)
    return Patches(
        tuple(f.seconds for f in found),
        tuple((float(x1), float(y1), float(x2), float(y2)) for x1, y1, x2, y2 in boxes),
        PATCH_SECONDS,
    )


def is_covered_with(face: Uncovered, repairs: Iterable[Uncovered]) -> bool:
    """Whether covering other faces more widely covers the middle of this one, too."""
    boxes = patches_for(repairs).boxes(face.seconds)
    x, y = box_ops.centres(np.array([face.box], np.float32))[0]
    within = (boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])
    return bool(within.any())


def frames_near(faces: Iterable[Uncovered], rate: float, frames: int) -> Iterator[int]:
    """Indexes of frames before and after those faces, to see whether they are covered now.

    Args:
        faces: that were covered more widely.
        rate: frames per second.
        frames: of the whole video.
    """
    around = max(1, round(rate * PATCH_SECONDS))
    for face in faces:
        reached = range(face.index - around, face.index + around + 1, NEAR_EVERY)
        yield from (index for index in {face.index, *reached} if 0 <= index < frames)


def _only(
    path: Path,
    wanted: Collection[int],
    tick: Callable[[], None],
    canvas: Canvas | None = None,
    passing: Callable[[Frame], bool] | None = None,
) -> Iterator[Frame]:
    """The wanted frames of a video that pass, in order; reading ends with the last of them."""
    last = max(wanted)
    with VideoReader(path, canvas=canvas) as reader:
        for frame in islice(reader, last + 1):
            tick()
            if (passing is None or passing(frame)) and frame.index in wanted:
                yield frame


def _batches(
    frames: Iterable[Frame], wanted: Mapping[int, bool], size: int
) -> Iterator[tuple[list[Frame], bool]]:
    """Frames as the detector takes them, and whether to look at them turned too."""
    groups: dict[bool, list[Frame]] = {False: [], True: []}
    for frame in frames:
        turned = wanted[frame.index]
        groups[turned].append(frame)
        if len(groups[turned]) >= size:
            yield groups[turned], turned
            groups[turned] = []
    for turned, rest in groups.items():
        if rest:
            yield rest, turned
