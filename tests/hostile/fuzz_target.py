"""Fuzzes probe and decode with damaged videos, in a process of its own.

    cd tests && python -m hostile.fuzz_target --seconds 600

A finding is a process that dies, a case that takes longer than ten seconds, an exception that is not one
of the program's own, or more memory than MEMORY_LIMIT. Each is kept as a file with its seed beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import queue
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from anonator.core import process_setup

HANG_SECONDS = 10.0
FIRST_PATIENCE = 70.0
"""The first case of a process waits for the imports."""
MEMORY_LIMIT = 3 * 1024**3
"""Resident bytes; 32 megapixels, decoded on 16 threads, take about half of it."""
FRESH_AFTER = 500
"""Cases after which the process is replaced, so that its memory tells of few cases."""
MOST_FRAMES = 300
"""Frames read of one case; the originals have ten."""


@dataclass
class Report:
    """What a run did."""

    executions: int = 0
    seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    peak_memory: int = 0
    hungriest: int = 0
    """Seed of the case at which the peak was reached."""
    findings: list[dict[str, Any]] = field(default_factory=list)

    def words(self) -> str:
        """For people."""
        told = ", ".join(f"{count} {name}" for name, count in self.outcomes.most_common())
        return (
            f"{self.executions} cases in {self.seconds:.0f} s: {told}. Slowest {self.slowest:.2f} s, "
            f"memory at most {self.peak_memory / 2**20:.0f} MB "
            f"(seed {self.hungriest}), {len(self.findings)} findings."
        )


# -- the process that is put at risk -----------------------------------------------------------------


def worker() -> None:
    """Take names of files from standard input; answer each by a line of JSON."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1)
    sys.stdout = sys.stderr
    process_setup.prepare()
    for line in sys.stdin:
        kind, path = json.loads(line)
        started = time.perf_counter()
        outcome, detail = _attempt(kind, Path(path))
        answer = {
            "outcome": outcome,
            "detail": detail,
            "seconds": time.perf_counter() - started,
            "memory": _peak_memory(),
        }
        answers.write(json.dumps(answer) + "\n")


def _attempt(kind: str, path: Path) -> tuple[str, str]:
    from anonator.errors import AnonatorError

    try:
        return _read(kind, path), ""
    except AnonatorError as exc:
        if path.name in str(exc) or "\n" in str(exc):
            return "names the file", str(exc)
        return type(exc).__name__, str(exc)
    except BaseException:
        return "foreign exception", traceback.format_exc()


def _read(kind: str, path: Path) -> str:
    """What a job does with its input before and beside the detector."""
    from anonator.core.pictures.rgb import to_rgb_within
    from anonator.core.reading.reader import VideoReader, probe
    from anonator.core.writing.writer import VideoWriter

    if kind == "probe":
        probe(path)
        return "probed"
    if kind == "preview":
        with VideoReader(path) as reader:
            to_rgb_within(reader.frame_at(0.2), 64)
            for frame in itertools.islice(reader.frames_from(0.2), 8):
                to_rgb_within(frame, 64)
        return "previewed"
    if kind == "copy":
        with VideoReader(path) as reader:
            target = path.with_name("copy.mp4")
            sound = path if reader.info.audio else None
            size = reader.info.width * reader.info.height
            with VideoWriter(
                target, reader.info, preset="ultrafast", audio_from=sound, overwrite=True
            ) as writer:
                for count, frame in enumerate(reader):
                    if count >= (MOST_FRAMES if size < 1 << 20 else 2):
                        break
                    writer.write(frame)
                writer.close()
        return "copied"
    with VideoReader(path, damaged_limit=1000 if kind == "replace" else 0) as reader:
        for count, frame in enumerate(reader):
            to_rgb_within(frame, 64)
            if count >= MOST_FRAMES:
                break
        _ = reader.notes
    return "read" if not reader.replaced_frames else "read with black frames"


def _peak_memory() -> int:
    # Linux's getrusage carries over the peak of the program that started this one
    with contextlib.suppress(OSError, StopIteration), open("/proc/self/status", encoding="ascii") as status:
        return int(next(line for line in status if line.startswith("VmHWM:")).split()[1]) * 1024
    try:
        import resource
    except ImportError:  # Windows
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(peak if sys.platform == "darwin" else peak * 1024)


class Worker:
    """The process, and what it answers."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._answers: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._listen, name="fuzz-listen", daemon=True)
        self._reader.start()
        self.cases = 0

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put("")

    def ask(self, kind: str, path: Path) -> dict[str, Any]:
        """The answer for one file; a hang or the death of the process is an answer too."""
        assert self._process.stdin is not None
        patience = HANG_SECONDS if self.cases else FIRST_PATIENCE
        self.cases += 1
        started = time.monotonic()
        try:
            self._process.stdin.write(json.dumps([kind, str(path)]) + "\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=patience)
        except queue.Empty:
            return {"outcome": "hang", "detail": "", "seconds": patience, "memory": 0}
        except OSError:
            line = ""
        if line:
            return dict(json.loads(line))
        status = self._process.wait()
        return {
            "outcome": "crash",
            "detail": f"the process ended with {status}",
            "seconds": time.monotonic() - started,
            "memory": 0,
        }

    def end(self) -> None:
        """Stop it, whatever it does."""
        self._process.kill()
        self._process.wait()
        self._reader.join(5)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()


# -- the run -----------------------------------------------------------------------------------------

BAD = frozenset(["foreign exception", "names the file", "hang", "crash", "too much memory"])
KINDS = ("read", "read", "replace", "replace", "copy", "probe", "preview")


def run(seconds: float, findings: Path, *, seed: int = 0, cases: int | None = None, only: str = "") -> Report:
    """Fuzz for so long, or for so many cases.

    Args:
        findings: folder for the files that made trouble.
        seed: number of the first case.
        only: suffixes of the originals to take, such as ".flv .gif"; all where there is none.
    """
    from hostile.fuzz_mutations import mutated, seed_files

    originals = seed_files()
    if only:
        originals = {name: data for name, data in originals.items() if Path(name).suffix in only.split()}
    report, process, started = Report(), Worker(), time.monotonic()
    findings.mkdir(parents=True, exist_ok=True)
    try:
        with TemporaryDirectory() as folder:
            while time.monotonic() - started < seconds and report.executions != cases:
                number = seed + report.executions
                name, content = mutated(originals, number)
                path = Path(folder, "patient" + Path(name).suffix)
                path.write_bytes(content)
                kind = KINDS[number % len(KINDS)]
                answer = process.ask(kind, path)
                if answer["memory"] > MEMORY_LIMIT:
                    answer["outcome"] = "too much memory"
                report.executions += 1
                report.outcomes[answer["outcome"]] += 1
                report.slowest = max(report.slowest, answer["seconds"])
                if answer["memory"] > report.peak_memory:
                    report.peak_memory, report.hungriest = answer["memory"], number
                if answer["outcome"] in BAD:
                    finding = {"seed": number, "original": name, "kind": kind, **answer}
                    report.findings.append(finding)
                    stem = findings / f"{number}-{answer['outcome'].replace(' ', '-')}"
                    stem.with_suffix(Path(name).suffix).write_bytes(content)
                    stem.with_suffix(".json").write_text(json.dumps(finding, indent=1))
                if answer["outcome"] in BAD or process.cases >= FRESH_AFTER:
                    process.end()
                    process = Worker()
    finally:
        process.end()
    report.seconds = time.monotonic() - started
    return report


def main() -> int:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument(
        "--seed", type=int, default=0, help="number of the first case; each case is its own seed"
    )
    parser.add_argument(
        "--findings", type=Path, default=Path("fuzz-findings"), help="folder for what made trouble"
    )
    parser.add_argument("--only", default="", help='suffixes of the originals to take, such as ".flv .gif"')
    parser.add_argument("--replay", type=Path, help="read one file in all ways and say what happens")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.worker:
        worker()
        return 0
    if options.replay:
        for kind in dict.fromkeys(KINDS):
            process = Worker()
            sys.stdout.write(f"{kind}: {json.dumps(process.ask(kind, options.replay), indent=1)}\n")
            process.end()
        return 0
    report = run(options.seconds, options.findings, seed=options.seed, only=options.only)
    sys.stdout.write(report.words() + "\n")
    for finding in report.findings:
        sys.stdout.write(json.dumps(finding) + "\n")
    return 1 if report.findings else 0


if __name__ == "__main__":
    raise SystemExit(main())
