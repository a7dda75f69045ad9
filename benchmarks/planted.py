"""Takes masks away on single frames of finished files, and counts how many of these leaks are found.

A reference face (CenterFace, at twice the size) is chosen at random; in the first attempt, no mask that
touches its middle is drawn into that one frame. The job goes on as always: its checks must find the face
in the closed file, and the file that gets its name must cover it. With --blind the job's own detector
finds nothing during the checks, so that only the second detector is left; with --without, there is no
second detector.

    uv run python benchmarks/planted.py                       30 leaks on ../shared/clips, HIPAA Quality
    uv run python benchmarks/planted.py --blind
    uv run python benchmarks/planted.py --without             what the sample of the second look finds
"""

from __future__ import annotations

import argparse
import contextlib
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from clips import copy_frames, decoded
from common import CLIPS, settings_of, table, where_and_when
from leaks import COVERED, VIDEOS, Reference, centre_of, coverage, say

from anonator.core import boxes as box_ops
from anonator.core import examining, process_setup, processor
from anonator.core.checks.every_frame import EveryFrame, Seen
from anonator.core.checks.evidence import SAME_FACE
from anonator.core.checks.second_look import Uncovered
from anonator.core.config import Mode, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.given import GivenDetectors
from anonator.core.frames import Detections, Frame, Masks
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor

APART = 4
"""Leaks of one clip are at least so many frames apart: each is alone in its frame."""


@dataclass(frozen=True)
class Plant:
    """One leak."""

    frame: int
    face: np.ndarray
    """(4,) xyxy in pixels of the frame."""


class Blindable:
    """The job's own detector, which can be made blind."""

    def __init__(self, inner: Detector) -> None:
        self.inner, self.blind = inner, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def detect(self, pictures: Sequence[np.ndarray], *args: Any, **options: Any) -> list[Detections]:
        """What it finds, or nothing."""
        if self.blind:
            return [Detections.empty() for _ in pictures]
        return self.inner.detect(pictures, *args, **options)


def main() -> int:
    """Plant the leaks, clip by clip, and print a table."""
    args = arguments()
    process_setup.prepare()
    settings, reference, rng = settings_of(args.mode), Reference(0.5), random.Random(args.seed)
    header = where_and_when()
    rows: list[list[int]] = []
    with contextlib.closing(DetectorCache()) as detectors, tempfile.TemporaryDirectory() as folder:
        for clip in args.clips:
            source, target = Path(folder) / f"{clip.stem}.mkv", Path(folder) / "masked.mp4"
            copy_frames(clip, source, limit=args.frames, options={"preset": "veryfast", "crf": "8"})
            plants = chosen(source, reference, rng, args.each, args.min_height)
            say(f"{clip.name}: {len(plants)} leaks")
            detector = Blindable(detectors.get(settings))
            with (
                leaking(plants),
                blinded(detector, blind=args.blind),
                missing(gone=args.without),
                listening() as (by_sample, by_second),
            ):
                job = Job(source, target, settings, overwrite=True)
                result = VideoProcessor(job, detectors=GivenDetectors(detector)).run()
            found = [[is_among(plant, each) for plant in plants] for each in (by_sample, by_second)]
            counts = [len(plants), *map(sum, found), sum(map(any, zip(*found, strict=True)))]
            counts += [sum(is_hidden(source, target, plant) for plant in plants), len(result.near_misses)]
            rows.append(counts)
    rows_of_text = [[clip.stem, *map(str, row)] for clip, row in zip(args.clips, rows, strict=True)]
    rows_of_text.append(["all", *(str(sum(column)) for column in zip(*rows, strict=True))])
    how = "the first detector blind during the checks" if args.blind else "both detectors"
    how = "no second detector" if args.without else how
    print(f"{header}; {args.mode}, {how}, seed {args.seed}, {args.frames} frames of each clip\n")
    head = ["clip", "leaks of one frame", "found by the sample", "by the second detector", "by either"]
    print(table([*head, "covered in the end", "near-misses"], rows_of_text))
    return 0


def arguments() -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path, help="videos; default: all of ../shared/clips")
    parser.add_argument("--mode", default="hipaa-quality")
    parser.add_argument("--each", type=int, default=6, help="leaks in each clip")
    parser.add_argument("--frames", type=int, default=40, help="of each clip")
    parser.add_argument("--min-height", type=float, default=20, help="smallest face, pixels")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--blind", action="store_true", help="the job's own detector finds nothing in checks")
    parser.add_argument("--without", action="store_true", help="leave out the second detector")
    args = parser.parse_args()
    args.clips = args.clips or sorted(p for p in CLIPS.glob("*") if p.suffix in VIDEOS)
    if not args.clips:
        parser.error("there is no ../shared/clips; name some videos")
    return args


def chosen(
    source: Path, reference: Reference, rng: random.Random, count: int, min_height: float
) -> list[Plant]:
    """Faces at random, far enough from one another in time."""
    faces = [
        Plant(index, box)
        for index, frame in enumerate(decoded(source))
        for box in reference.find(frame.to_ndarray(format="rgb24"), min_height)
    ]
    rng.shuffle(faces)
    plants: list[Plant] = []
    for face in faces:
        if len(plants) < count and all(abs(face.frame - other.frame) >= APART for other in plants):
            plants.append(face)
    return plants


@contextlib.contextmanager
def leaking(plants: Sequence[Plant]) -> Iterator[None]:
    """Jobs leave these faces bare in their first attempt."""
    original, attempts = processor.anonymize, [0]

    def forgetful(frame: Frame, masks: Masks, settings: Settings) -> None:
        attempts[0] += frame.index == 0
        for plant in plants:
            if plant.frame == frame.index and attempts[0] == 1:
                middle = box_ops.expand(plant.face[None].astype(np.float32), 0.7)
                drawn = box_ops.expand(masks.boxes, settings.mask_scale)
                kept = box_ops.iou(drawn, middle)[:, 0] == 0
                masks = Masks(masks.boxes[kept], masks.track_ids[kept])
        original(frame, masks, settings)

    with mock.patch.object(processor, "anonymize", forgetful):
        yield


@contextlib.contextmanager
def blinded(detector: Blindable, *, blind: bool) -> Iterator[None]:
    """The detector finds nothing while finished files are examined."""
    original = processor.examine

    def examine(*args: Any) -> Any:
        detector.blind = blind
        try:
            return original(*args)
        finally:
            detector.blind = False

    with mock.patch.object(processor, "examine", examine):
        yield


@contextlib.contextmanager
def missing(*, gone: bool) -> Iterator[None]:
    """There is no second detector."""
    wanted = property(lambda settings: not gone and settings.mode is Mode.SOLID)
    with mock.patch.object(Settings, "looks_at_every_frame", wanted):
        yield


@contextlib.contextmanager
def listening() -> Iterator[tuple[list[Uncovered], list[Uncovered]]]:
    """What the sample of the second look and the second detector find in the first attempt."""
    by_sample: list[Uncovered] = []
    by_second: list[Uncovered] = []
    look, finish = examining.uncovered_faces, EveryFrame.finish

    def looked(*args: Any, **options: Any) -> list[Uncovered]:
        found = list(look(*args, **options))
        by_sample.extend(() if by_sample else found)
        return found

    def finished(self: EveryFrame, frames: int) -> Seen:
        seen = finish(self, frames)
        by_second.extend(() if by_second else seen.uncovered)
        return seen

    with (
        mock.patch.object(examining, "uncovered_faces", looked),
        mock.patch.object(EveryFrame, "finish", finished),
    ):
        yield by_sample, by_second


def is_among(plant: Plant, found: Sequence[Uncovered]) -> bool:
    """Whether the leak was found in its very frame."""
    boxes = [face.box for face in found if face.index == plant.frame]
    overlap = box_ops.iou(plant.face[None].astype(np.float32), np.array(boxes, np.float32).reshape(-1, 4))
    return bool((overlap >= SAME_FACE).any())


def is_hidden(source: Path, target: Path, plant: Plant) -> bool:
    """Whether the finished file covers the face."""
    for index, (before, after) in enumerate(zip(decoded(source), decoded(target), strict=True)):
        if index == plant.frame:
            x, y = (each.to_ndarray(format="rgb24") for each in (before, after))
            part = centre_of(plant.face, x.shape)
            return part is not None and bool(coverage(x, y, Mode.SOLID)[0][part].mean() >= COVERED)
    return False


if __name__ == "__main__":
    raise SystemExit(main())
