"""Counts the labelled faces of single pictures that are covered in finished files, and how much is masked.

Each picture becomes a clip of a few equal frames, from which the real program makes a file. A face is
covered where 90 % of the central 70 % of its box is black, in every frame of the file.

    uv run python benchmarks/labelled.py                           ../shared/wider, HIPAA Quality
    uv run python benchmarks/labelled.py --turn 45 --second look

The pictures are in a folder with labels.json: for each picture's name, "boxes_xyxy" in pixels, and "scored",
the indices of the boxes that count.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import numpy as np
from clips import Turner, decoded
from common import CLIPS, settings_of, table, where_and_when
from leaks import COVERED, TURNS, centre_of, coverage, say, upright
from PIL import Image

from anonator.core import process_setup
from anonator.core.config import Mode, SecondDetector
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor


@dataclasses.dataclass(slots=True)
class Count:
    """What was counted over all pictures."""

    heights: list[float] = dataclasses.field(default_factory=list)
    """Of every labelled face, in pixels."""
    covered: list[bool] = dataclasses.field(default_factory=list)
    areas: list[float] = dataclasses.field(default_factory=list)
    """Masked share of each picture, 0..1."""
    cpu_seconds: float = 0.0

    def recall(self, smallest: float) -> str:
        """Covered faces of those that are at least so high, as people write it."""
        counted = [c for c, height in zip(self.covered, self.heights, strict=True) if height >= smallest]
        return f"{sum(counted)}/{len(counted)} = {sum(counted) / max(len(counted), 1):.3f}"


def main() -> int:
    """Make the files and print a table."""
    args = arguments()
    process_setup.prepare()
    header, rows = where_and_when(), []
    labels = json.loads((args.pictures / "labels.json").read_text(encoding="utf-8"))
    with contextlib.closing(DetectorCache()) as detectors, tempfile.TemporaryDirectory() as folder:
        for second in args.second:
            settings = dataclasses.replace(settings_of(args.mode), second_detector=second)
            count = Count()
            for name, marked in labels.items():
                say(f"{second}: {name}")
                source, target = Path(folder) / "picture.mkv", Path(folder) / "masked.mp4"
                size = make_clip(args.pictures / name, source, args.frames, args.turn)
                began = time.process_time()
                VideoProcessor(Job(source, target, settings, overwrite=True), detectors=detectors).run()
                count.cpu_seconds += time.process_time() - began
                boxes = np.array(marked["boxes_xyxy"], np.float64)[marked["scored"]]
                measure(count, source, target, boxes, args.turn, size)
            area = 100 * sum(count.areas) / len(count.areas)
            recalls = [count.recall(smallest) for smallest in args.heights]
            rows.append([second, *recalls, f"{area:.2f}", f"{count.cpu_seconds:.1f}"])
    head = ["second detector", *(f"{h:g} pixels and more" for h in args.heights), "masked area %", "CPU s"]
    turned = f", turned by {args.turn} degrees" if args.turn else ""
    print(f"{header}; {args.mode}, {len(labels)} pictures of {args.frames} frames{turned}\n")
    print(table(head, rows))
    return 0


def arguments() -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", nargs="?", type=Path, default=CLIPS.parent / "wider")
    parser.add_argument("--mode", default="hipaa-quality")
    parser.add_argument(
        "--second", nargs="+", choices=[each.value for each in SecondDetector], default=["check", "look"]
    )
    parser.add_argument("--frames", type=int, default=12)
    parser.add_argument("--turn", type=int, choices=TURNS, default=0, metavar="DEGREES", help="clockwise")
    parser.add_argument("--heights", nargs="+", type=float, default=[20, 12], help="smallest faces, pixels")
    args = parser.parse_args()
    if not (args.pictures / "labels.json").is_file():
        parser.error(f"there is no labels.json in {args.pictures}")
    return args


def make_clip(picture: Path, target: Path, frames: int, turn: int) -> tuple[int, int]:
    """Write a picture as a clip of equal frames, hardly compressed.

    Returns:
        Width and height of the picture before it was turned; they become even.
    """
    with Image.open(picture) as opened:
        rgb = np.asarray(opened.convert("RGB"))
    rgb = rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
    frame = Turner(turn)(frame)
    with av.open(target, "w") as container:
        stream: Any = container.add_stream("libx264", rate=25, options={"preset": "veryfast", "crf": "8"})
        stream.width, stream.height, stream.pix_fmt = frame.width, frame.height, "yuv420p"
        for index in range(frames):
            frame.pts, frame.pict_type = index, 0
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return rgb.shape[1], rgb.shape[0]


def measure(
    count: Count, source: Path, target: Path, boxes: np.ndarray, turn: int, size: tuple[int, int]
) -> None:
    """Compare a finished file with its input, frame by frame, where the picture was before it was turned."""
    everywhere = np.ones(len(boxes), bool)
    areas: list[float] = []
    for before, after in zip(decoded(source), decoded(target), strict=True):
        x, y = (middle_of(upright(each, turn), size) for each in (before, after))
        black, counted = coverage(x, y, Mode.SOLID)
        areas.append(float(counted.mean()))
        for i, box in enumerate(boxes):
            part = centre_of(box, x.shape)
            everywhere[i] &= part is not None and black[part].mean() >= COVERED
    count.heights += [float(box[3] - box[1]) for box in boxes]
    count.covered += everywhere.tolist()
    count.areas.append(sum(areas) / len(areas))


def middle_of(rgb: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """That part of (H, W, 3): a slanted picture lies in the middle of a larger one."""
    left, top = (rgb.shape[1] - size[0]) // 2, (rgb.shape[0] - size[1]) // 2
    return rgb[top : top + size[1], left : left + size[0]]


if __name__ == "__main__":
    raise SystemExit(main())
