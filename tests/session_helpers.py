"""Tells a copy of the program that Windows ends the session, as Windows does."""

from __future__ import annotations

import ctypes

import pytest

from anonator.core.session_end import WINDOW_CLASS

ASKED, ENDS = 0x0011, 0x0016
"""WM_QUERYENDSESSION and WM_ENDSESSION."""
NOT_IF_HUNG = 0x0002


def hidden_window() -> int | None:
    """The window that takes these messages."""
    find = ctypes.WinDLL("user32").FindWindowW  # type: ignore[attr-defined]
    find.restype = ctypes.c_void_p
    return find(WINDOW_CLASS, None)


def tell(message: int, sure: int) -> int:
    """Send a message to it and return the answer, for which there is a minute's time."""
    window = hidden_window()
    if not window:
        pytest.fail("there is no such window")
    answer = ctypes.c_size_t()
    told = ctypes.WinDLL("user32").SendMessageTimeoutW(  # type: ignore[attr-defined]
        ctypes.c_void_p(window), message, ctypes.c_size_t(sure), ctypes.c_ssize_t(0), NOT_IF_HUNG, 60_000,
        ctypes.byref(answer),
    )  # fmt: skip
    assert told, "it did not answer"
    return answer.value
