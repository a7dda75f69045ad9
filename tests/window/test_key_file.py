"""The key file in the window: asked for once per run with neutral names, and complete when the run is."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from window.window_helpers import Drive, copies, states

from anonator.core.writing.key_file import NOT_OURS, PHI
from anonator.ui import key_question


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_a_run_with_neutral_names_keeps_a_key_file(
    drive: Drive, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure means that nobody knows any more whose video a result is."""
    (tmp_path / "taken.csv").write_text("precious")
    places = [str(tmp_path / "taken.csv"), str(tmp_path / "key.csv")]
    monkeypatch.setattr("tkinter.filedialog.asksaveasfilename", lambda **_options: places.pop(0))
    driver, seen = drive(), list[str]()
    driver.show(*copies(clip, tmp_path, "jane doe.mp4", "john roe.mp4"))
    driver.window.panel.free.switches["neutral_name"].invoke()
    driver.answering("Choose a place…", seen)
    driver.answering("Choose a place…", seen)
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done", "done"])
    assert len(seen) == 2 and PHI in seen[0] and seen[1].startswith(NOT_OURS), (
        "once, and once more for a wrong place"
    )
    driver.until(lambda: len(rows(tmp_path / "key.csv")) == 3)
    driver.until(lambda: key_question.KEPT.format("key.csv") in driver.window.queue_view.details.words)
    jobs = driver.window.state.jobs
    assert rows(tmp_path / "key.csv")[1:] == [[str(job.target), str(job.source)] for job in jobs]
    assert (tmp_path / "taken.csv").read_text() == "precious"


def test_cancelling_the_question_starts_nothing(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "jane doe.mp4"))
    driver.window.panel.free.switches["neutral_name"].invoke()
    driver.answering("Cancel")
    driver.window.foot.start.invoke()
    driver.turn(0.2)
    assert states(driver) == ["waiting"] and not driver.engine.jobs


def test_a_row_that_is_lost_is_told_in_the_video_s_row(
    drive: Drive, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key.csv"
    monkeypatch.setattr("tkinter.filedialog.asksaveasfilename", lambda **_options: str(key))
    driver = drive()
    driver.show(*copies(clip, tmp_path, "jane doe.mp4"))
    driver.window.panel.free.switches["neutral_name"].invoke()
    driver.answering("Choose a place…")
    driver.window.foot.start.invoke()
    driver.until(key.exists)
    key.unlink()
    driver.until(lambda: states(driver) == ["done"])
    driver.until(lambda: "Write down yourself" in driver.window.queue_view.details.words)
    assert "Write down yourself" in driver.window.notice.message
