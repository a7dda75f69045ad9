"""When Windows ends the session, a running job ends in order: nothing half-done stays."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from face_clips import moving_face
from session_helpers import ASKED, ENDS, hidden_window, tell

from anonator.core import session_end

windows = pytest.mark.skipif(sys.platform != "win32", reason="other systems send a signal")


def test_other_systems_ask_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    before = threading.active_count()
    with session_end.ending_in_order(lambda: pytest.fail("nobody asked")):
        assert threading.active_count() == before


@windows
def test_windows_waits_until_the_work_has_ended() -> None:
    order: list[str] = []
    asked = threading.Event()
    with session_end.ending_in_order(asked.set):
        assert tell(ASKED, 0) == 1, "a session may always end"
        assert tell(ENDS, 0) == 0 and not asked.is_set(), "another program kept the session"
        windows_own = threading.Thread(target=lambda: (tell(ENDS, 1), order.append("answered")))
        windows_own.start()
        assert asked.wait(10)
        time.sleep(0.3)
        order.append("cleaned up")
    windows_own.join(10)
    assert order == ["cleaned up", "answered"]
    assert not hidden_window()


@windows
def test_work_that_does_not_end_is_not_waited_for_longer_than_windows_bears(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(session_end, "SECONDS", 0.2)
    with session_end.ending_in_order(lambda: None):
        assert tell(ENDS, 1) == 0


@windows
def test_a_job_in_the_terminal_cleans_up_at_the_end_of_the_session(
    tmp_path: Path, astronaut: np.ndarray
) -> None:
    clip = moving_face(tmp_path / "long.mp4", astronaut, frames=500, speed=0, half=True)
    folder = tmp_path / "results"
    folder.mkdir()
    job = subprocess.Popen(
        [sys.executable, "-m", "anonator.main", "--headless", str(clip.path), "--output-dir", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
    )
    deadline = time.monotonic() + 120
    while not list(folder.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(folder.iterdir()), "the job never began"
    assert tell(ASKED, 0) == 1
    begin = time.monotonic()
    tell(ENDS, 1)
    in_time = time.monotonic() - begin < session_end.SECONDS
    left = list(folder.iterdir())
    assert job.wait(60) == 130
    assert list(folder.iterdir()) == []
    assert not (in_time and left), "Windows would have ended the process by now"
