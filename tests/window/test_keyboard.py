"""Everything can be reached, seen and pressed without a mouse."""

from __future__ import annotations

import os
import tkinter as tk
from pathlib import Path
from tkinter import ttk

import pytest
from PIL import ImageGrab
from ui_helpers import FakeEngine
from window.window_helpers import Drive, all_widgets, copies, states

from anonator.core.config import (
    Mode,
)
from anonator.ui.state.unlocking import ENDING


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
        window.queue_view.toolbar.buttons["files"],
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


def test_ctrl_enter_starts_and_never_turns_a_switch(drive: Drive, clip: Path) -> None:
    """It once switched the neutral file name off without a word, and started nothing."""
    driver = drive()
    driver.show(clip)
    driver.until(lambda: states(driver) == ["waiting"] and driver.window.state.may_start)
    switch = driver.window.panel.free.switches["neutral_name"]
    switch.invoke()
    switch.focus_force()
    driver.turn(0.05)
    driver.answering("No key file")
    switch.event_generate("<Control-Return>")
    driver.until(lambda: states(driver) != ["waiting"])
    assert switch.on and driver.window.state.settings.neutral_name


@pytest.mark.slow
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
        driver.until(lambda shown=following, before=without: picture_of(shown) != before)
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


def test_keys_show_results_in_large_list_all_keys_and_close_questions(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    root, tree = driver.root, driver.window.queue_view.tree
    root.event_generate("<Control-Return>")
    driver.until(lambda: states(driver) == ["done"])
    tree.focus_force()
    driver.until(lambda: root.focus_get() is tree)
    driver.turn(0.1)
    for key in ("<Return>", "<space>"):
        tree.event_generate(key)
        assert driver.window.state.large
        root.event_generate("<Escape>")
        assert not driver.window.state.large
        driver.until(tree.winfo_viewable)
        tree.focus_force()
        driver.until(lambda: root.focus_get() is tree)
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
    assert {"Ctrl+O", "Ctrl+Enter", "Ctrl+L", "Escape", "F1"} <= set(words) and any(
        ENDING in each for each in words
    )
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
    driver.until(lambda: driver.root.focus_get() is foot.pause)
    driver.until(lambda: states(driver) == ["done"])
    driver.until(lambda: driver.root.focus_get() is driver.window.queue_view.tree)
