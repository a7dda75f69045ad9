"""Running schedulers, with TLS and certificates of one's own, and those for jobs of a batch system."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archive_helpers import Planner, archive_command, results_in, rows_of

pytest.importorskip("distributed", reason="Dask isn't installed: the extra `cluster` has it")

from anonator.archive import cluster_scheduler, cluster_worker, records
from anonator.archive.cluster import NOBODY_WITH
from anonator.archive.cluster_scheduler import BAD_CERTIFICATE, HUNG_UP, NO_CERTIFICATE, NO_TLS, REFUSED
from anonator.archive.cluster_worker import NOT_HERE, OTHER_VERSION, RowWorker
from anonator.archive.folder import Archive
from anonator.archive.records import State
from anonator.archive.run import DONE, EARLY, FAILED, WRONG
from anonator.errors import ArchiveError
from anonator.main import main

OWN = ("own.pem", "me.pem", "me.key")
"""An authority, a certificate of it, and its key."""
OTHER = ("other.pem", "stranger.pem", "stranger.key")
Start = Callable[..., subprocess.Popen[bytes]]


def options(folder: Path, files: tuple[str, str, str]) -> list[str]:
    names = ("--tls-ca-file", "--tls-cert", "--tls-key")
    return [word for name, file in zip(names, files, strict=True) for word in (name, str(folder / file))]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two authorities, and a certificate of each."""
    if not shutil.which("openssl"):
        pytest.skip("needs openssl, which makes the certificates")
    folder = tmp_path_factory.mktemp("certificates")

    def openssl(*args: str) -> None:
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)

    for authority, name in (("own", "me"), ("other", "stranger")):
        new = ("-newkey", "rsa:2048", "-nodes")
        openssl("req", "-x509", *new, "-keyout", f"{authority}.key", "-out", f"{authority}.pem",
                "-days", "2", "-subj", f"/CN={authority}")  # fmt: skip
        openssl("req", *new, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey", f"{authority}.key",
                "-CAcreateserial", "-days", "2", "-out", f"{name}.pem")  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts `dask scheduler` or `dask worker`; they end with the tests of this module."""
    folder = tmp_path_factory.mktemp("dask")
    started: list[subprocess.Popen[bytes]] = []

    def go(*args: str) -> subprocess.Popen[bytes]:
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        with (folder / f"{len(started)}.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    [sys.executable, "-m", "dask", *args, "--no-dashboard"],
                    stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=env, cwd=folder,
                )
            )  # fmt: skip
        return started[-1]

    yield go
    for process in reversed(started):
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(10)
    process.kill()
    process.wait()


def address_of(start: Start, file: Path, *args: str) -> str:
    """Start a scheduler, and wait until it says where it is."""
    process = start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file), *args)
    limit = time.monotonic() + 60
    while time.monotonic() < limit and process.poll() is None:
        with contextlib.suppress(OSError, ValueError):
            return str(json.loads(file.read_text("utf-8"))["address"])
        time.sleep(0.05)
    raise AssertionError("no scheduler")


@pytest.fixture(scope="module")
def scheduler(certificates: Path, start: Start) -> str:
    """Address of a scheduler that asks for certificates of our own authority."""
    return address_of(start, certificates / "tls.json", "--protocol", "tls", *options(certificates, OWN))


@pytest.fixture(scope="module")
def plain_scheduler(certificates: Path, start: Start) -> str:
    """Address of a scheduler without TLS."""
    return address_of(start, certificates / "tcp.json")


def archive_main(*args: object) -> int:
    return main(["archive", *map(str, args)])


@pytest.mark.slow
def test_a_worker_with_our_certificates_does_the_rows(
    planned: Planner, certificates: Path, start: Start, scheduler: str
) -> None:
    archive, tls = planned(), options(certificates, OWN)
    worker = start(
        "worker", scheduler, "--nthreads", "1", "--memory-limit", "0", "--resources", "GPU=1", *tls
    )
    try:
        code, out, err = archive_command(
            "run", archive.path, "--scheduler", scheduler, "--resources", "GPU=1", *tls
        )
    finally:
        end(worker)
    assert code == DONE and "3 of 3 videos" in out, err
    assert [record.state for record in records.read_all(archive).values()] == [State.DONE] * 3
    assert len(results_in(archive)) == 3 and os.listdir(archive.locks) == []


@pytest.mark.parametrize(
    ("files", "code", "told"),
    [
        (OTHER, FAILED, REFUSED), (("own.pem", "stranger.pem", "stranger.key"), FAILED, REFUSED),
        (("other.pem", "me.pem", "me.key"), FAILED, REFUSED),
        (("own.pem", "me.pem", "stranger.key"), FAILED, BAD_CERTIFICATE),
        (("me.csr", "me.pem", "me.key"), FAILED, BAD_CERTIFICATE),
        (("own.pem", "gone.pem", "me.key"), WRONG, "there is no file"), (None, WRONG, NO_CERTIFICATE),
    ],
    ids=[
        "of another authority", "ours of another authority", "theirs of another authority",
        "key of another", "no certificate", "missing file", "without",
    ],
)  # fmt: skip
def test_a_wrong_certificate_is_told(
    planned: Planner,
    certificates: Path,
    scheduler: str,
    capsys: pytest.CaptureFixture[str],
    files: tuple[str, str, str] | None,
    code: int,
    told: str,
) -> None:
    archive = planned()
    tls = () if files is None else options(certificates, files)
    begin = time.monotonic()
    assert archive_main("run", archive.path, "--scheduler", scheduler, *tls) == code
    assert told in capsys.readouterr().err
    assert time.monotonic() - begin < 20 and os.listdir(archive.locks) == []


def test_tls_on_one_side_only_is_told(
    planned: Planner,
    certificates: Path,
    scheduler: str,
    plain_scheduler: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive, tls = planned(), options(certificates, OWN)
    as_plain, as_tls = scheduler.replace("tls:", "tcp:"), plain_scheduler.replace("tcp:", "tls:")
    assert archive_main("run", archive.path, "--scheduler", as_plain) == FAILED
    assert HUNG_UP in capsys.readouterr().err
    assert archive_main("run", archive.path, "--scheduler", as_tls, *tls) == FAILED
    assert NO_TLS in capsys.readouterr().err
    assert archive_main("run", archive.path, "--scheduler", as_plain, *tls) == WRONG


def test_without_a_worker_that_fits_the_wait_is_told(planned: Planner, plain_scheduler: str) -> None:
    archive = planned()
    code = (
        "import sys; from anonator.archive import cluster; from anonator.main import main;"
        "cluster.NOBODY_SECONDS = 0.5; sys.exit(main(sys.argv[1:]))"
    )
    args = ["archive", "run", str(archive.path), "--scheduler", plain_scheduler, "--resources", "GPU=1"]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", code, *args, "--limit", "0:00:02"],
        capture_output=True, text=True, encoding="utf-8", env=env, timeout=60,
    )  # fmt: skip
    assert done.returncode == EARLY, done.stderr
    assert done.stderr.count(NOBODY_WITH.format("GPU=1")) == 1


@pytest.mark.parametrize("why", ["another version", "no archive", "another archive"])
def test_a_worker_that_does_not_fit_does_no_row(
    planned: Planner, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    """Without the archive it would make a folder of that name, and leave results where nobody looks."""
    archive = planned()
    about, rows = rows_of(archive)
    plugin = RowWorker(archive, {}, about, None, 0)
    told = NOT_HERE
    if why == "another version":
        monkeypatch.setattr(cluster_worker, "__version__", "0.0.1")
        told = OTHER_VERSION.format("0.0.1", plugin._version)
    elif why == "no archive":
        shutil.rmtree(archive.path)
    else:
        text = archive.about_file.read_text("utf-8")
        archive.about_file.write_text(text.replace(about.id, "0" * 16), "utf-8")
    plugin.setup(None)  # type: ignore[arg-type]
    with pytest.raises(ArchiveError) as refused:
        plugin.do(rows[0])
    assert str(refused.value) == told
    plugin.teardown(None)  # type: ignore[arg-type]
    assert why != "no archive" or not archive.path.exists()


# --- jobs of a batch system


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Writes what dask-jobqueue is told of Slurm."""
    pytest.importorskip("dask_jobqueue", reason="dask-jobqueue isn't installed: the extra `cluster` has it")

    def write(more: str) -> None:
        folder = tmp_path / "dask"
        folder.mkdir(exist_ok=True)
        paths = os.pathsep.join(sys.path)
        text = "jobqueue:\n  slurm:\n    interface: lo\n"
        text += f"    job-script-prologue: ['export PYTHONPATH={paths}']\n"
        (folder / "jobqueue.yaml").write_text(text + more, "utf-8")
        monkeypatch.setenv("DASK_CONFIG", str(folder))

    return write


SMALL = "    cores: 2\n    memory: 2GB\n    walltime: '0:10:00'\n"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="Slurm is for Linux")
@pytest.mark.usefixtures("slurm")
def test_jobs_of_a_real_slurm_do_the_rows(planned: Planner, jobs: Callable[[str], None]) -> None:
    jobs(SMALL)
    archive = planned()
    code, out, err = archive_command("run", archive.path, "--jobqueue", "slurm", "--workers", "1")
    assert code == DONE and "3 of 3 videos" in out, err
    assert len(results_in(archive)) == 3 and os.listdir(archive.locks) == []
    logs = list((archive.private / "jobqueue").iterdir())
    assert {path.suffix for path in logs} == {".out", ".err"}, "the keys are gone"
    told = "".join(path.read_text("utf-8") for path in logs)
    assert "tls://" in told and "tcp://" not in told and "day" not in told
    jobs(SMALL + "    queue: nosuch\n")
    shutil.rmtree(archive.records)
    code, _, err = archive_command("run", archive.path, "--jobqueue", "slurm", "--workers", "1")
    assert code == FAILED and "The batch system took no job" in err and "Traceback" not in err
    assert os.listdir(archive.locks) == []


@pytest.mark.skipif(sys.platform != "linux", reason="dask-jobqueue is for Linux")
def test_what_dask_jobqueue_cannot_do_is_told(
    planned: Planner, jobs: Callable[[str], None], tmp_path: Path
) -> None:
    jobs("")
    archive = planned()
    code, _, err = archive_command("run", archive.path, "--jobqueue", "slurm", "--workers", "1")
    assert code == FAILED and cluster_scheduler.NO_RESOURCES in err
    moved = Archive(archive.path.rename(tmp_path / "an archive"))
    code, _, err = archive_command("run", moved.path, "--jobqueue", "slurm", "--workers", "1")
    assert code == FAILED and cluster_scheduler.NOT_PLAIN in err
