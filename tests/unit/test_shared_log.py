"""The log: several running copies write into one file, and no line of any is lost or torn."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from anonator import logs, shared_log
from anonator.core import file_lock
from anonator.shared_log import SharedLog

COPY = """
import logging, sys
from pathlib import Path
import platformdirs
platformdirs.user_log_dir = lambda *_, **__: sys.argv[1]
from anonator import logs, shared_log
logs.SharedLog = lambda path, *_, **__: shared_log.SharedLog(path, 2000, kept=100)
logs.set_up()
print("ready", flush=True)
sys.stdin.readline()
for number in range(int(sys.argv[3])):
    logging.getLogger("anonator").info("%s says %04d of its own", sys.argv[2], number)
"""
LINES = 500


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("anonator", logging.INFO, "x.py", 1, text, None, None)


def said(folder: Path) -> list[str]:
    """All lines of the log and of the older ones."""
    return [line for path in folder.glob("anonator.log*") for line in path.read_text("utf-8").splitlines()]


def test_two_running_copies_lose_no_line_when_the_log_is_turned_over(tmp_path: Path) -> None:
    copies = [
        subprocess.Popen(
            [sys.executable, "-c", COPY, tmp_path, name, str(LINES)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for name in ("first", "second")
    ]
    for copy in copies:
        assert copy.stdout is not None and copy.stdout.readline().strip() == b"ready"
    for copy in copies:
        assert copy.stdin is not None
        copy.stdin.write(b"go\n")
        copy.stdin.flush()
    assert [copy.communicate(timeout=120)[1] for copy in copies] == [b"", b""], "told on standard error"
    wanted = {f"{name} says {n:04d} of its own" for name in ("first", "second") for n in range(LINES)}
    lines = said(tmp_path)
    assert len(lines) == len(wanted) and {line.partition(": ")[2] for line in lines} == wanted
    sizes = {path.name: path.stat().st_size for path in tmp_path.glob("anonator.log*")}
    assert len(sizes) > 20 and max(sizes.values()) <= 2000, "it was not turned over"


def test_only_so_many_older_ones_are_kept(tmp_path: Path) -> None:
    log = SharedLog(tmp_path / "anonator.log", 100, kept=2)
    for number in range(50):
        log.emit(record(f"line {number} of many"))
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "anonator.lock", "anonator.log", "anonator.log.1", "anonator.log.2",
    ]  # fmt: skip
    assert (tmp_path / "anonator.log").read_text("utf-8").endswith("line 49 of many\n")


def test_a_log_that_someone_reads_on_windows_grows_a_little_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "open in another program")

    log = SharedLog(tmp_path / "anonator.log", 50, kept=2)
    monkeypatch.setattr(os, "replace", refuse)
    for number in range(20):
        log.emit(record(f"line {number}"))
    monkeypatch.undo()
    assert said(tmp_path) == [f"line {number}" for number in range(20)]
    assert capsys.readouterr().err == ""
    log.emit(record("and on"))
    assert (tmp_path / "anonator.log").read_text("utf-8") == "and on\n"


def test_a_disk_without_locks_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_lock, "take", lambda _: False)
    monkeypatch.setattr(shared_log, "PATIENCE", 0.05)
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    log = SharedLog(tmp_path / "anonator.log", 10, kept=2)
    log.emit(record("first"))
    waited = len(slept)
    log.emit(record("second"))
    assert waited and len(slept) == waited
    assert said(tmp_path) == ["first", "second"]


def test_a_folder_that_takes_nothing_disturbs_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    SharedLog(tmp_path / "none" / "anonator.log", 100, kept=2).emit(record("said"))
    assert capsys.readouterr().err == ""


def test_every_name_can_be_logged(tmp_path: Path) -> None:
    SharedLog(tmp_path / "anonator.log", 1000, kept=2).emit(record("名 é \udce9"))
    assert said(tmp_path) == ["名 é \\udce9"]


def test_a_grown_crash_log_is_emptied_where_another_copy_has_it_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enabled: list[object] = []
    monkeypatch.setattr(logs, "log_folder", lambda: tmp_path)
    monkeypatch.setattr("faulthandler.is_enabled", lambda: False)
    monkeypatch.setattr("faulthandler.enable", enabled.append)
    (tmp_path / "crash.log").write_bytes(bytes(logs.KEPT_BYTES + 1))
    with (tmp_path / "crash.log").open("ab") as other:
        logs.prepare_for_crashes()
        other.write(b"place\n")
    (file,) = enabled
    file.close()  # type: ignore[attr-defined]
    assert (tmp_path / "crash.log").read_bytes() == b"place\n"
