"""Counts what has become of an archive's rows: done, failed, waiting, and where people should look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from anonator.archive import lock, records
from anonator.archive.folder import Archive
from anonator.archive.records import Record, State
from anonator.archive.rows import Row, read_rows

MOST_LISTED = 10
"""Failed rows that are listed in a terminal; the report has all of them."""


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an archive, in numbers."""

    videos: int
    done: int
    failed: int
    begun: int
    """Somebody is at work on them, or was stopped."""
    waiting: int
    video_seconds: float
    """Of all videos, as far as their headers say."""
    done_seconds: float
    """Of those that are done."""
    work_seconds: float
    """How long the jobs took that are done; several may have run at a time."""
    frames: int
    without_faces: int
    """Finished videos in which no face was covered: look at them first."""
    with_doubts: int
    """Finished videos with places to look at."""
    doubts: int
    uncounted: int
    """Finished videos without tracks, whose doubts can't be counted."""
    reviewed: int
    """Finished videos that somebody has signed; they count among none of the three before."""
    at_work: tuple[str, ...]
    """Who is at work, in words."""
    failures: tuple[tuple[int, str, str], ...]
    """(row, video, sentence) of every row that failed."""

    def to_json(self) -> dict[str, Any]:
        """The same as JSON can hold it."""
        failures = [{"row": row, "video": video, "error": told} for row, video, told in self.failures]
        return {**asdict(self), "failures": failures}

    def lines(self) -> list[str]:
        """The same for a terminal."""
        text = [f"{_videos(self.videos)}: {self._ends()}."]
        text.append(
            f"{_hours(self.done_seconds)} of {_hours(self.video_seconds)} of video done"
            + (f"; a worker takes {self._rate:.2f} seconds for each second." if self._rate else ".")
        )
        if self.done:
            others = " Of the others:" if 0 < self.reviewed < self.done else ""
            text.append(f"Reviewed and signed: {self.reviewed:,} of {self.done:,}.{others}")
            if self.reviewed < self.done:
                first = " Look at these first." if self.without_faces else ""
                text.append(f"Without any face: {self.without_faces:,}.{first}")
                counted = f" ({self.uncounted:,} kept no tracks to tell)" if self.uncounted else ""
                text.append(f"Stops to check: {self.doubts:,} in {_videos(self.with_doubts)}{counted}.")
        text += [f"At work: {who}." for who in self.at_work]
        for row, video, sentence in self.failures[:MOST_LISTED]:
            text.append(f"  Row {row}, {video}: {sentence}")
        if len(self.failures) > MOST_LISTED:
            more = len(self.failures) - MOST_LISTED
            text.append(f"  ... and {more:,} more; `anonator archive report` lists them all.")
        return text

    @property
    def _rate(self) -> float:
        """Seconds of work for a second of video."""
        return self.work_seconds / self.done_seconds if self.done_seconds else 0.0

    def _ends(self) -> str:
        ends = ("done", self.done), ("failed", self.failed), ("begun", self.begun), ("waiting", self.waiting)
        return ", ".join(f"{count:,} {end}" for end, count in ends if count) or "none"


def status_of(archive: Archive) -> Status:
    """The state of an archive, as it is on the disk now.

    Raises:
        ArchiveError: it can't be read.
    """
    rows = read_rows(archive)
    return count(rows, records.read_all(archive), tuple(map(str, lock.holders(archive))))


def count(rows: Iterable[Row], known: dict[int, Record], at_work: tuple[str, ...] = ()) -> Status:
    """The state of these rows.

    Args:
        rows: of the plan.
        known: their records.
        at_work: who is, in words.
    """
    ends: Counter[State | None] = Counter()
    all_seconds = done_seconds = work_seconds = 0.0
    frames = without_faces = with_doubts = doubts = uncounted = reviewed = videos = 0
    failures = []
    for row in rows:
        videos += 1
        record = known.get(row.number)
        all_seconds += row.seconds or 0.0
        ends[record.state if record else None] += 1
        if record is None:
            continue
        if record.state is State.FAILED:
            failures.append((row.number, row.video, record.sentence))
        elif record.state is State.DONE:
            done_seconds += row.seconds or 0.0
            work_seconds += record.seconds
            frames += record.frames
            if record.reviewed_by:
                reviewed += 1
                continue
            without_faces += not record.masked_frames
            with_doubts += bool(record.doubts)
            doubts += record.doubts or 0
            uncounted += record.doubts is None
    return Status(
        videos=videos,
        done=ends[State.DONE],
        failed=ends[State.FAILED],
        begun=ends[State.BEGUN],
        waiting=ends[None] + ends[State.AGAIN],
        video_seconds=round(all_seconds, 1),
        done_seconds=round(done_seconds, 1),
        work_seconds=round(work_seconds, 1),
        frames=frames,
        without_faces=without_faces,
        with_doubts=with_doubts,
        doubts=doubts,
        uncounted=uncounted,
        reviewed=reviewed,
        at_work=at_work,
        failures=tuple(failures),
    )


def _videos(count: int) -> str:
    return f"{count:,} video{'' if count == 1 else 's'}"


def _hours(seconds: float) -> str:
    if seconds < 600:
        return f"{seconds:,.1f} seconds"
    return f"{seconds / 3600:,.1f} hours" if seconds >= 6000 else f"{seconds / 60:,.1f} minutes"
