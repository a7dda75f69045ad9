"""Reviews that this computer keeps: those of a video, how far they are, and removing unfinished ones."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import os
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from anonator.core import file_lock
from anonator.core.privacy import without_path
from anonator.core.reading.info import VideoInfo
from anonator.core.reading.reader import probe
from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.reviewed import apply
from anonator.core.review.summary import share_seen
from anonator.core.review.tracks_file import SUFFIX, read, state_folder
from anonator.core.review.tracks_lines import BROKEN, edit_of, key_of
from anonator.core.windows_files import reachable
from anonator.errors import ReviewError

log = logging.getLogger(__name__)

GZIP = b"\x1f\x8b"
CLOSE_SECONDS = Fraction(1)
"""By which the length that a header promises may differ from that of the frames."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a review is."""

    share_seen: float
    """Of the frames, 0..1."""
    begun: bool
    """Whether a person has looked at anything or changed something."""
    signed: str
    """Initials of who signed it, or ""."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The reviews that nobody has signed."""

    begun: tuple[Path, ...] = ()
    """A person has looked at something or changed something in them."""
    untouched: tuple[Path, ...] = ()
    """Those in which nobody has, and what cannot be read any more."""


def of_video(video: Path) -> list[Path]:
    """The reviews of a video, unsigned ones first, each kind the latest first; call it in a worker.

    Of most files only the first line is read. The times of all frames are compared once a review is opened.

    Raises:
        AnonatorError: the video can't be read.
    """
    try:
        length = reachable(video).stat().st_size
    except OSError as exc:
        raise ReviewError("The video can't be read.") from without_path(exc)
    alike = [path for path in _files() if _length_of(path) == length]
    info = probe(video) if alike else None
    found: list[tuple[bool, Path]] = []
    for path in alike:
        with contextlib.suppress(ReviewError):
            kept = read(path)
            if info is not None and _fits(kept.analysis, info):
                found.append((bool(apply(kept.edits, kept.analysis).signed), path))
    return [path for _, path in sorted(found, key=lambda each: each[0])]


def standing(path: Path) -> Standing:
    """How far a review is; reads all of it.

    Raises:
        ReviewError: it can't be used.
    """
    kept = read(path)
    state = apply(kept.edits, kept.analysis)
    return Standing(share_seen(state, kept.analysis), _is_begun(kept.edits), state.signed)


def unfinished() -> Unfinished:
    """The reviews on this computer that nobody has signed, but for those that are open."""
    begun: list[Path] = []
    untouched: list[Path] = []
    for path in _files():
        try:
            content = path.read_bytes()
        except OSError:
            continue  # Windows lets nobody read what is open
        if content[:2] == GZIP or not _is_free(path):
            continue  # only signed ones are compressed
        edits = _edits_in(content)
        if not _is_signed(edits):
            (begun if _is_begun(edits) else untouched).append(path)
    return Unfinished(tuple(begun), tuple(untouched))


def remove(reviews: Iterable[Path]) -> int:
    """Delete reviews, but none that is open, and return how many are left."""
    left = 0
    for path in reviews:
        try:
            if not _is_free(path):
                left += 1
            else:
                path.unlink(missing_ok=True)
        except OSError as exc:
            log.warning("a review could not be removed (%s)", type(exc).__name__)
            left += 1
    return left


def _is_free(path: Path) -> bool:
    """Whether nobody has a review open."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        is_free = file_lock.take(descriptor)
        if is_free:
            file_lock.release(descriptor)
    finally:
        os.close(descriptor)  # Windows deletes no open file
    return is_free


def _files() -> list[Path]:
    """All reviews with a name of their own, the latest first."""
    times = {}
    for path in state_folder().glob(f"[!.]*{SUFFIX}"):
        with contextlib.suppress(OSError):
            times[path] = path.stat().st_mtime_ns
    return sorted(times, key=lambda path: (-times[path], path.name))


def _length_of(path: Path) -> int | None:
    """Of the video that a file's first line names, in bytes; None if there's no such line."""
    with contextlib.suppress(OSError, EOFError, zlib.error, *BROKEN), open(path, "rb") as file:
        first = gzip.GzipFile(fileobj=file) if file.read(2) == GZIP else file
        file.seek(0)
        return key_of(json.loads(first.readline(1 << 20))).file_bytes
    return None


def _fits(analysis: Analysis, info: VideoInfo) -> bool:
    """Whether a video's header doesn't speak against it."""
    base, pts = Fraction(*analysis.key.time_base), analysis.pts
    if base != info.time_base or not pts:
        return False
    return info.duration_seconds is None or (pts[-1] - pts[0]) * base <= info.duration_seconds + CLOSE_SECONDS


def _edits_in(content: bytes) -> list[Edit]:
    """The edits of a file whose other lines are left alone; those that can't be read are left out."""
    edits = []
    for line in content.splitlines():
        if line.startswith(b'{"kind":"edit"'):
            with contextlib.suppress(*BROKEN):
                edits.append(edit_of(json.loads(line)))
    return edits


def _is_begun(edits: Iterable[Edit]) -> bool:
    return any(not edit.by_program for edit in edits)


def _is_signed(edits: list[Edit]) -> bool:
    """Whether a signature was left uncompressed by a crash; one that was undone again doesn't count."""
    undone = {edit.target for edit in edits if edit.operation is Operation.UNDO}
    return any(edit.operation is Operation.SIGN and edit.number not in undone for edit in edits)
