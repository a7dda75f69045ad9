"""Measures archives: the overhead per video on Dask, what kills do to a run, and how large a plan may be.

    uv run python benchmarks/archive.py overhead --videos 1000
    uv run python benchmarks/archive.py kills --videos 1000 --every 5
    uv run python benchmarks/archive.py rows --rows 100000

`kills` starts a scheduler and two workers of Dask, kills a worker with SIGKILL every few seconds (once it was
of use, because loading the engine takes seconds), the scheduler once and the run once, and goes on with
`anonator archive run` each time. It fails unless every video is done exactly once, with the same bits as
alone, and nothing else is left. Every thirteenth file is no video.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
from common import where_and_when

import anonator
from anonator.archive import records
from anonator.archive.folder import Archive
from anonator.archive.records import Record, State
from anonator.archive.rows import read_rows

DIFFERENT = 12
"""So many videos differ; the others are copies, under names of their own."""
BROKEN = 13
"""Every so manyth file is no video."""
PYTHON = [sys.executable, "-m"]
DASK = [sys.executable, "-m", "dask"]
LONGEST = 3600.0
OPTIONS = "--performance", "balanced"
"""HIPAA mode with fewer looks: the archive is measured, not the detector."""


def make_videos(folder: Path, count: int) -> dict[str, str]:
    """Small videos in folders of a hundred; returns which of the different ones each is, by its name."""
    folder.mkdir(parents=True)
    different = [_video(folder.parent / f"different {number}.mp4", number) for number in range(DIFFERENT)]
    made = {}
    for number in range(1, count + 1):
        place = folder / f"{number // 100:03d}" / f"visit {number}.mp4"
        place.parent.mkdir(exist_ok=True)
        if number % BROKEN:
            shutil.copy(different[number % DIFFERENT], place)
            made[place.relative_to(folder).as_posix()] = f"different {number % DIFFERENT}"
        else:
            place.write_bytes(b"this is no video")
    return made


def _video(path: Path, number: int) -> Path:
    """Six frames of a moving pattern, another one for each number."""
    draw = np.random.default_rng(number)
    picture = draw.integers(0, 255, (6, 8, 3), np.uint8).repeat(20, 0).repeat(20, 1)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for frame in range(6 + number % 3):
            shown = np.ascontiguousarray(np.roll(picture, 4 * frame, 1))
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def alone(folder: Path) -> dict[str, str]:
    """The digests of the different videos' results, each alone on one processor, as a worker is."""
    settings = anonator.Settings(performance=anonator.Performance.BALANCED)
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    try:
        return {
            f"different {number}": digest(
                anonator.anonymize(folder / f"different {number}.mp4", settings=settings).target
            )
            for number in range(DIFFERENT)
        }
    finally:
        os.sched_setaffinity(0, processors)


class Cluster:
    """A scheduler and two workers of Dask, as processes that can be killed."""

    def __init__(self, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._log = log.open("ab")
        self.processes: list[subprocess.Popen[bytes]] = []

    @property
    def address(self) -> str:
        """Of the scheduler."""
        return f"tcp://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start all of it."""
        there = ["--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard"]
        self.processes = [self._start("scheduler", *there)]
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                break
            time.sleep(0.1)
        self.processes += [self._worker(place) for place in range(2)]

    def _worker(self, place: int) -> subprocess.Popen[bytes]:
        """One with a processor of its own, as the workers of --workers have."""
        each = ["--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--host", "127.0.0.1"]
        processors = sorted(os.sched_getaffinity(0))
        # inherited, so that it can't start its own processes before
        os.sched_setaffinity(0, {processors[place % len(processors)]})
        try:
            return self._start("worker", self.address, *each)
        finally:
            os.sched_setaffinity(0, processors)

    def _start(self, *command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([*DASK, *command], stdout=self._log, stderr=self._log)

    def workers(self) -> list[int]:
        """The process ids of what does the work, below the nannies that start it again."""
        import psutil

        found = []
        for place, nanny in enumerate(self.processes[1:], 1):
            if nanny.poll() is not None:  # it gives up if its worker is killed while starting
                self.processes[place] = self._worker(place - 1)
            with contextlib.suppress(psutil.Error):
                found += [
                    child.pid
                    for child in psutil.Process(nanny.pid).children(recursive=True)
                    if "spawn_main" in " ".join(child.cmdline())
                ]
        return found

    def kill_scheduler(self) -> None:
        """Kill it; the workers end by themselves, or are made to."""
        self.processes[0].kill()
        for process in self.processes[1:]:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
        self.stop()

    def stop(self) -> None:
        """End what still runs."""
        for process in self.processes[::-1]:
            if process.poll() is None:
                process.terminate()
        for process in self.processes[::-1]:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def command(*args: object) -> subprocess.Popen[str]:
    """A command of `anonator archive` that has been started."""
    return subprocess.Popen(
        [*PYTHON, "anonator", "archive", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
    )


def to_its_end(*args: object, processors: int = 0) -> int:
    """The exit status of a command, on so many processors; 0 means all."""
    process = command(*args)
    if processors:
        os.sched_setaffinity(process.pid, sorted(os.sched_getaffinity(0))[:processors])
    process.communicate(timeout=LONGEST)
    return process.returncode


def kills(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Run an archive while everything that can be killed is killed."""
    made = make_videos(folder / "videos", args.videos)
    expected = alone(folder)
    archive = Archive(folder / "archive")
    assert to_its_end("plan", folder / "videos", "--out", archive.path, *OPTIONS) == 0
    cluster, draw, killed = Cluster(folder / "dask.log"), random.Random(args.seed), Counter[str]()
    ends = Counter[int]()
    cluster.start()
    begin = time.monotonic()
    next_kill, before = begin + args.every, 0
    run = command("run", archive.path, "--scheduler", cluster.address)
    try:
        while time.monotonic() - begin < LONGEST:
            time.sleep(0.5)
            if run.poll() is not None:
                ends[run.returncode] += 1
                if run.returncode in (0, 1, 3) and not _lost(archive):
                    break
                to_its_end("retry", archive.path, "--failed")
                run = command("run", archive.path, "--scheduler", cluster.address)
            finished = _finished(archive)
            share = finished / args.videos
            if share > 0.3 and not killed["scheduler"]:
                cluster.kill_scheduler()
                killed["scheduler"] += 1
                cluster.start()
            elif share > 0.6 and not killed["client"] and run.poll() is None:
                run.kill()
                run.wait()
                killed["client"] += 1
                run = command("run", archive.path, "--scheduler", cluster.address)
            elif time.monotonic() > next_kill and finished > before and (workers := cluster.workers()):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(draw.choice(workers), signal.SIGKILL)
                    killed["worker"] += 1
                next_kill, before = time.monotonic() + args.every, finished
        seconds = time.monotonic() - begin
    finally:
        run.kill()
        run.communicate()
        cluster.stop()
    to_its_end("run", archive.path)  # sweeps, and has nothing to do
    return {
        "videos": args.videos,
        "seconds": round(seconds, 1),
        "killed": dict(killed),
        "exit statuses of run": {str(code): count for code, count in sorted(ends.items())},
        **_judged(archive, made, expected, folder),
    }


def _finished(archive: Archive) -> int:
    return sum(record.finished for record in records.read_all(archive).values())


def _lost(archive: Archive) -> bool:
    """Whether a row was given up because its workers were killed too often, as can happen here."""
    return any(record.error == "WorkerLost" for record in records.read_all(archive).values())


def _judged(archive: Archive, made: dict[str, str], expected: dict[str, str], folder: Path) -> dict[str, Any]:
    """What became of every row, and what is left besides; "faults" is empty if all is as it must be."""
    rows, known, faults = read_rows(archive), records.read_all(archive), []
    for row in rows:
        record = known.get(row.number)
        if row.video not in made:
            if record is None or record.state is not State.FAILED or "not a video" not in record.sentence:
                faults.append(f"row {row.number} is no video, but not listed as failed with its sentence")
        elif record is None or record.state is not State.DONE:
            faults.append(f"row {row.number} is {record.state.value if record else 'waiting'}")
        elif digest(row.target(archive)) != expected[made[row.video]]:
            faults.append(f"row {row.number} has other bits than alone")
    there = {path for path in archive.results.rglob("*") if path.is_file()}
    wanted = {
        row.target(archive).with_name(row.target(archive).stem + end)
        for row in rows
        if row.video in made
        for end in (".mp4", "_report.json", "_report.html")
    }
    faults += [f"{len(there - wanted)} files too many"] if there - wanted else []
    faults += [f"{len(wanted - there)} files are missing"] if wanted - there else []
    locks = os.listdir(archive.locks)
    faults += [f"locks are left: {locks}"] if locks else []
    logs = "".join(path.read_text("utf-8") for path in (folder / "home").rglob("anonator.log*"))
    done = Counter(line.split(" row ")[1].split()[0] for line in logs.splitlines() if " is done" in line)
    faults += [f"row {row} was done {count} times" for row, count in done.items() if count > 1]
    named = sum(
        "visit" in text or "videos" in text for text in (logs, (folder / "dask.log").read_text("utf-8"))
    )
    faults += ["a log names a video"] if named else []
    again = sum(record.replaces for record in known.values())
    return {"rows begun again after a kill": again, "rows in the log": len(done), "faults": faults}


def overhead(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """What a video costs beside its job: in one process, and on a scheduler with two workers."""
    make_videos(folder / "videos", args.videos)
    told: dict[str, Any] = {"videos": args.videos}
    cluster = Cluster(folder / "dask.log")
    cluster.start()
    try:
        for name, workers, how in (
            ("one process", 1, ()),
            ("scheduler, two workers", 2, ("--scheduler", cluster.address)),
        ):
            archive = Archive(folder / name)
            to_its_end("plan", folder / "videos", "--out", archive.path, *OPTIONS)
            mine = 2 - workers  # a worker has one processor, too
            to_its_end("run", archive.path, *how, "--limit", "0:00:20", processors=mine)  # loads the engine
            before = sum(record.seconds for record in records.read_all(archive).values())
            count = len(records.read_all(archive))
            begin = time.monotonic()
            to_its_end("run", archive.path, *how, processors=mine)
            wall = time.monotonic() - begin
            known = records.read_all(archive)
            jobs = sum(record.seconds for record in known.values()) - before
            rest = max(1, len(known) - count)
            told[name] = {
                "seconds": round(wall, 1),
                "of jobs": round(jobs, 1),
                "videos": rest,
                "overhead per video and worker, ms": round(1000 * (wall * workers - jobs) / rest, 1),
            }
    finally:
        cluster.stop()
    return told


def rows(args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """How long plan, plan again, status and report take, and the memory of each, in own processes."""
    videos = folder / "videos"
    video = _video(folder / "video.mp4", 1).read_bytes()
    for number in range(args.rows):
        place = videos / f"{number // 1000:04d}" / f"visit {number}.mp4"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(video + b"\0\0\0\x10free%08d" % number)
    archive = Archive(folder / "archive")
    told: dict[str, Any] = {"rows": args.rows}
    told["plan"] = _measured("plan", videos, "--out", archive.path, *OPTIONS)
    told["plan again"] = _measured("plan", videos, "--out", archive.path, *OPTIONS)
    _pretend(archive)
    told["status"] = _measured("status", archive.path)
    told["report"] = _measured("report", archive.path)
    told["run, 20 rows left"] = _measured("run", archive.path, "--limit", "0:05:00")
    told["plan.csv, MB"] = round(archive.plan_file.stat().st_size / 1e6, 1)
    return told


def _pretend(archive: Archive) -> None:
    """Records of all rows but the last 20, without the work."""
    for row in read_rows(archive)[:-20]:
        file = archive.record_file(row.number)
        file.parent.mkdir(parents=True, exist_ok=True)
        record = Record(
            number=row.number, state=State.FAILED if row.number % 20 == 0 else State.DONE, key=row.key,
            settings=row.settings, at="2026-01-01T00:00:00+00:00", machine="node", frames=6,
            masked_frames=row.number % 7, tracks=1, doubts=row.number % 5, seconds=0.5, device="CPU",
            sentence="This is not a video." if row.number % 20 == 0 else "",
        )  # fmt: skip
        values = {**dataclasses.asdict(record), "state": record.state.value}
        file.write_text(json.dumps(values), encoding="utf-8")


def _measured(*args: object) -> dict[str, float]:
    begin = time.monotonic()
    process = subprocess.Popen(
        [*PYTHON, "anonator", "archive", *map(str, args)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, _, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - begin
    busy = used.ru_utime + used.ru_stime
    return {
        "seconds": round(wall, 1),
        "of processor time": round(busy, 1),
        "MB": round(used.ru_maxrss / 1024),
    }


@contextlib.contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    """A folder for all of it, in which the program's own files are, too."""
    with tempfile.TemporaryDirectory(prefix="anonator-archive-", dir=kept) as name:
        home = Path(name, "home")
        for what in ("CONFIG", "DATA", "STATE", "CACHE"):
            os.environ[f"XDG_{what}_HOME"] = str(home / what.lower())
        yield Path(name)


def main() -> int:
    """Measure, print what was measured as JSON, and return 1 if something isn't as it must be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(required=True)
    for name, what in (("overhead", overhead), ("kills", kills), ("rows", rows)):
        made = commands.add_parser(name)
        made.set_defaults(do=what)
        made.add_argument("--in", dest="folder", type=Path, help="folder for the files (default: temporary)")
        if name == "rows":
            made.add_argument("--rows", type=int, default=100_000)
        else:
            made.add_argument("--videos", type=int, default=1000)
        if name == "kills":
            made.add_argument(
                "--every", type=float, default=10.0, help="seconds between two kills of a worker"
            )
            made.add_argument("--seed", type=int, default=19)
    args = parser.parse_args()
    with _folder(args.folder) as folder:
        told = args.do(args, folder)
        if told.get("faults"):
            print((folder / "dask.log").read_text("utf-8")[-3000:], file=sys.stderr)
    print(json.dumps({"where": where_and_when(), **told}, indent=1))
    return 1 if told.get("faults") else 0


if __name__ == "__main__":
    sys.exit(main())
