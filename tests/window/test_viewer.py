"""Looking before a run and after it, with the slider."""

from __future__ import annotations

from pathlib import Path

import pytest
from window.window_helpers import Drive, copies, states

from anonator.core.config import (
    Mode,
    Settings,
)


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
