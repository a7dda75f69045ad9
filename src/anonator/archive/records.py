"""The truth about an archive's rows: one small file for each that was begun, failed or is done.

A row without a record waits. Records hold no names; each gets its own in one step.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from anonator.archive.folder import Archive, make_private, write_private
from anonator.core.file_faults import reason
from anonator.core.windows_files import reachable
from anonator.errors import ArchiveError

UNREADABLE = "The record of this video can't be read, so nobody knows what became of it."
_NAME = re.compile(r"(\d+)\.json")


class State(Enum):
    """What became of a row."""

    BEGUN = "begun"
    """Somebody is at work on it, or was stopped; a result of that name can only be from that attempt."""
    DONE = "done"
    FAILED = "failed"
    AGAIN = "again"
    """It waits for another run, which replaces its result."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of a row, without names."""

    number: int
    state: State
    key: str = ""
    """Of the video, as it was planned."""
    settings: str = ""
    """Id of the settings."""
    at: str = ""
    """When this was written, UTC, ISO 8601."""
    machine: str = ""
    """Name of the computer."""
    sentence: str = ""
    """Why it failed."""
    error: str = ""
    """The kind of error, such as "InputError"."""
    frames: int = 0
    masked_frames: int = 0
    tracks: int = 0
    near_misses: int = 0
    """What may be a face but was not confirmed."""
    doubts: int | None = None
    """Places to look at first; None where no tracks are kept to tell."""
    video_seconds: float = 0.0
    """Length that the plan has; 0 if it has none."""
    seconds: float = 0.0
    """How long the work took."""
    device: str = ""
    replaces: bool = False
    """Whether an older result of this row may still be there."""
    replaced_frames: int = 0
    """Frames that could not be decoded and are black."""
    notes: tuple[str, ...] = ()
    """Sentences that people should read."""
    reviewed_by: str = ""
    """Initials of who has signed the result."""
    reviewed_at: str = ""
    """When, UTC, ISO 8601."""

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to do."""
        return self.state in (State.DONE, State.FAILED)


def write(archive: Archive, record: Record) -> None:
    """Save a record in one step, in place of an earlier one of its row.

    Raises:
        ArchiveError: it can't be written.
    """
    file = archive.record_file(record.number)
    try:
        make_private(file.parent)
    except OSError as exc:
        raise ArchiveError(f"The archive can't be written to: {reason(exc, file)}.") from None
    values = {
        name: value
        for name, value in _plain(record).items()
        if value or (value is not None and name == "doubts")
    }
    write_private(file, (json.dumps(values) + "\n").encode())


def _plain(record: Record) -> dict[str, object]:
    values = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    return {**values, "state": record.state.value}


def remove(archive: Archive, number: int) -> None:
    """Let a row wait again.

    Raises:
        ArchiveError: its record can't be removed.
    """
    file = archive.record_file(number)
    try:
        reachable(file).unlink(missing_ok=True)
    except OSError as exc:
        raise ArchiveError(f"The archive can't be written to: {reason(exc, file)}.") from None


def read(archive: Archive, number: int) -> Record | None:
    """The record of a row; None if it waits."""
    return _read(reachable(archive.record_file(number)), number)


def read_all(archive: Archive) -> dict[int, Record]:
    """All records, by row.

    Raises:
        ArchiveError: their folder can't be read.
    """
    found = {}
    for number, path in _files(archive):
        record = _read(path, number)
        if record is not None:
            found[number] = record
    return found


def _files(archive: Archive) -> Iterator[tuple[int, str]]:
    top = reachable(archive.records, deep=True)
    try:
        with contextlib.suppress(FileNotFoundError), os.scandir(top) as folders:
            for folder in folders:
                if not folder.is_dir():
                    continue  # systems leave files of their own where people look, such as .DS_Store
                with os.scandir(folder.path) as files:
                    for file in files:
                        if name := _NAME.fullmatch(file.name):
                            yield int(name[1]), file.path
    except OSError as exc:
        why = reason(exc, archive.records)
        raise ArchiveError(f"The archive's records can't be read: {why}.") from None


def _read(path: Path | str, number: int) -> Record | None:
    try:
        with open(path, "rb", buffering=0) as file:
            values = json.loads(file.read())
        values["state"] = State(values["state"])
        if "notes" in values:
            values["notes"] = tuple(values["notes"])
        record = Record(**values)
        if record.number != number:
            raise ValueError("of another row")
        return record
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        # not "waiting": a result may be there already
        return Record(number=number, state=State.FAILED, sentence=UNREADABLE, error=UNREADABLE)
