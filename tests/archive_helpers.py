"""What tests of archives share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from anonator.archive.folder import About, Archive, open_archive
from anonator.archive.rows import Row, read_rows

Planner = Callable[..., Archive]
"""Plans a test's videos with the given settings."""


def rows_of(archive: Archive) -> tuple[About, list[Row]]:
    """What is known of an archive, and its plan."""
    return open_archive(archive.path)[1], read_rows(archive)


def results_in(archive: Archive) -> list[str]:
    """All files among the results, as paths in their folder."""
    return sorted(
        p.relative_to(archive.results).as_posix() for p in archive.results.rglob("*") if p.is_file()
    )


def anonator(*args: object) -> subprocess.Popen[str]:
    """Start the program."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, "-m", "anonator", *map(str, args)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env=env,
    )


def ended(process: subprocess.Popen[str], seconds: float = 120) -> tuple[int, str, str]:
    """The exit status of a process that was started, what it printed, and what it complained about."""
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


def archive_command(*args: object) -> tuple[int, str, str]:
    """Run a command of `anonator archive` to its end."""
    return ended(anonator("archive", *args))
