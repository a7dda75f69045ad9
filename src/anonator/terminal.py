"""What the program prints: UTF-8 on every system, and never a reason for a job to fail.

A pipe on Windows has the encoding of the country and refuses names in other scripts, a reader such as `head`
may have gone, and a windowed program has no streams at all: what cannot be told is left out, and the
work goes on.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
from typing import TextIO

log = logging.getLogger(__name__)


def prepare() -> None:
    """Let standard output and standard error take every text, as UTF-8 where no person reads along.

    Call it before anything is printed. A terminal keeps its own encoding; letters that it lacks become
    escapes.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            with contextlib.suppress(OSError, ValueError):  # closed already
                encoding = None if stream.isatty() else "utf-8"
                stream.reconfigure(encoding=encoding, errors="backslashreplace")
    if isinstance(sys.stdin, io.TextIOWrapper):
        with contextlib.suppress(OSError, ValueError):
            sys.stdin.reconfigure(errors="replace")


class Outlet:
    """Standard output or standard error as a file that never raises; also for tqdm and logging."""

    def __init__(self, name: str) -> None:
        """Name the attribute of sys, which is looked up at every call."""
        self._name = name
        self._gone: object = None

    @property
    def encoding(self) -> str:
        """What can be shown, by which tqdm chooses the look of its bar."""
        return getattr(getattr(sys, self._name), "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        """Write it and flush, or leave it out."""
        stream = getattr(sys, self._name)
        if stream is None or stream is self._gone:
            return len(text)
        try:
            try:
                stream.write(text)
            except UnicodeEncodeError:  # a stream that another program put there
                stream.write(text.encode("ascii", "backslashreplace").decode("ascii"))
            stream.flush()
        except (OSError, ValueError) as exc:
            self._gone = stream
            _send_nowhere(stream)
            log.info("nobody reads %s any more (%s)", self._name, type(exc).__name__)
        return len(text)

    def flush(self) -> None:
        """Nothing: write has done so."""

    def isatty(self) -> bool:
        """Whether a person reads along."""
        stream = getattr(sys, self._name)
        try:
            return stream is not None and bool(stream.isatty())
        except ValueError:  # closed
            return False

    def fileno(self) -> int:
        """The descriptor, by which tqdm finds the width of the terminal.

        Raises:
            OSError: there is none.
        """
        stream = getattr(sys, self._name)
        if stream is None:
            raise OSError("no such stream")
        return int(stream.fileno())


def _send_nowhere(stream: TextIO) -> None:
    """Drop what Python still holds for a stream that is gone, at which the end of the program would fail."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(nowhere, stream.fileno())
        finally:
            os.close(nowhere)


OUT, ERR = Outlet("stdout"), Outlet("stderr")
