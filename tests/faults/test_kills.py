"""kill -9 at any moment: only the input is left, or the whole result."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from faults.fault_helpers import FRAMES, files_in, linux
from patience import PATIENCE
from video_helpers import frame_times

from anonator.core.writing.leftovers import PREFIX, sweep

pytestmark = [pytest.mark.usefixtures("state"), pytest.mark.slow]
KILLS = int(os.environ.get("ANONATOR_KILLS", "10"))
"""Random moments at which a job is killed; the whole programme is 200 (ten moments, twenty times)."""
REAL_KILLS = int(os.environ.get("ANONATOR_REAL_KILLS", "1"))
"""The same with a start of the whole program each time, which takes seconds."""
OWN = re.compile(re.escape(PREFIX) + r"[0-9a-f]{16}\.partial\.(mp4|json|html)")


class ForkServer:
    """The program with its engine loaded, ready to be forked and killed."""

    def __init__(self) -> None:
        # numpy's own threads would make a fork unsafe
        env = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).parent / "fork_server.py"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            env=env,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def __call__(self, run: list[str] | str, **how: object) -> dict[str, Any]:
        """Fork, run, perhaps kill; what fork_server.py answers."""
        assert self._process.stdin is not None and self._process.stdout is not None
        env = {"XDG_STATE_HOME": os.environ["XDG_STATE_HOME"]}  # the server runs on Linux alone
        self._process.stdin.write(json.dumps({"run": run, "env": env, **how}) + "\n")
        self._process.stdin.flush()
        return dict(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate(timeout=PATIENCE)


@pytest.fixture(scope="module")
def forked() -> Iterator[ForkServer]:
    server = ForkServer()
    yield server
    server.close()


@linux
@pytest.mark.parametrize("overwrite", [False, True], ids=["new", "replacing"])
def test_killed_before_each_of_its_file_operations_it_leaves_nothing_or_the_whole_result(
    tmp_path: Path, state: Path, forked: ForkServer, overwrite: bool
) -> None:
    """A failure names a step at which half a result, or a file that nobody removes, can be left."""
    folders = [str(tmp_path), str(state)]
    old = {"a.mp4": b"the old video", "a.json": b"{}"} if overwrite else {}

    def run(step: int | None) -> dict[str, Any]:
        for name in files_in(tmp_path):
            (tmp_path / name).unlink()
        for name, content in old.items():
            (tmp_path / name).write_bytes(content)
        return forked("mini", folder=str(tmp_path), overwrite=overwrite, folders=folders, step=step)

    run(None)  # the first start makes folders, too
    whole = run(None)
    assert whole["status"] == 0 and whole["steps"] >= 15
    assert files_in(tmp_path) == ["a.json", "a.mp4"] and files_in(state) == []
    video, report = ((tmp_path / name).read_bytes() for name in ("a.mp4", "a.json"))
    seen = set()
    for step in range(whole["steps"]):
        assert os.WTERMSIG(run(step)["status"]) == signal.SIGKILL
        strange = [n for n in files_in(tmp_path) if not OWN.fullmatch(n) and n not in ("a.mp4", "a.json")]
        assert strange == [], f"step {step}"
        sweep()
        assert files_in(state) == [], f"step {step}"
        left = {name: (tmp_path / name).read_bytes() for name in files_in(tmp_path)}
        assert left in (old, {**old, "a.mp4": video}, {"a.mp4": video, "a.json": report}), f"step {step}"
        seen.add(len(left) if not overwrite else left["a.mp4"] == video)
    assert len(seen) > 1, "the steps after the first name was given were not reached"


@dataclass
class Killed:
    """What was seen after kills."""

    before: int = 0
    """Nothing but the input was there."""
    unfinished: int = 0
    """Own unfinished files were there until the next start."""
    finished: int = 0
    """The whole result was there."""

    def check(self, folder: Path, result: Path, next_start: Callable[[], object]) -> None:
        """Look at the folder after a kill, and again after the next start, even one without a video."""
        left = files_in(folder)
        names = {result.name, result.stem + "_report.json", result.stem + "_report.html"}
        unfinished = [name for name in left if OWN.fullmatch(name)]
        assert set(left) <= {"in.mp4", *names, *unfinished}, "neither the input nor an own file"
        finished = result.name in left
        next_start()
        left = files_in(folder)
        assert [name for name in left if name not in ("in.mp4", *names)] == [], "left after the next start"
        assert finished == (result.name in left)
        if finished:
            assert len(frame_times(result)) == FRAMES
        report = folder / (result.stem + "_report.json")
        if report.exists():
            digest = hashlib.sha256(result.read_bytes()).hexdigest()
            assert digest in report.read_text("utf-8"), "a report without its video"
        self.finished += finished
        self.unfinished += bool(unfinished)
        self.before += not finished and not unfinished
        for name in names:
            (folder / name).unlink(missing_ok=True)


@linux
def test_killed_at_random_moments_a_job_leaves_nothing_but_its_input(
    tmp_path: Path, state: Path, small_clip: Path, forked: ForkServer
) -> None:
    source = Path(shutil.copy(small_clip, tmp_path / "in.mp4"))
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    result = tmp_path / "in_anonymized.mp4"
    job = ["--headless", "--performance", "balanced", str(source)]
    draw, seen, parts, seconds = random.Random(6), Killed(), min(10, KILLS), 0.0
    for number in range(KILLS):
        if number % parts == 0:
            # how long it takes undisturbed, anew for each ten, because other programs come and go
            whole = forked(job)
            assert whole["status"] == 0 and result.exists()
            seconds = whole["seconds"]
            for name in {*files_in(tmp_path)} - {"in.mp4"}:
                (tmp_path / name).unlink()
        # one moment in every part of that time
        forked(job, after=(number % parts + draw.random()) / parts * seconds)
        seen.check(tmp_path, result, lambda: forked(["--headless"]))
        assert files_in(state) == []
    assert hashlib.sha256(source.read_bytes()).hexdigest() == digest
    assert seen.unfinished, "no kill came while a file was being made"
    sys.stderr.write(f"\n{KILLS} kills of a job of {seconds:.2f} s: {seen}\n")


def test_the_real_program_killed_while_it_works_is_cleaned_up_by_its_next_start(
    tmp_path: Path, state: Path, small_clip: Path
) -> None:
    source = Path(shutil.copy(small_clip, tmp_path / "in.mp4"))
    program = [sys.executable, "-m", "anonator.main", "--headless", "--json"]
    draw, seen = random.Random(60), Killed()
    for number in range(REAL_KILLS):
        job = subprocess.Popen(
            [*program, "--performance", "balanced", source],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if number % 10 < 7:
            deadline = time.monotonic() + 120
            while len(files_in(tmp_path)) < 2 and job.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(draw.random() * (1.5 if number else 0.1))
        else:
            time.sleep(draw.random() * 2)  # while it is still loading
        job.kill()
        job.wait(PATIENCE)
        seen.check(
            tmp_path,
            tmp_path / "in_anonymized.mp4",
            lambda: subprocess.run(program, capture_output=True, timeout=120),
        )
        assert files_in(state) == []
    assert seen.unfinished, "no kill came while a file was being made"
