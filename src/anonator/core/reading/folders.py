"""Finds the videos in a folder, by the same rule for the window and the terminal."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from anonator.core.reading.containers import VIDEO_SUFFIXES

OWN_OUTPUT = re.compile(r"_anonymized(_\d+)?\.mp4$", re.IGNORECASE)
"""The names of this program's results."""


def videos_in(folder: Path) -> tuple[list[Path], int]:
    """The videos in a folder and in those below it, sorted by name, and how many results were left out."""
    videos, own = list[Path](), 0
    for file in _walk(folder):
        if OWN_OUTPUT.search(file.name):
            own += 1
        elif file.suffix.lower() in VIDEO_SUFFIXES:
            videos.append(file)
    return videos, own


def _walk(folder: Path) -> Iterator[Path]:
    """All visible files under a folder, sorted by name."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(parent, name)
