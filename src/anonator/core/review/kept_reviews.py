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
from anonator.core.reading.info import VideoInfo
from anonator.core.reading.reader import probe
from anonator.core.review.analysis import VideoKey
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.reviewed import apply
from anonator.core.review.summary import share_seen
from anonator.core.review.tracks_file import SUFFIX, read, state_folder
from anonator.core.review.tracks_lines import BROKEN, edit_of, key_of
from anonator.errors import ReviewError

log = logging.getLogger(__name__)

GZIP = b"\x1f\x8b"
CLOSE_SECONDS = Fraction(1)
"""By which the length that a header promises may differ from that of the frames."""


@dataclass(frozen=True, slots=True)
class KeptReview:
    """One review, as far as a list tells of it."""

    path: Path
    share_seen: float
    """Of the frames, 0..1."""
    begun: bool
    """Whether a person has looked at anything or changed something."""
    signed: str
    """Initials of who signed it, or ""."""


@dataclass(frozen=True, slots=True)
class Unfinished:
    """The reviews that nobody has signed."""

    begun: tuple[Path, ...]
    """A person has looked at something or changed something in them."""
    untouched: tuple[Path, ...]
    """Those in which nobody has, and what cannot be read any more."""


def of_video(video: Path) -> list[KeptReview]:
    """The reviews of a video, unsigned ones first, each kind the latest first; call it in a worker.

    Only the first line of most files is read. The times of all frames are compared once the review is opened.

    Args:
        video: the original.

    Raises:
        InputError: the video can't be opened.
    """
    try:
        length = video.stat().st_size
    except OSError:
        return []
    alike = [path for path in _files() if _length_of(path) == length]
    if not alike:
        return []
    info = probe(video)
    found = []
    for path in alike:
        with contextlib.suppress(ReviewError):
            kept = read(path)
            if _fits(kept.analysis.key, kept.analysis.pts, info):
                state = apply(kept.edits, kept.analysis)
                share = share_seen(state, kept.analysis)
                found.append(KeptReview(path, share, _is_begun(kept.edits), state.signed))
    return sorted(found, key=lambda review: bool(review.signed))


def unfinished() -> Unfinished:
    """The reviews on this computer that nobody has signed."""
    begun: list[Path] = []
    untouched: list[Path] = []
    for path in _files():
        try:
            content = path.read_bytes()
        except OSError:
            continue
        if content[:2] == GZIP:
            continue  # only signed ones are compressed
        edits = _edits_in(content)
        if not _is_signed(edits):
            (begun if _is_begun(edits) else untouched).append(path)
    return Unfinished(tuple(begun), tuple(untouched))


def remove(reviews: Iterable[Path]) -> int:
    """Delete reviews, but none that is open, and return how many are gone."""
    gone = 0
    for path in reviews:
        try:
            descriptor = os.open(path, os.O_RDWR)
            try:
                is_free = file_lock.take(descriptor)
                if is_free:
                    file_lock.release(descriptor)
            finally:
                os.close(descriptor)  # Windows deletes no open file
            if is_free:
                path.unlink()
                gone += 1
        except OSError as exc:
            log.warning("a review could not be removed (%s)", type(exc).__name__)
    return gone


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


def _fits(key: VideoKey, pts: tuple[int, ...], info: VideoInfo) -> bool:
    """Whether a video's header doesn't speak against it."""
    base = Fraction(*key.time_base)
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
