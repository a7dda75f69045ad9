"""What the button in Windows' taskbar shows, and that nothing depends on it."""

from __future__ import annotations

import sys
import tkinter as tk
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from anonator.core.job import Progress
from anonator.ui import taskbar
from anonator.ui.state.app_state import AppState
from anonator.ui.state.job import JobState, JobView, RunState
from anonator.ui.taskbar import Light, Taskbar, TaskbarProgress, light_of

HALF = Progress(10, 20, 1.0, 10.0, done=0.5)
JOB = JobView(2, Path("b.mp4"), state=JobState.RUNNING, progress=HALF)
RUNNING = AppState(jobs=(JobView(1, Path("a.mp4")), JOB), current=2, run=RunState.RUNNING, place=(2, 4))


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ({}, (Light.NORMAL, 37)),
        ({"run": RunState.PAUSED}, (Light.PAUSED, 37)),
        ({"run": RunState.CANCELLING}, (Light.TO_AND_FRO, 0)),
        ({"current": None, "run": RunState.IDLE}, (Light.NONE, 0)),
        ({"current": None, "run": RunState.IDLE, "starting": True}, (Light.TO_AND_FRO, 0)),
        ({"jobs": (replace(JOB, progress=None),)}, (Light.NORMAL, 25)),
    ],
)
def test_it_shows_the_whole_queue(values: dict[str, Any], shown: tuple[Light, int]) -> None:
    assert light_of(replace(RUNNING, **values)) == shown


class Window:
    """Stands in for Tk's."""

    def wm_frame(self) -> str:
        return "0x1234"


class Button:
    """Stands in for Windows' taskbar."""

    def __init__(self, refusing: bool) -> None:
        self.refusing, self.shown = refusing, []  # type: ignore[var-annotated]

    def show(self, *what: int) -> None:
        self.shown.append(what)
        if self.refusing:
            raise OSError(-2147467263, "not implemented")


@pytest.mark.parametrize("refusing", [False, True])
def test_it_is_told_of_changes_only_and_may_refuse(refusing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    button = Button(refusing)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(taskbar, "Taskbar", lambda: button)
    progress = TaskbarProgress(Window())  # type: ignore[arg-type]
    for state in (AppState(), RUNNING, RUNNING, replace(RUNNING, run=RunState.PAUSED)):
        progress.draw(state)
    told = [(0x1234, Light.NORMAL, 37), (0x1234, Light.PAUSED, 37)]
    assert button.shown == (told[:1] if refusing else told)


def test_other_systems_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(taskbar, "Taskbar", lambda: pytest.fail("asked"))
    TaskbarProgress(Window()).draw(RUNNING)  # type: ignore[arg-type]


@pytest.mark.skipif(sys.platform != "win32", reason="only Windows has it")
def test_windows_knows_the_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    """That the button then shows it, only a real desktop can tell: Wine's does nothing."""
    root = tk.Tk()
    try:
        button = Taskbar()
        for light in Light:
            try:
                button.show(int(root.wm_frame(), 16), light, 50)
            except OSError as exc:
                not_implemented = -2147467263
                assert exc.winerror == not_implemented
    finally:
        root.destroy()
