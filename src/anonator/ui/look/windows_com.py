"""Objects of Windows' COM, called by the places of their methods; they exist on Windows only."""

from __future__ import annotations

import ctypes
import uuid
from typing import Any

IN_THIS_PROCESS = 1
FOR_ONE_THREAD = 2
_RELEASE = 2


def begin() -> None:
    """Prepare this thread for COM; a second time is harmless."""
    ctypes.CDLL("ole32").CoInitializeEx(None, FOR_ONE_THREAD)


def end() -> None:
    """Take back one begin() of this thread."""
    ctypes.CDLL("ole32").CoUninitialize()


def free(text: ctypes.c_wchar_p) -> None:
    """Give back a text that a method gave."""
    ctypes.CDLL("ole32").CoTaskMemFree(text)


class ComObject:
    """One interface of one object, for the thread that got it."""

    def __init__(self, pointer: ctypes.c_void_p) -> None:
        self.pointer = pointer

    @classmethod
    def made(cls, kind: uuid.UUID, interface: uuid.UUID) -> ComObject:
        """A new object of a class.

        Raises:
            OSError: there is none.
        """
        pointer = ctypes.c_void_p()
        ctypes.OleDLL("ole32").CoCreateInstance(  # type: ignore[attr-defined, unused-ignore]
            kind.bytes_le, None, IN_THIS_PROCESS, interface.bytes_le, ctypes.byref(pointer)
        )
        return cls(pointer)

    def call(self, place: int, *arguments: Any) -> None:
        """Call a method.

        Args:
            place: of the method in the interface, from 0.
            arguments: values of ctypes; their types are those of the method.

        Raises:
            OSError: it failed; its winerror is Windows' HRESULT.
        """
        # HRESULT raises OSError where the call failed
        self._method(place, ctypes.HRESULT, *map(type, arguments))(self.pointer, *arguments)  # type: ignore[attr-defined, unused-ignore]

    def got(self, place: int, *arguments: Any) -> ComObject:
        """The object that a method gives by its last argument."""
        pointer = ctypes.c_void_p()
        self.call(place, *arguments, ctypes.pointer(pointer))
        return ComObject(pointer)

    def close(self) -> None:
        """Give it back; it can't be used any more."""
        if self.pointer:
            self._method(_RELEASE, ctypes.c_ulong)(self.pointer)  # it answers with a count
            self.pointer = ctypes.c_void_p()

    def _method(self, place: int, answer: Any, *kinds: Any) -> Any:
        table = ctypes.cast(self.pointer, ctypes.POINTER(ctypes.POINTER(ctypes.c_void_p))).contents
        return ctypes.WINFUNCTYPE(answer, ctypes.c_void_p, *kinds)(table[place])  # type: ignore[attr-defined, unused-ignore]
