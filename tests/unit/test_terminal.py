"""What the program prints: names as UTF-8 on every system, and no reader or letter that stops the work."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from video_helpers import clip

from anonator import headless, logs, terminal
from anonator.core.job import NO_SOUND, JobResult
from anonator.errors import InputError
from anonator.main import main

NAMES = ["名前 é.mp4", "Größe ☃ 😀.mp4", "plain.mp4"]
PROGRAM = [sys.executable, "-m", "anonator.main", "--headless"]
AS_WINDOWS_HAS_PIPES = {"PYTHONIOENCODING": "cp1252:strict", "PYTHONUTF8": "0"}


def bad_videos(folder: Path, names: list[str] = NAMES) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(b"no video")
    return [folder / name for name in names]


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "for people"])
def test_names_in_every_script_are_told_through_a_pipe(tmp_path: Path, as_json: bool) -> None:
    """A failure means that a name ends the run, as it did: the later videos were never done."""
    videos = bad_videos(tmp_path)
    done = subprocess.run(
        [*PROGRAM, *map(str, videos), *(["--json"] if as_json else [])],
        capture_output=True,
        env={**os.environ, **AS_WINDOWS_HAS_PIPES},
        check=False,
    )
    assert done.returncode == 1
    out, err = done.stdout.decode(), done.stderr.decode()
    assert "Traceback" not in err
    if as_json:
        assert [json.loads(line)["input"] for line in out.splitlines()] == [str(video) for video in videos]
        assert NAMES[0] in out, "readable, and not only as escapes"
    else:
        assert [line.partition(":")[0] for line in err.splitlines() if ": failed." in line] == NAMES


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_no_unicode_is_still_valid_json(tmp_path: Path) -> None:
    video = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    try:
        video.write_bytes(b"no video")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    done = subprocess.run([*PROGRAM, video, "--json"], capture_output=True, check=False)
    assert json.loads(done.stdout.decode("utf-8", "strict"))["input"] == str(video)


@pytest.mark.slow
def test_a_reader_that_has_gone_costs_no_result(tmp_path: Path) -> None:
    videos = [clip(tmp_path / name, size="160x120", seconds=0.2) for name in NAMES]
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*PROGRAM, *map(str, videos), "--standard", "--performance", "maximum"],
            stdout=write,
            stderr=subprocess.PIPE,
            check=False,
        )
    finally:
        os.close(write)
    assert done.returncode == 0, done.stderr
    assert b"Traceback" not in done.stderr and b"Exception ignored" not in done.stderr
    made = sorted(path.name for path in tmp_path.iterdir() if path.stem.endswith("_anonymized"))
    assert made == sorted(f"{Path(name).stem}_anonymized.mp4" for name in NAMES)


class Broken(io.StringIO):
    """A stream whose every write fails."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error


ERRORS = [
    BrokenPipeError(32, "nobody reads"), OSError(22, "what Windows calls it"), ValueError("closed file"),
    OSError(28, "the disk of the file is full"),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=repr)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "for people"])
def test_what_cannot_be_told_never_stops_the_next_job(
    error: Exception, as_json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []

    def job(job: Any, *_: object, **__: object) -> JobResult:
        done.append(job.source.name)
        if job.source.name == NAMES[1]:
            raise InputError("It cannot be read. Try again.")
        return JobResult(job.target, 1, 1, 1, 1.0, "CPU", NO_SOUND)

    monkeypatch.setattr(headless, "_one", job)
    monkeypatch.setattr(sys, "stdout", Broken(error))
    monkeypatch.setattr(sys, "stderr", Broken(error))
    status = main(["--headless", *map(str, bad_videos(tmp_path)), *(["--json"] if as_json else [])])
    monkeypatch.undo()
    assert (status, done) == (1, NAMES)


def test_a_program_without_streams_does_its_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a windowed program on Windows has it."""
    for stream in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, stream, None)
    assert main(["--headless", str(bad_videos(tmp_path)[0])]) == 1
    assert main(["--headless", str(bad_videos(tmp_path)[0]), "--verbose", "--json"]) == 1
    assert not terminal.OUT.isatty()
    with pytest.raises(OSError, match="no such stream"):
        terminal.OUT.fileno()


def test_a_strict_stream_gets_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, "cp1252", errors="strict", newline=""))
    terminal.OUT.write("é 名\n")
    assert raw.getvalue() == b"\\xe9 \\u540d\n"
    terminal.prepare()
    terminal.OUT.write("é 名 \udce9\n")
    assert raw.getvalue().endswith("é 名 \\udce9\n".encode())


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "for people"])
def test_a_terminal_keeps_its_encoding_and_gets_escapes(
    as_json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a person's terminal lacks must neither end the run nor spoil a line of JSON."""
    raw = io.BytesIO()
    console = io.TextIOWrapper(raw, "cp1252", errors="strict", newline="")
    monkeypatch.setattr(console, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout" if as_json else "stderr", console)
    videos = bad_videos(tmp_path)
    assert main(["--headless", *map(str, videos), *(["--json"] if as_json else [])]) == 1
    said = raw.getvalue().decode("cp1252")
    monkeypatch.undo()
    if as_json:
        assert [json.loads(line)["input"] for line in said.splitlines()] == [str(video) for video in videos]
    else:
        assert "\\u540d\\u524d é.mp4: failed." in said and "plain.mp4: failed." in said


def test_a_broken_stream_is_noted_once_and_not_to_itself(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(BrokenPipeError(32, "gone")))
    logs.set_up(verbose=True, to_file=False)
    try:
        for _ in range(3):
            logging.getLogger("anonator.test").info("said")
            terminal.ERR.write("said")
    finally:
        logs.set_up(to_file=False)
    assert sum("nobody reads stderr any more" in r.getMessage() for r in caplog.records) == 1
