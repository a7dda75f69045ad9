"""Lets rows wait again: those that failed, or those whose videos have changed since they were planned."""

from __future__ import annotations

from dataclasses import replace

from anonator.archive import lock, records
from anonator.archive.folder import About, Archive
from anonator.archive.plan import has_changed, measured
from anonator.archive.records import UNREADABLE, Record, State
from anonator.archive.rows import read_rows, write_rows

LOST = "WorkerLost"
"""The error of a row whose workers were lost, so that nobody knows how far they came."""


def retry_failed(archive: Archive) -> int:
    """Let every failed row wait again.

    Returns:
        How many there are.

    Raises:
        ArchiveError: somebody is at work, or the archive can't be written to.
    """
    with lock.at_work(archive):
        failed = [each for each in records.read_all(archive).values() if each.state is State.FAILED]
        for record in failed:
            _let_wait(archive, record, replaces=record.replaces or record.error in (UNREADABLE, LOST))
    return len(failed)


def retry_changed(archive: Archive, about: About) -> int:
    """Plan those videos anew that have changed, and let them wait again; their results will be replaced.

    Returns:
        How many there are.

    Raises:
        ArchiveError: somebody is at work, or the archive can't be written to.
    """
    with lock.at_work(archive), lock.planning(archive):
        rows, known, count = read_rows(archive), records.read_all(archive), 0
        for place, row in enumerate(rows):
            if has_changed(row, about):
                count += 1
                rows[place] = measured(row, row.source(about))
                record = known.get(row.number)
                if record is not None:
                    _let_wait(archive, record, replaces=record.replaces or record.state is not State.FAILED)
        if count:
            write_rows(archive, rows)
    return count


def _let_wait(archive: Archive, record: Record, *, replaces: bool) -> None:
    """Take back what a record says; where a result of this row may be there, the next run may replace it."""
    if replaces:
        again = Record(number=record.number, state=State.AGAIN, at=record.at, replaces=True)
        records.write(archive, replace(again, key=record.key, settings=record.settings))
    else:
        records.remove(archive, record.number)
