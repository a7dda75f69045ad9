"""Which of the dropped, chosen or named paths are videos to work on."""

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
    """What came in: the videos, and why other things were left out."""

    videos: tuple[Path, ...]
    not_videos: tuple[str, ...] = ()
    """Names of what is no video or is not there."""
    own_outputs: int = 0
    """Results of this program that were left out."""

    def message(self) -> str:
        """One calm message about what was left out; empty where everything came in."""
        parts = []
        if self.not_videos:
            names = ", ".join(self.not_videos[:4])
            more = f" and {len(self.not_videos) - 4} more" if len(self.not_videos) > 4 else ""
            verb = "is no video and was" if len(self.not_videos) == 1 else "are no videos and were"
            parts.append(f"{names}{more} {verb} left out.")
        if self.own_outputs:
            verb = "file that Anonator made was" if self.own_outputs == 1 else "files that Anonator made were"
            parts.append(f"{self.own_outputs} {verb} left out.")
        if not parts and not self.videos:
            return "There is no video in that folder. Drop a video file or a folder that holds some."
        return " ".join(parts)


def to_path(item: str) -> Path | None:
    """A dropped item as a path: a plain path or a file: address; None for any other address."""
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", item) and not re.match(r"[A-Za-z]:[\\/]", item):
        parts = urlsplit(item)
        if parts.scheme.lower() != "file":
            return None
        # names that are not UTF-8 come back as the bytes that the file system knows
        raw = unquote(parts.path, errors="surrogateescape")
        return Path(url2pathname(raw) if os.name == "nt" else raw)
    return Path(item)


def sort_out(items: Iterable[str | Path], is_video: Callable[[Path], bool] = lambda _path: False) -> Incoming:
    """Expand folders and keep the videos; call it in a worker, since folders may be large and far away.

    Args:
        items: paths or file: addresses, of files and folders.
        is_video: looks into a named file whose suffix says nothing.
    """
    videos: dict[Path, None] = {}
    others: list[str] = []
    own = 0
    for item in items:
        path = item if isinstance(item, Path) else to_path(item)
        if path is None or not path.exists():
            others.append(str(item) if path is None else path.name)
        elif path.is_dir():
            for file in _walk(path):
                if OWN_OUTPUT.search(file.name):
                    own += 1
                elif file.suffix.lower() in VIDEO_SUFFIXES:
                    videos[file.absolute()] = None
        elif path.name.startswith("."):
            others.append(path.name)
        elif OWN_OUTPUT.search(path.name):
            own += 1
        elif path.suffix.lower() in VIDEO_SUFFIXES or is_video(path):
            videos[path.absolute()] = None
        else:
            others.append(path.name)
    return Incoming(tuple(videos), tuple(others), own)


def _walk(folder: Path) -> Iterator[Path]:
    """All visible files under a folder, in the order of their names."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(parent, name)
