"""Gives files their names in one step, so that neither a crash nor a power cut leaves half a file there."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path


def write(path: Path, content: bytes | Iterable[bytes], *, private: bool = False) -> None:
    """Write a file under another name first; until it is complete, the old one stays.

    Args:
        content: all of it, or its parts one after the other.
        private: for its owner only.

    Raises:
        OSError: it cannot be written.
    """
    part = path.with_name(f"{path.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    try:
        with os.fdopen(os.open(part, flags, 0o600 if private else 0o666), "wb") as file:
            file.writelines((content,) if isinstance(content, bytes) else content)
        replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def replace(part: Path, target: Path) -> None:
    """Sync a complete file to the disk, then give it its name, whatever had that name before.

    Raises:
        OSError: it cannot be synced or renamed.
    """
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    os.replace(part, target)
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Sync a folder's entries to the disk, if the system can; files themselves are synced separately."""
    if os.name == "posix":
        with contextlib.suppress(OSError):  # some network drives cannot
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
