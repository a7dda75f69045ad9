"""The script for Slurm says what was asked for, and a real Slurm on this computer runs it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from archive_helpers import Planner, results_in
from unit.archive.slurm_node import said

from anonator.archive import records
from anonator.archive.folder import Archive
from anonator.archive.records import State
from anonator.archive.slurm import Request, script
from anonator.main import main


def request_of(**changes: object) -> Request:
    values: dict[str, object] = {"seconds": 4 * 3600, "tasks": 8, "cpus": 4, "memory": "8G", **changes}
    return Request(**values)  # type: ignore[arg-type]


def test_the_script_asks_for_what_was_asked_for() -> None:
    text = script(Archive(Path("/data/gait")), request_of(gpus=1, partition="gpu"))
    for option in (
        "--array=1-8", "--time=4:00:00", "--cpus-per-task=4", "--mem=8G", "--gpus-per-task=1",
        "--partition=gpu", "--output=/data/gait/private/slurm-%A_%a.log", "--requeue",
    ):  # fmt: skip
        assert f"#SBATCH {option}\n" in text
    assert '--shard "$SLURM_ARRAY_TASK_ID/8" --limit 3:48:00 --device cuda' in text


def test_a_container_sees_the_archive_and_the_videos() -> None:
    text = script(Archive(Path("/data/gait")), request_of(container="a.sif"), folders=("/scans/in",))
    assert "apptainer exec --cleanenv --bind=/data/gait --bind=/scans/in:/scans/in:ro a.sif anonator" in text


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize("name", ["plain", "with space", "it's", "$(touch gone)", 'a"b', "a;b"])
def test_no_folder_s_name_becomes_a_command(tmp_path: Path, name: str) -> None:
    """The program is replaced by one that prints what it was given."""
    text = script(Archive(tmp_path / name), request_of())
    lines = text.replace("run=(anonator", "run=(printf '%s\\n'").splitlines()
    kept = [line for line in lines if not line.startswith("#SBATCH")]
    env = {**os.environ, "SLURM_ARRAY_TASK_ID": "3"}
    done = subprocess.run(
        ["bash", "-c", "\n".join(kept)], capture_output=True, text=True, encoding="utf-8", env=env,
        cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:5] == ["archive", "run", str(tmp_path / name), "--shard", "3/8"]
    assert not (tmp_path / "gone").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("slurm")
def test_a_real_slurm_runs_the_script(
    planned: Planner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = planned()
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    program = bin_folder / "anonator"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m anonator "$@"\n', "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_folder}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    asked = ("--time", "0:05:00", "--tasks", "2", "--cpus", "1", "--mem", "1000M")
    assert main(["archive", "slurm", str(archive.path), *asked]) == 0
    told = said("sbatch", str(archive.private / "array.sbatch"))
    assert "Submitted batch job" in told
    end = time.monotonic() + 150
    while said("squeue", "-h").strip() and time.monotonic() < end:
        time.sleep(0.1)
    logs = "".join(path.read_text("utf-8") for path in archive.private.glob("slurm-*.log"))
    known = records.read_all(archive)
    assert [record.state for record in known.values()] == [State.DONE] * 3, logs
    assert len(results_in(archive)) == 3
    assert "day" not in logs and os.listdir(archive.locks) == []
    assert "1 of 1 video" in logs and "2 of 2 videos" in logs
