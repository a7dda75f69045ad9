"""Nothing is cut off, every control explains itself, and errors are said in a sentence."""

from __future__ import annotations

import tkinter as tk
from functools import partial
from pathlib import Path
from tkinter import ttk

import pytest
from ui_helpers import Driver, FakeEngine
from window.window_helpers import Drive, all_widgets, copies, states

from anonator.core.config import Mode, Performance
from anonator.core.job import Progress
from anonator.core.wording import NOT_COVERED
from anonator.ui.key_question import key_rows
from anonator.ui.look import tooltip
from anonator.ui.look.dialogs import Dialog
from anonator.ui.state.job import ResultFile, ReviewMark
from anonator.ui.state.text import UNKNOWN


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

    driver.root.event_generate("<Motion>", warp=True, x=5, y=690)  # no tip because of the mouse
    box = driver.window.panel.free.performance.box
    box.focus_force()  # as a dialog that closes gives the focus back
    driver.turn(1.0)
    assert not tips(), "a tip that nobody asked for"
    before = box.tk_focusPrev()
    assert before is not None
    before.focus_force()
    driver.window.root.update()
    before.event_generate("<Tab>")
    driver.until(tips)
    driver.window.foot.start.focus_force()
    driver.until(lambda: not tips())


def test_the_open_lock_is_told_at_the_head_and_the_bar_stands_still_when_done(drive: Drive) -> None:
    """Both were found by a first user: the note scrolled away, and the bar of an MKV ran on for ever."""
    driver = drive()
    driver.answering("Switch off")
    driver.show()
    layout = driver.window.layout
    assert not layout.lock_state.winfo_manager()
    driver.window.panel.lock.switch.invoke()
    driver.until(lambda: bool(layout.lock_state.winfo_manager()))
    foot = driver.window.foot
    unknown = Progress(frame=30, total=None, elapsed_seconds=1.0, fps=30.0, done=0.4)
    foot.show_progress(unknown, None)
    assert str(foot.bar.cget("mode")) == "determinate" and float(foot.bar.cget("value")) == 40.0
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
    driver.root.update_idletasks()  # what the last event changed gets its place
    window = driver.window
    tree = window.queue_view.tree
    if tree.winfo_viewable():
        columns = sum(int(tree.column(column, "width")) for column in ("#0", "length", "size", "state"))
        assert columns <= tree.winfo_width(), "the states are cut off"
    right, bottom = driver.root.winfo_width(), driver.root.winfo_height()
    for widget in all_widgets(driver.root):
        if isinstance(widget, (ttk.Label, ttk.Button, ttk.Radiobutton)) and widget.winfo_viewable():
            words = f'"{widget.cget("text")}" is cut off'
            assert widget.winfo_width() >= widget.winfo_reqwidth() or widget in (
                window.foot.status,
                window.queue_view.details,
            ), words
            assert widget.winfo_height() >= widget.winfo_reqheight(), words
            if not str(widget).startswith(str(window.panel)):  # which scrolls
                assert widget.winfo_rootx() + widget.winfo_width() <= right, words
                assert widget.winfo_rooty() + widget.winfo_height() <= bottom, words


def require_row_in_sight(driver: Driver, rows: int) -> None:
    """The chosen row can be seen whole, and so many rows are there at least."""
    tree = driver.window.queue_view.tree
    (chosen,) = tree.selection()

    def in_sight() -> bool:
        place = tree.bbox(chosen)  # nothing while the row is outside
        return bool(place) and place[1] + place[3] <= tree.winfo_height()  # type: ignore[misc]

    driver.until(in_sight)
    assert int(tree.cget("height")) >= rows and tree.winfo_height() >= tree.winfo_reqheight()


@pytest.mark.parametrize(
    ("screen", "size", "scale", "rows", "lines"),
    [
        ("display", "1000x700", 1, 2, 3),
        pytest.param("fine_display", "2000x1400", 2, 2, 3, marks=pytest.mark.slow),
        pytest.param("plain_laptop_display", "1366x768", 1, 2, 4, marks=pytest.mark.slow),
        pytest.param("laptop_display", "1366x768", 1.5, 1, 1, marks=pytest.mark.slow),
    ],
    ids=["smallest", "smallest at 200 %", "laptop", "laptop at 150 %"],
)
def test_nothing_is_cut_off_and_the_chosen_row_is_in_sight(
    drive: Drive,
    clip: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    screen: str,
    size: str,
    scale: float,
    rows: int,
    lines: int,
) -> None:
    monkeypatch.setenv("DISPLAY", request.getfixturevalue(screen))
    checks = ("All 25 frames are there.", "It has one video and nothing else.", "It plays to its end.")
    driver = drive(size=size, engine=FakeEngine(frames=25, gaps_bridged=2, checks=checks))
    driver.show()
    window = driver.window
    assert window.theme.scale == pytest.approx(scale, abs=0.02)
    require_nothing_cut_off(driver)
    names = ("a video with a long name that does not fit anywhere.mp4", "b.mp4", "c.mp4", "d.mp4")
    driver.show(*copies(clip, tmp_path, *names))
    require_nothing_cut_off(driver)
    assert window.foot.not_covered.winfo_viewable() and window.foot.not_covered.cget("text") == NOT_COVERED
    for number in (4, 1, 3):
        window.queue_view.select(number)
        driver.turn(0.1)
        require_row_in_sight(driver, rows)
    window.say("notes.txt, letter.docx aren't videos, so they were skipped.")
    require_nothing_cut_off(driver)
    require_row_in_sight(driver, 1)
    window.notice.close.invoke()
    driver.answering("Switch off")
    window.panel.lock.switch.invoke()
    require_nothing_cut_off(driver)
    window.foot.start.invoke()
    driver.until(lambda: window.controller.current is not None and driver.field("frame") != UNKNOWN)
    require_nothing_cut_off(driver)
    driver.until(lambda: states(driver) == ["done"] * 4)
    window.queue_view.select(4)
    require_nothing_cut_off(driver)
    require_row_in_sight(driver, rows)
    details = window.queue_view.details._text
    shown = int(details.tk.call(str(details), "count", "-displaylines", "1.0", "@0,9999")) + 1
    assert shown >= lines


def test_names_and_states_of_rows_share_the_room_by_what_they_need(
    drive: Drive, clip: Path, tmp_path: Path
) -> None:
    """At 1200 pixels, a state was cut beside a short name, and a long name beside a short state."""
    driver = drive(size="1200x700")
    long = "Gait of the third visit, from above.mp4"
    driver.show(*copies(clip, tmp_path, "a.mp4", long))
    window, tree, jobs = driver.window, driver.window.queue_view.tree, driver.window.controller

    def row(number: int) -> tuple[str, str]:
        return tree.item(str(number), "text").strip(), str(tree.set(str(number), "state")).strip()

    driver.until(lambda: row(2)[0] == long)
    window.queue_view.select(2)
    driver.until(lambda: window.state.chosen == 2)
    window.commands.remove()
    file = ResultFile(tmp_path / "a_anonymized.mp4")
    jobs.update(1, result_file=file, review=ReviewMark(None, 0.62, begun=True))
    window.run.refresh()
    driver.until(lambda: row(1) == ("a.mp4", "waiting, has a result, in review, 62 % seen"))
    require_nothing_cut_off(driver)


@pytest.mark.parametrize("screen", ["laptop_display", "plain_laptop_display"])
def test_every_question_fits_on_a_small_screen(
    drive: Drive,
    clip: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    screen: str,
) -> None:
    """The list of keys once lost its end, and its button, at 150 %."""
    monkeypatch.setenv("DISPLAY", request.getfixturevalue(screen))
    driver = drive(size="1366x768")
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    window = driver.window
    window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    seen: list[str] = []

    def measure(dialog: Dialog) -> None:
        driver.root.update()
        seen.append(dialog.title())
        assert dialog.winfo_rootx() >= 0 <= dialog.winfo_rooty(), dialog.title()
        assert dialog.winfo_rootx() + dialog.winfo_reqwidth() <= 1366, dialog.title()
        assert dialog.winfo_rooty() + dialog.winfo_reqheight() <= 768, dialog.title()
        dialog.close("")

    window.choosing.set_locked(False)
    for name, value in (
        ("mode", Mode.BLUR),
        ("keep_audio", True),
        ("mask_scale", 1.0),
        ("threshold", 0.9),
        ("multi_pass", False),
        ("performance", Performance.MAXIMUM),
    ):
        window.choosing.choose(name, value)  # each has a line in the question about HIPAA mode
    window.choosing.set_locked(True)
    for ask in (
        window.show_keys,
        window.commands.run_again,
        partial(window.choosing.turn_lock, False),
        partial(window.commands._show_path, tmp_path),
        partial(key_rows(driver.root, window.theme).begin, neutral=True),
    ):
        driver.meeting(measure)
        ask()
    assert len(set(seen)) == 5


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
