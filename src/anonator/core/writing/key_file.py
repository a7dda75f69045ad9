"""The key file: which result with a neutral name belongs to which video, for the user alone.

It names patients, so it is protected health information (PHI): it is only where the user chose, only its
owner can read it, and nothing of it reaches the log.
"""

from __future__ import annotations

import csv
import errno
import io
import os
from pathlib import Path

from anonator.core.durable_files import sync_folder
from anonator.core.file_faults import reason
from anonator.core.windows_files import reachable, told_by_windows
from anonator.errors import OutputError

PHI = (
    "The key file says which result belongs to which video, so it is protected health information (PHI). "
    "Keep it apart from the results, and never share it."
)
HEADER = b"\xef\xbb\xbfresult,source\r\n"
"""With the mark by which spreadsheets know UTF-8."""
NOT_OURS = "A file of the key file's name already exists and isn't a key file. Choose another name."
NOT_MADE = "The key file cannot be written there: {}. Choose another place."
NOT_ADDED = (
    "The key file could not be written: {}. Write down yourself which video this result belongs to, "
    "because its name does not tell."
)


class KeyFile:
    """A CSV file with a row for each finished video; the row is on the disk when add returns."""

    def __init__(self, path: Path) -> None:
        """Make the file, or continue one that an earlier run made.

        Raises:
            OutputError: it can't be made there, or another file has that name.
        """
        self.path = path.absolute()
        try:
            self._begin()
        except OSError as exc:
            # without the system's error, which holds the path
            raise OutputError(NOT_MADE.format(reason(exc, self.path))) from None

    def add(self, result: Path, source: Path) -> None:
        """Append a row.

        Raises:
            OutputError: it isn't on the disk; the message says what to do.
        """
        row = io.StringIO(newline="")
        csv.writer(row).writerow([os.path.abspath(result), os.path.abspath(source)])
        try:
            # without O_CREAT: a file that was taken away would come back readable for others, and without its
            # first rows
            self._write(row.getvalue().encode("utf-8", "surrogateescape"), os.O_WRONLY | os.O_APPEND)
        except OSError as exc:
            raise OutputError(NOT_ADDED.format(reason(exc, self.path))) from None

    def _begin(self) -> None:
        try:
            self._write(HEADER, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
            sync_folder(self.path.parent)
        except FileExistsError:
            with reachable(self.path).open("rb") as file:
                if file.read(len(HEADER)) != HEADER:
                    raise OutputError(NOT_OURS) from None
            os.chmod(reachable(self.path), 0o600)
            self._write(b"", os.O_WRONLY | os.O_APPEND)

    def _write(self, content: bytes, flags: int) -> None:
        """Write all of it in one piece and onto the disk, so that two runs can share a file."""
        with told_by_windows():
            descriptor = os.open(reachable(self.path), flags | getattr(os, "O_BINARY", 0), 0o600)
            try:
                if os.write(descriptor, content) != len(content):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
