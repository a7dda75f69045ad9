"""File dialogs: the window goes on behind Windows' own, and Tk's stands in for it."""

from __future__ import annotations

import gc
import sys
import threading
import time
import tkinter as tk
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anonator.ui.look import ask_for_files, windows_file_dialog
from anonator.ui.look.windows_file_dialog import Option, Wanted

KINDS = (("Videos", ("*.mp4",)), *ask_for_files.ALL)


@pytest.fixture
def root(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tk.Tk]:
    if sys.platform != "win32":
        monkeypatch.setenv("DISPLAY", request.getfixturevalue("display"))
    made = tk.Tk()
    failed: list[BaseException] = []
    made.report_callback_exception = lambda _kind, error, _tb: failed.append(error)
    made.update()
    yield made
    made.destroy()
    del made
    gc.collect()  # here, because Tcl ends the program if another thread does
    assert failed == []


def heart(root: tk.Tk) -> list[float]:
    """Beats while the window lives."""
    beats = [time.perf_counter()]

    def beat() -> None:
        beats.append(time.perf_counter())
        root.after(10, beat)

    root.after(10, beat)
    return beats


def test_the_window_goes_on_while_windows_dialog_is_open(
    root: tk.Tk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def ask(wanted: Wanted, window: int) -> list[Path]:
        asked.append((wanted, window, threading.current_thread()))
        time.sleep(0.4)
        return [Path("a.mp4"), Path("b.mp4")]

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(windows_file_dialog, "ask", ask)
    monkeypatch.setattr("tkinter.filedialog.askopenfilenames", lambda **_: pytest.fail("Tk's was asked"))
    frame, beats = int(root.wm_frame(), 16), heart(root)
    chosen = ask_for_files.open_files(root, "Add videos", Path("visits"), KINDS)
    assert chosen == [Path("a.mp4"), Path("b.mp4")] and len(beats) > 20
    ((wanted, window, thread),) = asked
    assert window == frame and thread is not threading.main_thread() and not thread.is_alive()
    assert wanted == Wanted("Add videos", Path("visits"), Option.FILE_EXISTS | Option.SEVERAL, KINDS)
    assert not root.winfo_children(), "nothing is left of the waiting"


@pytest.mark.parametrize("error", [OSError("not registered"), AttributeError("OleDLL")])
def test_tk_asks_where_windows_has_no_such_dialog(
    root: tk.Tk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def ask(_wanted: Wanted, _window: int) -> list[Path]:
        raise error

    given: list[dict[str, Any]] = []

    def by_tk(**options: Any) -> str:
        given.append(options)
        return "C:/key.csv"

    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(windows_file_dialog, "ask", ask)
    monkeypatch.setattr("tkinter.filedialog.asksaveasfilename", by_tk)
    chosen = ask_for_files.save_file(
        root, "Keep", Path("there"), "key.csv", (("Key file", ("*.csv",)),), asks_before_replacing=False
    )
    assert chosen == Path("C:/key.csv")
    (options,) = given
    assert (options["initialdir"], options["initialfile"]) == (Path("there"), "key.csv")
    assert options["defaultextension"] == ".csv" and options["confirmoverwrite"] is False
    assert options["filetypes"] == [("Key file", ("*.csv", "*.CSV"))]


def test_other_systems_ask_by_tk_and_a_cancelled_dialog_is_nothing(
    root: tk.Tk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(windows_file_dialog, "ask", lambda *_: pytest.fail("asked"))
    for name, nothing in (("askopenfilenames", ()), ("askopenfilename", ""), ("askdirectory", "")):
        monkeypatch.setattr(f"tkinter.filedialog.{name}", lambda nothing=nothing, **_: nothing)
    assert ask_for_files.open_files(root, "A", Path.home(), KINDS) == []
    assert ask_for_files.open_file(root, "A", Path.home()) is None
    assert ask_for_files.choose_folder(root, "A", Path.home()) is None


# --- a real one


class Hand(threading.Thread):
    """Types a name into Windows' dialog of this title, and presses its button, or cancels it."""

    IS_BUTTON, CANCEL, COMMAND, SET_TEXT = 1, 2, 0x111, 0xC

    def __init__(self, title: str, name: str | None) -> None:
        super().__init__(daemon=True)
        self.title, self.name_of_file = title, name
        self.met = False

    def run(self) -> None:
        import ctypes

        user = ctypes.WinDLL("user32")  # type: ignore[attr-defined, unused-ignore]
        user.FindWindowW.restype = user.FindWindowExW.restype = ctypes.c_void_p
        deadline = time.monotonic() + 60
        window = None
        while not window and time.monotonic() < deadline:
            time.sleep(0.1)
            window = user.FindWindowW(None, self.title)
        if not window:
            return
        self.met = True
        time.sleep(1.0)
        command = self.CANCEL
        if self.name_of_file is not None:
            edits: list[int] = []
            kind = ctypes.WINFUNCTYPE(ctypes.c_bool, ctypes.c_void_p, ctypes.c_void_p)  # type: ignore[attr-defined, unused-ignore]

            def found(child: int, _data: object) -> bool:
                name = ctypes.create_unicode_buffer(64)
                user.GetClassNameW(ctypes.c_void_p(child), name, 64)
                if name.value == "Edit" and user.IsWindowVisible(ctypes.c_void_p(child)):
                    edits.append(child)
                return True

            user.EnumChildWindows(ctypes.c_void_p(window), kind(found), None)
            text = ctypes.c_wchar_p(self.name_of_file)
            user.SendMessageW(ctypes.c_void_p(edits[-1]), self.SET_TEXT, None, text)
            command = self.IS_BUTTON
        time.sleep(0.3)
        user.PostMessageW(ctypes.c_void_p(window), self.COMMAND, ctypes.c_void_p(command), None)


@pytest.mark.skipif(sys.platform != "win32", reason="only Windows has it")
@pytest.mark.parametrize("how", ["several", "one", "folder", "save", "cancel"])
def test_a_real_dialog_answers_while_the_window_lives(
    root: tk.Tk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    for name in ("askopenfilenames", "askopenfilename", "askdirectory", "asksaveasfilename"):
        monkeypatch.setattr(f"tkinter.filedialog.{name}", lambda **_: pytest.fail("Tk's was asked"))
    first, second = tmp_path / "名前 é.mp4", tmp_path / "two.mp4"
    for path in (first, second):
        path.write_bytes(b"")
    title = f"Anonator asks {how}"
    typed = {"several": f'"{first.name}" "{second.name}"', "one": str(first), "folder": str(tmp_path)}
    hand = Hand(title, None if how == "cancel" else typed.get(how, "new"))
    hand.start()
    beats = heart(root)
    if how == "folder":
        chosen = [ask_for_files.choose_folder(root, title, tmp_path)]
    elif how == "save":
        chosen = [ask_for_files.save_file(root, title, tmp_path, "picture.png", (("PNG", ("*.png",)),))]
    elif how == "one":
        chosen = [ask_for_files.open_file(root, title, tmp_path, KINDS)]
    else:
        chosen = [*ask_for_files.open_files(root, title, tmp_path, KINDS)]
    hand.join(10)
    assert hand.met and len(beats) > 20
    wanted = {"several": [first, second], "one": [first], "folder": [tmp_path]}
    wanted |= {"save": [tmp_path / "new.png"], "cancel": []}
    assert chosen == wanted[how]
