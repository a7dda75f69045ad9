"""An archive in the window: the most doubtful videos are listed, one reviewer has each, signing is noted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ui_helpers import Driver, write_clip
from unit.review.spot_clip import Spotter, spot_clip
from video_helpers import ffmpeg
from window.review_bench import SpotEngine, opened, press
from window.window_helpers import Drive

from anonator.archive import records, report, status
from anonator.archive.folder import Archive, open_archive
from anonator.archive.plan import plan
from anonator.archive.rows import read_rows
from anonator.archive.work import Workplace, do
from anonator.core.config import Settings
from anonator.core.detection.given import GivenDetectors
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.tracks_file import ELSEWHERE, TracksFile
from anonator.errors import ArchiveError

pytestmark = pytest.mark.slow
FACELESS, DOUBTFUL, QUIET = "c.mp4", "b.mp4", "a.mp4"


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Three finished videos: one without any spot, one in which a spot breaks off, one still."""
    folder = tmp_path / "videos"
    folder.mkdir()
    ffmpeg("-f", "lavfi", "-i", "color=gray:s=320x192:r=25:d=0.4", "-pix_fmt", "yuv420p", folder / FACELESS)
    spot_clip(folder / DOUBTFUL)
    spot_clip(folder / QUIET, frames=8)
    settings = Settings.standard()
    archive = plan([folder], tmp_path / "archive", settings).archive
    about, rows = open_archive(archive.path)[1], read_rows(archive)
    place = Workplace(
        archive, {row.settings: settings for row in rows}, about.folders, GivenDetectors(Spotter()), True
    )
    for row in rows:
        assert do(row, place).state is records.State.DONE
    return archive


def listed(driver: Driver) -> list[str]:
    return [job.source.name for job in driver.window.controller.jobs]


def shown(drive: Drive, archive: Archive) -> Driver:
    driver = drive(engine=SpotEngine())
    driver.show(archive.path)
    driver.until(lambda: len(driver.window.controller.jobs) == 3)
    return driver


def choose_by(driver: Driver, name: str) -> int:
    return next(job.number for job in driver.window.controller.jobs if job.source.name == name)


def sign(driver: Driver, initials: str) -> None:
    """Sign the open review."""

    def confirm(dialog: Any) -> None:
        dialog.initials.insert(0, initials)
        dialog._confirm()

    driver.meeting(confirm)
    press(driver, "ctrl+Return")
    seen: list[str] = []
    driver.until(lambda: driver.window.reviewing.review is None, 60)
    driver.answering("Back to the queue", seen)
    driver.until(lambda: seen, 20)


def test_an_archives_folder_lists_what_waits_and_signing_is_written_back(
    drive: Drive, archive: Archive
) -> None:
    driver = shown(drive, archive)
    assert listed(driver) == [FACELESS, DOUBTFUL, QUIET], "without any face first, then by doubts"
    window = driver.window
    assert "3 videos of this archive wait for a review" in window.state.message
    first = window.controller.jobs[0]
    assert first.may_review and first.result_file is not None and "No face was found" in first.message
    assert first.result_file.path.is_relative_to(archive.results)
    window.reviewing.open(choose_by(driver, DOUBTFUL))
    review = opened(driver)
    driver.until(lambda: review.session.is_assessed, 20)
    sign(driver, "MK")
    number = next(row.number for row in read_rows(archive) if row.video == DOUBTFUL)
    known: Callable[[], str] = lambda: records.read_all(archive)[number].reviewed_by  # noqa: E731
    driver.until(lambda: known() == "MK", 20)
    record = records.read_all(archive)[number]
    assert record.state is records.State.DONE and record.reviewed_at
    now = status.status_of(archive)
    assert now.reviewed == 1 and now.done == 3 and now.with_doubts == 0
    assert any("Reviewed and signed: 1 of 3" in line for line in now.lines())
    report.write_report(archive)
    assert ",MK," in (archive.private / "report.csv").read_text("utf-8-sig")
    page = (archive.private / "report.html").read_text("utf-8")
    assert FACELESS in page and DOUBTFUL not in page, "who looks at the page first needs no signed video"
    driver.close()
    driver = drive(engine=SpotEngine())
    driver.show(archive.path)
    driver.until(lambda: len(driver.window.controller.jobs) == 2)
    assert listed(driver) == [FACELESS, QUIET] and "1 signed so far" in driver.window.state.message
    driver.close()


def test_of_two_reviewers_one_has_a_video(drive: Drive, archive: Archive) -> None:
    driver = shown(drive, archive)
    number = choose_by(driver, FACELESS)
    row = next(row.number for row in read_rows(archive) if row.video == FACELESS)
    other = TracksFile(archive.tracks_file(row))
    driver.window.reviewing.open(number)
    driver.until(lambda: ELSEWHERE in driver.window.state.message)
    assert driver.window.reviewing.review is None
    driver.window.reviewing.open_next()
    opened(driver)
    assert driver.window.state.reviewing == choose_by(driver, DOUBTFUL), "the next one that is free"
    driver.window.reviewing.leave()
    other.close()
    driver.window.reviewing.open(number)
    opened(driver)
    driver.close()


def test_what_somebody_else_has_signed_meanwhile_is_shown_as_signed(drive: Drive, archive: Archive) -> None:
    driver = shown(drive, archive)
    number = choose_by(driver, QUIET)
    row = next(row.number for row in read_rows(archive) if row.video == QUIET)
    with TracksFile(archive.tracks_file(row)) as other:
        last = max((edit.number for edit in other.edits), default=0)
        other.append(Edit(last + 1, Operation.SIGN, reason="JD", at="2026-11-27T05:45:45+00:00"))
    driver.window.reviewing.open(number)
    driver.until(lambda: "JD has signed this review meanwhile" in driver.window.state.message)
    job = driver.window.state.job(number)
    assert driver.window.reviewing.review is None and job is not None and not job.may_review
    driver.until(lambda: records.read_all(archive)[row].reviewed_by == "JD", 20)
    assert records.read_all(archive)[row].reviewed_at == "2026-11-27T05:45:45+00:00", "when JD did"
    driver.close()


def test_what_an_archive_could_not_note_is_noted_once_it_is_opened_again(
    drive: Drive, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = shown(drive, archive)
    window, number = driver.window, choose_by(driver, QUIET)
    row = next(row.number for row in read_rows(archive) if row.video == QUIET)
    with TracksFile(archive.tracks_file(row)) as other:
        other.append(
            Edit(1 + max((edit.number for edit in other.edits), default=0), Operation.SIGN, reason="JD")
        )

    def full(*_arguments: object) -> None:
        raise ArchiveError("The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr("anonator.archive.review.write_signed", full)
        window.reviewing.open(number)
        driver.until(lambda: "couldn't note it: The disk is full." in window.state.message)
    assert not records.read_all(archive)[row].reviewed_by
    window.archives.open(archive.path)
    driver.until(lambda: records.read_all(archive)[row].reviewed_by == "JD")
    assert len(window.controller.jobs) == 3
    driver.close()


def test_an_archive_is_listed_once_and_an_empty_one_says_so(
    drive: Drive, archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = shown(drive, archive)
    window = driver.window
    monkeypatch.setattr(
        type(window.archives._questions), "folder_of_archive", lambda _self: str(archive.path)
    )
    window.panel.archive.invoke()
    driver.turn(1.0)
    assert len(window.controller.jobs) == 3
    write_clip(tmp_path / "d.mp4", frames=4)
    empty = plan([tmp_path / "d.mp4"], tmp_path / "empty", Settings.standard()).archive
    window.archives.open(empty.path)
    driver.until(lambda: "No video of this archive is done yet" in window.state.message)
    window.archives.open(tmp_path)
    driver.until(lambda: "There is no archive in this folder" in window.state.message)
    driver.close()
