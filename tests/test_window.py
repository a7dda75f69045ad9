"""The real window on a private display: here with a fake engine, and as a program with the real one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path
from tkinter import ttk

import av
import pytest
import ui_helpers
from PIL import ImageGrab
from ui_helpers import Driver, FakeEngine, Outside, write_clip

from anonator.core.config import (
    HIPAA_PERFORMANCE,
    HIPAA_WAIVER,
    Encoder,
    Mode,
    Model,
    Performance,
    Settings,
)
from anonator.core.frames import Progress, Stage
from anonator.ui.panels.lock_card import LOSSES
from anonator.ui.state import preferences
from anonator.ui.state.chosen_settings import CHANGED_ENCODER, Choices
from anonator.ui.state.job import RunState
from anonator.ui.state.text import NOT_REVIEWED, UNKNOWN, duration
from anonator.ui.work.engine import Engine

display, fine_display = ui_helpers.display, ui_helpers.fine_display
drive, outside = ui_helpers.drive, ui_helpers.outside

Drive = Callable[..., Driver]


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_clip(tmp_path_factory.mktemp("clips") / "a clip.mp4", frames=50)


def copies(clip: Path, folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(clip.read_bytes())
    return [folder / name for name in names]


def states(driver: Driver) -> list[str]:
    return [job.state.value for job in driver.window.controller.jobs]


# --- start


def test_the_window_stands_within_a_second_without_the_engine(display: str, tmp_path: Path) -> None:
    """The best of three, because other work on this machine only ever makes it slower."""
    code = (
        "import time; begin = time.perf_counter(); import sys; from pathlib import Path\n"
        "from anonator.ui.main_window import MainWindow\n"
        f"window = MainWindow(preferences_file=Path({str(tmp_path / 'window.json')!r}))\n"
        "window.loading.load = lambda: None; window.show()\n"
        "print(time.perf_counter() - begin, *(n for n in ('torch', 'cv2', 'av') if n in sys.modules))\n"
        "window.worker.stop(5); window.engine_worker.stop(5)"
    )
    seconds = []
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={"DISPLAY": display, "HOME": str(tmp_path)},
            text=True,
            check=True,
            capture_output=True,
        )
        first, *heavy = done.stdout.split()
        assert heavy == []
        seconds.append(float(first))
        if seconds[-1] < 1.0:
            break
    assert min(seconds) < 1.0, seconds


def test_a_tk_call_from_another_thread_is_caught(drive: Drive) -> None:
    """The guard of the other tests really guards."""
    driver = drive()

    def speak() -> None:
        with pytest.raises(RuntimeError, match="in thread"):
            driver.window.say("from a thread")

    thread = threading.Thread(target=speak)
    thread.start()
    thread.join()
    assert "was called in thread" in driver.errors[0]
    driver.errors.clear()


# --- the lock


def test_the_lock_is_on_at_start_and_holds_every_setting(drive: Drive) -> None:
    driver = drive()
    driver.show()
    panel = driver.window.panel
    assert panel.lock.switch.on
    assert not panel.lock.note
    assert driver.window.state.settings == Settings()
    assert all(button.instate(["disabled"]) for button in panel.masking.modes.values())
    assert panel.masking.threshold.entry.instate(["disabled"]) and panel.masking.mask_scale.entry.instate(
        ["disabled"]
    )
    assert (panel.masking.threshold.entry.get(), panel.masking.mask_scale.entry.get()) == ("0.50", "1.50")
    assert [switch.on for switch in panel.masking.switches.values()] == [True, True, False]
    assert not any(switch.enabled for switch in panel.masking.switches.values())
    assert "Maximum Speed" not in panel.free.performance.box.cget("values")


def test_unlocking_asks_first_and_says_what_is_lost(drive: Drive) -> None:
    driver = drive()
    driver.show()
    panel, seen = driver.window.panel, list[str]()
    driver.answering("Keep HIPAA mode on", seen)
    panel.lock.switch.invoke()
    assert seen == [LOSSES]
    assert driver.window.state.settings.hipaa and panel.lock.switch.on
    driver.answering("Switch off")
    panel.lock.switch.invoke()
    assert not driver.window.state.settings.hipaa
    assert panel.lock.note
    assert not panel.masking.threshold.entry.instate(["disabled"])
    panel.masking.modes[Mode.BLUR].invoke()
    panel.lock.switch.invoke()
    assert driver.window.state.settings.hipaa and driver.window.state.settings == Settings()
    assert not panel.lock.note


def test_locking_leaves_maximum_speed_and_says_so(drive: Drive) -> None:
    driver = drive()
    driver.show()
    panel = driver.window.panel
    driver.answering("Switch off")
    panel.lock.switch.invoke()
    box = panel.free.performance.box
    box.current(list(box.cget("values")).index("Maximum Speed"))
    box.event_generate("<<ComboboxSelected>>")
    assert driver.window.state.settings.performance is Performance.MAXIMUM
    panel.lock.switch.invoke()
    assert driver.window.state.settings.performance is Performance.BALANCED
    assert "Maximum Speed is not offered" in driver.window.notice.message
    assert len(box.cget("values")) == len(HIPAA_PERFORMANCE)


def test_the_performance_chosen_under_the_lock_is_used(drive: Drive) -> None:
    driver = drive()
    driver.show()
    box = driver.window.panel.free.performance.box
    box.current(list(box.cget("values")).index("Original"))
    box.event_generate("<<ComboboxSelected>>")
    assert driver.window.state.settings == Settings(performance=Performance.ORIGINAL)


# --- the configuration file


def write_config(folder: Path, content: str) -> Path:
    file = folder / "anonator.toml"
    file.write_text(content, "utf-8")
    return file


def test_stricter_values_of_the_configuration_are_shown_and_used(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    content = (
        '[hipaa]\nthreshold = 0.3\nmask_scale = 2\nperformance = "original"\n[standard]\nmode = "blur"\n'
    )
    driver = drive(config=write_config(tmp_path, content))
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    panel = driver.window.panel
    masking = panel.masking
    assert (masking.threshold.entry.get(), masking.mask_scale.entry.get()) == ("0.30", "2.00")
    assert masking.threshold.scale.get() == pytest.approx(0.3) and masking.threshold.low == 0.2
    assert panel.free.performance.box.get() == "Original"
    assert panel.lock.note == "" and not driver.window.layout.lock_state.winfo_manager()
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    wanted = Settings(threshold=0.3, mask_scale=2, performance=Performance.ORIGINAL)
    assert driver.engine.jobs[0].job.settings == wanted
    driver.answering("Switch off")
    panel.lock.switch.invoke()
    assert (
        driver.window.state.settings.mode is Mode.BLUR
        and driver.window.state.settings.performance is Performance.QUALITY
    )
    assert masking.threshold.low == 0.5


def test_what_was_signed_away_stands_in_the_window(drive: Drive, tmp_path: Path) -> None:
    content = f'[hipaa]\ni_accept = "{HIPAA_WAIVER}"\nmode = "blur"\nmask_scale = 1.2\n'
    driver = drive(config=write_config(tmp_path, content))
    driver.show()
    lock, layout = driver.window.panel.lock, driver.window.layout
    assert "loosened" in lock.note and "mask_scale 1.2" in lock.note
    assert lock._note.winfo_viewable() and layout.lock_state.winfo_viewable()
    assert layout.lock_state.cget("text") == "HIPAA mode is loosened"
    shown = [str(label.cget("text")) for _, label in lock._lines]
    assert shown[:2] == ["Blur instead of black boxes", "Boxes 1.2 times as large as the face"]
    assert driver.window.panel.masking.modes[Mode.BLUR].instate(["selected", "disabled"])
    driver.answering("Switch off")
    lock.switch.invoke()
    assert layout.lock_state.cget("text") == "HIPAA mode is off" and "loosened" not in lock.note


@pytest.mark.parametrize("content", ["[hipaa]\nmask_scale = 1.2\n", "[hipaa\n", "[hipaa]\nmask_skale = 2\n"])
def test_nothing_runs_without_a_configuration_that_can_be_used(
    drive: Drive, clip: Path, tmp_path: Path, content: str
) -> None:
    """Whoever wrote stricter values must not run without them because of a slip of the pen."""
    file = write_config(tmp_path, content)
    driver = drive(config=file)
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    window = driver.window
    assert "cannot be used" in window.layout.held.message and str(tmp_path) not in window.layout.held.message
    assert window.foot.start.instate(["disabled"]) and "held" in window.foot.status.cget("text")
    assert window.state.settings == Settings(), "what is shown meanwhile is HIPAA's own"
    assert not window.panel.lock.switch.enabled, "nor can the lock be opened to get around it"
    window.run.start()
    driver.turn(0.2)
    assert states(driver) == ["waiting"] and not driver.engine.jobs
    window.layout.held.close.invoke()
    assert window.layout.held.message, "not mended yet"
    file.write_text("[hipaa]\nmask_scale = 2\n")
    window.layout.held.close.invoke()
    assert window.layout.held.message == "" and window.panel.lock.switch.enabled
    window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    assert driver.engine.jobs[0].job.settings == Settings(mask_scale=2)


def test_report_and_neutral_name_are_free_under_the_lock_and_remembered(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "jane doe.mp4"))
    switches = driver.window.panel.free.switches
    assert [switch.on for switch in switches.values()] == [True, False]
    assert all(switch.enabled for switch in switches.values())
    switches["neutral_name"].invoke()
    (tmp_path / "jane doe_anonymized.mp4").write_bytes(b"old")
    driver.window.foot.start.invoke()  # and nobody asks about the old result
    driver.until(lambda: states(driver) == ["done"])
    target = driver.engine.jobs[0].job.target
    assert "jane" not in target.name and target.is_file()
    switches["report"].invoke()
    driver.close()
    again = drive()
    assert again.window.state.settings == Settings(report=False, neutral_name=True)
    again.answering("Switch off")
    again.window.panel.lock.switch.invoke()
    assert again.window.state.settings == Settings.standard(neutral_name=True)


def test_an_encoder_that_is_gone_is_told(drive: Drive, tmp_path: Path) -> None:
    file = tmp_path / "config" / "window.json"
    preferences.save(file, preferences.Preferences(Choices(hipaa={"encoder": Encoder.QSV})))
    driver = drive()
    driver.show()
    driver.until(lambda: driver.window.notice.message)
    assert driver.window.notice.message == CHANGED_ENCODER
    assert driver.window.state.settings == Settings()


# --- numbers


@pytest.mark.parametrize(
    ("typed", "value", "invalid"),
    [
        ("0,7", 0.7, False),
        ("0.65", 0.65, False),
        (" 0,9 ", 0.9, False),
        ("1,2", 0.5, True),
        ("", 0.5, True),
        ("abc", 0.5, True),
        ("0,,7", 0.5, True),
        ("nan", 0.5, True),
    ],
)
def test_typed_numbers_are_taken_or_refused_calmly(
    drive: Drive, typed: str, value: float, invalid: bool
) -> None:
    driver = drive()
    driver.show()
    panel = driver.window.panel
    driver.answering("Switch off")
    panel.lock.switch.invoke()
    entry = panel.masking.threshold.entry
    entry.focus_force()
    entry.delete(0, "end")
    entry.insert(0, typed)
    entry.event_generate("<KeyRelease>", keysym="0")
    driver.turn(0.02)
    assert bool(panel.masking.threshold.hint.winfo_manager()) is invalid
    entry.event_generate("<Return>")
    assert driver.window.state.settings.threshold == value
    panel.masking.mask_scale.entry.focus_force()
    driver.turn(0.05)
    assert entry.get() == f"{value:.2f}"
    assert not panel.masking.threshold.hint.winfo_manager()


# --- a job


def test_a_job_shows_the_numbers_that_the_engine_reported(drive: Drive, clip: Path, tmp_path: Path) -> None:
    (source,) = copies(clip, tmp_path, "visit one.mp4")
    driver = drive(engine=FakeEngine(frames=60))
    driver.show(source)
    window = driver.window
    assert window.foot.status.cget("text") == "Ready: 1 video, 0:02 in all"
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
    assert "2 faces followed, masks on 57 of 60 frames." in words
    assert "Sound: removed." in words and "Not yet reviewed by a person" in words


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
    driver.turn(0.1)
    assert details._text.get("1.0", "end-1c") == details.words
    lines = details.words.split("\n")
    assert lines[0] == NOT_REVIEWED
    assert lines[1] == (
        "2 faces followed, masks on 17 of 20 frames, 4 gaps bridged (covered while not found); "
        "2 frames black, because the video is damaged there. Sound: removed. Saved as a_anonymized.mp4."
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
    assert opened == [tmp_path / "a_anonymized_report.json"]


def test_without_a_report_none_is_offered(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.window.panel.free.switches["report"].invoke()
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    driver.turn(0.1)
    buttons = driver.window.queue_view.details.buttons
    shown = [name for name, button in buttons.items() if button.winfo_viewable()]
    assert shown == ["folder", "result"]
    assert driver.engine.jobs[0].job.settings == Settings(report=False)
    assert not list(tmp_path.glob("*.json"))


def test_what_the_job_is_at_is_said_in_words(drive: Drive, clip: Path, tmp_path: Path) -> None:
    engine = FakeEngine(frames=25, stages=(Stage.WORKING, Stage.CHECKING, Stage.REPAIRING))
    driver = drive(engine=engine)
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    seen: dict[str, str] = {}

    def ended() -> bool:
        current = driver.window.controller.current
        if current is not None and current.progress is not None:
            stage = str(driver.window.foot.stage.cget("text"))
            seen.setdefault(stage, str(driver.window.queue_view.tree.set("1", "state")).strip())
        return states(driver) == ["done"]

    driver.window.foot.start.invoke()
    driver.until(ended)
    assert list(seen) == ["", "Checking the finished file…", "Covering a face that the check found…"]
    assert seen["Checking the finished file…"].startswith("checking ")
    assert seen["Covering a face that the check found…"].startswith("covering more ")
    driver.turn(0.1)
    assert driver.window.foot.stage.cget("text") == ""


def test_a_start_while_the_engine_loads_says_so_and_is_cancelled_at_once(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    driver = drive()
    driver.engine.may_load.clear()
    driver.window.show(copies(clip, tmp_path, "a.mp4"))
    driver.until(lambda: driver.window.controller.waiting() and driver.window.controller.jobs[0].info)
    foot = driver.window.foot
    foot.start.invoke()
    driver.turn(0.1)
    assert foot.stage.cget("text") == "Loading the engine…" and str(foot.bar.cget("mode")) == "indeterminate"
    begin = time.monotonic()
    foot.cancel.invoke()
    assert time.monotonic() - begin < 0.5
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
    driver.turn(0.15)
    held = driver.field("frame")
    driver.turn(0.3)
    assert driver.field("frame") == held
    assert window.foot.status.cget("text") == "Paused: video 1 of 2, a.mp4"
    window.foot.pause.invoke()
    driver.until(lambda: driver.field("frame") != held)
    begin = time.monotonic()
    window.foot.cancel.invoke()
    assert window.foot.status.cget("text") == "Cancelling: video 1 of 2, a.mp4"
    driver.until(lambda: window.controller.state is RunState.IDLE)
    assert time.monotonic() - begin < 0.5
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
    x, y, *_ = tree.bbox("2")  # type: ignore[misc]
    assert str(tree.set("2", "state")).endswith("…"), "the row has no room for the whole sentence"
    tree.event_generate("<Motion>", x=x + 20, y=y + 10)
    assert driver.window.queue_view._tip.words == failed.state_text
    driver.window.queue_view.select(1)
    assert not driver.window.queue_view.buttons["clear"].instate(["disabled"]), "a failed one can be cleared"
    assert driver.window.foot.start.cget("text") == "Start 2 videos"
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done", "failed", "done"])
    assert driver.window.foot.status.cget("text") == "2 done, 1 failed. Not yet reviewed by a person"


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


# --- looking before a run


def test_a_dropped_video_is_tested_and_other_moments_too(drive: Drive, clip: Path) -> None:
    driver = drive()
    driver.show(clip)
    viewer = driver.window.viewer
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    assert driver.engine.tested[0] == (0.0, Settings())
    assert viewer.faces.cget("text") == "3 masks"
    assert viewer.original.picture is not None and viewer.anonymized.picture is not None
    viewer.slider.set(1.2)
    driver.until(lambda: len(driver.engine.tested) == 2)
    assert driver.engine.tested[1][0] == pytest.approx(1.2)
    driver.until(lambda: viewer.caption.cget("text") == "Test of this frame")
    viewer.test.invoke()
    driver.until(lambda: len(driver.engine.tested) == 3)


def test_changed_settings_are_tested_again(drive: Drive, clip: Path) -> None:
    driver = drive()
    driver.show(clip)
    driver.until(lambda: driver.engine.tested)
    driver.answering("Switch off")
    driver.window.panel.lock.switch.invoke()
    driver.window.panel.masking.modes[Mode.MOSAIC].invoke()
    driver.until(lambda: driver.engine.tested[-1][1].mode is Mode.MOSAIC)


def test_after_a_job_the_slider_compares_video_and_result(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.window.foot.start.invoke()
    viewer = driver.window.viewer
    driver.until(lambda: states(driver) == ["done"] and viewer.caption.cget("text") == "Result")
    viewer.slider.set(0.4)
    driver.until(lambda: viewer.time.cget("text") == "0:00.4 of 0:02")
    before = viewer.original.picture
    driver.until(lambda: viewer.original.picture is not before)
    # the fake engine copies the video, so both sides are the same picture
    assert viewer.original.picture is not None and viewer.anonymized.picture is not None
    assert (viewer.original.picture == viewer.anonymized.picture).all()
    assert viewer.test.instate(["disabled"])


def test_a_double_click_opens_the_result(
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
    assert opened == [tmp_path / "a_anonymized.mp4"]
    driver.window.queue_view.details.buttons["folder"].invoke()
    assert opened[1:] == [tmp_path]
    (tmp_path / "a_anonymized.mp4").unlink()
    driver.window.queue_view.details.buttons["result"].invoke()
    assert "not there any more" in driver.window.notice.message


def test_without_the_drop_library_the_buttons_still_work(
    drive: Drive, clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tkinterdnd2", None)
    monkeypatch.setattr("tkinter.filedialog.askopenfilenames", lambda **_options: (str(clip),))
    driver = drive()
    driver.show()
    assert not driver.window.can_drop
    driver.window.layout.drop_area.files.invoke()
    driver.until(lambda: states(driver) == ["waiting"])


def test_a_tool_tip_comes_with_the_keyboard_and_goes(drive: Drive) -> None:
    driver = drive()
    driver.show()

    def tips() -> list[tk.Misc]:
        box = driver.window.panel.free.performance.box
        return [
            child
            for child in box.winfo_children()
            if child.winfo_class() == "Toplevel" and child.winfo_viewable()
        ]

    box = driver.window.panel.free.performance.box
    box.focus_force()  # as a dialog that closes gives the focus back
    driver.turn(1.0)
    assert not tips(), "a tip that nobody asked for"
    before = box.tk_focusPrev()
    assert before is not None
    before.focus_force()
    driver.window.root.update()
    before.event_generate("<Tab>")
    driver.until(tips, 3)
    driver.window.foot.start.focus_force()
    driver.until(lambda: not tips(), 3)


def test_the_open_lock_is_told_at_the_head_and_the_bar_stands_still_when_done(drive: Drive) -> None:
    """Both were found by a first user: the note scrolled away, and the bar of an MKV ran on for ever."""
    driver = drive()
    driver.answering("Switch off")
    driver.show()
    layout = driver.window.layout
    assert not layout.lock_state.winfo_manager()
    driver.window.panel.lock.switch.invoke()
    driver.until(lambda: bool(layout.lock_state.winfo_manager()), 3)
    foot = driver.window.foot
    unknown = Progress(frame=30, total=None, elapsed_seconds=1.0, fps=30.0, remaining_seconds=None)
    foot.show_progress(unknown, None)
    assert str(foot.bar.cget("mode")) == "indeterminate"
    foot.show_progress(unknown, 0.0, ended=True)
    assert str(foot.bar.cget("mode")) == "determinate" and float(foot.bar.cget("value")) == 100.0


# --- models


def test_a_missing_model_is_fetched_after_a_yes(drive: Drive) -> None:
    driver = drive()
    driver.show()
    panel = driver.window.panel
    assert not panel.free.fetch.winfo_manager()
    driver.until(lambda: driver.window.state.models.sizes)
    box = panel.free.model.box
    box.current(list(Model).index(Model.RESNET50))
    box.event_generate("<<ComboboxSelected>>")
    assert panel.free.fetch.winfo_manager()
    assert panel.free.download.cget("text") == "Download (109 MB)…"
    driver.answering("Not now")
    panel.free.download.invoke()
    assert driver.engine.downloads == []
    driver.answering("Download")
    panel.free.download.invoke()
    driver.until(lambda: driver.dialogs() and driver.dialogs()[0].message.cget("text") == "50 B of 100 B")
    driver.engine.hold_download.set()
    driver.until(lambda: not panel.free.fetch.winfo_manager())
    assert driver.dialogs() == []
    assert driver.window.notice.message == "The model is on this computer now."


def test_a_download_can_be_cancelled(drive: Drive) -> None:
    driver = drive()
    driver.show()
    driver.answering("Download")
    driver.window.choosing.choose("model", Model.RESNET50)
    driver.window.loading.download()
    driver.until(lambda: driver.engine.downloads)
    driver.dialogs()[0].event_generate("<Escape>")
    driver.until(lambda: not driver.dialogs())
    assert driver.window.notice.message == ""


# --- what is remembered


def test_settings_are_remembered_but_the_lock_is_on_again(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "jane doe.mp4"))
    driver.answering("Switch off")
    panel = driver.window.panel
    panel.lock.switch.invoke()
    panel.masking.modes[Mode.BLUR].invoke()
    panel.masking.mask_scale.scale.set(2.0)
    panel.masking.switches["keep_audio"].invoke()
    driver.window.choosing.set_folder(tmp_path)
    driver.close()
    written = (tmp_path / "config" / "window.json").read_text("utf-8")
    assert "jane" not in written
    again = drive()
    panel = again.window.panel
    assert again.window.state.settings.hipaa
    assert again.window.choosing.preferences().choices == Choices(
        standard={"mode": Mode.BLUR, "mask_scale": 2.0, "keep_audio": True}
    )
    assert again.window.state.folder == tmp_path
    panel.reset.invoke()
    assert again.window.choosing.preferences() == preferences.Preferences()


@pytest.mark.parametrize(
    "written",
    [
        "{",
        "[]",
        '{"hipaa": {}, "standard": {"threshold": 5}, "output_folder": null}',
        '{"hipaa": {}, "standard": {"colour": 1}, "output_folder": null}',
        '{"hipaa": {"keep_audio": true}, "standard": {}, "output_folder": null}',
        '{"hipaa": {"performance": "maximum"}, "standard": {}, "output_folder": null}',
        "\x00\xff",
    ],
    ids=["cut off", "a list", "out of range", "unknown key", "not free", "not under the lock", "binary"],
)
def test_a_damaged_file_is_kept_beside_and_reported(drive: Drive, tmp_path: Path, written: str) -> None:
    file = tmp_path / "config" / "window.json"
    file.parent.mkdir()
    file.write_bytes(written.encode("latin-1"))
    driver = drive()
    assert driver.window.notice.message == preferences.DAMAGED
    assert driver.window.choosing.preferences() == preferences.Preferences()
    assert (tmp_path / "config" / "window.json.damaged").read_bytes() == written.encode("latin-1")
    driver.close()
    assert preferences.load(file) == (preferences.Preferences(), "")


# --- errors, looks, keyboard


def test_an_unexpected_error_is_said_in_a_sentence_and_logged_without_its_text(
    drive: Drive,
    caplog: pytest.LogCaptureFixture,
) -> None:
    driver = drive()
    driver.show()

    secret = "".join(("jane", " ", "doe"))  # apart, because the log quotes the line that raised

    def fail() -> None:
        raise OSError(f"/secret/{secret}.mp4")

    driver.root.after(1, fail)
    driver.until(lambda: driver.window.notice.message)
    logged = caplog.text
    caplog.clear()
    assert driver.errors == [f"OSError: /secret/{secret}.mp4"]
    driver.errors.clear()
    assert "unexpected" in driver.window.notice.message and secret not in driver.window.notice.message
    assert "OSError" in logged and secret not in logged


def all_widgets(widget: tk.Misc) -> Iterator[tk.Misc]:
    for child in widget.winfo_children():
        yield child
        yield from all_widgets(child)


def require_nothing_cut_off(driver: Driver) -> None:
    driver.turn(0.3)
    for widget in all_widgets(driver.root):
        if isinstance(widget, (ttk.Label, ttk.Button, ttk.Radiobutton)) and widget.winfo_viewable():
            assert widget.winfo_width() >= widget.winfo_reqwidth() or widget in (
                driver.window.foot.status,
                driver.window.queue_view.details,
            ), f'"{widget.cget("text")}" is cut off'
            assert widget.winfo_height() >= widget.winfo_reqheight(), f'"{widget.cget("text")}" is cut off'


@pytest.mark.parametrize("scaling", [1, 2])
def test_nothing_is_cut_off_at_the_smallest_size(
    drive: Drive,
    clip: Path,
    tmp_path: Path,
    scaling: int,
    fine_display: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if scaling == 2:
        monkeypatch.setenv("DISPLAY", fine_display)
    driver = drive(size=f"{1000 * scaling}x{700 * scaling}")
    driver.show()
    assert driver.window.theme.scale == pytest.approx(scaling, abs=0.02)
    require_nothing_cut_off(driver)
    driver.window.add(
        copies(clip, tmp_path, "a video with a long name that does not fit anywhere.mp4", "b.mp4")
    )
    driver.until(lambda: len(driver.window.controller.jobs) == 2)
    require_nothing_cut_off(driver)
    driver.answering("Switch off")
    driver.window.panel.lock.switch.invoke()
    require_nothing_cut_off(driver)
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done", "done"])
    require_nothing_cut_off(driver)


def test_everything_is_reached_by_the_tab_key(drive: Drive, clip: Path) -> None:
    driver = drive()
    driver.show(clip)
    driver.answering("Switch off")
    driver.window.panel.lock.switch.invoke()
    widget, reached = driver.window.viewer.slider, list[tk.Misc]()
    while widget not in reached:
        reached.append(widget)  # type: ignore[arg-type]
        widget = widget.tk_focusNext()  # type: ignore[assignment]
    window, panel = driver.window, driver.window.panel
    for wanted in (
        window.viewer.test,
        window.queue_view.tree,
        window.queue_view.buttons["files"],
        panel.lock.switch,
        panel.free.performance.box,
        panel.free.model.box,
        panel.free.encoder.box,
        panel.free.choose,
        *panel.masking.modes.values(),
        panel.masking.threshold.scale,
        panel.masking.threshold.entry,
        panel.masking.mask_scale.scale,
        *panel.masking.switches.values(),
        panel.reset,
        window.foot.start,
    ):
        assert wanted in reached, str(wanted)


def test_every_setting_has_a_tool_tip(drive: Drive) -> None:
    driver = drive()
    driver.show()
    free, masking = driver.window.panel.free, driver.window.panel.masking
    wanted: list[tk.Misc] = [
        free.performance.box,
        free.model.box,
        free.encoder.box,
        free.choose,
        free.beside,
        free.download,
        free.use_file,
        *free.switches.values(),
        *masking.modes.values(),
        masking.threshold.scale,
        masking.threshold.entry,
        masking.mask_scale.scale,
        masking.mask_scale.entry,
        *masking.switches.values(),
        driver.window.panel.reset,
        driver.window.panel.lock.switch,
    ]
    for widget in wanted:
        assert "ToolTip" not in str(widget) and "_schedule" in widget.bind("<Enter>"), str(widget)


def test_what_is_reached_by_the_keyboard_is_seen_and_pressed(drive: Drive) -> None:
    """Every control in its turn looks different while it has the keyboard."""
    driver = drive(size="1280x800")
    driver.answering("Switch off")
    driver.show()
    driver.window.panel.lock.switch.invoke()
    driver.window.layout.drop_area.files.focus_force()
    driver.root.update()
    seen: list[tk.Misc] = []
    widget: tk.Misc = driver.window.layout.drop_area.files
    while widget not in seen:
        seen.append(widget)
        following = widget.tk_focusNext()
        assert following is not None
        following.focus_force()  # brings it into sight
        driver.turn(0.03)
        driver.window.foot.focus_force()
        driver.turn(0.05)
        without = picture_of(following)
        following.focus_force()
        driver.until(lambda shown=following, before=without: picture_of(shown) != before, 2)
        widget = following
    assert len(seen) > 15
    radio = driver.window.panel.masking.modes[Mode.MOSAIC]
    radio.focus_force()
    radio.event_generate("<Return>")
    assert driver.window.state.settings.mode is Mode.MOSAIC
    for key in ("<space>", "<Return>"):
        switch = driver.window.panel.masking.switches["multi_pass"]
        before = switch.on
        switch.focus_force()
        switch.event_generate(key)
        assert switch.on is not before


def picture_of(widget: tk.Misc) -> bytes:
    """What a control looks like on the screen."""
    x, y = widget.winfo_rootx(), widget.winfo_rooty()
    box = (x - 2, y - 2, x + widget.winfo_width() + 2, y + widget.winfo_height() + 2)
    return ImageGrab.grab(box, xdisplay=os.environ["DISPLAY"]).tobytes()


def test_keys_open_results_list_all_keys_and_close_questions(
    drive: Drive, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []
    monkeypatch.setattr("anonator.ui.commands.open_with_system", opened.append)
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    root, tree = driver.root, driver.window.queue_view.tree
    root.event_generate("<Control-Return>")
    driver.until(lambda: states(driver) == ["done"])
    tree.focus_force()
    driver.turn(0.1)
    for key in ("<Return>", "<space>"):
        tree.event_generate(key)
    assert opened == [tmp_path / "a_anonymized.mp4"] * 2
    words: list[str] = []

    def escape(dialog: tk.Misc) -> None:
        driver.until(lambda: str(dialog.focus_get()).startswith(str(dialog)), 2)  # it gets the keyboard
        focus = dialog.focus_get()
        assert focus is not None
        words.extend(str(label.cget("text")) for label in all_widgets(dialog) if isinstance(label, ttk.Label))
        focus.event_generate("<Escape>")

    for key in ("<F1>", "<Control-l>"):
        driver.meeting(escape)
        root.event_generate(key)  # comes back when the question is closed
        assert not driver.dialogs()
        driver.until(lambda: root.focus_get() is tree, 2)
    assert {"Ctrl+O", "Ctrl+Enter", "Ctrl+L", "Escape", "F1"} <= set(words) and LOSSES in words
    assert driver.window.state.settings.hipaa
    tree.event_generate("<Delete>")
    driver.until(lambda: not driver.window.controller.jobs)
    driver.window.foot.focus_force()
    driver.turn(0.05)
    root.event_generate("<Control-q>")
    driver.until(lambda: driver.window.closed)


def test_the_keyboard_is_never_left_on_what_cannot_be_used(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive(engine=FakeEngine(frames=40))
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    foot = driver.window.foot
    foot.start.focus_force()
    foot.start.invoke()
    driver.until(lambda: states(driver) == ["running"])
    driver.turn(0.05)
    assert driver.root.focus_get() is foot.pause
    driver.until(lambda: states(driver) == ["done"])
    driver.turn(0.05)
    assert driver.root.focus_get() is driver.window.queue_view.tree


def test_choices_of_the_panel_cover_every_enum(drive: Drive) -> None:
    driver = drive()
    driver.answering("Switch off")
    driver.show()
    driver.window.panel.lock.switch.invoke()
    panel = driver.window.panel
    assert len(panel.free.performance.box.cget("values")) == len(Performance)
    assert len(panel.free.model.box.cget("values")) == len(Model)
    assert len(panel.free.encoder.box.cget("values")) == 2, "only encoders that were tried and work"
    assert set(panel.masking.modes) == set(Mode)


# --- with the real engine


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads the scheduler's own figures")
def test_the_event_loop_goes_on_while_the_engine_loads_and_during_a_job(display: str, tmp_path: Path) -> None:
    """The lateness of a 10 ms tick on the main thread, with a 1080p job.

    Measured on two cores of which others used one: 99 % under 10 to 13 ms, the longest 67 ms; while the
    engine loads, the longest 94 ms. ANONATOR_STRICT_TIMING=1 sets the limits that a free machine must keep.
    Without it the limits are wider, and time for which other work held the processors is not counted.
    """
    strict = os.environ.get("ANONATOR_STRICT_TIMING") == "1"
    source = write_clip(tmp_path / "a.mp4", frames=90, size=(1920, 1080))
    run = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("heartbeat.py")), str(source), "3"],
        env={**os.environ, "DISPLAY": display},
        text=True,
        check=True,
        capture_output=True,
    )
    late = {
        phase: sorted(whole if strict else own for whole, own in ticks)
        for phase, ticks in json.loads(run.stdout).items()
    }
    assert len(late["load"]) > 20 and len(late["job"]) > 100
    assert late["load"][-1] < (350 if strict else 500), late["load"][-20:]
    after = sorted([*late["test"], *late["job"], *late["end"]])
    assert after[-1] < (120 if strict else 300), after[-20:]
    assert after[int(len(after) * 0.99)] < (30 if strict else 60), after[-20:]


LIMIT = 0.5 if os.environ.get("ANONATOR_STRICT_TIMING") == "1" else 1.5
"""Seconds for an answer to Cancel; the wider one is for machines that do other work, too."""


@pytest.mark.slow
def test_cancel_answers_and_leaves_nothing_wherever_the_real_job_is(drive: Drive, tmp_path: Path) -> None:
    """While the engine loads, while the video is opened, and while frames are written."""
    folder = tmp_path / "videos"
    folder.mkdir()
    driver = drive(engine=Engine())
    window = driver.window
    window.show([write_clip(folder / "a.mp4", frames=120, size=(1920, 1080))])
    driver.until(lambda: window.controller.jobs and window.controller.jobs[0].info, 60)

    def cancel() -> None:
        begin = time.monotonic()
        window.foot.cancel.invoke()
        assert time.monotonic() - begin < 0.1, "the button itself answers at once"
        driver.until(lambda: window.controller.state is RunState.IDLE and not window.state.starting)
        assert time.monotonic() - begin < LIMIT
        assert [path.name for path in folder.iterdir()] == ["a.mp4"]

    window.foot.start.invoke()
    driver.turn(0.02)
    cancel()
    assert states(driver) == ["waiting"]
    driver.until(lambda: window.state.loaded, 90)
    for at_work in (False, True, True):
        driver.until(lambda: not window.foot.start.instate(["disabled"]))
        window.foot.start.invoke()
        driver.until(lambda: window.controller.current is not None, 60)
        if at_work:
            driver.until(lambda: window.controller.jobs[0].progress is not None, 60)
            driver.turn(0.3)
        cancel()
        assert states(driver) == ["cancelled"]
        window.queue_view.details.buttons["retry"].invoke()
    assert window.notice.message == ""


@pytest.mark.slow
def test_two_videos_are_dragged_onto_the_program_and_anonymized(outside: Outside, tmp_path: Path) -> None:
    """A real drag by the mouse, Start, progress seen moving, results on disk, cancel, the session's end."""
    folder = tmp_path / "videos"
    folder.mkdir()
    files = [write_clip(folder / name, frames=40) for name in ("my visit {1}.mp4", "Größe 日本語.mp4")]
    program = outside.program()
    ready = program.wait("ready")
    assert outside.drag(files, ready["lab"]) == "copy"
    assert program.wait("drop")["files"] == [str(file) for file in files]
    program.wait("added", left_out=0)
    program.wait("engine", 60)
    outside.click(ready["start"])
    program.wait("job", 30, number=1, state="running")
    program.wait("run ended", 60, done=2, failed=0)
    told = [event for event in program.events("progress") if event["number"] == 1]
    frames = [event["frame"] for event in told if event["stage"] == "working"]
    assert len(set(frames)) >= 3 and frames == sorted(frames) and frames[-1] <= 40
    assert [event["stage"] for event in told if event["stage"] != "working"][-1] == "checking"
    for file in files:
        with av.open(str(file.with_name(f"{file.stem}_anonymized.mp4"))) as container:
            assert sum(1 for _ in container.decode(video=0)) == 40

    long_one = write_clip(folder / "long.mp4", frames=600, size=(640, 360))
    assert outside.drag([long_one], ready["lab"]) == "copy"
    program.wait("added", numbers=[3])
    outside.click(ready["start"])
    program.wait("progress", 30, number=3)
    outside.click(ready["cancel"])
    asked = time.monotonic()
    assert program.wait("job", 10, number=3, state="cancelled")["t"] - asked < LIMIT
    assert not list(folder.glob("*long*anonymized*")), "a cancelled job left something behind"

    # what a desktop sends when its user logs out: no question then, but the same care
    assert outside.drag([long_one], ready["lab"]) == "copy"
    program.wait("added", numbers=[4])
    outside.click(ready["start"])
    program.wait("progress", 30, number=4)
    begin = time.monotonic()
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(20) == 0
    assert time.monotonic() - begin < 5
    assert program.events("job")[-1]["state"] == "cancelled" and program.events("closed")
    unfinished = Path(os.environ["XDG_STATE_HOME"]) / "Anonator" / "unfinished"
    assert not unfinished.exists() or not list(unfinished.iterdir())
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [
            *(file.name for file in files),
            *(f"{file.stem}_anonymized.mp4" for file in files),
            *(f"{file.stem}_anonymized_report.json" for file in files),
            "long.mp4",
        ]
    )
