"""The real window on a private display: here with a fake engine, and as a program with the real one."""

from __future__ import annotations

import os
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
from ui_helpers import Driver, FakeEngine, Outside, write_clip

from anonator.core.config import HIPAA_PERFORMANCE, Mode, Model, Performance, Settings
from anonator.core.frames import Progress
from anonator.ui import preferences
from anonator.ui.engine import Engine
from anonator.ui.jobs import RunState
from anonator.ui.lock_card import LOSSES
from anonator.ui.text import UNKNOWN, duration

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
        "window.load_engine = lambda: None; window.show()\n"
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
    assert not panel.lock.note_shown
    assert panel.settings() == Settings()
    assert all(button.instate(["disabled"]) for button in panel.modes.values())
    assert panel.threshold.entry.instate(["disabled"]) and panel.mask_scale.entry.instate(["disabled"])
    assert (panel.threshold.entry.get(), panel.mask_scale.entry.get()) == ("0.50", "1.50")
    assert [switch.on for switch in panel.switches.values()] == [True, True, False]
    assert not any(switch.enabled for switch in panel.switches.values())
    assert "Maximum Speed" not in panel.performance.box.cget("values")


def test_unlocking_asks_first_and_says_what_is_lost(drive: Drive) -> None:
    driver = drive()
    driver.show()
    panel, seen = driver.window.panel, list[str]()
    driver.answering("Keep HIPAA mode on", seen)
    panel.lock.switch.invoke()
    assert seen == [LOSSES]
    assert panel.locked and panel.lock.switch.on
    driver.answering("Switch off")
    panel.lock.switch.invoke()
    assert not panel.locked and not panel.settings().hipaa
    assert panel.lock.note_shown
    assert not panel.threshold.entry.instate(["disabled"])
    panel.modes[Mode.BLUR].invoke()
    panel.lock.switch.invoke()
    assert panel.locked and panel.settings() == Settings()
    assert not panel.lock.note_shown


def test_locking_leaves_maximum_speed_and_says_so(drive: Drive) -> None:
    driver = drive()
    driver.show()
    panel = driver.window.panel
    driver.answering("Switch off")
    panel.lock.switch.invoke()
    box = panel.performance.box
    box.current(list(box.cget("values")).index("Maximum Speed"))
    box.event_generate("<<ComboboxSelected>>")
    assert panel.settings().performance is Performance.MAXIMUM
    panel.lock.switch.invoke()
    assert panel.settings().performance is Performance.BALANCED
    assert "Maximum Speed is not offered" in driver.window.notice.message
    assert len(box.cget("values")) == len(HIPAA_PERFORMANCE)


def test_the_performance_chosen_under_the_lock_is_used(drive: Drive) -> None:
    driver = drive()
    driver.show()
    box = driver.window.panel.performance.box
    box.current(list(box.cget("values")).index("Original"))
    box.event_generate("<<ComboboxSelected>>")
    assert driver.window.panel.settings() == Settings(performance=Performance.ORIGINAL)


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
    entry = panel.threshold.entry
    entry.focus_force()
    entry.delete(0, "end")
    entry.insert(0, typed)
    entry.event_generate("<KeyRelease>", keysym="0")
    driver.turn(0.02)
    assert bool(panel.threshold.hint.winfo_manager()) is invalid
    entry.event_generate("<Return>")
    assert panel.settings().threshold == value
    panel.mask_scale.entry.focus_force()
    driver.turn(0.05)
    assert entry.get() == f"{value:.2f}"
    assert not panel.threshold.hint.winfo_manager()


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
    words = window.queue_view.details.cget("text")
    assert "2 faces followed, masks on 57 of 60 frames." in words
    assert "Sound: removed." in words and "Not yet reviewed by a person" in words


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
    assert panel.locked
    assert panel.performance.box.instate(["disabled"]) and panel.reset.instate(["disabled"])


def test_a_queue_with_a_broken_file_does_the_rest(drive: Drive, clip: Path, tmp_path: Path) -> None:
    broken = tmp_path / "b broken.mp4"
    broken.write_bytes(b"no video" * 500)
    first, last = copies(clip, tmp_path, "a.mp4", "c.mp4")
    driver = drive()
    driver.show(first, broken, last)
    assert states(driver) == ["waiting", "failed", "waiting"]
    driver.window.queue_view.select(2)
    driver.turn(0.05)
    assert driver.window.queue_view.details.cget("text").startswith("Failed: ")
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
    driver.until(lambda: states(driver) in (["done"], ["cancelled"]) and driver.window._start_choice is None)
    assert sorted(path.name for path in tmp_path.glob("*_anonymized*")) == result
    replaced = (tmp_path / "a_anonymized.mp4").read_bytes() != b"old"
    assert replaced == (label == "Replace")


@pytest.mark.parametrize("answer", ["Keep working", "Cancel the job and close"])
def test_closing_while_running_asks_cancels_and_waits(
    drive: Drive, clip: Path, tmp_path: Path, answer: str
) -> None:
    driver = drive(engine=FakeEngine(frames=2000))
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["running"])
    driver.answering(answer)
    driver.window.close()
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
    driver.window.panel.modes[Mode.MOSAIC].invoke()
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
    driver.window.queue_view.open_folder.invoke()
    assert opened[1:] == [tmp_path]
    (tmp_path / "a_anonymized.mp4").unlink()
    driver.window.queue_view.open_result.invoke()
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
        box = driver.window.panel.performance.box
        return [
            child
            for child in box.winfo_children()
            if child.winfo_class() == "Toplevel" and child.winfo_viewable()
        ]

    box = driver.window.panel.performance.box
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
    assert not panel.fetch.winfo_manager()
    driver.until(lambda: panel._sizes)
    box = panel.model.box
    box.current(list(Model).index(Model.RESNET50))
    box.event_generate("<<ComboboxSelected>>")
    assert panel.fetch.winfo_manager()
    assert panel.download.cget("text") == "Download (109 MB)…"
    driver.answering("Not now")
    panel.download.invoke()
    assert driver.engine.downloads == []
    driver.answering("Download")
    panel.download.invoke()
    driver.until(lambda: driver.dialogs() and driver.dialogs()[0].message.cget("text") == "50 B of 100 B")
    driver.engine.hold_download.set()
    driver.until(lambda: not panel.fetch.winfo_manager())
    assert driver.dialogs() == []
    assert driver.window.notice.message == "The model is on this computer now."


def test_a_download_can_be_cancelled(drive: Drive) -> None:
    driver = drive()
    driver.show()
    driver.answering("Download")
    driver.window.commands.download(Model.RESNET50)
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
    panel.modes[Mode.BLUR].invoke()
    panel.mask_scale.scale.set(2.0)
    panel.switches["keep_audio"].invoke()
    panel.set_folder(tmp_path)
    driver.close()
    written = (tmp_path / "config" / "window.json").read_text("utf-8")
    assert "jane" not in written
    again = drive()
    panel = again.window.panel
    assert panel.locked
    assert panel.standard == Settings.standard(mode=Mode.BLUR, mask_scale=2.0, keep_audio=True)
    assert panel.output_folder == tmp_path
    panel.reset.invoke()
    assert panel.standard == Settings.standard() and panel.output_folder is None


@pytest.mark.parametrize(
    "written",
    [
        "{",
        "[]",
        '{"settings": {"threshold": 5}, "output_folder": null}',
        '{"settings": {"colour": 1}}',
        "\x00\xff",
    ],
    ids=["cut off", "a list", "out of range", "unknown key", "binary"],
)
def test_a_damaged_file_is_kept_beside_and_reported(drive: Drive, tmp_path: Path, written: str) -> None:
    file = tmp_path / "config" / "window.json"
    file.parent.mkdir()
    file.write_bytes(written.encode("latin-1"))
    driver = drive()
    assert driver.window.notice.message == preferences.DAMAGED
    assert driver.window.panel.standard == Settings.standard()
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
        panel.performance.box,
        panel.model.box,
        panel.encoder.box,
        panel.choose,
        *panel.modes.values(),
        panel.threshold.scale,
        panel.threshold.entry,
        panel.mask_scale.scale,
        *panel.switches.values(),
        panel.reset,
        window.foot.start,
    ):
        assert wanted in reached, str(wanted)


def test_choices_of_the_panel_cover_every_enum(drive: Drive) -> None:
    driver = drive()
    driver.answering("Switch off")
    driver.show()
    driver.window.panel.lock.switch.invoke()
    panel = driver.window.panel
    assert len(panel.performance.box.cget("values")) == len(Performance)
    assert len(panel.model.box.cget("values")) == len(Model)
    assert len(panel.encoder.box.cget("values")) == 2, "only encoders that were tried and work"
    assert set(panel.modes) == set(Mode)


# --- with the real engine


def test_the_event_loop_goes_on_during_a_job(drive: Drive, tmp_path: Path) -> None:
    """The lateness of a 10 ms tick during a 1080p job.

    Measured on two cores: 99 % under 25 ms, the longest 36 ms. The limits here are wider, because other
    work on the machine counts too; ANONATOR_STRICT_TIMING=1 sets those that a free machine must keep.
    """
    strict = os.environ.get("ANONATOR_STRICT_TIMING") == "1"
    driver = drive(engine=Engine(), size="1280x800")
    driver.window.show([write_clip(tmp_path / "a.mp4", frames=40, size=(1920, 1080))])
    driver.until(lambda: driver.window.viewer.caption.cget("text") == "Test of this frame", 90)
    late: list[float] = []
    last = time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        late.append((now - last) * 1000 - 10)
        last = now
        if not driver.window.closed:
            driver.root.after(10, tick)

    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["running"], 30)
    last = time.perf_counter()
    tick()
    driver.until(lambda: states(driver) == ["done"], 90)
    late.sort()
    assert late[int(len(late) * 0.99)] < (30 if strict else 120), late[-20:]
    assert late[-1] < (120 if strict else 500), late[-20:]


def test_two_videos_are_dragged_onto_the_program_and_anonymized(outside: Outside, tmp_path: Path) -> None:
    """A real drag by the mouse, Start, progress seen moving, results on disk, cancel, closing."""
    folder = tmp_path / "videos"
    folder.mkdir()
    files = [write_clip(folder / name, frames=60) for name in ("my visit {1}.mp4", "Größe 日本語.mp4")]
    program = outside.program()
    ready = program.wait("ready")
    assert outside.drag(files, ready["lab"]) == "copy"
    assert program.wait("drop")["files"] == [str(file) for file in files]
    program.wait("added", left_out=0)
    program.wait("engine", 60)
    outside.click(ready["start"])
    program.wait("job", 30, number=1, state="running")
    program.wait("run ended", 60, done=2, failed=0)
    frames = [event["frame"] for event in program.events("progress") if event["number"] == 1]
    assert len(set(frames)) >= 3 and frames == sorted(frames) and frames[-1] <= 60
    for file in files:
        with av.open(str(file.with_name(f"{file.stem}_anonymized.mp4"))) as container:
            assert sum(1 for _ in container.decode(video=0)) == 60

    long_one = write_clip(folder / "long.mp4", frames=1500, size=(640, 360))
    assert outside.drag([long_one], ready["lab"]) == "copy"
    program.wait("added", numbers=[3])
    outside.click(ready["start"])
    program.wait("progress", 30, number=3)
    begin = time.monotonic()
    outside.click(ready["cancel"])
    program.wait("job", 10, number=3, state="cancelled")
    assert time.monotonic() - begin < 1.5, "cancel, with the click of the test, took too long"
    assert not list(folder.glob("*long*anonymized*")), "a cancelled job left something behind"

    outside.xdo("key", "ctrl+q")
    program.wait("closed", 20)
    assert program.process.wait(20) == 0
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*(file.name for file in files), *(f"{file.stem}_anonymized.mp4" for file in files), "long.mp4"]
    )
