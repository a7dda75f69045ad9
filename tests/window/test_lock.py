"""The lock in the window: on at start, asked about before it opens, and never loosened by the way."""

from __future__ import annotations

from window.window_helpers import Drive

from anonator.core.config import (
    HIPAA_PERFORMANCE,
    Mode,
    Performance,
    Settings,
)
from anonator.ui.state.chosen_settings import CHANGED_PERFORMANCE


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
