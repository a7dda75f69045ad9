"""A run in the terminal as people see it: the first line, progress in a pipe, names, folders, the summary."""

from __future__ import annotations

import csv
import json
import os
import select
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from face_clips import FaceClip

from anonator import headless, terminal_progress
from anonator.core.job import Job, JobResult, Progress, Stage
from anonator.core.wording import NO_FACE, NOT_COVERED
from anonator.core.writing.key_file import PHI
from anonator.errors import InputError, JobCancelled, WeightsMissingError
from anonator.main import main
from anonator.terminal_progress import VideoProgress, labels

DONE = JobResult(
    target=Path("x.mp4"), frames=100, masked_frames=90, tracks=1, seconds=2.0, device="CPU", audio="removed"
)


@dataclass
class FakeProcessor:
    """Stands in for the engine: "bad" fails, "stop" is cancelled, everything else is done."""

    job: Job
    detectors: Any
    on_progress: Any

    def start(self) -> None:
        STARTED.append(self.job.source)
        FOLDERS.append(self.job.report_folder)

    def cancel(self) -> None: ...

    def wait(self, timeout: float) -> JobResult:
        self.on_progress(Progress(50, 100, 1.0, 50.0, 80.0))
        if "bad" in self.job.source.name:
            raise InputError("This is not a video.")
        if "stop" in self.job.source.name:
            raise JobCancelled("The job was cancelled.")
        self.job.target.write_bytes(b"result")
        return replace(DONE, target=self.job.target)


STARTED: list[Path] = []
FOLDERS: list[Path | None] = []


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> None:
    STARTED.clear()
    FOLDERS.clear()
    monkeypatch.setattr(headless, "VideoProcessor", FakeProcessor)


def make(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    return [str(folder / name) for name in names]


def run(*args: str) -> int:
    return main(["--headless", *args])


def test_a_line_comes_before_anything_slow(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure means that a terminal stays empty while the engine is loaded."""
    before: list[str] = []
    monkeypatch.setattr(FakeProcessor, "start", lambda _self: before.append(capsys.readouterr().err))
    run(*make(tmp_path, "a.mp4"))
    assert before == ["Video 1 of 1: a.mp4\n"]


def test_a_pipe_gets_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr(terminal_progress.time, "monotonic", lambda: now)
    shown = VideoProgress("a.mp4", 1, 2, quiet=False)
    for now in range(31):
        stage = Stage.CHECKING if now > 25 else Stage.WORKING
        shown.show(Progress(now, 120, now, 1.0, 80.0 if now > 15 else None, stage, now / 120))
        shown.beat()
    shown.close()
    assert capsys.readouterr().err.splitlines() == [
        "Video 1 of 2: a.mp4",
        "  8 %, 1.0 frames per second",
        "  16 %, 1.0 frames per second, about 1:20 left",
        "  25 %, checking, 1.0 frames per second, about 1:20 left",
    ]


def test_a_run_ends_with_a_summary(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(*make(tmp_path, "a.mp4", "bad.mp4", "c.mp4")) == 1
    assert capsys.readouterr().out.splitlines()[-2:] == [
        "3 videos: 2 done, 1 failed.",
        NOT_COVERED,
    ]
    assert run(*make(tmp_path, "stop.mp4", "e.mp4")) == 130
    assert capsys.readouterr().out == "2 videos: 1 cancelled, 1 not started.\n"


def test_scripts_get_no_lines_for_people(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", *make(tmp_path, "a.mp4", "bad.mp4")) == 1
    told = capsys.readouterr()
    assert [json.loads(line)["status"] for line in told.out.splitlines()] == ["done", "failed"]
    assert told.err == ""


def test_videos_of_one_name_are_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A failure means that nobody can tell which of two videos failed."""
    first, second, other = make(tmp_path, "a/visit bad.mp4", "b/Visit bad.mp4", "c/bad.mp4")
    assert run(first, second, other, "--output-dir", str(tmp_path / "out")) == 1
    failed = [line for line in capsys.readouterr().err.splitlines() if "failed" in line]
    assert [line.partition(": failed")[0] for line in failed] == [first, second, "bad.mp4"]
    assert labels([Path(first), Path(first)]) == {Path(first): "visit bad.mp4"}


def test_a_video_that_is_given_twice_is_told_with_both_paths(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (first,) = make(tmp_path, "a.mp4")
    again = str(tmp_path / "." / "sub" / ".." / "a.mp4")
    (tmp_path / "sub").mkdir()
    assert run(first, again) == 0
    told = capsys.readouterr().out
    assert f"{again}: skipped. This is the same video as {first}" in told
    assert "2 videos: 1 done, 1 skipped." in told


def test_a_folder_stands_for_the_videos_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make(
        tmp_path, "in/b.MKV", "in/a.mp4", "in/deep/c.mov", "in/a_anonymized.mp4", "in/notes.txt", "in/.d.mp4"
    )
    assert run(str(tmp_path / "in"), "--overwrite") == 0
    assert [path.relative_to(tmp_path / "in").as_posix() for path in STARTED] == [
        "a.mp4",
        "b.MKV",
        "deep/c.mov",
    ]
    told = capsys.readouterr()
    assert "1 file that Anonator made was skipped." in told.err and "3 videos: 3 done." in told.out


def test_a_folder_without_videos_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        run(str(tmp_path))
    assert end.value.code == 2 and "there are no videos in" in capsys.readouterr().err


def test_the_key_file_tells_which_result_is_whose(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    videos, key = make(tmp_path, "Miller.mp4", "bad.mp4", "Jones.mp4"), tmp_path / "key.csv"
    assert run(*videos, "--neutral-name", "--key-file", str(key), "--json") == 1
    told = capsys.readouterr()
    assert told.err == f"{PHI}\n"
    done = [line for line in map(json.loads, told.out.splitlines()) if line["status"] == "done"]
    assert {line["key_file"] for line in done} == {str(key)}
    with key.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1:] == [[line["output"], line["input"]] for line in done]
    assert not any("Miller" in line["output"] or "Jones" in line["output"] for line in done)


def test_a_row_of_the_key_file_that_is_lost_fails_the_video_and_names_the_result(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    videos, key = make(tmp_path, "Miller.mp4"), tmp_path / "key.csv"
    original = FakeProcessor.wait

    def wait(self: FakeProcessor, timeout: float) -> JobResult:
        key.unlink()
        return original(self, timeout)

    monkeypatch.setattr(FakeProcessor, "wait", wait)
    assert run(*videos, "--neutral-name", "--key-file", str(key)) == 1
    told = capsys.readouterr().err
    (result,) = tmp_path.glob("*_anonymized.mp4")
    assert "Write down yourself" in told and str(result) in told


def test_a_key_file_that_cannot_be_written_starts_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (video,) = make(tmp_path, "a.mp4")
    assert run(video, "--neutral-name", "--key-file", str(tmp_path / "no" / "key.csv")) == 1
    assert not STARTED and "Choose another place" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(video, "--key-file", str(tmp_path / "key.csv"))
    assert not (tmp_path / "key.csv").exists()


def test_missing_weights_are_told_by_what_was_given(tmp_path: Path) -> None:
    from anonator.core.config import Model
    from anonator.core.detection import weights

    with pytest.raises(WeightsMissingError, match=r"weights file that was given for .* does not exist"):
        weights.find(Model.MOBILENET, tmp_path / "gone.safetensors")
    with pytest.raises(WeightsMissingError, match=r"folder that was given .* does not hold"):
        weights.find(Model.MOBILENET, tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("kind", ["pty", "pipe"])
def test_a_real_job_says_something_at_once(tmp_path: Path, small_face_clip: FaceClip, kind: str) -> None:
    (mine, theirs) = os.openpty() if kind == "pty" else os.pipe()
    command = [sys.executable, "-m", "anonator.main", "--headless", str(small_face_clip.path)]
    job = subprocess.Popen(
        [*command, "--output-dir", str(tmp_path), "--performance", "balanced"],
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    try:
        assert select.select([mine], [], [], 20)[0], "nothing was said"
        assert os.read(mine, 1000).startswith(b"Video 1 of 1: ")
        assert not list(tmp_path.iterdir()), "the job began before anything was said"
        while select.select([mine], [], [], 60)[0]:
            try:
                if not os.read(mine, 1000):
                    break
            except OSError:  # how Linux ends a pseudo-terminal
                break
        out, _ = job.communicate(timeout=60)
    finally:
        job.kill()
        os.close(mine)
    assert job.returncode == 0 and b"1 video: 1 done." in out and NO_FACE.encode() not in out


# --- where reports go


def test_reports_go_where_the_file_or_the_command_line_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, audit, other = tmp_path / "a.toml", tmp_path / "audit", tmp_path / "other"
    config.write_text(f"[reports]\nfolder = '{audit}'\n", "utf-8")
    names = make(tmp_path, "x/a.mp4", "y/a.mp4")
    assert run(*names, "--config", str(config)) == 0
    assert run(*names, "--config", str(config), "--report-dir", str(other), "--overwrite") == 0
    assert run(names[0], "--overwrite") == 0
    assert [audit, audit, other, other, None] == FOLDERS
    assert not audit.exists() and not other.exists(), "one that stays empty is removed, the file's isn't made"
    assert [p.name for p in (tmp_path / "y").iterdir() if p.name != "a.mp4"] == ["a_anonymized_2.mp4"]


def test_a_folder_for_reports_without_a_report_is_a_mistake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    names = make(tmp_path, "a.mp4")
    with pytest.raises(SystemExit) as end:
        run(*names, "--standard", "--report-dir", str(tmp_path))
    assert end.value.code == 2 and "add --report" in capsys.readouterr().err
    assert run(*names, "--standard", "--report", "--report-dir", str(tmp_path)) == 0 and STARTED


def test_a_time_that_a_repair_may_exceed_is_told_as_the_least() -> None:
    progress = Progress(50, 100, 1.0, 0.0, 80.0)
    assert terminal_progress._details(progress) == ["about 1:20 left"]
    assert terminal_progress._details(replace(progress, at_least=True)) == ["at least 1:20 left"]
