"""Measures what a second core brings, and estimates what more would: whole jobs on some of the cores.

    uv run python benchmarks/scaling.py ../shared/clips/night_crowd.mp4 --cores 1,2 --guess 4,8,16

Every job runs in a process of its own that may use so many cores and no others. The estimate is a bound, not
a measurement: in each part of a job (first pass, checks, repair), no less time passes than its busiest
single thread works, nor than all work takes when it is spread evenly over the cores. It knows nothing of
memory that all cores share, of hyperthreads, or of processors that slow down when all their cores work. The
lines of the measured numbers of cores say how far off it is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from common import MODES, settings_of, table, where_and_when

POOLS = ("anonator-detector", "anonator-second", "codecs")
"""Work that any number of threads share: both detectors, x264 and FFmpeg's decoders."""


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clip", type=Path)
    parser.add_argument("--mode", choices=MODES, default="hipaa-quality")
    parser.add_argument("--cores", default="1,2", help="measured")
    parser.add_argument("--guess", default="4,8,16", help="estimated from the most that were measured")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one:
        print(json.dumps(one_job(args.clip, args.mode)))
        return 0
    header, rows, told = where_and_when(), [], dict[str, Any]()
    for count in map(int, args.cores.split(",")):
        told = on_cores(count, args.clip, args.mode)
        rows.append([str(count), f"{told['seconds']:.1f}", f"{estimate(told['work'], count):.1f}"])
    rows += [[count, "-", f"{estimate(told['work'], int(count)):.1f}"] for count in args.guess.split(",")]
    print(f"{header}; {args.mode}, {told['frames']} frames\n")
    print(table(["cores", "seconds", "at least, by the work of its threads"], rows))
    return 0


def on_cores(count: int, clip: Path, mode: str) -> dict[str, Any]:
    """What one job on so many cores tells."""
    allowed = os.sched_getaffinity(0)
    if count > len(allowed):
        raise SystemExit(f"There are only {len(allowed)} cores; estimate the others with --guess.")
    os.sched_setaffinity(0, sorted(allowed)[:count])  # inherited
    try:
        command = [sys.executable, __file__, "--one", "--mode", mode, str(clip)]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8")
    finally:
        os.sched_setaffinity(0, allowed)
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def one_job(clip: Path, mode: str) -> dict[str, Any]:
    """Frames and seconds of a job in this process, and the processor seconds of its threads by part."""
    from anonator.core import process_setup
    from anonator.core.detection.cache import DetectorCache
    from anonator.core.job import Job, Progress, Stage
    from anonator.core.job_thread import VideoProcessor

    process_setup.prepare()
    settings, detectors = settings_of(mode), DetectorCache()
    detectors.get(settings)
    clock, parts = ThreadClock(), list[dict[str, float]]()
    stage = Stage.WORKING

    def part_ends(progress: Progress) -> None:
        nonlocal stage
        if progress.stage is not stage:
            stage = progress.stage
            parts.append(clock.lap())

    with tempfile.TemporaryDirectory() as folder:
        job = Job(clip, Path(folder) / "result.mp4", settings)
        with clock:
            result = VideoProcessor(job, detectors=detectors, on_progress=part_ends).run()
        parts.append(clock.lap())
    return {"frames": result.frames, "seconds": result.seconds, "work": parts}


class ThreadClock:
    """Processor seconds by thread: of each that has a name, and of those that codecs start together."""

    def __init__(self) -> None:
        """Nothing is counted yet."""
        self._spent: dict[tuple[int | None, str], float] = {}
        self._before = Counter[str]()
        self._whole = time.process_time()
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, name="anonator-clock", daemon=True)

    def __enter__(self) -> ThreadClock:
        self._read()
        self.lap()
        self._sampler.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._ended.set()
        self._sampler.join()

    def lap(self) -> dict[str, float]:
        """What was spent since the last call."""
        now = Counter[str]()
        for (_, name), seconds in list(self._spent.items()):
            pool = next((pool for pool in POOLS if name.startswith(f"{pool}_")), name)
            now[pool] += seconds
        whole = time.process_time()
        spent = {name: seconds - self._before[name] for name, seconds in now.items()}
        spent["codecs"] = max(0.0, whole - self._whole - sum(spent.values()))
        self._before, self._whole = now, whole
        return spent

    def _sample(self) -> None:
        while not self._ended.wait(0.05):
            self._read()

    def _read(self) -> None:
        for thread in threading.enumerate():
            # a thread that has just ended has no clock any more
            if thread.ident is not None and thread.is_alive():
                try:
                    seconds = time.clock_gettime(time.pthread_getcpuclockid(thread.ident))
                except OSError:
                    continue
                self._spent[thread.ident, thread.name] = seconds


def estimate(parts: list[dict[str, float]], count: int) -> float:
    """Seconds that a job takes at least on so many cores."""
    seconds = 0.0
    for work in parts:
        alone = max((spent for name, spent in work.items() if name not in POOLS), default=0.0)
        seconds += max(sum(work.values()) / count, alone)
    return seconds


if __name__ == "__main__":
    raise SystemExit(main())
