"""What a system's error about a file means for people: one table of all numbers, and the sentences.

Windows tells more than errno does, by numbers of its own, and for some faults only the place itself does:
a folder that is a file and a drive that is away are both "not found" there.
"""

from __future__ import annotations

import errno
import os
from enum import Enum, auto
from pathlib import Path

from anonator.core import windows_files


class Fault(Enum):
    """Why a file cannot be opened, written, renamed or removed."""

    MISSING = auto()
    NOT_A_FOLDER = auto()
    NO_PERMISSION = auto()
    PROTECTED = auto()
    """The file alone is read-only, and its folder is not."""
    READ_ONLY_DISK = auto()
    IN_USE = auto()
    FULL = auto()
    QUOTA = auto()
    FILE_TOO_LARGE = auto()
    NAME_TOO_LONG = auto()
    BAD_NAME = auto()
    DRIVE_AWAY = auto()
    NETWORK_AWAY = auto()
    CLOUD = auto()
    HELD_BACK = auto()
    """By an antivirus program."""
    OTHER = auto()


_BY_ERRNO = {
    Fault.MISSING: ("ENOENT",),
    Fault.NOT_A_FOLDER: ("ENOTDIR",),
    Fault.NO_PERMISSION: ("EACCES", "EPERM"),
    Fault.READ_ONLY_DISK: ("EROFS",),
    Fault.IN_USE: ("EBUSY", "ETXTBSY"),
    Fault.FULL: ("ENOSPC",),
    Fault.QUOTA: ("EDQUOT",),
    Fault.FILE_TOO_LARGE: ("EFBIG",),
    Fault.NAME_TOO_LONG: ("ENAMETOOLONG",),
    Fault.DRIVE_AWAY: ("ENODEV", "ENXIO", "ENOMEDIUM"),
    Fault.NETWORK_AWAY: (
        "ENETDOWN", "ENETUNREACH", "ENETRESET", "ENONET", "EHOSTDOWN", "EHOSTUNREACH", "ETIMEDOUT",
        "ECONNREFUSED", "ECONNRESET", "ECONNABORTED", "ENOTCONN",
    ),
}  # fmt: skip
_ERRNO = {
    getattr(errno, name): fault
    for fault, names in _BY_ERRNO.items()
    for name in names
    if hasattr(errno, name)
}
_BY_WINERROR = {
    Fault.MISSING: (2, 3),
    Fault.NOT_A_FOLDER: (267,),
    Fault.NO_PERMISSION: (5, 65, 1314, 1326, 1327, 1331),
    Fault.READ_ONLY_DISK: (19,),
    Fault.IN_USE: (32, 33, 1224),
    Fault.FULL: (39, 112),
    Fault.QUOTA: (1295,),
    Fault.FILE_TOO_LARGE: (223,),
    Fault.NAME_TOO_LONG: (111, 206),
    Fault.BAD_NAME: (123, 161),
    Fault.DRIVE_AWAY: (15, 20, 21, 55, 433, 483, 1006, 1110, 1112, 1167),
    Fault.NETWORK_AWAY: (
        51, 53, 54, 58, 59, 64, 67, 71, 121, 1203, 1222, 1225, 1231, 1232, 1233, 1236, 1460,
    ),
    # of ERROR_CLOUD_FILE_...: OneDrive and the like, whose file is a placeholder
    Fault.CLOUD: (358, *range(362, 367), *range(374, 384), *range(386, 399), 404, 426, 475),
    Fault.HELD_BACK: (225, 226),
}  # fmt: skip
_WINERROR = {number: fault for fault, numbers in _BY_WINERROR.items() for number in numbers}

WRITING = {
    Fault.MISSING: "The output folder does not exist. Create it, or choose another one.",
    Fault.NOT_A_FOLDER: "The output folder is not a folder. Choose another one.",
    Fault.NO_PERMISSION: "The output folder cannot be written to. Choose another one.",
    Fault.PROTECTED: (
        "The old result is write-protected. Remove that in the file's properties, or choose another name."
    ),
    Fault.READ_ONLY_DISK: (
        "The output folder cannot be written to: its disk is read-only. Choose another one."
    ),
    Fault.IN_USE: "The old result is open in another program. Close it there, or choose another name.",
    Fault.FULL: "The disk is full. Free space, or choose an output folder on another disk, and try again.",
    Fault.QUOTA: "Your quota on this disk is used up. Free space, or choose another output folder.",
    Fault.FILE_TOO_LARGE: (
        "The disk cannot store a file this large. Choose an output folder on another disk."
    ),
    Fault.NAME_TOO_LONG: "The output's name is too long for this disk. Choose a shorter one.",
    Fault.BAD_NAME: "The output's name or folder is not allowed on this disk. Choose another one.",
    Fault.DRIVE_AWAY: (
        "The output's drive is not connected. Connect it, or choose another folder, and try again."
    ),
    Fault.NETWORK_AWAY: (
        "The output folder's network drive cannot be reached. Check the connection, or choose another "
        "folder, and try again."
    ),
    Fault.CLOUD: (
        "The output folder belongs to a cloud drive, such as OneDrive, that does not respond. Start its "
        "program, or choose another folder."
    ),
    Fault.HELD_BACK: (
        "An antivirus program does not let the result be written. Choose another folder, or ask whoever "
        "looks after this computer."
    ),
    Fault.OTHER: "The result could not be written. Check the disk or network drive, and try again.",
}
"""When a result cannot be written or get its name."""

_UNUSABLE_NAME = "The video's name or folder cannot be used on this computer. Rename it, or copy the video."
_UNREADABLE = "The video cannot be read. Check the name, the disk or the network drive, and try again."
READING = {
    **dict.fromkeys(Fault, _UNREADABLE),
    Fault.MISSING: "The video was not found. Check that it has not been moved or renamed.",
    Fault.NOT_A_FOLDER: "The video was not found. Check that it has not been moved or renamed.",
    Fault.NO_PERMISSION: (
        "The video cannot be read, because you don't have permission. Copy it to a folder of your own."
    ),
    Fault.IN_USE: (
        "The video is open in another program that lets nobody else read it. Close it there, and try again."
    ),
    Fault.NAME_TOO_LONG: _UNUSABLE_NAME,
    Fault.BAD_NAME: _UNUSABLE_NAME,
    Fault.DRIVE_AWAY: "The video's drive is not connected. Connect it, and try again.",
    Fault.NETWORK_AWAY: ("The video's network drive cannot be reached. Check the connection, and try again."),
    Fault.CLOUD: (
        "The video is kept in the cloud, by OneDrive or the like, and could not be fetched. Start that "
        "program, let it keep the file on this computer, and try again."
    ),
    Fault.HELD_BACK: (
        "An antivirus program does not let the video be read. Ask whoever looks after this computer."
    ),
}
"""When a video cannot be read."""

REASONS = {
    Fault.MISSING: "the file or its folder was not found",
    Fault.NOT_A_FOLDER: "its folder is not a folder",
    Fault.NO_PERMISSION: "you don't have permission",
    Fault.PROTECTED: "it is write-protected",
    Fault.READ_ONLY_DISK: "the disk is read-only",
    Fault.IN_USE: "it is open in another program",
    Fault.FULL: "the disk is full",
    Fault.QUOTA: "your quota on this disk is used up",
    Fault.FILE_TOO_LARGE: "the disk cannot store a file this large",
    Fault.NAME_TOO_LONG: "its name is too long",
    Fault.BAD_NAME: "its name is not allowed",
    Fault.DRIVE_AWAY: "its drive is not connected",
    Fault.NETWORK_AWAY: "its network drive cannot be reached",
    Fault.CLOUD: "its cloud drive does not respond",
    Fault.HELD_BACK: "an antivirus program forbids it",
    Fault.OTHER: "the disk or network drive failed",
}
"""The same of any other file, as the end of a sentence that says which file it is."""


def reason(exc: OSError, place: Path) -> str:
    """Why a file, which the sentence has named, cannot be read or written."""
    return REASONS[fault_of(exc, place)]


def fault_of(exc: OSError, place: Path | None = None) -> Fault:
    """What an error means.

    Args:
        exc: what the system said.
        place: the file that it is about; looked at where numbers alone do not tell.
    """
    fault = _WINERROR.get(getattr(exc, "winerror", None) or 0) or _ERRNO.get(exc.errno or 0) or Fault.OTHER
    if place is None:
        return fault
    if fault is Fault.NO_PERMISSION:
        return _what_forbids(place)
    if fault is Fault.MISSING:
        return _what_is_missing(place)
    if fault is Fault.OTHER and windows_files.refusal(place.name):
        return Fault.BAD_NAME
    return fault


def _what_forbids(place: Path) -> Fault:
    """Replacing a file that is open elsewhere, or write-protected, is "access denied" to Windows."""
    if windows_files.is_read_only(place):
        return Fault.PROTECTED
    return Fault.IN_USE if windows_files.is_open_elsewhere(place) else Fault.NO_PERMISSION


def _what_is_missing(place: Path) -> Fault:
    """The first thing on the way to a file that is wrong, which Windows calls "not found" as well."""
    for part in [*reversed(place.parents), place]:
        if os.path.isdir(part):
            continue
        if part.parent == part:
            return Fault.NETWORK_AWAY if part.drive.startswith("\\\\") else Fault.DRIVE_AWAY
        if windows_files.is_too_long(part.name):
            return Fault.NAME_TOO_LONG
        if windows_files.refusal(part.name):
            return Fault.BAD_NAME
        if part != place and os.path.exists(part):
            return Fault.NOT_A_FOLDER
        break
    return Fault.MISSING
