"""Jobs in the window: numbers, words, pause, cancel, and the end."""

from __future__ import annotations

from pathlib import Path

import pytest
from patience import Stopwatch
from ui_helpers import FakeEngine
from window.window_helpers import Drive, copies, states

from anonator.core.job import Stage
from anonator.ui.state.job import RunState
from anonator.ui.state.text import LOADING_ENGINE, NOT_REVIEWED, UNKNOWN, duration


def test_a_job_shows_the_numbers_that_the_engine_reported(drive: Drive, clip: Path, tmp_path: Path) -> None:
    (source,) = copies(clip, tmp_path, "visit one.mp4")
    driver = drive(engine=FakeEngine(frames=60))
    driver.show(source)
    window = driver.window
    assert window.foot.status.cget("text") == "Ready: 1 video, 0:02 in total"
    window.foot.start.invoke()
    seen = set()

    def ended() -> bool:
        current = window.controller.current
        if current is not None and current.progress is not None and driver.field("frame") != UNKNOWN:
            told = current.progress
            assert told in driver.engine.jobs[0].told
            seen.add(driver.field("frame"))
            assert (driver.field("frame"), driver.field("speed"), driver.field("elapsed")) == (
                f"{told.frame} of 60",
                f"{told.fps:.1f} frames/s",
                duration(told.elapsed_seconds),
            )
            assert driver.field("remaining") == duration(told.remaining_seconds)
        return states(driver) == ["done"]

    driver.until(ended)
    assert len(seen) >= 5
    assert driver.field("frame") == "60 of 60"
    assert (tmp_path / "visit one_anonymized.mp4").is_file()
    driver.until(lambda: window.viewer.caption.cget("text") == "Result")
    words = window.queue_view.details.words
    assert "Something was covered in 57 of 60 frames." in words
    assert "Sound: removed." in words and NOT_REVIEWED in words


def test_a_finished_job_says_in_words_what_the_engine_reported(
    drive: Drive, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("anonator.ui.commands.open_with_system", opened.append)
    facts = {
        "gaps_bridged": 4,
        "replaced_frames": 2,
        "checks": ("All 20 frames are there.", "The detector looked again and found no face."),
        "notes": ("The video is interlaced.",),
    }
    driver = drive(engine=FakeEngine(frames=20, **facts))
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    details = driver.window.queue_view.details
    assert details.words == "320 \N{MULTIPLICATION SIGN} 180, 50 frames"
    assert not any(button.winfo_viewable() for button in details.buttons.values())
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    driver.until(lambda: details._text.get("1.0", "end-1c") == details.words)
    lines = details.words.split("\n")
    assert lines[0] == NOT_REVIEWED
    assert lines[1] == (
        "Something was covered in 17 of 20 frames, also through 4 moments in which the face was not "
        "detected; "
        "2 frames blacked out because the video is damaged there. Sound: removed. Saved as a_anonymized.mp4."
    )
    assert lines[2:] == [
        "The video is interlaced.",
        "Passed 2 checks of the finished file:",
        "✓  All 20 frames are there.",
        "✓  The detector looked again and found no face.",
    ]
    assert (driver.field("frame"), driver.field("elapsed")) == ("20 of 20", "0:02")
    assert driver.field("speed") == "13.3 frames/s"
    details.buttons["report"].invoke()
    assert opened == [tmp_path / "a_anonymized_report.html"]


def test_what_the_job_is_at_is_said_in_words(drive: Drive, clip: Path, tmp_path: Path) -> None:
    engine = FakeEngine(frames=25, stages=(Stage.WORKING, Stage.CHECKING, Stage.REPAIRING))
    driver = drive(engine=engine)
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    words = {
        Stage.WORKING: "",
        Stage.CHECKING: "Checking the finished file…",
        Stage.REPAIRING: "Covering a face that the check found…",
    }
    seen: dict[str, str] = {}
    engine.may_end = lambda stage: words[stage] in seen

    def ended() -> bool:
        current = driver.window.controller.current
        if current is not None and current.progress is not None:
            stage = str(driver.window.foot.stage.cget("text"))
            seen.setdefault(stage, str(driver.window.queue_view.tree.set("1", "state")).strip())
        return states(driver) == ["done"]

    driver.window.foot.start.invoke()
    driver.until(ended)
    assert list(seen) == list(words.values())
    assert seen[words[Stage.CHECKING]].startswith("checking ")
    assert seen[words[Stage.REPAIRING]].startswith("covering more ")
    driver.until(lambda: driver.window.foot.stage.cget("text") == "")


def test_one_bar_for_the_whole_job_never_goes_back(drive: Drive, clip: Path, tmp_path: Path) -> None:
    engine = FakeEngine(frames=25, stages=(Stage.WORKING, Stage.CHECKING, Stage.REPAIRING))
    (tmp_path / "broken.mp4").write_bytes(b"no video" * 500)
    driver = drive(engine=engine)
    driver.show(tmp_path / "broken.mp4", *copies(clip, tmp_path, "a.mp4"))
    foot, shown, status = driver.window.foot, list[float](), set[str]()

    def ended() -> bool:
        if driver.window.controller.current is not None:
            shown.append(float(foot.bar.cget("value")))
            status.add(str(foot.status.cget("text")))
        return states(driver) == ["failed", "done"]

    foot.start.invoke()
    driver.until(ended)
    driver.until(lambda: float(foot.bar.cget("value")) == 100)
    assert shown == sorted(shown) and 0 < shown[-1] <= 100 and len(set(shown)) > 5
    assert status == {"Video 1 of 1, a.mp4"} and float(foot.bar.cget("value")) == 100


def test_a_start_while_the_engine_loads_says_so_and_is_cancelled_at_once(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    driver = drive()
    driver.engine.may_load.clear()
    driver.window.show(copies(clip, tmp_path, "a.mp4"))
    driver.until(lambda: driver.window.controller.waiting() and driver.window.controller.jobs[0].info)
    foot = driver.window.foot
    foot.start.invoke()
    driver.until(lambda: foot.stage.cget("text") == LOADING_ENGINE)
    assert str(foot.bar.cget("mode")) == "indeterminate"
    watch = Stopwatch()
    foot.cancel.invoke()
    assert watch.seconds < 0.5
    assert states(driver) == ["waiting"] and foot.stage.cget("text") == ""
    assert not foot.start.instate(["disabled"])
    driver.engine.may_load.set()
    driver.until(lambda: driver.window.state.loaded)
    driver.turn(0.2)
    assert states(driver) == ["waiting"] and not driver.engine.jobs, "a cancelled start happened all the same"
    foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    assert driver.engine.loads[-1] == driver.engine.jobs[0].job.settings, "loaded before the job, not in it"


def test_pause_holds_and_cancel_answers_at_once(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive(engine=FakeEngine(frames=2000))
    driver.show(*copies(clip, tmp_path, "a.mp4", "b.mp4"))
    window = driver.window
    window.foot.start.invoke()
    driver.until(lambda: driver.field("frame") not in (UNKNOWN, ""))
    window.foot.pause.invoke()
    assert window.foot.pause.cget("text") == "Resume"
    job = driver.engine.jobs[0]
    driver.until(lambda: job.holds)  # once the frame that it was at is done
    held = f"{job.told[-1].frame} of 2,000"
    driver.until(lambda: driver.field("frame") == held)
    driver.turn(0.3)
    assert driver.field("frame") == held
    assert window.foot.status.cget("text") == "Paused: video 1 of 2, a.mp4"
    window.foot.pause.invoke()
    driver.until(lambda: driver.field("frame") != held)
    watch = Stopwatch()
    window.foot.cancel.invoke()
    assert window.foot.status.cget("text") == "Cancelling: video 1 of 2, a.mp4"
    driver.until(lambda: window.controller.state is RunState.IDLE)
    assert watch.seconds < 0.5
    assert states(driver) == ["cancelled", "waiting"]
    assert not window.foot.start.instate(["disabled"])
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == ["a.mp4", "b.mp4"]


def test_settings_and_lock_are_held_while_a_job_runs(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive(engine=FakeEngine(frames=2000))
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["running"])
    panel = driver.window.panel
    assert not panel.lock.switch.enabled
    panel.lock.switch.invoke()
    assert driver.window.state.settings.hipaa
    assert panel.free.performance.box.instate(["disabled"]) and panel.reset.instate(["disabled"])


@pytest.mark.parametrize("answer", ["Keep working", "Cancel the job and close"])
def test_closing_while_running_asks_cancels_and_waits(
    drive: Drive, clip: Path, tmp_path: Path, answer: str
) -> None:
    driver = drive(engine=FakeEngine(frames=2000))
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["running"])
    driver.answering(answer)
    driver.window.run.close()
    if answer == "Keep working":
        driver.turn(0.2)
        assert not driver.window.closed and states(driver) == ["running"]
    else:
        driver.until(lambda: driver.window.closed)
        assert driver.engine.jobs[0].done
        assert not (tmp_path / "a_anonymized.mp4").exists()
