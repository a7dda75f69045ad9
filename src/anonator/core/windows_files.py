"""Windows' ways with files: paths of any length, names it does not allow, and what its errors leave out.

Everything here is harmless on other systems, where nothing is refused and no path is changed.
"""

from __future__ import annotations

import contextlib
import ctypes
import ntpath
import os
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

LONG = 200
"""Characters from which a path is given in its long form: Windows' 259, less what temporary names add."""
LONGEST_NAME = 255
"""UTF-16 units of the name of one file or folder."""
_PREFIX, _NETWORK_PREFIX = "\\\\?\\", "\\\\?\\UNC\\"
_DEVICE = re.compile(r"(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[1-9¹²³])[ .]*(\.|$)", re.IGNORECASE)
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


def reachable(path: Path, *, deep: bool = False) -> Path:
    """The path in a form with which Windows opens it however long it is; short ones stay as they are.

    Args:
        path: for any use but showing it to people.
        deep: whether what lies in this folder is meant, however deep, which may have longer paths.
    """
    if sys.platform != "win32":
        return path
    full = os.path.abspath(path)
    return Path(extended(full)) if deep or len(full) >= LONG else path


def extended(path: str) -> str:
    r"""An absolute Windows path as \\?\C:\... or \\?\UNC\server\share\..., up to 32,767 characters."""
    path = ntpath.normpath(path)
    if path.startswith(("\\\\?\\", "\\\\.\\")):
        return path
    return _NETWORK_PREFIX + path[2:] if path.startswith("\\\\") else _PREFIX + path


def for_people(path: Path) -> Path:
    """A path without the prefix of its long form."""
    text = str(path)
    if text.startswith(_NETWORK_PREFIX):
        return Path("\\\\" + text[len(_NETWORK_PREFIX) :])
    return Path(text[len(_PREFIX) :]) if text.startswith(_PREFIX) else path


def refusal(name: str, *, windows: bool = sys.platform == "win32") -> str:
    """Why Windows gives no file this name, or takes it for something else; empty where it is allowed.

    "a:b.mp4" would become a hidden stream of a file "a", "aux.mp4" a device, and "a.mp4." another name.

    Args:
        name: of the file alone.
        windows: whether its rules count; false on other systems.
    """
    if not windows:
        return ""
    if _DEVICE.match(name):
        return "Windows keeps this name for a device"
    if _FORBIDDEN.search(name):
        return 'Windows allows none of the characters < > : " / \\ | ? * in a name'
    if name.endswith((".", " ")) and name.strip("."):
        return "Windows allows no full stop and no space at the end of a name"
    return ""


def is_too_long(name: str, *, windows: bool = sys.platform == "win32") -> bool:
    """Whether the name of one file or folder is too long for Windows; other systems say so themselves."""
    return windows and len(name.encode("utf-16-le", "surrogatepass")) > 2 * LONGEST_NAME


@contextlib.contextmanager
def told_by_windows() -> Iterator[None]:
    """Give errors of os.open, open and file objects Windows' own number; Python tells only errno there."""
    try:
        yield
    except OSError as exc:
        if sys.platform == "win32" and exc.winerror is None:
            number = _number_behind_errno()
            if number and OSError(0, "", None, number).errno == exc.errno:  # else it is of an earlier call
                exc.winerror = number
        raise


def is_read_only(path: Path) -> bool:
    """Whether Windows protects this file itself from being changed or replaced."""
    if sys.platform == "win32":
        with contextlib.suppress(OSError):
            return bool(os.stat(path).st_file_attributes & stat.FILE_ATTRIBUTE_READONLY)
    return False


def is_open_elsewhere(path: Path) -> bool:
    """Whether a program has this file open, so that Windows lets nobody replace it."""
    if sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        create = kernel.CreateFileW
        create.restype = ctypes.c_void_p
        create.argtypes = [
            ctypes.c_wchar_p, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p,
            ctypes.c_uint32, ctypes.c_uint32, ctypes.c_void_p,
        ]  # fmt: skip
        handle = create(str(path), _DELETE, _SHARE_ALL, None, _OPEN_EXISTING, 0, None)
        if handle is None or handle == ctypes.c_void_p(-1).value:
            return ctypes.get_last_error() in (_SHARING_VIOLATION, _LOCK_VIOLATION)
        kernel.CloseHandle(ctypes.c_void_p(handle))
    return False


_DELETE, _SHARE_ALL, _OPEN_EXISTING = 0x10000, 7, 3
_SHARING_VIOLATION, _LOCK_VIOLATION = 32, 33


def _number_behind_errno() -> int:
    """What the C runtime was told by Windows when a call of it failed last in this thread."""
    number = ctypes.c_ulong()
    ctypes.CDLL("ucrtbase")._get_doserrno(ctypes.byref(number))
    return number.value
