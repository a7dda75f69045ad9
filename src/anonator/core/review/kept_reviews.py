"""The reviews that are kept on this computer: found for a video, looked into, and removed."""

from __future__ import annotations

import contextlib
import gzip
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from anonator.core import file_lock
from anonator.core.privacy import without_path
from anonator.core.review.analysis import VideoKey
from anonator.core.review.reviewed import apply
from anonator.core.review.summary import summary
from anonator.core.review.tracks_file import SUFFIX, read, state_folder
from anonator.core.review.tracks_lines import BROKEN, key_of
from anonator.core.windows_files import reachable
from anonator.errors import AnonatorError, ReviewError

GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a review is."""

    share_seen: float
    begun: bool
    """Whether a person has looked at it or changed something."""
    signed: str
    """Initials of who signed it, or ""."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The reviews that nobody has signed."""

    begun: tuple[Path, ...] = ()
    untouched: tuple[Path, ...] = ()
    """Those that nobody has begun."""


def of_video(video: Path) -> list[Path]:
    """The reviews of a video, the newest first; only their first lines are read.

    They're told by the length of the video's file; whoever makes pictures compares every time as well.

    Raises:
        ReviewError: the video can't be read.
    """
    try:
        length = reachable(video).stat().st_size
    except OSError as exc:
        raise ReviewError("The video can't be read.") from without_path(exc)
    found = [(path.stat().st_mtime, path) for path, key in _headers() if key.file_bytes == length]
    return [path for _, path in sorted(found, reverse=True)]


def standing(path: Path) -> Standing:
    """How far a review is; reads all of it.

    Raises:
        ReviewError: it can't be used.
    """
    kept = read(path)
    state = apply(kept.edits, kept.analysis)
    share = summary(kept.edits, state, kept.analysis)["share_seen"]
    begun = any(not edit.by_program for edit in kept.edits)
    return Standing(share if isinstance(share, float) else 0.0, begun, state.signed)


def unfinished() -> Unfinished:
    """All reviews that nobody has signed, but for those that are open."""
    begun: list[Path] = []
    untouched: list[Path] = []
    for path, _ in _headers():
        if _is_signed(path) or _is_open(path):
            continue
        try:
            has_begun = standing(path).begun
        except AnonatorError:
            has_begun = False  # of no use to anybody
        (begun if has_begun else untouched).append(path)
    return Unfinished(tuple(begun), tuple(untouched))


def remove(paths: Iterable[Path]) -> int:
    """Remove reviews, and return how many could not be removed."""
    left = 0
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            left += 1
    return left


def _headers() -> Iterator[tuple[Path, VideoKey]]:
    """Every review with the key of its video."""
    for path in sorted(state_folder().glob(f"*{SUFFIX}")):
        if path.name.startswith("."):
            continue
        with contextlib.suppress(OSError, EOFError, zlib.error, *BROKEN), open(path, "rb") as file:
            first = gzip.GzipFile(fileobj=file) if file.read(2) == GZIP else file
            file.seek(0)
            yield path, key_of(json.loads(first.readline()))


def _is_signed(path: Path) -> bool:
    with contextlib.suppress(OSError), open(path, "rb") as file:
        return file.read(2) == GZIP
    return False


def _is_open(path: Path) -> bool:
    """Whether a program has it open now."""
    try:
        with open(path, "rb+") as file:
            if not file_lock.take(file.fileno()):
                return True
            file_lock.release(file.fileno())
    except OSError:
        return True
    return False
