"""Which videos of an archive people should look at, the most doubtful first, and who has signed them."""

from __future__ import annotations

import contextlib
import datetime
from dataclasses import dataclass, replace
from pathlib import Path

from anonator.archive import lock, records
from anonator.archive.folder import Archive, open_archive
from anonator.archive.records import Record, State
from anonator.archive.rows import read_rows
from anonator.errors import ArchiveError, ReviewError

ANOTHER_RUN = "The archive has made this video anew since its review began."


@dataclass(frozen=True, slots=True, repr=False)
class ToReview:
    """One finished video of an archive that nobody has signed."""

    number: int
    """Of its row."""
    source: Path
    result: Path
    tracks: Path
    """What was found in it."""
    masked_frames: int
    """In which a face is covered; 0 is looked at first."""
    doubts: int
    at: str = ""
    """When its result was made, as the record says."""

    def __repr__(self) -> str:
        """Without names."""
        return f"row {self.number}"

    @property
    def words(self) -> str:
        """Why it stands where it does in the list."""
        if not self.masked_frames:
            return "No face was found in this video, so look at it first."
        return f"{self.doubts:,} {'stop' if self.doubts == 1 else 'stops'} to check."


@dataclass(frozen=True, slots=True)
class Reviews:
    """The reviews of an archive."""

    archive: Archive
    waiting: tuple[ToReview, ...]
    """Videos without any face first, then those with the most doubts."""
    signed: int
    """Videos that somebody has signed."""
    without_tracks: int
    """Finished videos of which nothing was kept, so that they can't be reviewed."""


def reviews_of(folder: Path) -> Reviews:
    """The videos of an archive that wait for a reviewer; reads all records, so call it in a worker.

    Raises:
        ArchiveError: there's no archive, or it can't be read.
    """
    archive, about = open_archive(folder)
    known = records.read_all(archive)
    waiting, signed, without = [], 0, 0
    for row in read_rows(archive):
        record = known.get(row.number)
        if record is None or record.state is not State.DONE:
            continue
        if record.reviewed_by:
            signed += 1
        elif record.doubts is None:
            without += 1
        else:
            waiting.append(
                ToReview(
                    row.number,
                    row.source(about).absolute(),
                    row.target(archive),
                    archive.tracks_file(row.number),
                    record.masked_frames,
                    record.doubts,
                    record.at,
                )
            )
    waiting.sort(key=lambda each: (each.masked_frames > 0, -each.doubts))
    return Reviews(archive, tuple(waiting), signed, without)


def write_signed(archive: Archive, number: int, initials: str, at: str) -> Record:
    """Note in a row's record who has signed its result.

    Args:
        archive: whose row.
        number: of the row.
        initials: of the reviewer.
        at: when the result was made that was reviewed, as its record says.

    Raises:
        ArchiveError: it can't be written, or the row was begun anew meanwhile.
    """
    with lock.one_row(archive, number):
        record = records.read(archive, number)
        if record is None or record.state is not State.DONE or record.at != at:
            raise ArchiveError(ANOTHER_RUN)
        record = replace(record, reviewed_by=initials, reviewed_at=_signed_at(archive, number))
        records.write(archive, record)
        return record


def _signed_at(archive: Archive, number: int) -> str:
    """When a row's result was signed, as its tracks say, which every window that hears of it reads alike."""
    from anonator.core.review.edits import Operation
    from anonator.core.review.tracks_file import read

    with contextlib.suppress(ReviewError):  # they may have been deleted after signing
        for edit in reversed(read(archive.tracks_file(number)).edits):
            if edit.operation is Operation.SIGN and edit.at:
                return edit.at
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
