"""Finds the videos among dropped, chosen or named paths."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from anonator.core.reading.containers import VIDEO_SUFFIXES
from anonator.core.reading.folders import OWN_OUTPUT, videos_in


@dataclass(frozen=True, slots=True)
class Incoming:
    """What came in: the videos, and what was skipped."""

    videos: tuple[Path, ...]
    not_videos: tuple[str, ...] = ()
    """Names of things that aren't videos or don't exist."""
    own_outputs: int = 0
    """How many results of this program were skipped."""

    def message(self) -> str:
        """A message about what was skipped; empty if everything was added."""
        parts = []
        if self.not_videos:
            names = ", ".join(self.not_videos[:4])
            more = f" and {len(self.not_videos) - 4} more" if len(self.not_videos) > 4 else ""
            verb = "isn't a video, so it was" if len(self.not_videos) == 1 else "aren't videos, so they were"
            parts.append(f"{names}{more} {verb} skipped.")
        if self.own_outputs:
            verb = "file that Anonator made was" if self.own_outputs == 1 else "files that Anonator made were"
            parts.append(f"{self.own_outputs} {verb} skipped.")
        if not parts and not self.videos:
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
    own = 0
    for item in items:
        path = item if isinstance(item, Path) else to_path(item)
        if path is None or not path.exists():
            others.append(str(item) if path is None else path.name)
        elif path.is_dir():
            inside, results = videos_in(path)
            videos |= dict.fromkeys(file.absolute() for file in inside)
            own += results
        elif path.name.startswith("."):
            others.append(path.name)
        elif OWN_OUTPUT.search(path.name):
            own += 1
        elif path.suffix.lower() in VIDEO_SUFFIXES or is_video(path):
            videos[path.absolute()] = None
        else:
            others.append(path.name)
    return Incoming(tuple(videos), tuple(others), own)
