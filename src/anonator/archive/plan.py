"""Plans an archive: finds the videos, reads their headers and names their results, before any work begins.

Planning again adds what is new and leaves every row as it is.
"""

from __future__ import annotations

import functools
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from anonator.archive import header, lock
from anonator.archive.folder import About, Archive, make, with_settings, write_about
from anonator.archive.rows import Row, read_rows, write_rows
from anonator.core import result_names
from anonator.core.config import Settings
from anonator.core.job import RESULT_NAME
from anonator.core.reading.folders import videos_in
from anonator.core.result_names import ResultName
from anonator.core.windows_files import reachable

AT_ONCE = 256
"""Headers that are read in one go."""
READERS, SLOW_SECONDS = 16, 0.002
"""Threads that read headers where one takes longer than this, as on network drives, where it is waiting."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What planning has done."""

    archive: Archive
    rows: int
    """All of them."""
    added: int
    known: int
    """Videos that were planned before."""
    changed: int
    """Of those, how many have changed since."""
    results: int
    """Results of this program, which were skipped."""
    alike: int
    """Videos that are the same file as another one."""
    unreadable: int
    """Videos whose header couldn't be read; their rows will fail with the reason."""


def plan(
    inputs: Sequence[Path],
    out: Path,
    settings: Settings,
    *,
    keep_tracks: bool | None = None,
    tell: Callable[[int, int], object] = lambda _done, _of: None,
) -> Planned:
    """Plan videos and folders of them; no video is decoded.

    Args:
        inputs: existing files and folders.
        out: the archive's folder, which is made if it is missing.
        settings: for the rows that are added; with neutral_name, their results get random names.
        keep_tracks: whether to keep what is found; None is as before, and at first True.
        tell: called now and then with how many headers were read, of how many.

    Raises:
        ArchiveError: the folder can't be used, or somebody else is planning.
    """
    archive, about = make(out)
    with lock.planning(archive):
        rows = read_rows(archive)
        about, chosen = with_settings(about, settings)
        if keep_tracks is not None:
            about = replace(about, keep_tracks=keep_tracks)
        sources, results = _videos(inputs, archive)
        known = {os.path.join(about.folders[row.folder], *row.video.split("/")): row for row in rows}
        fresh = {path: folder for path, folder in sources.items() if path not in known}
        about = replace(about, folders=tuple(dict.fromkeys((*about.folders, *fresh.values()))))
        names = _names(fresh, archive, settings, rows)
        named = [name for name in names.values() if name.same_as is None]
        number = max((row.number for row in rows), default=0)
        added = list(_rows(named, fresh, about, archive, chosen, number, tell))
        write_about(archive, about)
        if added or not rows:
            write_rows(archive, [*rows, *added])
    again = [known[path] for path in sources if path in known]
    return Planned(
        archive=archive,
        rows=len(rows) + len(added),
        added=len(added),
        known=len(again),
        changed=sum(has_changed(row, about) for row in again),
        results=results,
        alike=len(names) - len(named),
        unreadable=sum(not row.key for row in added),
    )


def has_changed(row: Row, about: About) -> bool:
    """Whether a video is there and isn't the one that was planned; its content is read only if it must be."""
    source = row.source(about)
    try:
        status = os.stat(reachable(source))
        if (status.st_size, status.st_mtime_ns) == (row.bytes, row.modified):
            return False
        return status.st_size != row.bytes or header.key_of(source) != row.key
    except OSError:
        return False


def measured(row: Row, source: Path) -> Row:
    """A row with what its video's file says now; without a key if it can't be read."""
    size, modified, seconds, key = _measured(source)
    return replace(row, bytes=size, modified=modified, seconds=seconds, key=key)


def _measured(source: Path) -> tuple[int, int, float | None, str]:
    try:
        status = os.stat(reachable(source))
        key, seconds = header.look_at(source)
    except OSError:
        return 0, 0, None, ""
    return status.st_size, status.st_mtime_ns, seconds, key


def _videos(inputs: Iterable[Path], archive: Archive) -> tuple[dict[str, str], int]:
    """The absolute paths of all videos, each with the folder it was found through; and results skipped."""
    found: dict[str, str] = {}
    results = set[str]()
    inside = os.path.join(archive.path, "")
    for given in inputs:
        top = os.path.abspath(given)
        if reachable(given).is_dir():
            videos, own = videos_in(Path(top))
        else:
            videos, own = ([], [Path(top)]) if RESULT_NAME.match(given.name) else ([Path(top)], [])
            top = os.path.dirname(top)
        results |= {str(path) for path in own if not str(path).startswith(inside)}
        for path in map(str, videos):
            if not path.startswith(inside):
                found.setdefault(path, top)
    return found, len(results)


def _names(
    fresh: dict[str, str], archive: Archive, settings: Settings, rows: Iterable[Row]
) -> dict[str, ResultName]:
    """The results' names, by the videos' paths: mirrored folders, or random names in random ones."""
    groups: dict[str, tuple[Path, list[Path]]] = {}

    @functools.cache
    def group(inside: str, top: str) -> list[Path]:
        """The videos whose results are in one folder; those that some disks treat as one are one."""
        folder = archive.results / inside
        if top:
            folder = archive.results / (os.path.basename(top) or "videos") / os.path.relpath(inside, top)
        return groups.setdefault(result_names.folded(str(folder)), (folder, []))[1]

    for path, top in fresh.items():
        if settings.neutral_name:
            group(secrets.token_hex(1), "").append(Path(path))
        else:
            group(os.path.dirname(path), top).append(Path(path))
    given: dict[str, list[ResultName]] = {}
    for row in rows:
        target = row.target(archive)
        given.setdefault(result_names.folded(str(target.parent)), []).append(ResultName(Path(), target))
    names: dict[str, ResultName] = {}
    for key, (folder, videos) in groups.items():
        there = reachable(folder).exists()
        made = result_names.plan(videos, folder, settings, results=given.get(key, ()), avoid_existing=there)
        names |= {str(name.source): name for name in made}
    return {path: names[path] for path in fresh}


def _rows(
    names: Sequence[ResultName],
    folders: dict[str, str],
    about: About,
    archive: Archive,
    settings: str,
    number: int,
    tell: Callable[[int, int], object],
) -> Iterator[Row]:
    """The new rows, in order, with what their videos' headers say."""
    places = {folder: place for place, folder in enumerate(about.folders)}
    results = str(archive.results)

    def row(name: ResultName) -> Row:
        folder = folders[str(name.source)]
        video, result = _below(name.source, folder), _below(name.target, results)
        return Row(0, places[folder], video, *_measured(name.source), settings, result)

    pieces = (names[begin : begin + AT_ONCE] for begin in range(0, len(names), AT_ONCE))
    begun, done = time.monotonic(), 0
    with ThreadPoolExecutor(READERS) as readers:
        for piece in pieces:
            slow = time.monotonic() - begun > SLOW_SECONDS * done > 0
            for each in readers.map(row, piece) if slow else map(row, piece):
                done += 1
                yield replace(each, number=number + done)
            tell(done, len(names))


def _below(path: Path, folder: str) -> str:
    """A path in that folder, relative to it, with forward slashes."""
    return str(path).removeprefix(os.path.join(folder, "")).replace(os.sep, "/")
