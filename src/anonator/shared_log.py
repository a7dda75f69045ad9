"""A log file that several running copies of the program share, and that is turned over when it has grown."""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from anonator.core import file_lock

PATIENCE = 1.0
"""Seconds to wait for the other copies; then a line is written without turning the file over."""


class SharedLog(logging.Handler):
    """Opens the file for one line at a time, behind a lock.

    Windows renames no file that anyone has open, and appends nowhere in one step: copies that kept the file
    open could neither turn it over nor rely on whole lines. Elsewhere they would write on into the old file.
    """

    def __init__(self, path: Path, most_bytes: int, kept: int) -> None:
        """Set it up; nothing is opened yet.

        Args:
            path: of the log; older ones get .1, .2 and so on behind its name.
            most_bytes: size at which it is turned over.
            kept: how many older ones there are at most.
        """
        super().__init__()
        self._path, self._most_bytes, self._kept = path, most_bytes, kept
        self._patience = PATIENCE

    def emit(self, record: logging.LogRecord) -> None:
        """Append one record; a disk that takes none is no reason to disturb anybody."""
        try:
            line = (self.format(record) + "\n").encode("utf-8", "backslashreplace")
        except Exception:
            self.handleError(record)
            return
        with contextlib.suppress(OSError), self._alone() as alone:
            if alone and self._size() + len(line) > self._most_bytes:
                self._turn_over()
            with open(self._path, "ab") as file:
                file.write(line)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[bool]:
        """Keep the other copies out; False where they do not let go, or the disk knows no locks."""
        descriptor = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            end = time.monotonic() + self._patience
            while not (alone := file_lock.take(descriptor)) and time.monotonic() < end:
                time.sleep(0.002)
            self._patience = PATIENCE if alone else 0.0  # waits for it only once
            yield alone
            if alone:
                file_lock.release(descriptor)
        finally:
            os.close(descriptor)

    def _size(self) -> int:
        try:
            return self._path.stat().st_size
        except FileNotFoundError:
            return 0

    def _turn_over(self) -> None:
        """Rename what there is; while someone reads the file on Windows, it grows a little more instead."""
        older = [self._path.with_name(f"{self._path.name}.{n}") for n in range(1, self._kept + 1)]
        names = [self._path, *older]
        with contextlib.suppress(PermissionError):
            for old, new in reversed(list(pairwise(names))):
                if old.exists():
                    os.replace(old, new)
