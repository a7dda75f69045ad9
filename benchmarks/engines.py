"""Measures PyTorch and OpenVINO on the CPU: one pass over one picture, loading, whole jobs, all in turn.

    uv run python benchmarks/engines.py [CLIP ...] [--runs 15] [--rounds 3]

It needs anonator[openvino]. Processor time is of all threads and of the FFmpeg that a job starts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch

import anonator
from anonator.core import process_setup
from anonator.core.config import Device, Model, Precision, Settings
from anonator.core.detection.inference import Inference
from anonator.core.detection.known_answer import known_picture
from anonator.core.detection.loading import load_detector
from anonator.core.detection.networks import FaceNetwork, build_network, load_weights
from anonator.core.detection.openvino_engine import OpenVinoNetwork
from anonator.core.detection.weights import find

SIZES = ((1920, 1088), (1280, 736), (960, 544))
THREADS = (1, 2)
ENGINES = {
    "PyTorch, float32": (Device.CPU, Precision.FLOAT32),
    "PyTorch, bfloat16": (Device.CPU, Precision.BFLOAT16),
    "OpenVINO, float32": (Device.OPENVINO_CPU, Precision.FLOAT32),
}


def spent(call: Callable[[], object]) -> tuple[float, float]:
    """Seconds of processor time and by the clock that a call takes."""
    times, begin = os.times(), time.perf_counter()
    call()
    after = os.times()
    return sum(after[:4]) - sum(times[:4]), time.perf_counter() - begin


def pass_of(engine: str, size: tuple[int, int], threads: int) -> tuple[Inference, Callable[[], object]]:
    """What runs one pass over one picture, ready to be timed."""
    device, precision = ENGINES[engine]
    network: FaceNetwork = build_network(Model.MOBILENET)
    load_weights(network, find(Model.MOBILENET).path)
    if device is Device.OPENVINO_CPU:
        network = OpenVinoNetwork(network, device, exact=True, threads=threads)
    dtype = torch.bfloat16 if precision is Precision.BFLOAT16 else torch.float32
    inference = Inference(network, device=torch.device("cpu"), dtype=dtype, score_floor=0.1, threads=threads)
    inference.expect(size)
    picture = known_picture(*size)
    return inference, lambda: inference._alone.map(inference._look_once, [picture], [0])


def four_times(run: Callable[[], object]) -> None:
    """Enough for a clock that counts in hundredths of a second."""
    for _ in range(4):
        run()


def measure_passes(runs: int) -> None:
    """Print a table of medians."""
    print("| size | threads | engine | processor time (ms) | clock (ms) | OpenVINO's first pass (s) |")
    print("|---|---:|---|---:|---:|---:|")
    for size in SIZES:
        for threads in THREADS:
            made = {name: pass_of(name, size, threads) for name in ENGINES}
            first = {name: spent(run)[0] for name, (_, run) in made.items()}
            taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ENGINES}
            for _ in range(runs):
                for name, (_, run) in made.items():
                    cpu, clock = spent(partial(four_times, run))
                    taken[name].append((cpu / 4, clock / 4))
            for name, times in taken.items():
                cpu, clock = (1000 * statistics.median(each) for each in zip(*times, strict=True))
                begun = f"{first[name]:.2f}" if "OpenVINO" in name else ""
                print(f"| {size[0]}x{size[1]} | {threads} | {name} | {cpu:.1f} | {clock:.1f} | {begun} |")
            for inference, _ in made.values():
                inference.close()


def load_and_close(settings: Settings) -> None:
    """What a job does before its first frame."""
    load_detector(settings).close()


def do_job(clip: Path, settings: Settings) -> None:
    """A whole job, whose result is thrown away; OpenVINO must not have been left."""
    with tempfile.TemporaryDirectory() as folder:
        result = anonator.anonymize(clip, Path(folder, "out.mp4"), settings=settings)
    assert not any("OpenVINO" in note for note in result.notes)


def measure_jobs(clips: list[Path], rounds: int) -> None:
    """Print medians and all rounds of loading, and of whole jobs in HIPAA Quality with loading."""
    print("\n| clip | engine | job: processor time (s) | clock (s) | rounds (processor time) | loading (s) |")
    print("|---|---|---:|---:|---|---:|")
    for clip in clips:
        taken: dict[str, list[tuple[float, float]]] = {name: [] for name in ENGINES}
        loads: dict[str, list[float]] = {name: [] for name in ENGINES}
        for _ in range(rounds):
            for name, (device, precision) in ENGINES.items():
                settings = Settings(device=device, precision=precision)
                loads[name].append(spent(partial(load_and_close, settings))[0])
                taken[name].append(spent(partial(do_job, clip, settings)))
        for name, times in taken.items():
            cpu, clock = (statistics.median(each) for each in zip(*times, strict=True))
            each = ", ".join(f"{c:.1f}" for c, _ in times)
            load = statistics.median(loads[name])
            print(f"| {clip.stem} | {name} | {cpu:.1f} | {clock:.1f} | {each} | {load:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("clips", nargs="*", type=Path, metavar="CLIP", help="whole jobs on these")
    parser.add_argument("--runs", type=int, default=15, help="runs of four passes (default 15)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of jobs (default 3)")
    arguments = parser.parse_args()
    process_setup.prepare()
    measure_passes(arguments.runs)
    measure_jobs(arguments.clips, arguments.rounds)


if __name__ == "__main__":
    main()
