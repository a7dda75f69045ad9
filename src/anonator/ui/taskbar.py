"""The queue's progress on the program's button in Windows' taskbar; nothing happens on other systems."""

from __future__ import annotations

import ctypes
import logging
import sys
import tkinter as tk
import uuid
from enum import IntEnum

from anonator.ui.look import windows_com
from anonator.ui.look.windows_com import ComObject
from anonator.ui.state.app_state import AppState
from anonator.ui.state.job import RunState

logger = logging.getLogger(__name__)


class Light(IntEnum):
    """How the button shows progress. Source: Windows SDK, shobjidl_core.h, TBPFLAG."""

    NONE = 0
    TO_AND_FRO = 1
    NORMAL = 2
    PAUSED = 8


def light_of(state: AppState) -> tuple[Light, int]:
    """What the button shows, and how many percent of the whole queue are done."""
    current = state.job(state.current)
    if current is None:
        return (Light.TO_AND_FRO if state.starting else Light.NONE), 0
    if state.run is RunState.CANCELLING:
        return Light.TO_AND_FRO, 0
    place, of = state.place
    done = current.progress.done if current.progress is not None else 0.0
    percent = int(100 * (place - 1 + done) / max(of, 1))
    return (Light.PAUSED if state.run is RunState.PAUSED else Light.NORMAL), percent


class TaskbarProgress:
    """Follows the state; what Windows refuses once is not tried again."""

    def __init__(self, root: tk.Tk) -> None:
        self._root = root
        self._shown: tuple[Light, int] = Light.NONE, 0
        self._works = sys.platform == "win32"
        self._taskbar: Taskbar | None = None

    def draw(self, state: AppState) -> None:
        """Show the state on the button."""
        if not self._works or (light := light_of(state)) == self._shown:
            return
        self._shown = light
        try:
            self._taskbar = self._taskbar or Taskbar()
            self._taskbar.show(int(self._root.wm_frame(), 16), *light)
        except (OSError, AttributeError, ValueError) as exc:
            logger.info("no progress in the taskbar: %s", type(exc).__name__)
            self._works = False


class Taskbar:
    """Windows' ITaskbarList3, by the places of its methods. Source: Windows SDK, shobjidl_core.h."""

    CLASS = uuid.UUID("56FDF344-FD6D-11D0-958A-006097C9A090")
    INTERFACE = uuid.UUID("EA1AFB91-9E28-4B86-90E9-9E9F8A5EEFAF")
    BEGIN, SET_VALUE, SET_STATE = 3, 9, 10

    def __init__(self) -> None:
        """Ask Windows for it, in the window's own thread.

        Raises:
            OSError: there is none.
        """
        windows_com.begin()  # drag and drop has done so before
        self._object = ComObject.made(self.CLASS, self.INTERFACE)
        self._object.call(self.BEGIN)

    def show(self, window: int, light: Light, percent: int) -> None:
        """Show progress on a window's button.

        Args:
            window: the handle of its frame.
            percent: 0 to 100; not looked at where the light says none.

        Raises:
            OSError: Windows refused.
        """
        handle = ctypes.c_void_p(window)
        self._object.call(self.SET_STATE, handle, ctypes.c_int(light))
        if light in (Light.NORMAL, Light.PAUSED):
            self._object.call(self.SET_VALUE, handle, ctypes.c_ulonglong(percent), ctypes.c_ulonglong(100))
