"""Lets work end in order when Windows logs off, shuts down or closes the console: nothing half-done stays.

Other systems send a signal and wait. Windows tells a program by a message to its windows, or by a call where
it has a console, and ends it as soon as that is answered; so the answer waits for the work.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import threading
from collections.abc import Callable, Iterator

SECONDS = 4.5
"""How long Windows' question is left without an answer; after 5 s it calls a program hung."""
WINDOW_CLASS = "AnonatorSessionEnd"
"""Of a window that nobody sees and that every copy of the program has."""


@contextlib.contextmanager
def ending_in_order(stop: Callable[[], object]) -> Iterator[None]:
    """Call stop when Windows is about to end the process, and let it wait until this context is left.

    Args:
        stop: asks the work to end and returns at once; called in another thread, perhaps twice.
    """
    if sys.platform == "win32":
        ended = threading.Event()

        def end() -> None:
            stop()
            ended.wait(SECONDS)

        with _asked_by_window(end), _asked_by_console(end):
            try:
                yield
            finally:
                ended.set()
    else:
        yield


if sys.platform == "win32":
    from ctypes import wintypes

    _CLOSE, _DESTROY, _END_SESSION = 0x0010, 0x0002, 0x0016
    _CONSOLE_CLOSED, _LOGOFF, _SHUTDOWN = 2, 5, 6
    _LRESULT = ctypes.c_ssize_t
    _ANSWER = ctypes.WINFUNCTYPE(_LRESULT, wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM)
    _CONSOLE_HANDLER = ctypes.WINFUNCTYPE(wintypes.BOOL, wintypes.DWORD)

    class _Class(ctypes.Structure):
        """Windows' WNDCLASSW."""

        _fields_ = (
            ("style", wintypes.UINT),
            ("answer", _ANSWER),
            ("class_extra", ctypes.c_int),
            ("window_extra", ctypes.c_int),
            ("instance", wintypes.HINSTANCE),
            ("icon", wintypes.HICON),
            ("cursor", wintypes.HANDLE),
            ("background", wintypes.HBRUSH),
            ("menu", wintypes.LPCWSTR),
            ("name", wintypes.LPCWSTR),
        )

    @contextlib.contextmanager
    def _asked_by_window(end: Callable[[], None]) -> Iterator[None]:
        """A window that is never shown, in a thread of its own, because a busy thread answers nothing."""
        user, instance = ctypes.WinDLL("user32"), ctypes.WinDLL("kernel32").GetModuleHandleW
        instance.restype = wintypes.HINSTANCE
        instance.argtypes = [wintypes.LPCWSTR]
        user.DefWindowProcW.restype = _LRESULT
        user.DefWindowProcW.argtypes = [wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM]
        user.CreateWindowExW.restype = wintypes.HWND
        user.CreateWindowExW.argtypes = [
            wintypes.DWORD, wintypes.LPCWSTR, wintypes.LPCWSTR, wintypes.DWORD, *[ctypes.c_int] * 4,
            wintypes.HWND, wintypes.HMENU, wintypes.HINSTANCE, wintypes.LPVOID,
        ]  # fmt: skip
        user.PostMessageW.argtypes = [wintypes.HWND, wintypes.UINT, wintypes.WPARAM, wintypes.LPARAM]
        user.GetMessageW.argtypes = [
            ctypes.POINTER(wintypes.MSG),
            wintypes.HWND,
            wintypes.UINT,
            wintypes.UINT,
        ]
        user.UnregisterClassW.argtypes = [wintypes.LPCWSTR, wintypes.HINSTANCE]
        windows: list[int] = []
        opened = threading.Event()

        def answer(window: int, message: int, first: int, second: int) -> int:
            if message == _END_SESSION and first:  # not where another program kept the session
                end()
                return 0
            if message == _DESTROY:
                user.PostQuitMessage(0)
                return 0
            return int(user.DefWindowProcW(window, message, first, second))

        def listen() -> None:
            kind = _Class(answer=_ANSWER(answer), instance=instance(None), name=WINDOW_CLASS)
            user.RegisterClassW(ctypes.byref(kind))
            window = user.CreateWindowExW(
                0, WINDOW_CLASS, None, 0, 0, 0, 0, 0, None, None, kind.instance, None
            )
            if window:
                windows.append(window)
            opened.set()
            message = wintypes.MSG()
            while window and user.GetMessageW(ctypes.byref(message), None, 0, 0) > 0:
                user.DispatchMessageW(ctypes.byref(message))
            user.UnregisterClassW(WINDOW_CLASS, kind.instance)

        thread = threading.Thread(target=listen, name="anonator-session-end", daemon=True)
        thread.start()
        opened.wait()
        try:
            yield
        finally:
            for window in windows:
                user.PostMessageW(window, _CLOSE, 0, 0)
            thread.join()

    @contextlib.contextmanager
    def _asked_by_console(end: Callable[[], None]) -> Iterator[None]:
        """Windows calls in a thread of its own; without a console it never does."""

        def handle(event: int) -> bool:
            if event in (_CONSOLE_CLOSED, _LOGOFF, _SHUTDOWN):
                end()
                return True
            return False  # Ctrl+C and Ctrl+Break are Python's signals

        kernel, handler = ctypes.WinDLL("kernel32"), _CONSOLE_HANDLER(handle)
        kernel.SetConsoleCtrlHandler(handler, True)
        try:
            yield
        finally:
            kernel.SetConsoleCtrlHandler(handler, False)
