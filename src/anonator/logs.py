"""Logging set up once, without names: no message of a foreign error, no path of a job."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import traceback
from pathlib import Path

import platformdirs

FORMAT = "%(asctime)s %(levelname)s %(threadName)s %(name)s: %(message)s"
KEPT_BYTES = 1_000_000


class PrivateFormatter(logging.Formatter):
    """Says of an exception what and where it was, but not its message: that may hold a path."""

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


def set_up(*, verbose: bool = False, to_file: bool = True) -> None:
    """Send the program's messages to the log file, and to the terminal if asked.

    Args:
        verbose: also write to standard error, where there is one (a windowed program has none).
        to_file: write the log file; a folder that cannot be written to is survived.
    """
    root = logging.getLogger("anonator")
    root.setLevel(logging.INFO)
    root.handlers.clear()
    handlers: list[logging.Handler] = []
    if to_file:
        try:
            log_folder().mkdir(parents=True, exist_ok=True)
            handlers.append(
                logging.handlers.RotatingFileHandler(
                    log_folder() / "anonator.log",
                    maxBytes=KEPT_BYTES,
                    backupCount=2,
                    encoding="utf-8",
                    delay=True,
                )
            )
        except OSError:
            verbose = True
    if verbose and sys.stderr is not None:
        handlers.append(logging.StreamHandler())
    for handler in handlers or [logging.NullHandler()]:
        handler.setFormatter(PrivateFormatter(FORMAT))
        root.addHandler(handler)
