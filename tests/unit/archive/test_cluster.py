"""Rows on Dask: each worker loads the detector once, one row at a time, and says only what may be known."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest
from archive_helpers import archive_command, results_in

pytest.importorskip("distributed", reason="Dask isn't installed: the extra `cluster` has it")

from anonator.archive import records
from anonator.archive.folder import Archive
from anonator.archive.records import State
from anonator.archive.rows import read_rows
from anonator.archive.run import DONE, EARLY, FAILED


@pytest.mark.slow
def test_two_workers_do_what_one_process_does(tmp_path: Path, tiny: Path) -> None:
    """With the same bits, where each has as many processors as a worker; and what is broken fails."""
    videos = tmp_path / "videos"
    videos.mkdir()
    for number in range(7):
        shutil.copy(tiny, videos / f"visit {number}.mp4")
    (videos / "broken.mp4").write_bytes(b"this is no video")
    ends = {}
    for name, engine in (("alone", ()), ("dask", ("--workers", "2"))):
        path = tmp_path / name
        archive_command("plan", videos, "--out", path)
        if name == "alone" and sys.platform == "linux":
            before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, {min(before)})
        try:
            ends[name] = archive_command("run", path, *engine)
        finally:
            if name == "alone" and sys.platform == "linux":
                os.sched_setaffinity(0, before)
    assert ends["alone"][0] == ends["dask"][0] == FAILED, ends
    assert "visit" not in "".join(map(str, ends["dask"])), "a name was told"
    one, two = Archive(tmp_path / "alone"), Archive(tmp_path / "dask")
    for first, second in zip(read_rows(one), read_rows(two), strict=True):
        a, b = records.read(one, first.number), records.read(two, second.number)
        assert a is not None and b is not None and a.state is b.state
        assert (a.frames, a.doubts, a.sentence) == (b.frames, b.doubts, b.sentence)
        if a.state is State.DONE and (sys.platform != "linux" or (os.cpu_count() or 1) <= 3):
            assert first.target(one).read_bytes() == second.target(two).read_bytes()
    assert len(results_in(two)) == 3 * 7 and os.listdir(two.locks) == []


def test_a_scheduler_that_is_not_there_is_told(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "videos").mkdir()
    shutil.copy(tiny, tmp_path / "videos/a.mp4")
    archive_command("plan", tmp_path / "videos", "--out", tmp_path / "archive")
    env = os.environ.get("DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT")
    os.environ["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"] = "1s"
    try:
        code, _, err = archive_command("run", tmp_path / "archive", "--scheduler", "tcp://127.0.0.1:1")
    finally:
        if env is None:
            del os.environ["DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT"]
    assert code in (FAILED, EARLY) and "scheduler can't be reached" in err and "Traceback" not in err
    assert code != DONE and os.listdir(tmp_path / "archive/private/locks") == []
