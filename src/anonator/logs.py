"""Sets up logging without names: no other library's error messages, no job's paths, no memory dumps."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import logging
import sys
import traceback
from pathlib import Path

import platformdirs

from anonator import terminal
from anonator.shared_log import SharedLog

if sys.platform != "win32":
    import resource

FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"
KEPT_BYTES = 1_000_000
NO_ERROR_BOX = 0x0001 | 0x0002
"""SEM_FAILCRITICALERRORS and SEM_NOGPFAULTERRORBOX, with which Windows keeps no dump of the process."""


class PrivateFormatter(logging.Formatter):
    """Logs an exception's type and place, but not its message, which may contain a path."""

    def formatException(self, ei: object) -> str:
        lines: list[str] = []
        error = ei[1] if isinstance(ei, tuple) else None
        while isinstance(error, BaseException):
            for entry in traceback.extract_tb(error.__traceback__):
                lines.append(f"  {Path(entry.filename).name}:{entry.lineno} in {entry.name}")
            lines.append(type(error).__name__)
            error = error.__cause__ or error.__context__
        return "\n".join(lines)


def log_folder() -> Path:
    """Where the log file is kept on this system."""
    return Path(platformdirs.user_log_dir("Anonator", appauthor=False))


def prepare_for_crashes(*, to_file: bool = True) -> None:
    """If native code crashes, record the place in the program's source, but never the memory.

    A memory dump would contain faces and names, and systems upload it or leave it lying around.

    Args:
        to_file: write the places to crash.log next to the log.
    """
    if sys.platform == "win32":
        ctypes.windll.kernel32.SetErrorMode(NO_ERROR_BOX)
    else:
        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    if to_file and not faulthandler.is_enabled():
        with contextlib.suppress(OSError):  # a folder that cannot be written to
            path = log_folder() / "crash.log"
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("ab")  # another running copy may have it open, too
            if path.stat().st_size > KEPT_BYTES:
                file.truncate(0)
            faulthandler.enable(file)


def set_up(*, verbose: bool = False, to_file: bool = True) -> None:
    """Send the program's messages to the log file, and to the terminal if asked.

    Args:
        verbose: also write to standard error, where there is one (a windowed program has none).
        to_file: write the log file; a folder that cannot be written to is no error.
    """
    prepare_for_crashes(to_file=to_file)
    root = logging.getLogger("anonator")
    root.setLevel(logging.INFO)
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    handlers: list[logging.Handler] = []
    if to_file:
        try:
            log_folder().mkdir(parents=True, exist_ok=True)
            handlers.append(SharedLog(log_folder() / "anonator.log", KEPT_BYTES, kept=2))
        except OSError:
            verbose = True
    if verbose and sys.stderr is not None:
        handlers.append(logging.StreamHandler(terminal.ERR))
    for handler in handlers or [logging.NullHandler()]:
        handler.setFormatter(PrivateFormatter(FORMAT))
        root.addHandler(handler)
