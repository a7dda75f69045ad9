"""Keys, questions and file dialogs: nothing is lost by a slip of the hand, and nothing leads nowhere."""

from __future__ import annotations

import os
import shlex
import subprocess
import tkinter as tk
from pathlib import Path

import pytest
from ui_helpers import Driver, FakeEngine
from window.window_helpers import Drive, copies, states

from anonator.ui import commands, questions
from anonator.ui.look.dialogs import Dialog, PathDialog
from anonator.ui.running import Run


@pytest.mark.parametrize("key", ["<Control-Return>", "<Control-KP_Enter>"])
def test_ctrl_enter_starts_wherever_the_keyboard_is_and_does_nothing_else(
    drive: Drive, clip: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """On the list it opened a folder, and in a number field it did nothing."""
    starts: list[int] = []
    opened: list[Path] = []
    monkeypatch.setattr(Run, "start", lambda _run: starts.append(1))
    monkeypatch.setattr(commands, "open_with_system", opened.append)
    driver = drive()
    driver.show(clip)
    driver.answering("Switch off")
    driver.window.panel.lock.switch.invoke()
    before = driver.window.state.settings
    reached: list[tk.Misc] = []
    widget: tk.Misc = driver.window.queue_view.tree
    while widget not in reached:
        reached.append(widget)
        widget.focus_force()
        driver.root.update()
        widget.event_generate(key)
        assert len(starts) == len(reached), str(widget)
        following = widget.tk_focusNext()
        assert following is not None
        widget = following
    assert len(reached) > 15
    assert driver.window.state.settings == before and not opened and not driver.dialogs()


def type_into_dialog(driver: Driver, words: str) -> None:
    """Type into the file dialog once it is there, and press Enter; closed after a while whatever happens."""

    def look() -> None:
        names = driver.root.tk.splitlist(driver.root.tk.call("winfo", "children", "."))
        dialog = next((name for name in names if name.endswith("__tk_filedialog")), None)
        if dialog is None or not driver.root.tk.call("winfo", "viewable", dialog):
            driver.root.after(50, look)
            return
        typing = f"sleep 0.2; xdotool type --delay 15 {shlex.quote(words)}; xdotool key Return"
        hand = subprocess.Popen(["sh", "-c", typing])
        driver.root.after(3000, close, hand)

    def close(hand: subprocess.Popen[bytes]) -> None:
        hand.wait(10)
        driver.root.tk.eval("set ::tk::Priv(selectFilePath) {}")

    driver.root.after(20, look)


@pytest.mark.slow
def test_a_typed_path_with_spaces_is_one_video(drive: Drive, clip: Path, tmp_path: Path) -> None:
    """Tk's own dialog took it for several files that don't exist."""
    folder = tmp_path / "the visits of May"
    folder.mkdir()
    (source,) = copies(clip, folder, "visit one.mp4")
    driver = drive()
    driver.show()
    type_into_dialog(driver, str(source))
    driver.window.layout.drop_area.files.invoke()
    driver.until(lambda: states(driver) == ["waiting"])
    assert driver.window.controller.jobs[0].source == source
    copies(clip, folder, "two.mp4", "three four.mp4")
    type_into_dialog(driver, "two.mp4 {three four.mp4}")  # as the dialog itself writes several
    driver.window.commands.add_files()
    driver.until(lambda: states(driver) == ["waiting"] * 3)
    driver.turn(3.0)  # until both hands are gone


def test_dialogs_begin_where_videos_came_from_and_never_in_the_programs_folder(
    drive: Drive, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    videos, visits = tmp_path / "My Videos", tmp_path / "visits"
    visits.mkdir()
    begun: list[object] = []

    def ask(**given: object) -> str:
        begun.append(given["initialdir"])
        return ""

    for name in ("askopenfilenames", "askdirectory", "askopenfilename"):
        monkeypatch.setattr(f"tkinter.filedialog.{name}", ask)
    monkeypatch.setattr(questions, "user_videos_path", lambda: videos)
    driver = drive()
    driver.show()
    driver.window.commands.add_files()
    videos.mkdir()
    driver.window.commands.add_files()
    driver.show(*copies(clip, visits, "a.mp4"))
    driver.window.commands.add_files()
    driver.window.commands.add_folder()
    driver.window.choosing.choose_folder()
    driver.window.loading.use_file()
    assert begun == [Path.home(), videos, visits, visits, visits, Path.home()]


@pytest.mark.parametrize("answer", ["Keep working", "Cancel the job"])
def test_removing_a_running_row_asks(drive: Drive, clip: Path, tmp_path: Path, answer: str) -> None:
    driver = drive(engine=FakeEngine(frames=2000))
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["running"])
    seen: list[str] = []
    driver.answering(answer, seen)
    driver.window.queue_view.tree.focus_force()
    driver.root.update()
    driver.window.queue_view.tree.event_generate("<Delete>")
    assert "a.mp4 is being anonymized" in seen[0]
    if answer == "Keep working":
        driver.turn(0.2)
        assert states(driver) == ["running"]
    else:
        driver.until(lambda: states(driver) == ["cancelled"])


@pytest.mark.parametrize(
    ("answer", "left"),
    [("Only the finished", ["failed", "waiting"]), ("Remove all of them", ["waiting"]), ("Cancel", None)],
)
def test_clearing_the_list_leaves_what_failed_unless_asked(
    drive: Drive, clip: Path, tmp_path: Path, answer: str, left: list[str] | None
) -> None:
    (tmp_path / "b broken.mp4").write_bytes(b"no video" * 500)
    first, last = copies(clip, tmp_path, "a.mp4", "c.mp4")
    driver = drive()
    driver.show(first, tmp_path / "b broken.mp4")
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done", "failed"])
    driver.show(last)
    driver.until(lambda: states(driver) == ["done", "failed", "waiting"])
    seen: list[str] = []
    driver.answering(answer, seen)
    driver.window.queue_view.toolbar.buttons["clear"].invoke()
    assert seen == [
        "The list has 1 finished video and 1 video that failed or was cancelled. No file is deleted."
    ]
    assert states(driver) == (left or ["done", "failed", "waiting"])


def test_clearing_only_finished_videos_asks_nothing(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    driver.window.queue_view.toolbar.buttons["clear"].invoke()
    assert states(driver) == [] and not driver.dialogs()


@pytest.mark.parametrize("opener", [None, "exit 3"], ids=["none", "one that can't"])
def test_what_cannot_be_opened_is_shown_to_copy(
    drive: Drive, clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opener: str | None
) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    if opener is not None:
        (programs / "xdg-open").write_text(f"#!/bin/sh\n{opener}\n")
        (programs / "xdg-open").chmod(0o755)
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4"))
    driver.window.foot.start.invoke()
    driver.until(lambda: states(driver) == ["done"])
    monkeypatch.setenv("PATH", f"{programs}" if opener is None else f"{programs}:{os.environ['PATH']}")
    shown: list[str] = []

    def copy(dialog: Dialog) -> None:
        assert isinstance(dialog, PathDialog)
        shown.append(dialog.path.get())
        copy_button, close_button = dialog.buttons.winfo_children()
        copy_button.invoke()  # type: ignore[attr-defined]
        close_button.invoke()  # type: ignore[attr-defined]

    driver.meeting(copy)
    driver.window.queue_view.details.buttons["folder"].invoke()
    driver.until(lambda: bool(shown) and not driver.dialogs())
    assert shown == [str(tmp_path)] and driver.root.clipboard_get() == str(tmp_path)


def test_closing_with_waiting_videos_asks(drive: Drive, clip: Path, tmp_path: Path) -> None:
    driver = drive()
    driver.show(*copies(clip, tmp_path, "a.mp4", "b.mp4"))
    seen: list[str] = []
    driver.answering("Keep working", seen)
    driver.root.event_generate("<Control-q>")
    driver.turn(0.1)
    assert not driver.window.closed
    assert seen == ["2 videos are still waiting to be anonymized. The list isn't kept."]
    driver.answering("Close", seen)
    driver.root.event_generate("<Control-q>")
    driver.until(lambda: driver.window.closed)
