"""Finds the videos among dropped, chosen or named paths."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from anonator.archive.folder import is_archive
from anonator.core.job import RESULT_NAME
from anonator.core.reading.containers import VIDEO_SUFFIXES
from anonator.core.reading.folders import videos_in
from anonator.core.windows_files import reachable


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
    archives: tuple[Path, ...] = ()
    """Folders in which `anonator archive plan` has made an archive."""

    def message(self) -> str:
        """A message about what was skipped; empty if everything was added."""
        parts = []
        if self.not_videos:
            names = ", ".join(self.not_videos[:4])
            more = f" and {len(self.not_videos) - 4} more" if len(self.not_videos) > 4 else ""
            verb = "isn't a video, so it was" if len(self.not_videos) == 1 else "aren't videos, so they were"
            parts.append(f"{names}{more} {verb} skipped.")
        if not (parts or self.videos or self.results or self.results_in_folders or self.archives):
            return "There are no videos in that folder. Drop a video file, or a folder with videos in it."
        return " ".join(parts)


def to_path(item: str) -> Path | None:
    """A dropped item as a path: a plain path or a file: address; None for all else."""
    if not item or "\0" in item:
        return None
    if not re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", item):  # a single letter is a drive
        return Path(item)
    scheme, _, rest = item.partition(":")
    if scheme.lower() != "file":
        return None
    path = (windows_address if os.name == "nt" else posix_address)(rest)
    return None if path is None or "\0" in path else Path(path)


def windows_address(rest: str) -> str | None:
    r"""What follows "file:", also as many programs write it, as C:\... or \\server\share\...

    None for what is no whole path: Windows would look for it in the current folder.
    """
    path = unquote(rest, errors="surrogateescape").replace("\\", "/")
    # C|/ is how addresses of long ago name a drive
    local = re.fullmatch(r"/*(?:(?<=//)localhost/+)?([A-Za-z])[:|](/.*)", path, re.IGNORECASE | re.DOTALL)
    if local:
        return f"{local[1]}:{local[2]}".replace("/", "\\")
    share = re.fullmatch(r"//(?://+)?([^/:?*.][^/:?*]*/[^/]+(?:/.*)?)", path, re.DOTALL)
    return "\\\\" + share[1].replace("/", "\\") if share else None


def posix_address(rest: str) -> str | None:
    """What follows "file:"; None for another computer's file, and for no whole path."""
    host, path = "", rest
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        path = slash + path
    if host.lower() not in ("", "localhost", socket.gethostname().lower()) or not path.startswith("/"):
        return None
    # names that aren't UTF-8 come back as the bytes the file system knows
    return unquote(path, errors="surrogateescape")


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
    archives: dict[Path, None] = {}
    for item in items:
        path = item if isinstance(item, Path) else to_path(item)
        if path is None or not reachable(path).exists():
            others.append(str(item) if path is None else path.name)
        elif is_archive(path):
            archives[path.absolute()] = None
        elif reachable(path).is_dir():
            found, own = videos_in(path)
            videos |= dict.fromkeys(file.absolute() for file in found)
            in_folders |= dict.fromkeys(file.absolute() for file in own)
        elif path.name.startswith("."):
            others.append(path.name)
        elif RESULT_NAME.match(path.name):
            results[path.absolute()] = None
        elif path.suffix.lower() in VIDEO_SUFFIXES or is_video(path):
            videos[path.absolute()] = None
        else:
            others.append(path.name)
    inside = tuple(path for path in in_folders if path not in results)
    return Incoming(tuple(videos), tuple(others), tuple(results), inside, tuple(archives))
