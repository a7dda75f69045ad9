"""Measures how fast every mode is, against a plain transcode of the same file and against deface.

Every run is a process of its own, so that its peak memory is its own. A round runs everything once;
ratios are made within a round and the tables show the medians over the rounds.

    uv run python benchmarks/throughput.py --make-1080p ../shared/clips/night_crowd.mp4 /tmp/night_1080p.mp4
    uv run python benchmarks/throughput.py /tmp/night_1080p.mp4 --rounds 3 --picture throughput.png

deface 1.5.0 needs an environment of its own, because it brings another OpenCV package:

    uv venv /tmp/deface-venv
    uv pip install --python /tmp/deface-venv deface==1.5.0 onnx onnxruntime opencv-python-headless
    uv run python benchmarks/throughput.py CLIP --deface /tmp/deface-venv/bin/python
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clips import copy_frames, frame_count, make_1080p
from common import MODES, STAGES, cores, settings_of, table, where_and_when

ONE_RUN = Path(__file__).with_name("one_run.py")
DEFACE = "deface 1.5.0"
DEFACE_SCRIPT = """
import json, sys, time
import deface.deface as program
whole = program.video_detect
def timed(**arguments):
    begin = time.perf_counter()
    whole(**arguments)
    print(json.dumps({"seconds": time.perf_counter() - begin}))
program.video_detect = timed
sys.argv = ["deface", sys.argv[1], "--output", sys.argv[2], "--backend", "onnxrt",
            "--execution-provider", "CPUExecutionProvider"]
program.main()
"""


@dataclass(slots=True)
class Runs:
    """What one contender did in every round."""

    name: str
    fps: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    startup: list[float] = field(default_factory=list)
    """Seconds of the whole process that are not the job: imports and loading."""
    stages: list[dict[str, float]] = field(default_factory=list)
    """Milliseconds per frame by stage."""
    cpu: list[float] = field(default_factory=list)
    """Processor time in milliseconds per frame, all threads."""


def main() -> int:
    """Do what the command line asks for."""
    args = arguments()
    if args.make_1080p:
        frames = make_1080p(args.clip, Path(args.second), args.seconds)
        print(f"{frames} frames of 1920x1080")
    else:
        results, header = compare(args)
        print(json.dumps(results, default=plain) if args.json else report(results, header))
        if args.picture:
            from chart import draw

            draw(args.picture, results, header)
    return 0


def arguments() -> argparse.Namespace:
    """The parsed command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("second", nargs="?", help="the file that --make-1080p writes")
    parser.add_argument(
        "--make-1080p", action="store_true", help="scale the clip up and repeat it; nothing else"
    )
    parser.add_argument("--seconds", type=float, default=20, help="length that --make-1080p reaches")
    parser.add_argument("--modes", default=",".join(MODES), help=f"from: {', '.join(MODES)}")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--deface", type=Path, help="the Python of an environment with deface 1.5.0")
    parser.add_argument("--deface-frames", type=int, default=100, help="it gets the clip's beginning only")
    parser.add_argument("--picture", type=Path, help="PNG file for the charts")
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args()
    if args.make_1080p and not args.second:
        parser.error("--make-1080p needs a clip and the file to write")
    return args


# --- all runs -------------------------------------------------------------------------------------


def compare(args: argparse.Namespace) -> tuple[dict[str, Runs], str]:
    """Every contender once per round, interleaved; what they did, and when and where."""
    modes = args.modes.split(",")
    presets = dict.fromkeys(settings_of(mode).preset.encoder_preset for mode in modes)
    frames = frame_count(args.clip)
    header = f"{where_and_when()}; {frames} frames, {args.rounds} rounds"
    results: dict[str, Runs] = {}
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out.mp4"
        excerpt = Path(folder) / "excerpt.mp4"
        if args.deface:
            copy_frames(
                args.clip,
                excerpt,
                limit=args.deface_frames,
                options={"preset": "veryfast", "crf": "18"},
            )
        for number in range(args.rounds):
            for name in [*(f"transcode {p}" for p in presets), *modes]:
                say(f"round {number + 1}: {name}")
                keep(results.setdefault(name, Runs(name)), *timed_child(name, args.clip, target))
            if args.deface:
                say(f"round {number + 1}: {DEFACE}")
                runs = results.setdefault(DEFACE, Runs(DEFACE))
                keep(runs, *timed_deface(args.deface, excerpt, target, min(frames, args.deface_frames)))
    return results, header


def timed_child(name: str, clip: Path, target: Path) -> tuple[dict[str, Any], float]:
    """What a run in its own process says of itself, and how long the process took."""
    begin = time.perf_counter()
    done = subprocess.run(
        [sys.executable, str(ONE_RUN), name, str(clip), str(target)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    return json.loads(done.stdout.splitlines()[-1]), time.perf_counter() - begin


def timed_deface(python: Path, clip: Path, target: Path, frames: int) -> tuple[dict[str, Any], float]:
    """deface with its defaults on the CPU; only its loop over the frames is timed."""
    begin = time.perf_counter()
    done = subprocess.run(
        [str(python), "-c", DEFACE_SCRIPT, str(clip), str(target)],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # its progress bar
        text=True,
        encoding="utf-8",
    )
    seconds = json.loads(done.stdout.splitlines()[-1])["seconds"]
    return {"frames": frames, "seconds": seconds, "stages": {}}, time.perf_counter() - begin


def keep(runs: Runs, said: dict[str, Any], whole: float) -> None:
    """Add one run to a contender's others."""
    runs.fps.append(said["frames"] / said["seconds"])
    runs.startup.append(whole - said["seconds"])
    runs.stages.append(said["stages"])
    runs.memory_mb.append(said.get("memory_mb", float("nan")))
    runs.cpu.append(said.get("cpu", float("nan")))


# --- what came out --------------------------------------------------------------------------------


def ratio(results: dict[str, Runs], mode: str, other: str) -> float | None:
    """Median over the rounds of one contender's speed by another's in the same round."""
    if mode not in results or other not in results:
        return None
    return statistics.median(a / b for a, b in zip(results[mode].fps, results[other].fps, strict=True))


def transcode_of(mode: str) -> str:
    """The plain transcode with the encoder settings of a mode."""
    return f"transcode {settings_of(mode).preset.encoder_preset}"


def report(results: dict[str, Runs], header: str) -> str:
    """Two markdown tables: speed and memory, and the time of every stage."""
    speed, time_rows = [], []
    for name, runs in results.items():
        mode = name in MODES
        to_transcode = ratio(results, name, transcode_of(name)) if mode else None
        to_deface = ratio(results, name, DEFACE) if mode else None
        speed.append(
            [
                name,
                f"{statistics.median(runs.fps):.1f}",
                "-" if to_transcode is None else f"{to_transcode:.2f}",
                "-" if to_deface is None else f"{to_deface:.1f}x",
                number(statistics.median(runs.memory_mb)),
                number(statistics.median(runs.cpu), 1),
                f"{statistics.median(runs.startup):.1f}",
            ]
        )
        if mode:
            stages = medians(runs.stages)
            time_rows.append([name, *(f"{stages[s]:.2f}" for s in STAGES)])
    head = ["", "fps", "to transcode", "to deface", "peak MB", "CPU ms/frame", "start-up s"]
    return (
        f"{header}\n\n{table(head, speed)}\n\n"
        "Milliseconds per frame that each stage takes in its thread (stages run at the same time):\n\n"
        f"{table(['', *STAGES], time_rows)}"
    )


def medians(rounds: list[dict[str, float]]) -> dict[str, float]:
    """Median of every stage over the rounds; 0 for a stage that did nothing."""
    collected: dict[str, float] = defaultdict(float)
    for stage in STAGES:
        collected[stage] = statistics.median(r.get(stage, 0.0) for r in rounds)
    return collected


def number(value: float, digits: int = 0) -> str:
    """A number, or a dash where nothing was measured."""
    return "-" if value != value else f"{value:.{digits}f}"


def plain(value: Any) -> Any:
    """A contender's runs for JSON."""
    return {name: getattr(value, name) for name in Runs.__slots__}


def say(text: str) -> None:
    """Progress on the terminal, apart from the results."""
    print(f"{text} ({cores()} cores)", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
