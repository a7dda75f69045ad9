"""The tracks file: an analysis and its edits as JSON lines that are only ever appended.

Every line holds the SHA-256 of the line before it, so that a change shows, and is on the disk before the call
returns. A line without its end was torn by a crash; it is ignored. A signed file is compressed.
It never holds a name, a path or a picture.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import gzip
import hashlib
import json
import logging
import os
import secrets
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from anonator.core import durable_files, file_lock
from anonator.core.privacy import without_path
from anonator.core.review.analysis import Analysis, VideoKey
from anonator.core.review.edits import OUT_OF_ORDER, Edit, Operation
from anonator.core.review.replay import Replay
from anonator.core.review.tracks_lines import (
    BROKEN,
    SCHEMA,
    VERSION,
    Line,
    analysis_of,
    edit_of,
    line_of,
    lines_of,
)
from anonator.errors import OpenElsewhereError, ReviewError

log = logging.getLogger(__name__)

MIGRATIONS: dict[int, Callable[[Line], Line]] = {}
"""By version: what makes a line of it one of the next version."""
SUFFIX = ".tracks"
LARGEST_BYTES = 1 << 30
"""A compressed file does not become larger than this."""
OTHER_VIDEO = "These tracks belong to another video, or the video was changed."
ELSEWHERE = (
    "This review is open elsewhere, perhaps with somebody else. Review another video, or close it there."
)
NO_LOCKS = (
    "This drive knows no file locks, so two people could change one review at the same time. Move it, or "
    "its archive, to a drive that does."
)
_GZIP = b"\x1f\x8b"
_BINARY: int = getattr(os, "O_BINARY", 0)
"""Windows would change line ends without it."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a tracks file holds."""

    analysis: Analysis
    edits: tuple[Edit, ...]
    problem: str = ""
    """Why edits may be missing, in a sentence; those before it are all here."""


def state_folder() -> Path:
    """Where reviews are kept on this system."""
    return platformdirs.user_state_path("Anonator", appauthor=False) / "reviews"


def create(analysis: Analysis, path: Path | None = None) -> Path:
    """Save an analysis in a new file; one that a crash cut off is refused by read.

    Args:
        analysis: of one video.
        path: where the user wants it; None is a random name in the state folder.

    Raises:
        ReviewError: it cannot be written.
    """
    own = path is None
    path = path or state_folder() / f"{secrets.token_hex(16)}{SUFFIX}"
    made = False
    try:
        if own:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600), "wb") as file:
            made = True
            file.writelines(encoded(analysis))
            file.flush()
            os.fsync(file.fileno())
    except OSError as exc:
        if made:
            with contextlib.suppress(OSError):
                path.unlink()
        raise ReviewError(
            "The tracks could not be saved: the file exists already, or its folder cannot be written to."
        ) from without_path(exc)
    return path


def encoded(analysis: Analysis, edits: Iterable[Edit] = ()) -> Iterator[bytes]:
    """The lines of a new file."""
    before = ""
    for line in (*lines_of(analysis), *(line_of(edit) for edit in edits)):
        data = _encoded(line, before)
        yield data
        before = _digest(data)


def read(path: Path, key: VideoKey | None = None) -> Kept:
    """Everything that a file holds.

    Args:
        path: of the file.
        key: of the video that it must belong to, if that is known.

    Raises:
        ReviewError: it is no tracks file, of another video, or its analysis is incomplete or changed.
    """
    try:
        content = path.read_bytes()
    except OSError as exc:
        raise ReviewError("The tracks file cannot be read.") from without_path(exc)
    return _read(content, key)[0]


class TracksFile:
    """An open tracks file, locked against other programs, to which edits are appended."""

    def __init__(self, path: Path, key: VideoKey | None = None) -> None:
        """Read a file and cut a torn last line off.

        Raises:
            ReviewError: as read, or a line was changed, or it is signed.
            OpenElsewhereError: somebody else has it open.
        """
        self._path = path
        try:
            self._file = os.open(path, os.O_RDWR | _BINARY)
        except OSError as exc:
            raise ReviewError("The tracks file cannot be opened for writing.") from without_path(exc)
        try:
            try:
                taken = file_lock.take_if_known(self._file)
            except OSError as exc:
                raise ReviewError(NO_LOCKS) from without_path(exc)
            if not taken:
                raise OpenElsewhereError(ELSEWHERE)
            content = self._content()
            kept, self._before, self._end = _read(content, key)
            if kept.problem and not kept.problem.startswith(TORN):
                raise ReviewError(f"{kept.problem} Nothing was added to it.")
            if content[:2] == _GZIP:
                raise ReviewError("This review is signed and closed.")
            os.ftruncate(self._file, self._end)
        except BaseException:
            os.close(self._file)
            raise
        self.analysis, self.edits = kept.analysis, list(kept.edits)
        self._replay = Replay(self.analysis)
        self.state = self._replay.of(self.edits)
        """What follows from the edits."""

    def __enter__(self) -> TracksFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _content(self) -> bytes:
        """All of the file, through the handle that holds the lock: Windows lets no other read it."""
        os.lseek(self._file, 0, os.SEEK_SET)
        with os.fdopen(os.dup(self._file), "rb") as file:
            return file.read()

    def append(self, edit: Edit) -> None:
        """Add an edit; on return it is on the disk.

        Raises:
            ReviewError: the edit is not possible, or cannot be written; the file is as before.
        """
        if edit.operation is Operation.SIGN and not edit.at:
            now = datetime.datetime.now(datetime.timezone.utc)
            edit = dataclasses.replace(edit, at=now.isoformat(timespec="seconds"))
        if edit.operation is Operation.UNDO:
            state = self._replay.of([*self.edits, edit])
        else:
            if self.edits and edit.number <= self.edits[-1].number:
                raise ReviewError(OUT_OF_ORDER)
            state = self._replay.after(edit, self.state, self.edits)
        data = _encoded(line_of(edit), self._before)
        try:
            os.lseek(self._file, self._end, os.SEEK_SET)
            if os.write(self._file, data) != len(data):
                raise OSError("short write")
            os.fsync(self._file)
        except OSError as exc:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
            raise ReviewError("The edit could not be saved. Is the disk full?") from without_path(exc)
        self._before, self._end = _digest(data), self._end + len(data)
        self.edits.append(edit)
        self.state = state

    def close(self) -> None:
        """Unlock the file; a signed one is compressed, unless there is no room for that."""
        signed = bool(self.state.signed)
        content = self._content() if signed else b""
        file_lock.release(self._file)
        os.close(self._file)
        if signed:
            try:
                durable_files.write(self._path, gzip.compress(content, mtime=0), private=True)
            except OSError as exc:  # it is complete all the same
                log.warning("a signed review could not be compressed (%s)", type(exc).__name__)


TORN = "The last line was cut off by a crash"


def _read(content: bytes, key: VideoKey | None) -> tuple[Kept, str, int]:
    """What a file holds, the digest of its last good line, and where that ends."""
    try:
        if content[:2] == _GZIP:
            unpacked = zlib.decompressobj(zlib.MAX_WBITS | 16)
            content = unpacked.decompress(content, LARGEST_BYTES)
            if not unpacked.eof:
                raise EOFError("cut off, or larger than any review")
    except (OSError, EOFError, zlib.error) as exc:
        raise ReviewError("The tracks file cannot be read, or it was cut off.") from exc
    before, end, problem, complete = "", 0, "", False
    lines: list[Line] = []
    edits: list[Edit] = []
    for data in content.splitlines(keepends=True):
        number = len(lines) + len(edits) + 1
        if not data.endswith(b"\n"):
            problem = f"{TORN}; the {len(edits)} edits before it are complete."
            break
        try:
            line = json.loads(data)
            if line["before"] != before or line.pop("sum") != _sum(line):
                raise ValueError("another line stood here")
            line = _migrated(line, lines[0]["version"] if lines else line["version"])
            if line["kind"] == "edit" and complete:
                edits.append(edit_of(line))
            else:
                lines.append(line)
                complete = line["kind"] == "complete"
        except BROKEN as exc:
            if not lines:
                raise ReviewError("This is not a file of tracks.") from exc
            problem = f"Line {number} was changed; the {len(edits)} edits before it are complete."
            break
        before, end = _digest(data), end + len(data)
    if not lines or lines[0].get("schema") != SCHEMA:
        raise ReviewError("This is not a file of tracks.")
    if not complete:
        raise ReviewError(
            "What was found in the video was changed in this file, so it cannot be used."
            if problem and not problem.startswith(TORN)
            else "This file of tracks was cut off, so it cannot be used. Run the video again."
        )
    analysis = analysis_of(lines)
    if key is not None and key != analysis.key:
        raise ReviewError(OTHER_VIDEO)
    return Kept(analysis, tuple(edits), problem), before, end


def _migrated(line: Line, version: int) -> Line:
    if not isinstance(version, int) or version > VERSION:
        raise ReviewError("This file of tracks was made by a newer version of the program. Update it.")
    for old in range(version, VERSION):
        line = MIGRATIONS[old](line)
    return line


def _encoded(line: Line, before: str) -> bytes:
    text = _text({**line, "before": before})
    return f'{text[:-1]},"sum":"{_digest(text.encode())}"}}\n'.encode()


def _text(line: Line) -> str:
    return json.dumps(line, separators=(",", ":"))


def _sum(line: Line) -> str:
    """SHA-256 of a line's content: the last line has none after it that would show a change."""
    return _digest(_text(line).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
