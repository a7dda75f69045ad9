"""A run does what is left, tells how it ended by its exit status, and never names a video."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from archive_helpers import Planner, anonator, archive_command, ended, results_in
from patience import PATIENCE

from anonator.archive import command, options, records, report, status
from anonator.archive.folder import Archive
from anonator.archive.lock import at_work
from anonator.archive.records import State
from anonator.archive.rows import Shard, read_rows
from anonator.archive.run import DONE, EARLY, FAILED, INTERRUPTED, NOTHING, WRONG
from anonator.core.config import Settings
from anonator.main import main


def states(archive: Archive) -> dict[int, State]:
    return {number: record.state for number, record in sorted(records.read_all(archive).items())}


def archive_main(*args: object) -> int:
    return main(["archive", *map(str, args)])


def test_the_whole_way(tmp_path: Path, videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Plan, run, a failure, status, report, retry, run again."""
    broken = videos / "day 2/broken.mp4"
    broken.write_bytes(b"no video")
    archive = Archive(tmp_path / "archive")
    assert archive_main("plan", videos, "--out", archive.path, "--standard", "--mode", "mosaic") == DONE
    assert archive_main("plan", videos, "--out", archive.path, "--standard", "--mode", "mosaic") == NOTHING
    capsys.readouterr()
    assert archive_main("run", archive.path, "--device", "cpu") == FAILED
    said = "".join(capsys.readouterr())
    assert "4 of 4 videos, 1 failed" in said and "Row 4 failed." in said
    assert "broken" not in said and "day" not in said
    assert states(archive) == {1: State.DONE, 2: State.DONE, 3: State.DONE, 4: State.FAILED}
    assert archive_main("run", archive.path) == NOTHING
    assert archive_main("status", archive.path) == DONE
    said = capsys.readouterr().out
    assert "3 done, 1 failed" in said and "day 2/broken.mp4: " in said
    assert "Without any face: 3. Look at these first." in said
    assert "Reviewed and signed: 0 of 3." in said and "Stops to check: 0 in 0 videos." in said
    assert archive_main("report", archive.path) == DONE
    page = (archive.private / "report.html").read_text("utf-8")
    assert "No face was found in these: look at them first (3)" in page and "Failed (1)" in page
    assert "<img" not in page
    assert (archive.private / "report.csv").read_bytes().count(b"\r\n") == 5
    shutil.copy(videos / "day 1/a.mp4", broken)
    assert archive_main("retry", archive.path, "--failed") == DONE
    assert archive_main("run", archive.path) == FAILED  # the file isn't the planned one any more
    assert archive_main("retry", archive.path, "--changed") == DONE
    assert archive_main("run", archive.path) == DONE
    assert archive_main("retry", archive.path, "--failed") == NOTHING
    said = capsys.readouterr().out
    assert "1 video waits again.\nNext: anonator archive run" in said and "0 videos wait again.\n" in said
    assert "No person has looked at the new results yet" in said
    assert set(states(archive).values()) == {State.DONE}
    assert os.listdir(archive.locks) == []


def test_a_changed_video_replaces_its_result(planned: Planner, videos: Path, tiny: Path) -> None:
    archive = planned()
    assert archive_main("run", archive.path) == DONE
    row = read_rows(archive)[0]
    before = row.target(archive).stat().st_mtime_ns
    with (videos / row.video).open("ab") as file:
        file.write(b"\0\0\0\x08free")
    assert archive_main("retry", archive.path, "--changed") == DONE
    assert archive_main("run", archive.path) == DONE
    assert row.target(archive).stat().st_mtime_ns != before
    assert status.status_of(archive).done == 3


def test_shards_do_their_own_rows(planned: Planner) -> None:
    archive = planned()
    assert archive_main("run", archive.path, "--shard", "2/2") == DONE
    assert states(archive) == {2: State.DONE}
    assert archive_main("run", archive.path, "--shard", "1/2") == DONE
    assert list(states(archive)) == [1, 2, 3]


def test_a_run_beside_another_is_refused(planned: Planner, capsys: pytest.CaptureFixture[str]) -> None:
    archive = planned()
    with at_work(archive, Shard(1, 2)):
        assert archive_main("run", archive.path) == WRONG
        assert archive_main("run", archive.path, "--shard", "1/2") == WRONG
        assert archive_main("run", archive.path, "--workers", "2") == WRONG
        assert archive_main("retry", archive.path, "--failed") == WRONG
        assert f"process {os.getpid()}" in capsys.readouterr().err
        assert archive_main("run", archive.path, "--shard", "2/2") == DONE
    assert list(states(archive)) == [2]


@pytest.mark.slow
def test_two_shards_at_once_share_the_rows(tmp_path: Path, tiny: Path) -> None:
    videos, path = tmp_path / "videos", tmp_path / "archive"
    videos.mkdir()
    for number in range(12):
        shutil.copy(tiny, videos / f"{number}.mp4")
    archive_command("plan", videos, "--out", path, "--standard")
    both = [anonator("archive", "run", path, "--shard", f"{part}/2") for part in (1, 2)]
    assert [ended(each)[0] for each in both] == [DONE, DONE]
    archive = Archive(path)
    assert states(archive) == dict.fromkeys(range(1, 13), State.DONE)
    assert not any(record.replaces for record in records.read_all(archive).values())
    assert len(results_in(archive)) == 12 and os.listdir(archive.locks) == []


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="sends signals")
@pytest.mark.parametrize(
    ("engine", "how", "code"),
    [
        ((), signal.SIGINT, INTERRUPTED),
        (("--workers", "1"), signal.SIGINT, INTERRUPTED),
        (("--workers", "1"), signal.SIGTERM, EARLY),
    ],
)
def test_a_run_that_is_stopped_leaves_whole_rows(
    tmp_path: Path, tiny: Path, how: signal.Signals, code: int, engine: tuple[str, ...]
) -> None:
    videos, archive = tmp_path / "videos", Archive(tmp_path / "archive")
    videos.mkdir()
    for number in range(40):
        shutil.copy(tiny, videos / f"{number}.mp4")
    archive_command("plan", videos, "--out", archive.path)
    run = anonator("archive", "run", archive.path, *engine)
    end = time.monotonic() + 2 * PATIENCE
    while State.DONE not in states(archive).values():
        assert run.poll() is None and time.monotonic() < end
        time.sleep(0.02)
    run.send_signal(how)
    status, out, _ = ended(run)
    assert status == code and "the same command goes on" in out
    assert os.listdir(archive.locks) == []
    kept = states(archive)
    assert set(kept.values()) == {State.DONE}, "a row was left half-way"
    assert len(results_in(archive)) == 3 * len(kept) < 3 * 40


def test_a_limit_stops_early(planned: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = planned()
    monkeypatch.setattr(options, "_duration", lambda _text: 1e-9)
    assert archive_main("run", archive.path, "--limit", "0:01") == EARLY
    assert states(archive) == {}


def test_status_as_json_counts_everything(planned: Planner, capsys: pytest.CaptureFixture[str]) -> None:
    archive = planned()
    assert archive_main("run", archive.path, "--shard", "1/3") == DONE
    capsys.readouterr()
    with at_work(archive, Shard(2, 3)):
        assert archive_main("status", archive.path, "--json") == DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["videos"], told["done"], told["waiting"], told["without_faces"]) == (3, 1, 2, 1)
    assert told["video_seconds"] == pytest.approx(0.7, abs=0.05) and told["frames"] == 6
    assert "shard 2/3" in told["at_work"][0] and told["failures"] == []


def test_neutral_results_and_a_plan_that_hides_nothing_from_its_owner(tmp_path: Path, videos: Path) -> None:
    archive = Archive(tmp_path / "archive")
    assert archive_main("plan", videos, "--out", archive.path, "--standard", "--names", "neutral") == DONE
    assert archive_main("run", archive.path) == DONE
    assert len(results_in(archive)) == 3
    assert not any("day" in name or "videos" in name for name in results_in(archive))


@pytest.mark.parametrize(
    "args",
    [
        (), ("paln", "x"), ("run",), ("run", "x", "--shard", "0/2"), ("run", "x", "--shard", "3/2"),
        ("run", "x", "--shard", "2"),
        ("run", "x", "--limit", "90"), ("run", "x", "--limit", "0:00"), ("run", "x", "--workers", "0"),
        ("run", "x", "--resources", "GPU"), ("retry", "x"), ("retry", "x", "--failed", "--changed"),
        ("plan", "x"), ("plan", "x", "--out", "y", "--names", "other"), ("slurm", "x"),
    ],
)  # fmt: skip
def test_wrong_use_is_status_2(args: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        archive_main(*args)
    assert stopped.value.code == WRONG and "anonator archive" in capsys.readouterr().err


@pytest.mark.parametrize(
    "args",
    [
        ("run", "--workers", "2", "--scheduler", "tcp://h:1"), ("run", "--jobqueue", "slurm"),
        ("run", "--workers", "2", "--shard", "1/2"), ("run", "--resources", "GPU=1"),
        ("run", "--device", "abacus"), ("run", "--tls-cert", "x"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_status_2(planned: Planner, args: tuple[str, ...]) -> None:
    assert archive_main(*args, planned().path) == WRONG


def test_without_an_archive_the_way_to_one_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("run", "status", "report"):
        assert archive_main(name, tmp_path) == FAILED
        assert "anonator archive plan" in capsys.readouterr().err
    assert archive_main("plan", tmp_path / "gone", "--out", tmp_path) == WRONG
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["", *command.COMMANDS])
def test_help_fits_on_a_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        archive_main(*filter(None, (name, "--help")))
    said = capsys.readouterr().out
    assert stopped.value.code == 0 and "75 stopped early" in " ".join(said.split())
    assert name == "plan" or len(said.splitlines()) < 60  # plan has the options of the job, too


def test_a_folder_called_archive_is_still_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is none, a command that was forgotten or mistyped is told instead of opening the window."""
    monkeypatch.chdir(tmp_path)
    assert command.is_meant(["archive"]) and command.is_meant(["archive", "paln", "x"])
    (tmp_path / "archive").mkdir()
    assert not command.is_meant(["archive"]) and not command.is_meant(["archive", "a.mp4"])
    assert command.is_meant(["archive", "plan"]) and not command.is_meant(["a.mp4"])


def test_dask_is_not_loaded_unless_it_is_used() -> None:
    code = (
        "import sys, anonator.main, anonator.archive.command, anonator.archive.run;"
        "print([m for m in ('dask', 'distributed', 'torch', 'av') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8")
    assert run.stdout.strip() == "[]", run.stderr


def test_names_that_spreadsheets_take_for_formulas_are_quoted() -> None:
    assert report._safe("=1+1.mp4") == "'=1+1.mp4" and report._safe("a.mp4") == "a.mp4"


def test_hipaa_rows_get_their_reports(planned: Planner) -> None:
    archive = planned(Settings())
    assert archive_main("run", archive.path, "--shard", "1/3") == DONE
    assert [Path(name).suffix for name in results_in(archive)] == [".mp4", ".html", ".json"]
