"""Does one row of an archive: the only place where a video of an archive becomes its result."""

from __future__ import annotations

import contextlib
import datetime
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from anonator.archive import lock, records
from anonator.archive.folder import Archive, make_private
from anonator.archive.header import key_of
from anonator.archive.records import Record, State
from anonator.archive.rows import Row
from anonator.core.config import Settings
from anonator.core.detection.detector_protocol import Detectors
from anonator.core.file_faults import READING, fault_of, reason
from anonator.core.job import Job, JobResult, Progress
from anonator.core.job_thread import VideoProcessor
from anonator.core.result_names import is_taken
from anonator.core.windows_files import reachable
from anonator.errors import (
    AnonatorError,
    ArchiveError,
    DeviceError,
    DiskFullError,
    InputError,
    JobCancelled,
    ModelError,
    OutputExistsError,
    ReviewError,
)

log = logging.getLogger(__name__)

CHANGED = (
    "The video has changed since it was planned, or can't be the same file. `anonator archive retry DIR "
    "--changed` plans it anew."
)
TAKEN = "A file with the result's name exists, and it isn't from this archive. Move it away, then retry."
POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Workplace:
    """What all rows of a run share."""

    archive: Archive
    settings: dict[str, Settings]
    """By their id."""
    folders: tuple[str, ...]
    """That the rows' videos are relative to."""
    detectors: Detectors
    keep_tracks: bool


def do(
    row: Row,
    place: Workplace,
    stopped: Callable[[], bool] = lambda: False,
    on_progress: Callable[[Progress], None] | None = None,
) -> Record:
    """Do a row, unless another worker has done it meanwhile, and return its record, which is on the disk.

    Args:
        row: which one.
        place: what it shares with the others.
        stopped: asked a few times a second; the job ends once it returns True.
        on_progress: called about ten times a second, in the job's thread.

    Raises:
        JobCancelled: it was stopped; nothing is left of it.
        ModelError, DeviceError, DiskFullError: nothing can be done here; the row waits.
        ArchiveError: its record can't be written.
    """
    with lock.one_row(place.archive, row.number):
        before = records.read(place.archive, row.number)
        if before is not None and before.finished:
            return before
        return _Attempt(row, place, before).run(stopped, on_progress)


class _Attempt:
    """One attempt at one row."""

    def __init__(self, row: Row, place: Workplace, before: Record | None) -> None:
        self._row, self._place = row, place
        self._may_replace = before is not None  # the name was free when the first attempt began
        self._source = Path(place.folders[row.folder], row.video)
        self._target = row.target(place.archive)
        self._record = Record(
            number=row.number,
            state=State.BEGUN,
            key=row.key,
            settings=row.settings,
            machine=socket.gethostname(),
            video_seconds=row.seconds or 0.0,
            replaces=self._may_replace,
        )

    def run(self, stopped: Callable[[], bool], on_progress: Callable[[Progress], None] | None) -> Record:
        archive, number = self._place.archive, self._row.number
        try:
            self._prepare()
            self._save(State.BEGUN)
            result = self._job(stopped, on_progress)
        except (JobCancelled, ModelError, DeviceError, DiskFullError):
            if self._may_replace:
                self._save(State.AGAIN)
            else:
                records.remove(archive, number)
            raise
        except ArchiveError:
            raise
        except AnonatorError as exc:
            log.info("row %d failed: %s", number, type(exc).__name__)
            return self._save(State.FAILED, sentence=str(exc), error=type(exc).__name__)
        record = self._save(
            State.DONE,
            frames=result.frames,
            masked_frames=result.masked_frames,
            tracks=result.tracks,
            near_misses=len(result.near_misses),
            doubts=self._doubts(result),
            seconds=round(result.seconds, 3),
            device=result.device,
            replaced_frames=result.replaced_frames,
            notes=result.notes,
        )
        log.info("row %d is done", number)
        return record

    def _prepare(self) -> None:
        """Make sure that the video is the planned one and its result's name is free, and make its folder."""
        try:
            if self._row.key and key_of(self._source) != self._row.key:
                raise InputError(CHANGED)
        except OSError as exc:
            raise InputError(READING[fault_of(exc, self._source)]) from None
        settings = self._place.settings[self._row.settings]
        if not self._may_replace and is_taken(self._target, settings):
            raise OutputExistsError(TAKEN)
        try:
            reachable(self._target.parent).mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            from anonator.core.writing.partial_file import output_error  # with the video library

            raise output_error(exc, self._target) from None

    def _job(self, stopped: Callable[[], bool], on_progress: Callable[[Progress], None] | None) -> JobResult:
        settings, tracks = self._place.settings[self._row.settings], None
        if self._place.keep_tracks:
            tracks = self._place.archive.tracks_file(self._row.number)
            try:
                make_private(tracks.parent)
            except OSError as exc:
                raise ArchiveError(f"The archive can't be written to: {reason(exc, tracks)}.") from None
        # tracks without a record are of an attempt that was stopped
        job = Job(self._source, self._target, settings, overwrite=self._may_replace, save_tracks=tracks)
        processor = VideoProcessor(job, detectors=self._place.detectors, on_progress=on_progress)
        processor.start()
        while True:
            if stopped():
                processor.cancel()
            with contextlib.suppress(TimeoutError):
                return processor.wait(POLL_SECONDS)

    def _doubts(self, result: JobResult) -> int | None:
        """At how many stops somebody should look, as a review counts them."""
        if result.tracks_file is None:
            return None
        from anonator.core.review.doubts import doubts
        from anonator.core.review.tracks_file import read

        try:
            kept = read(result.tracks_file)
        except ReviewError as exc:
            log.warning("the doubts of row %d can't be counted (%s)", self._row.number, type(exc).__name__)
            return None
        return sum(len(each.stops) for each in doubts(kept.analysis, kept.edits))

    def _save(self, state: State, **facts: object) -> Record:
        now = datetime.datetime.now(datetime.timezone.utc)
        record = replace(self._record, state=state, at=now.isoformat(timespec="seconds"), **facts)  # type: ignore[arg-type]
        records.write(self._place.archive, record)
        return record
