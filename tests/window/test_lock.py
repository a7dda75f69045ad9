"""The lock in the window: on at start, asked about before it opens, and never loosened by the way."""

from __future__ import annotations

from pathlib import Path

from window.window_helpers import Drive, copies, states

from anonator.core.config import (
    HIPAA_PERFORMANCE,
    Mode,
    Performance,
    Settings,
)
from anonator.ui.state.chosen_settings import CHANGED_PERFORMANCE


def test_the_lock_is_on_at_start_and_holds_what_has_no_stricter_value(drive: Drive) -> None:
    driver = drive()
    driver.show()
    panel = driver.window.panel
    assert panel.lock.switch.on
    assert not panel.lock.note
    assert driver.window.state.settings == Settings()
    assert all(button.instate(["disabled"]) for button in panel.masking.modes.values())
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
    (words,) = seen
    for said in ("no audit report", "upside down", "once more", "sound"):
        assert said in words
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
    assert driver.window.state.settings == Settings()
    assert driver.window.notice.message == CHANGED_PERFORMANCE.format("Quality")
    assert len(box.cget("values")) == len(HIPAA_PERFORMANCE)


def test_the_performance_chosen_under_the_lock_is_used(drive: Drive) -> None:
    driver = drive()
    driver.show()
    box = driver.window.panel.free.performance.box
    box.current(list(box.cget("values")).index("Original"))
    box.event_generate("<<ComboboxSelected>>")
    assert driver.window.state.settings == Settings(performance=Performance.ORIGINAL)


def test_stricter_numbers_are_chosen_under_the_lock_and_looser_ones_are_not(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    """The window once asked for the lock to be opened before it let people cover more."""
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    masking = driver.window.panel.masking
    assert (masking.threshold.low, masking.threshold.high) == (0.2, 0.5)
    assert (masking.mask_scale.low, masking.mask_scale.high) == (1.5, 3.0)
    for field, typed, taken in (
        (masking.threshold, "0.3", 0.3),
        (masking.threshold, "0.7", 0.3),
        (masking.mask_scale, "2", 2.0),
        (masking.mask_scale, "1.2", 2.0),
    ):
        field.entry.focus_force()
        field.entry.delete(0, "end")
        field.entry.insert(0, typed)
        field.entry.event_generate("<Return>")
        assert bool(field.hint.winfo_manager()) is (float(typed) != taken)
        masking.modes[Mode.SOLID].focus_force()
        driver.turn(0.05)
        assert field.value == taken
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    assert driver.engine.jobs[0].job.settings == Settings(threshold=0.3, mask_scale=2.0)
    driver.close()
    again = drive()
    again.show()
    assert again.window.state.settings == Settings(threshold=0.3, mask_scale=2.0)
    again.window.panel.reset.invoke()
    assert again.window.state.settings == Settings()
