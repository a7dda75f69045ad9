"""The program's temporary files: recorded before they exist, so the next start can clean up after a crash.

A job's unfinished files carry one name, `.anonator-<token>.partial.<kind>`, in the folder of the result.
Before the first of them is made, a marker named after the token is written into the program's own folder; it
holds the folder's path, is locked as long as the program lives, and goes away with the files:

    own = OwnName(folder)               # marker written and locked
    own.path(".partial.mp4")            # where the unfinished video goes
    own.release()                       # files published or removed: marker gone

    sweep()                             # removes what markers without a living program name

Most callers want `media.output_file.TemporaryFile`, which does this itself. No folder is ever searched: what
no marker names is not touched.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
import secrets
import stat
import sys
import threading
import time
from pathlib import Path

import platformdirs

from anonator.core import durable_files, file_lock

log = logging.getLogger(__name__)

PREFIX = ".anonator-"
SUFFIXES = (".partial.mp4", ".partial.json", ".partial.html", ".partial.tracks")
"""What an own name can end with: the unfinished video, report, page of the report, and tracks."""
KEPT_SECONDS = 30 * 24 * 3600.0
"""How long a marker waits for a drive that is away."""
PATIENCE = 2.0
"""Seconds that a sweep may hold up its caller; a network drive that does not answer takes far longer."""

_TOKEN = re.compile(r"[0-9a-f]{16}")
_LONGEST_PATH = 1 << 16
_END = b"\0"
"""Ends a marker's content; without it the marker was cut off, and the files were never made."""
_ATTEMPTS = 5
_alive: set[str] = set()
"""Tokens of this process: where locks belong to processes, as on NFS, its own would not stop it."""
_sweeper: threading.Thread | None = None
_starting = threading.Lock()


def marker_folder() -> Path:
    """Where markers are kept on this system."""
    return platformdirs.user_state_path("Anonator", appauthor=False) / "unfinished"


class OwnName:
    """A name for the unfinished files of one result, marked as this program's until release."""

    def __init__(self, folder: Path) -> None:
        """Write the marker; if that is impossible, the program continues without one and logs it.

        Args:
            folder: where the files will be; it need not exist.
        """
        self._folder = Path(folder)
        self._marker: int | None = None
        why = "no lock"
        for _ in range(_ATTEMPTS):
            self._token = secrets.token_hex(8)
            try:
                if self._mark():
                    return
            except OSError as exc:
                why = type(exc).__name__
                break
        log.warning("an unfinished file could not be noted (%s); it stays if the program is killed", why)

    def path(self, suffix: str) -> Path:
        """The name with one of SUFFIXES."""
        if suffix not in SUFFIXES:
            raise ValueError(f"{suffix!r} is none of {SUFFIXES}")
        return self._folder / f"{PREFIX}{self._token}{suffix}"

    def release(self, *, made: bool = True) -> None:
        """End the claim; while one of the files is still there its marker stays, for a later sweep.

        Args:
            made: False if no file of this name ever came to be.
        """
        _alive.discard(self._token)
        if self._marker is None:
            return
        gone = not made or all(_is_gone(self._folder, suffix, self._token) for suffix in SUFFIXES)
        descriptor, self._marker = self._marker, None
        _close(descriptor, marker_folder() / self._token, remove=gone)

    def _mark(self) -> bool:
        """Write the marker; False if a sweep was faster than the lock, which calls for another token."""
        folder = marker_folder()
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        marker = folder / self._token
        _alive.add(self._token)
        descriptor, done = -1, False
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
            descriptor = os.open(marker, flags, 0o600)
            done = file_lock.take(descriptor) and _is_still(descriptor, marker)
            if done:
                _write_all(descriptor, os.fsencode(os.path.abspath(self._folder)) + _END)
                durable_files.sync_folder(folder)
                self._marker = descriptor
        finally:
            if self._marker is None:
                _alive.discard(self._token)
                if descriptor >= 0:
                    _close(descriptor, marker, remove=True)
        return done


def sweep(patience: float = PATIENCE) -> None:
    """Remove what programs that have ended left behind.

    Removes a file only if a marker names it, no running program holds that marker, and it is a regular file.
    The work continues in the background after patience; only one sweep runs at a time.

    Args:
        patience: seconds to wait for the end of it.
    """
    global _sweeper
    with _starting:
        if _sweeper is not None and _sweeper.is_alive():
            return
        markers = _abandoned()
        if not markers:
            return
        _sweeper = threading.Thread(target=_remove_all, args=(markers,), name="anonator-sweep", daemon=True)
        _sweeper.start()
    _sweeper.join(patience)


def _abandoned() -> list[Path]:
    """Markers that are not this process's; whether another holds them, only their locks can tell."""
    try:
        names = os.listdir(marker_folder())
    except OSError:  # usually because there has never been one
        return []
    return [marker_folder() / name for name in names if _TOKEN.fullmatch(name) and name not in _alive]


def _remove_all(markers: list[Path]) -> None:
    removed = 0
    for marker in markers:
        try:
            removed += _remove_marked(marker)
        except (OSError, ValueError) as exc:  # whatever is wrong with one, the others are swept
            log.warning("an unfinished file could not be removed (%s)", type(exc).__name__)
    if removed:
        log.info("removed %d unfinished files of a program that was stopped", removed)


def _remove_marked(marker: Path) -> int:
    """Remove the files of one marker, and it; returns how many there were."""
    try:
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(marker, flags)
    except FileNotFoundError:  # released meanwhile
        return 0
    remove, removed = False, 0
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or not file_lock.take(descriptor):
            return 0
        folder = _folder_in(os.read(descriptor, _LONGEST_PATH))
        if folder is None:
            remove = True
            return 0
        removed = sum(_remove_file(folder, suffix, marker.name) for suffix in SUFFIXES)
        gone = all(_is_gone(folder, suffix, marker.name) for suffix in SUFFIXES)
        remove = gone or time.time() - status.st_mtime > KEPT_SECONDS
        return removed
    finally:
        _close(descriptor, marker, remove=remove)


def _folder_in(content: bytes) -> Path | None:
    """The folder that a marker names; None if it was cut off or spoiled, by whatever bytes."""
    name, end, rest = content.partition(_END)
    try:
        folder = Path(os.fsdecode(name))
    except UnicodeDecodeError:  # Windows' names are Unicode
        return None
    return folder if end and not rest and folder.is_absolute() else None


def _remove_file(folder: Path, suffix: str, token: str) -> bool:
    """Remove one own file; anything but a regular file of that name belongs to someone else."""
    path = folder / f"{PREFIX}{token}{suffix}"
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return False
        path.unlink()
    except OSError:
        return False
    return True


def _is_gone(folder: Path, suffix: str, token: str) -> bool:
    """Whether no own file of that name is there; a folder that is away may come back with it."""
    try:
        return not stat.S_ISREG(os.lstat(folder / f"{PREFIX}{token}{suffix}").st_mode)
    except FileNotFoundError:
        return folder.is_dir()
    except OSError:
        return False


def _is_still(descriptor: int, marker: Path) -> bool:
    """Whether the name is still that of the open file, or a sweep has taken it in between."""
    if sys.platform == "win32":
        return True  # no open file is removed there
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(marker))
    except FileNotFoundError:
        return False


def _close(descriptor: int, marker: Path, *, remove: bool) -> None:
    """Let go of a marker; Windows removes no file that is open, so there the lock goes first."""
    if sys.platform == "win32":
        file_lock.release(descriptor)
        os.close(descriptor)
        if remove:
            with contextlib.suppress(OSError):  # another sweep has it open, and removes it
                marker.unlink()
    else:
        if remove:
            with contextlib.suppress(OSError):
                marker.unlink()
        os.close(descriptor)


def _write_all(descriptor: int, content: bytes) -> None:
    """Write and sync to the disk; a disk that takes only a part of it is full."""
    if os.write(descriptor, content) != len(content):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    os.fsync(descriptor)
