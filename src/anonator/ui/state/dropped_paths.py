"""Finds the videos among dropped, chosen or named paths."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from anonator.core.reading.containers import VIDEO_SUFFIXES

OWN_OUTPUT = re.compile(r"_anonymized(_\d+)?\.mp4$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came in: the videos, and what was skipped."""

    videos: tuple[Path, ...]
    not_videos: tuple[str, ...] = ()
    """Names of things that aren't videos or don't exist."""
    results: tuple[Path, ...] = ()
    """Results of this program that were named one by one."""
    results_in_folders: tuple[Path, ...] = ()
    """Those that lay in folders."""

    def message(self) -> str:
        """A message about what was skipped; empty if everything was added."""
        parts = []
        if self.not_videos:
            names = ", ".join(self.not_videos[:4])
            more = f" and {len(self.not_videos) - 4} more" if len(self.not_videos) > 4 else ""
            verb = "isn't a video, so it was" if len(self.not_videos) == 1 else "aren't videos, so they were"
            parts.append(f"{names}{more} {verb} skipped.")
        if not (parts or self.videos or self.results or self.results_in_folders):
            return "There are no videos in that folder. Drop a video file, or a folder with videos in it."
        return " ".join(parts)


def to_path(item: str) -> Path | None:
    """A dropped item as a path: a plain path or a file: address; None for any other address."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", item) and not re.match(r"[A-Za-z]:[\\/]", item):
        parts = urlsplit(item)
        if parts.scheme.lower() != "file":
            return None
        # names that aren't UTF-8 come back as the bytes the file system knows
        raw = unquote(parts.path, errors="surrogateescape")
        return Path(url2pathname(raw) if os.name == "nt" else raw)
    return Path(item)


def sort_out(items: Iterable[str | Path], is_video: Callable[[Path], bool] = lambda _path: False) -> Incoming:
    """Expand folders and keep the videos; call it in a worker, since folders may be large and slow.

    Args:
        items: paths or file: addresses, of files and folders.
        is_video: checks a file whose suffix doesn't tell.
    """
    videos: dict[Path, None] = {}
    others: list[str] = []
    results: dict[Path, None] = {}
    in_folders: dict[Path, None] = {}
    for item in items:
        path = item if isinstance(item, Path) else to_path(item)
        if path is None or not path.exists():
            others.append(str(item) if path is None else path.name)
        elif path.is_dir():
            for file in _walk(path):
                if OWN_OUTPUT.search(file.name):
                    in_folders[file.absolute()] = None
                elif file.suffix.lower() in VIDEO_SUFFIXES:
                    videos[file.absolute()] = None
        elif path.name.startswith("."):
            others.append(path.name)
        elif OWN_OUTPUT.search(path.name):
            results[path.absolute()] = None
        elif path.suffix.lower() in VIDEO_SUFFIXES or is_video(path):
            videos[path.absolute()] = None
        else:
            others.append(path.name)
    inside = tuple(path for path in in_folders if path not in results)
    return Incoming(tuple(videos), tuple(others), tuple(results), inside)


def _walk(folder: Path) -> Iterator[Path]:
    """All visible files under a folder, sorted by name."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(parent, name)
