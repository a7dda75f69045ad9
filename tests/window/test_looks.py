"""Nothing is cut off, every control explains itself, and errors are said in a sentence."""

from __future__ import annotations

import tkinter as tk
from pathlib import Path
from tkinter import ttk

import pytest
from ui_helpers import Driver
from window.window_helpers import Drive, all_widgets, copies, states

from anonator.core.frames import Progress
from anonator.ui.look import tooltip


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


def require_nothing_cut_off(driver: Driver) -> None:
    driver.turn(0.3)
    for widget in all_widgets(driver.root):
        if isinstance(widget, (ttk.Label, ttk.Button, ttk.Radiobutton)) and widget.winfo_viewable():
            assert widget.winfo_width() >= widget.winfo_reqwidth() or widget in (
                driver.window.foot.status,
                driver.window.queue_view.details,
            ), f'"{widget.cget("text")}" is cut off'
            assert widget.winfo_height() >= widget.winfo_reqheight(), f'"{widget.cget("text")}" is cut off'


@pytest.mark.quick_cases(1)
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


def test_every_setting_has_a_tool_tip(drive: Drive, monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, str] = {}
    monkeypatch.setattr(tooltip, "TIP_DELAY_MS", 1)
    monkeypatch.setattr(tooltip.ToolTip, "show", lambda tip: told.update({str(tip._widget): tip.words}))
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
        widget.event_generate("<Enter>")
    driver.until(lambda: len(told) >= len(wanted))
    for widget in wanted:
        assert len(told[str(widget)].split()) > 3, str(widget)
