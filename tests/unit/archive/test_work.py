"""One row becomes its result and its record, whatever was there before and whatever goes wrong."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest
from archive_helpers import results_in, rows_of
from video_helpers import frame_times

from anonator.archive import folder, lock, records, work
from anonator.archive.records import Record, State
from anonator.archive.review import write_signed
from anonator.archive.rows import Row
from anonator.archive.work import Workplace, do
from anonator.core import durable_files
from anonator.core.review.tracks_file import read
from anonator.core.writing import disk_space
from anonator.errors import ArchiveError, DiskFullError, JobCancelled, ModelError


@pytest.fixture
def row(place: Workplace) -> Row:
    return rows_of(place.archive)[1][0]


def source_of(row: Row, place: Workplace) -> Path:
    return Path(place.folders[row.folder], row.video)


def test_a_row_becomes_its_result_and_its_record(place: Workplace, row: Row) -> None:
    record = do(row, place)
    assert record == records.read(place.archive, row.number)
    assert (record.state, record.frames, record.masked_frames) == (State.DONE, 6, 0)
    assert record.doubts == 0 and record.seconds > 0 and record.key == row.key
    assert len(frame_times(row.target(place.archive))) == 6
    assert read(place.archive.tracks_file(row.number)).analysis.key.frames == 6
    assert os.listdir(place.archive.locks) == []


def test_what_is_done_is_not_done_again(place: Workplace, row: Row) -> None:
    first = do(row, place)
    before = row.target(place.archive).stat()
    assert do(row, place) == first
    assert row.target(place.archive).stat().st_mtime_ns == before.st_mtime_ns


def test_a_record_holds_no_name(place: Workplace, row: Row) -> None:
    do(row, place)
    text = place.archive.record_file(row.number).read_text("utf-8")
    assert "day" not in text and "a.mp4" not in text


def test_without_tracks_doubts_are_not_counted(place: Workplace, row: Row) -> None:
    record = do(row, replace(place, keep_tracks=False))
    assert record.doubts is None
    assert not place.archive.tracks_file(row.number).exists()


def test_a_video_that_changed_is_refused(place: Workplace, row: Row) -> None:
    with source_of(row, place).open("ab") as file:
        file.write(b"\0\0\0\x08free")
    record = do(row, place)
    assert (record.state, record.sentence) == (State.FAILED, work.CHANGED)
    assert results_in(place.archive) == []


def test_a_video_that_is_gone_or_broken_fails_with_its_sentence(place: Workplace, row: Row) -> None:
    source_of(row, place).unlink()
    record = do(row, place)
    assert record.state is State.FAILED and "not found" in record.sentence
    source = source_of(other := rows_of(place.archive)[1][1], place)
    source.write_bytes(b"no video")
    record = do(replace(other, key=""), place)
    assert (record.state, record.error) == (State.FAILED, "InputError")
    assert results_in(place.archive) == []


def test_a_file_of_somebody_else_stays(place: Workplace, row: Row) -> None:
    target = row.target(place.archive)
    target.parent.mkdir(parents=True)
    target.write_bytes(b"somebody else's")
    record = do(row, place)
    assert (record.state, record.sentence) == (State.FAILED, work.TAKEN)
    assert target.read_bytes() == b"somebody else's"


def test_what_a_killed_attempt_published_is_made_again(place: Workplace, row: Row) -> None:
    """The kill came between the result's name and its record."""
    do(row, place)
    target = row.target(place.archive)
    whole = target.read_bytes()
    records.write(place.archive, Record(number=row.number, state=State.BEGUN))
    target.write_bytes(b"an older result")
    record = do(row, place)
    assert record.state is State.DONE and record.replaces
    assert target.read_bytes() == whole


def test_stopping_leaves_nothing(place: Workplace, row: Row) -> None:
    with pytest.raises(JobCancelled):
        do(row, place, lambda: True)
    assert records.read(place.archive, row.number) is None
    assert results_in(place.archive) == []
    assert os.listdir(place.archive.locks) == []


def test_stopping_a_second_attempt_keeps_in_mind_that_it_may_replace(place: Workplace, row: Row) -> None:
    do(row, place)
    records.write(place.archive, Record(number=row.number, state=State.BEGUN))
    with pytest.raises(JobCancelled):
        do(row, place, lambda: True)
    record = records.read(place.archive, row.number)
    assert record is not None and record.state is State.AGAIN
    assert do(row, place).state is State.DONE


def test_without_a_model_the_row_waits(place: Workplace, row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_model(*_: object) -> None:
        raise ModelError("The weights are missing.")

    monkeypatch.setattr(place.detectors, "get", no_model)
    with pytest.raises(ModelError):
        do(row, place)
    assert records.read(place.archive, row.number) is None
    assert results_in(place.archive) == []


def test_a_full_disk_stops_the_run_and_the_row_waits(
    place: Workplace, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure means that thousands of rows fail one by one, and each has to be tried again."""

    def full(*_: object) -> None:
        return 0, 10**9

    monkeypatch.setattr(disk_space, "_free_and_reserve", full)
    with pytest.raises(DiskFullError):
        do(row, place)
    assert records.read(place.archive, row.number) is None
    assert results_in(place.archive) == []


def test_a_folder_without_room_is_a_full_disk(
    place: Workplace, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Path, "mkdir", full)
    with pytest.raises(DiskFullError):
        do(row, place)


def test_a_signature_is_noted_only_for_the_result_that_was_reviewed(place: Workplace, row: Row) -> None:
    made = do(row, place)
    assert write_signed(place.archive, row.number, "MK", made.at).reviewed_by == "MK"
    records.write(place.archive, replace(made, at="later"))
    with pytest.raises(ArchiveError, match="anew"):
        write_signed(place.archive, row.number, "MK", made.at)
    record = records.read(place.archive, row.number)
    assert record is not None and not record.reviewed_by


def test_without_room_for_records_nothing_begins(
    place: Workplace, row: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(durable_files, "write", full)
    with pytest.raises(ArchiveError, match="disk is full"):
        do(row, place)
    assert results_in(place.archive) == []


@pytest.mark.parametrize("times", [1, 1000], ids=["for a moment", "for good"])
def test_a_record_that_somebody_reads_ends_no_run(
    place: Workplace, monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    """As on Windows, where nobody can replace a file that is open elsewhere."""
    left, write = times, durable_files.write

    def refused(path: Path, content: bytes, *, private: bool) -> None:
        nonlocal left
        if left:
            left -= 1
            raise PermissionError(errno.EACCES, "in use")
        write(path, content, private=private)

    monkeypatch.setattr(durable_files, "write", refused)
    monkeypatch.setattr(folder, "PATIENCE", 0.3)
    monkeypatch.setattr(folder, "BETWEEN_TRIES", 0.01)
    if times > 1:
        with pytest.raises(ArchiveError, match="can't be written to"):
            records.write(place.archive, Record(number=1, state=State.BEGUN))
    else:
        records.write(place.archive, Record(number=1, state=State.BEGUN))
        assert records.read(place.archive, 1) == Record(number=1, state=State.BEGUN)


def test_files_of_the_system_among_the_records_are_none(place: Workplace, row: Row) -> None:
    record = do(row, place)
    (place.archive.records / ".DS_Store").write_bytes(b"of a Mac")
    (place.archive.record_file(row.number).parent / "desktop.ini").write_bytes(b"of Windows")
    assert records.read_all(place.archive) == {row.number: record}


def test_a_record_that_cannot_be_read_is_no_waiting_row(place: Workplace, row: Row) -> None:
    do(row, place)
    for content in (b"", b"{", b"[]", b'{"number": 9, "state": "done"}', b'{"number": 1, "state": "x"}'):
        place.archive.record_file(row.number).write_bytes(content)
        record = records.read(place.archive, row.number)
        assert record is not None and (record.state, record.sentence) == (State.FAILED, records.UNREADABLE)


def test_a_worker_that_waited_finds_the_row_done(place: Workplace, row: Row) -> None:
    with lock.one_row(place.archive, row.number):
        records.write(place.archive, done := Record(number=row.number, state=State.DONE, frames=3))
    assert do(row, place) == done
