"""Finds the videos in a folder, by the same rule for the window and the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from anonator.core.job import RESULT_NAME
from anonator.core.reading.containers import VIDEO_SUFFIXES
from anonator.core.windows_files import for_people, reachable


def videos_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """The videos in a folder and in those below it, sorted by name, and the results of this program apart."""
    videos, own = list[Path](), list[Path]()
    for file in _walk(folder):
        if RESULT_NAME.match(file.name):
            own.append(file)
        elif file.suffix.lower() in VIDEO_SUFFIXES:
            videos.append(file)
    return videos, own


def _walk(folder: Path) -> Iterator[Path]:
    """All visible files under a folder, sorted by name."""
    for parent, folders, names in os.walk(reachable(folder, deep=True)):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield for_people(Path(parent, name))
