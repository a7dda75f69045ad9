"""The script for Slurm says what was asked for, and a real Slurm on this computer runs it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_helpers import Planner, results_in
from patience import PATIENCE

from anonator.archive import records
from anonator.archive.folder import Archive
from anonator.archive.records import State
from anonator.archive.slurm import Request, script
from anonator.main import main

DAEMONS = ("munged", "slurmctld", "slurmd")
CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={control}
SlurmdPort={node}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SchedulerParameters=sched_interval=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=4000 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


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


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Slurm of one node, on this computer alone, that ends with the test."""
    missing = [name for name in (*DAEMONS, "sbatch") if not shutil.which(name)]
    if missing or sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip(
            f"needs root and Slurm (Debian: slurm-wlm munge); missing: {', '.join(missing) or 'root'}"
        )
    folder = tmp_path_factory.mktemp("slurm")
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    key = folder / "munge.key"
    key.write_bytes(os.urandom(1024))
    key.chmod(0o600)
    conf = folder / "slurm.conf"
    conf.write_text(
        CONF.format(
            host=socket.gethostname().partition(".")[0], control=free_port(), node=free_port(),
            folder=folder, cpus=os.cpu_count(),
        ),
        "utf-8",
    )  # fmt: skip
    monkeypatch.setenv("SLURM_CONF", str(conf))
    programs = [
        ["munged", "--foreground", "--force", f"--key-file={key}", f"--socket={folder}/munge.socket",
         f"--pid-file={folder}/munge.pid", f"--log-file={folder}/munge.log",
         f"--seed-file={folder}/munge.seed"],
        ["slurmctld", "-D", "-f", str(conf)],
        ["slurmd", "-D", "-f", str(conf)],
    ]  # fmt: skip
    started: list[subprocess.Popen[bytes]] = []
    try:
        for program in programs:
            log = (folder / f"{program[0]}.out").open("wb")
            started.append(subprocess.Popen(program, stdout=log, stderr=log))
            log.close()
            time.sleep(1)
        end = time.monotonic() + PATIENCE
        while "idle" not in said("sinfo", "-h", "-o", "%t"):
            assert time.monotonic() < end, "".join(
                path.read_text("utf-8", "replace")[-1500:] for path in folder.glob("*.out")
            )
            time.sleep(0.1)
        yield
    finally:
        for process in reversed(started):
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    return done.stdout + done.stderr


@pytest.mark.slow
def test_a_real_slurm_runs_the_script(
    slurm: None, planned: Planner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
