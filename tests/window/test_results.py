"""Results that are there already, equal names, broken files, and opening what is done."""

from __future__ import annotations

from pathlib import Path

import pytest
from window.window_helpers import Drive, copies, states

from anonator.core.config import (
    Settings,
)


def test_without_a_report_none_is_offered(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.answering("Switch off")
    driver.window.panel.lock.switch.invoke()
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    buttons = driver.window.queue_view.details.buttons
    driver.until(buttons["result"].winfo_viewable)
    shown = [name for name, button in buttons.items() if button.winfo_viewable()]
    assert shown == ["again", "folder", "result"]
    assert driver.engine.jobs[0].job.settings == Settings.standard()
    assert not list(tmp_path.glob("*.json"))


def test_a_queue_with_a_broken_file_does_the_rest(drive: Drive, clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "b broken.mp4"
    broken.write_bytes(b"no video" * 500)
    first, last = copies(clip, tmp_path, "a.mp4", "c.mp4")
    driver = drive()
    driver.show(first, broken, last)
    assert states(driver) == ["waiting", "failed", "waiting"]
    driver.window.queue_view.select(2)
    driver.turn(0.05)
    failed = driver.window.controller.jobs[1]
    assert driver.window.queue_view.details.words == f"Failed: {failed.message}"
    tree = driver.window.queue_view.tree
    driver.until(lambda: bool(tree.bbox("2")))  # nothing before it is drawn
    x, y, *_ = tree.bbox("2")  # type: ignore[misc]
    assert str(tree.set("2", "state")).endswith("…"), "the row has no room for the whole sentence"
    tree.event_generate("<Motion>", x=x + 20, y=y + 10)
    assert driver.window.queue_view._tip.words == failed.state_text
    driver.window.queue_view.select(1)
    buttons = driver.window.queue_view.toolbar.buttons
    assert not buttons["clear"].instate(["disabled"]), "a failed one can be cleared"
    assert driver.window.foot.start.cget("text") == "Start 2 videos"
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done", "failed", "done"])
    assert driver.window.foot.status.cget("text") == "2 done, 1 failed. Not yet reviewed by a person"


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize(
    ("label", "result"),
    [
        ("Keep both", ["a_anonymized.mp4", "a_anonymized_2.mp4"]),
        ("Replace", ["a_anonymized.mp4"]),
        ("Skip", ["a_anonymized.mp4"]),
        ("Cancel", ["a_anonymized.mp4"]),
    ],
)
def test_a_result_that_is_there_is_asked_about(
    drive: Drive,
    clip: Path,
    tmp_path: Path,
    label: str,
    result: list[str],
) -> None:
    (source,) = copies(clip, tmp_path, "a.mp4")
    (tmp_path / "a_anonymized.mp4").write_bytes(b"old")
    driver = drive()
    driver.show(source)
    driver.answering(label)
    driver.window.foot.start.invoke()
    after = {"Skip": "skipped", "Cancel": "waiting"}.get(label, "done")
    driver.until(lambda: states(driver) == [after] and not driver.window.state.starting)
    assert driver.window.queue_view.tree.set("1", "state").strip() == after
    assert sorted(path.name for path in tmp_path.glob("*_anonymized*.mp4")) == result
    replaced = (tmp_path / "a_anonymized.mp4").read_bytes() != b"old"
    assert replaced == (label == "Replace")


def test_replace_is_not_meant_for_a_video_that_came_after_the_question(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    """Failure would mean that an older result is replaced although nobody was asked."""
    first, second = copies(clip, tmp_path, "a.mp4", "b.mp4")
    for name in ("a_anonymized.mp4", "b_anonymized.mp4"):
        (tmp_path / name).write_bytes(b"old")
    driver = drive()
    driver.show(first)
    driver.engine.may_load.clear()
    driver.answering("Replace")
    driver.window.foot.start.invoke()
    assert driver.window.state.starting
    driver.window.commands.add([second])
    driver.until(lambda: len(states(driver)) == 2)
    driver.engine.may_load.set()
    driver.until(lambda: states(driver) == ["done", "done"])
    assert (tmp_path / "a_anonymized.mp4").read_bytes() != b"old"
    assert (tmp_path / "b_anonymized.mp4").read_bytes() == b"old"
    assert (tmp_path / "b_anonymized_2.mp4").exists()


def test_a_folder_with_equal_names_gives_each_video_a_result(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "visits"
    folder.mkdir()
    sources = copies(clip, folder, "a.mp4", "a.mkv", "a.mov")
    driver = drive()
    driver.show(folder)
    assert states(driver) == ["waiting"] * 3
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"] * 3)
    assert {path.name for path in folder.glob("*_anonymized*.mp4")} == {
        "a_anonymized.mp4",
        "a_anonymized_2.mp4",
        "a_anonymized_3.mp4",
    }
    jobs = driver.window.controller.jobs
    assert {job.source for job in jobs} == set(sources)
    assert [job.target.name for job in jobs if job.target] == [
        "a_anonymized.mp4",
        "a_anonymized_2.mp4",
        "a_anonymized_3.mp4",
    ]
    assert "because a_anonymized.mp4 is the result of" in jobs[1].message


def test_a_double_click_shows_the_result_in_large_and_a_button_opens_it_in_the_player(
    drive: Drive, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("anonator.ui.commands.open_with_system", opened.append)
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    tree = driver.window.queue_view.tree
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    driver.turn(0.3)
    x, y, width, height = tree.bbox("1")  # type: ignore[misc]
    for _ in range(2):
        tree.event_generate("<ButtonPress-1>", x=x + width // 2, y=y + height // 2)
        tree.event_generate("<ButtonRelease-1>", x=x + width // 2, y=y + height // 2)
    assert driver.window.state.large and opened == []
    driver.until(lambda: driver.window.viewer.caption.cget("text") == "Result")
    driver.root.event_generate("<Escape>")
    driver.until(tree.winfo_viewable)
    driver.window.queue_view.details.buttons["result"].invoke()
    assert opened == [tmp_path / "a_anonymized.mp4"]
    driver.window.queue_view.details.buttons["folder"].invoke()
    assert opened[1:] == [tmp_path]
    (tmp_path / "a_anonymized.mp4").unlink()
    driver.window.queue_view.details.buttons["result"].invoke()
    assert "isn't there any more" in driver.window.notice.message
