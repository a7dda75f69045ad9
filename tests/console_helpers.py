"""Presses Ctrl+C in the terminal of another program, as its user does."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest
from wine import skip_under_wine

OWN_CONSOLE = subprocess.CREATE_NEW_CONSOLE if sys.platform == "win32" else 0
"""Flags with which the other program is started: Windows' Ctrl+C reaches all programs of a console."""
CTRL_C, CTRL_BREAK = 0, 1
KEYS = [pytest.param(CTRL_C, id="Ctrl+C")]
"""That interrupt; for parametrize."""
if sys.platform == "win32":
    KEYS.append(
        pytest.param(CTRL_BREAK, id="Ctrl+Break", marks=skip_under_wine("its consoles refuse Ctrl+Break"))
    )

_PRESS = """
import ctypes, sys
kernel = ctypes.WinDLL("kernel32", use_last_error=True)
kernel.FreeConsole()
assert kernel.AttachConsole(int(sys.argv[1])), ctypes.get_last_error()
kernel.SetConsoleCtrlHandler(None, True)
assert kernel.GenerateConsoleCtrlEvent(int(sys.argv[2]), 0), ctypes.get_last_error()
"""
"""In a process of its own, because it leaves its console for the other's."""


def press(key: int, program: subprocess.Popen[bytes]) -> None:
    """Press one of KEYS."""
    if sys.platform == "win32":
        command = [sys.executable, "-c", _PRESS, str(program.pid), str(key)]
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", errors="replace", check=False
        )
        # the one who presses is pressed, too
        assert "AssertionError" not in done.stderr, done.stderr
    else:
        program.send_signal(signal.SIGINT)
