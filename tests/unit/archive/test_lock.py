"""Nobody does a row that somebody else is at work on, and what the dead held is free."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from patience import PATIENCE

from anonator.archive import lock
from anonator.archive.folder import Archive
from anonator.archive.lock import Busy, at_work, holders, one_row, planning
from anonator.archive.rows import Shard
from anonator.core import file_lock

ALL = None
HALVES = Shard(1, 2), Shard(2, 2)
HOLD = """
import sys, time
from pathlib import Path
from anonator.archive.folder import Archive
from anonator.archive.lock import at_work
with at_work(Archive(Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A drive that knows no locks."""

    def refuse(_descriptor: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(file_lock, "_take", refuse)


def left(archive: Archive) -> list[str]:
    return os.listdir(archive.locks)


@pytest.mark.parametrize(
    ("first", "second"),
    [(ALL, ALL), (ALL, HALVES[0]), (HALVES[0], ALL), (HALVES[0], HALVES[0]), (HALVES[0], Shard(3, 3))],
    ids=["run and run", "run and shard", "shard and run", "equal shards", "shards of two divisions"],
)
@pytest.mark.parametrize("drive", ["locks", "no locks"])
def test_rows_in_common_are_refused(
    archive: Archive, first: Shard | None, second: Shard | None, drive: str, request: pytest.FixtureRequest
) -> None:
    if drive == "no locks":
        request.getfixturevalue("no_locks")
    with at_work(archive, first):
        with pytest.raises(Busy, match=f"process {os.getpid()}"), at_work(archive, second):
            pytest.fail("both at work")
        assert len(holders(archive)) == 1
    assert left(archive) == [] and holders(archive) == []


@pytest.mark.parametrize("drive", ["locks", "no locks"])
def test_shards_of_one_division_work_side_by_side(
    archive: Archive, drive: str, request: pytest.FixtureRequest
) -> None:
    if drive == "no locks":
        request.getfixturevalue("no_locks")
    with ExitStack() as stack:
        for half in HALVES:
            stack.enter_context(at_work(archive, half))
        assert [who.what for who in holders(archive)] == ["shard-1-of-2", "shard-2-of-2"]
    assert left(archive) == []


def test_planning_goes_on_beside_a_run(archive: Archive) -> None:
    with at_work(archive), planning(archive):
        pass
    assert left(archive) == []


def test_what_a_killed_process_held_is_free(archive: Archive) -> None:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = [sys.executable, "-c", HOLD, str(archive.path)]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=env) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(Busy, match=f"process {holder.pid}"), at_work(archive):
            pytest.fail("both at work")
        assert [who.process for who in holders(archive)] == [holder.pid]
        holder.kill()
        holder.wait()
    assert holders(archive) == []
    with at_work(archive, HALVES[0]):
        assert [who.process for who in holders(archive)] == [os.getpid()]
    assert left(archive) == []


@pytest.mark.parametrize("drive", ["locks", "no locks"])
@pytest.mark.parametrize("shard", [None, HALVES[0]])
def test_another_computer_is_only_set_aside_when_told(
    archive: Archive, drive: str, shard: Shard | None, request: pytest.FixtureRequest
) -> None:
    if drive == "no locks":
        request.getfixturevalue("no_locks")
    archive.locks.mkdir(parents=True)
    away = {"what": "run", "host": "node7", "process": 99, "since": "2026-01-01 10:00"}
    (archive.locks / "run.json").write_text(json.dumps(away), "utf-8")
    with pytest.raises(Busy, match=r"node7 .*--take-over"), at_work(archive, shard):
        pytest.fail("both at work")
    assert left(archive) == ["run.json"]
    assert "node7" in str(holders(archive)[0])
    with at_work(archive, shard, take_over=True):
        pass
    assert left(archive) == []


def test_who_may_only_read_is_told_who_is_at_work(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_path: Path) -> None:
        raise PermissionError(errno.EACCES, "read-only")

    with at_work(archive), monkeypatch.context() as patch:
        patch.setattr(lock, "_taken", refused)
        assert [who.process for who in holders(archive)] == [os.getpid()]


def test_a_spoiled_name_counts_as_somebody(archive: Archive) -> None:
    archive.locks.mkdir(parents=True)
    (archive.locks / "run.json").write_bytes(b"\xff")
    with pytest.raises(Busy), at_work(archive):
        pytest.fail("both at work")


@pytest.mark.parametrize("times", [1, 1000], ids=["for a moment", "for good"])
def test_a_name_that_somebody_reads_ends_no_run(
    archive: Archive, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """As on Windows, where nobody can remove a file that is open elsewhere."""
    left, unlink = times, Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        nonlocal left
        if path.name == "run.json" and left:
            left -= 1
            raise PermissionError(errno.EACCES, "in use")
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refused)
    monkeypatch.setattr(lock, "BETWEEN_TRIES", 0.001)
    with at_work(archive):
        pass
    assert (archive.locks / "run.json").exists() == (times > 1)
    with at_work(archive):  # the name alone keeps nobody out
        assert [holder.what for holder in holders(archive)] == ["run"]


def test_a_row_is_waited_for(archive: Archive) -> None:
    order = []

    def other() -> None:
        with one_row(archive, 5):
            order.append("other")

    with one_row(archive, 5):
        waiter = threading.Thread(target=other)
        waiter.start()
        time.sleep(0.3)
        order.append("first")
    waiter.join(PATIENCE)
    assert order == ["first", "other"]
    assert left(archive) == []


@pytest.mark.usefixtures("no_locks")
def test_a_row_is_not_waited_for_where_a_drive_knows_no_locks(archive: Archive) -> None:
    with one_row(archive, 5), one_row(archive, 5):
        pass
    assert left(archive) == []


def test_many_that_begin_at_once_never_work_together(archive: Archive) -> None:
    inside, most, lock = 0, 0, threading.Lock()

    def begin() -> None:
        nonlocal inside, most
        for _ in range(5):
            try:
                with at_work(archive):
                    with lock:
                        inside += 1
                        most = max(most, inside)
                    time.sleep(0.01)
                    with lock:
                        inside -= 1
            except Busy:
                continue

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert most == 1
    assert left(archive) == []
