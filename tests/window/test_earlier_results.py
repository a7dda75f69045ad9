"""Results that are there from an earlier start: in their rows, side by side, and run again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ui_helpers import Driver
from window.window_helpers import Drive, copies, states

from anonator.core.config import Performance, Settings
from anonator.ui.look.dialogs import Dialog
from anonator.ui.panels.again_dialog import AgainDialog


@pytest.fixture
def finished(clip: Path, tmp_path: Path) -> tuple[Path, Path]:
    """A video and the result that an earlier start made of it, with its report."""
    source, result = copies(clip, tmp_path, "visit.mp4", "visit_anonymized.mp4")
    said = {
        "schema": "anonator-report",
        "settings": {"hipaa": True},
        "times": {"finished": "2026-11-26T10:12:05+00:00"},
        "output": {"bytes": result.stat().st_size, "sha256": "0123abcd" * 8},
    }
    (tmp_path / "visit_anonymized_report.json").write_text(json.dumps(said), "utf-8")
    return source, result


def until_compared(driver: Driver) -> None:
    viewer = driver.window.viewer
    driver.until(lambda: viewer.caption.cget("text") == "Result")
    assert viewer.original.picture is not None and viewer.anonymized.picture is not None


def test_a_row_says_that_it_has_a_result_and_shows_it_beside_the_video(
    drive: Drive, finished: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, result = finished
    driver = drive()
    driver.show(source)
    until_compared(driver)
    window = driver.window
    assert states(driver) == ["waiting"], "it was added to be done"
    assert window.queue_view.tree.set("1", "state").strip() == "waiting, has a result"
    words = window.queue_view.details.words
    assert words.startswith("Has a result, made in HIPAA mode on 26 November 2026, 1")
    assert "visit_anonymized.mp4" in words and "320 \N{MULTIPLICATION SIGN} 180" in words
    buttons = window.queue_view.details.buttons
    opened: list[Path] = []
    monkeypatch.setattr("anonator.ui.commands.open_with_system", opened.append)
    driver.until(buttons["result"].winfo_viewable)
    for name in ("result", "report", "folder"):
        buttons[name].invoke()
    assert opened == [result, result.with_name("visit_anonymized_report.json"), result.parent]
    window.viewer.test.invoke()
    driver.until(lambda: window.viewer.caption.cget("text") == "Test of this frame")
    driver.answering("Keep both")
    window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    assert (result.with_name("visit_anonymized_2.mp4")).exists()


def test_a_result_without_a_report_and_one_elsewhere_say_so(
    drive: Drive, finished: tuple[Path, Path], tmp_path: Path
) -> None:
    source, result = finished
    result.with_name("visit_anonymized_report.json").unlink()
    folder = tmp_path / "results"
    folder.mkdir()
    driver = drive()
    driver.show(source)
    details = driver.window.queue_view.details
    driver.until(lambda: details.words.startswith("Has a result, made on "))
    assert "no report says how" in details.words and not details.buttons["report"].winfo_viewable()
    result.rename(folder / result.name)
    driver.window.choosing.set_folder(folder)
    driver.until(lambda: f"visit_anonymized.mp4, in {folder}." in details.words)


@pytest.mark.parametrize("answer", ["Compare", "Add as a video", "Leave out"])
def test_a_result_that_is_added_alone_says_what_it_is(
    drive: Drive, finished: tuple[Path, Path], answer: str
) -> None:
    """It was left out as "1 file that Anonator made", with no way to look at it."""
    source, result = finished
    driver, seen = drive(), list[str]()
    driver.show()
    driver.answering(answer, seen)
    driver.window.add([result])
    driver.until(lambda: seen)
    assert seen[0].startswith("visit_anonymized.mp4 was made by Anonator in HIPAA mode on 26 November 2026")
    assert "Its original, visit.mp4, is in the same folder." in seen[0]
    if answer == "Compare":
        until_compared(driver)
        assert states(driver) == ["done"] and driver.window.state.jobs[0].source == source
        assert driver.window.foot.start.instate(["disabled"]), "nothing is done again unasked"
        assert "Has a result, made in HIPAA mode" in driver.window.queue_view.details.words
    else:
        driver.turn(0.3)
        assert [job.source for job in driver.window.state.jobs] == ([result] if "video" in answer else [])


def test_the_original_of_a_result_can_be_chosen(
    drive: Drive, finished: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, result = finished
    other = tmp_path / "elsewhere" / "other name.mp4"
    other.parent.mkdir()
    source.rename(other)
    driver, seen = drive(), list[str]()
    monkeypatch.setattr(driver.window.commands._questions, "original_of", lambda path: other)
    driver.show()
    driver.answering("Choose the original…", seen)
    driver.window.add([result])
    until_compared(driver)
    assert "Its original isn't in the same folder." in seen[0]
    assert driver.window.state.jobs[0].source == other


def test_results_that_come_with_their_videos_are_in_their_rows(
    drive: Drive, clip: Path, finished: tuple[Path, Path], tmp_path: Path
) -> None:
    copies(clip, tmp_path, "lost_anonymized.mp4", "plain.mp4")
    driver = drive()
    driver.show(tmp_path)
    window = driver.window
    driver.until(lambda: window.notice.message)
    assert window.notice.message == (
        "visit_anonymized.mp4 is the result of visit.mp4. Choose its row to compare them. 1 file that "
        "Anonator made was skipped, because its original isn't in the same folder. Add one by itself to "
        "choose its original."
    )
    assert {job.source.name: job.state_text for job in window.state.jobs} == {
        "plain.mp4": "waiting",
        "visit.mp4": "waiting, has a result",
    }
    until_compared(driver)


def test_videos_of_one_name_show_their_folders(drive: Drive, clip: Path, tmp_path: Path) -> None:
    for day in ("monday", "tuesday"):
        (tmp_path / day).mkdir()
        copies(clip, tmp_path / day, "visit.mp4")
    driver = drive()
    driver.show(tmp_path / "monday" / "visit.mp4")
    tree = driver.window.queue_view.tree
    assert tree.item("1", "text").strip() == "visit.mp4"
    driver.window.add([tmp_path / "tuesday" / "visit.mp4"])
    driver.until(lambda: len(driver.window.state.jobs) == 2)
    names = [driver.window.queue_view._names[number] for number in (1, 2)]
    assert names == ["visit.mp4 (in monday)", "visit.mp4 (in tuesday)"]
    driver.until(lambda: tree.item("1", "text").strip().startswith("visit.mp4 (in"))


@pytest.mark.parametrize(("answer", "made"), [("Keep both", 2), ("Replace the result", 1)])
def test_a_finished_video_is_run_again(
    drive: Drive, clip: Path, tmp_path: Path, answer: str, made: int
) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    window = driver.window
    window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    again = window.queue_view.details.buttons["again"]
    driver.until(again.winfo_viewable)
    driver.answering("Cancel")
    again.invoke()
    assert states(driver) == ["done"]

    def answering(dialog: Dialog) -> None:
        assert isinstance(dialog, AgainDialog)
        threshold, scale = dialog.fields
        assert (threshold.low, threshold.high, scale.low, scale.high) == (0.2, 0.5, 1.5, 3.0)
        assert (threshold.value, scale.value) == (0.4, 1.75)
        threshold.entry.delete(0, "end")
        threshold.entry.insert(0, "0.3")  # and no Enter
        labels = {str(button.cget("text")): button for button in dialog.buttons.winfo_children()}
        labels[answer].invoke()  # type: ignore[attr-defined]

    driver.meeting(answering)
    again.invoke()
    assert states(driver) == ["waiting"]
    assert "threshold of 0.3 and a mask scale of 1.75" in window.queue_view.details.words
    until_compared(driver)
    said = "waiting, keeps its result" if made == 2 else "waiting, replaces its result"
    assert window.state.jobs[0].state_text == said
    window.choosing.choose("performance", Performance.ORIGINAL)
    window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"] and not window.state.starting)
    assert len(list(tmp_path.glob("*_anonymized*.mp4"))) == made
    stricter = Settings(performance=Performance.ORIGINAL, threshold=0.3, mask_scale=1.75)
    assert driver.engine.jobs[-1].job.settings == stricter
    assert driver.engine.jobs[-1].job.overwrite is (made == 1)
    assert driver.window.state.settings.threshold == 0.5, "only this video is done more strictly"
