"""Windows' own file dialog, which leaves what was chosen out of the list of recent files; Tk's can't.

The names of files identify patients, and that list shows them to whoever uses the computer next.
Source of all numbers: Windows SDK, shobjidl_core.h.
"""

from __future__ import annotations

import contextlib
import ctypes
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path
from typing import Any

from anonator.ui.look import windows_com
from anonator.ui.look.windows_com import ComObject

OPEN = uuid.UUID("DC1C5A9C-E88A-4DDE-A5A1-60F82A20AEF7"), uuid.UUID("D57C7288-D4AD-4768-BE02-9D969532D960")
"""Class and interface of the dialog that opens files or chooses folders."""
SAVE = uuid.UUID("C0B4E2F3-BA21-4773-8DBA-335EC946EB8B"), uuid.UUID("84BCCD23-5FDE-4CDB-AEA4-AF64B83D78AB")
ITEM = uuid.UUID("43826D1E-E718-42EE-BC55-A1E261C37BFE")
OURS = uuid.UUID("6C0F7C2B-2F6E-4A53-9D2A-1B8F4B5E0C77")
"""The name under which Windows keeps what it remembers of these dialogs, so that it can be forgotten."""
# places of methods in IFileDialog, IFileOpenDialog, IShellItemArray and IShellItem
SHOW, SET_KINDS, SET_OPTIONS, SET_FOLDER, SET_NAME, SET_TITLE = 3, 4, 9, 12, 15, 17
GET_RESULT, SET_SUFFIX, SET_CLIENT, FORGET, GET_RESULTS = 20, 22, 24, 25, 27
GET_COUNT, GET_AT, GET_NAME = 7, 8, 5
PATH_OF_FILE = 0x80058000
CANCELLED = 0x800704C7


class Option(IntFlag):
    """How the dialog behaves (FILEOPENDIALOGOPTIONS)."""

    ASK_BEFORE_REPLACING = 0x2
    KEEP_CURRENT_FOLDER = 0x8
    FOLDERS = 0x20
    REAL_FILES = 0x40
    SEVERAL = 0x200
    FOLDER_EXISTS = 0x800
    FILE_EXISTS = 0x1000
    NOT_RECENT = 0x2000000


ALWAYS = Option.NOT_RECENT | Option.KEEP_CURRENT_FOLDER | Option.REAL_FILES | Option.FOLDER_EXISTS


class Kind(ctypes.Structure):
    """A kind of files (COMDLG_FILTERSPEC)."""

    _fields_ = (("name", ctypes.c_wchar_p), ("patterns", ctypes.c_wchar_p))


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a dialog asks for."""

    title: str
    folder: Path
    """Where it begins, if that exists."""
    options: Option
    """Besides those that always hold."""
    kinds: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Name, and patterns such as "*.mp4"."""
    name: str = ""
    """Of the file, to begin with."""
    suffix: str = ""
    """".csv", for a name that is typed without one."""
    saves: bool = False


def ask(
    wanted: Wanted, window: int, made: Callable[[uuid.UUID, uuid.UUID], Any] = ComObject.made
) -> list[Path]:
    """Show the dialog and wait; call it in a thread of its own, so that the window goes on.

    Args:
        wanted: what it asks for.
        window: the handle of the window that it belongs to, which it disables meanwhile.
        made: makes an object of a class with an interface.

    Returns:
        What was chosen; nothing where it was cancelled.

    Raises:
        OSError: there is no such dialog.
    """
    windows_com.begin()
    try:
        with contextlib.closing(made(*(SAVE if wanted.saves else OPEN))) as dialog:
            _set(dialog, wanted)
            try:
                dialog.call(SHOW, ctypes.c_void_p(window))
            except OSError as exc:
                if (getattr(exc, "winerror", None) or 0) & 0xFFFFFFFF == CANCELLED:
                    return []
                raise
            finally:
                with contextlib.suppress(OSError):
                    dialog.call(FORGET)  # the folder that it showed last
            return _chosen(dialog, several=Option.SEVERAL in wanted.options)
    finally:
        windows_com.end()


def kinds_of(kinds: Sequence[tuple[str, tuple[str, ...]]]) -> ctypes.Array[Kind]:
    """Kinds of files as the dialog takes them."""
    return (Kind * len(kinds))(*(Kind(name, ";".join(patterns)) for name, patterns in kinds))


def _set(dialog: Any, wanted: Wanted) -> None:
    with contextlib.suppress(OSError):
        dialog.call(SET_CLIENT, _bytes(OURS))
    dialog.call(SET_OPTIONS, ctypes.c_uint32(wanted.options | ALWAYS))
    dialog.call(SET_TITLE, ctypes.c_wchar_p(wanted.title))
    if wanted.kinds:
        dialog.call(SET_KINDS, ctypes.c_uint32(len(wanted.kinds)), kinds_of(wanted.kinds))
    if wanted.name:
        dialog.call(SET_NAME, ctypes.c_wchar_p(wanted.name))
    if wanted.suffix:
        dialog.call(SET_SUFFIX, ctypes.c_wchar_p(wanted.suffix.lstrip(".")))
    with contextlib.suppress(OSError), contextlib.closing(_item(wanted.folder)) as folder:
        dialog.call(SET_FOLDER, folder.pointer)


def _item(path: Path) -> ComObject:
    """A file or folder as Windows' dialogs know it."""
    pointer = ctypes.c_void_p()
    ctypes.OleDLL("shell32").SHCreateItemFromParsingName(  # type: ignore[attr-defined, unused-ignore]
        ctypes.c_wchar_p(str(path)), None, ITEM.bytes_le, ctypes.byref(pointer)
    )
    return ComObject(pointer)


def _chosen(dialog: Any, *, several: bool) -> list[Path]:
    if not several:
        with contextlib.closing(dialog.got(GET_RESULT)) as item:
            return [_path(item)]
    with contextlib.closing(dialog.got(GET_RESULTS)) as items:
        count = ctypes.c_uint32()
        items.call(GET_COUNT, ctypes.pointer(count))
        paths = []
        for at in range(count.value):
            with contextlib.closing(items.got(GET_AT, ctypes.c_uint32(at))) as item:
                paths.append(_path(item))
        return paths


def _path(item: Any) -> Path:
    text = ctypes.c_wchar_p()
    item.call(GET_NAME, ctypes.c_uint32(PATH_OF_FILE), ctypes.pointer(text))
    try:
        return Path(text.value or "")
    finally:
        windows_com.free(text)


def _bytes(id: uuid.UUID) -> Any:
    return ctypes.cast(ctypes.create_string_buffer(id.bytes_le, 16), ctypes.c_void_p)
