"""Runs an archive: does the rows that are neither done nor failed, here or through an engine."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from anonator import terminal
from anonator.archive import lock, records
from anonator.archive.folder import About, Archive, open_archive
from anonator.archive.progress import RunProgress
from anonator.archive.records import Record, State
from anonator.archive.rows import Row, Shard, read_rows
from anonator.archive.work import Workplace, do
from anonator.core import process_setup
from anonator.core.config import Device, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.wording import NOT_COVERED
from anonator.core.writing import leftovers
from anonator.errors import ArchiveError, JobCancelled
from anonator.headless import interruption

DONE, FAILED, WRONG, NOTHING, EARLY, INTERRUPTED = 0, 1, 2, 3, 75, 130
"""Exit statuses: done, some failed, wrong use, nothing to do, stopped early, Ctrl+C."""
MISSING = (
    'Dask isn\'t installed. Install it with `pip install "anonator[cluster]"`, or leave out --workers and '
    "--scheduler: this process then does one video after the other."
)


NOT_REVIEWED = (
    'No person has looked at the new results yet. "Review an archive…" in the window lists them, and '
    "`anonator archive report` says which ones to look at first.\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Who does the rows; nothing of it is needed for this process alone."""

    workers: int | None = None
    """Processes on this computer, or jobs of a queue."""
    scheduler: str | None = None
    """Address of a running one, such as "tls://host:8786"."""
    queue: str | None = None
    """A batch system of dask-jobqueue, such as "slurm"."""
    resources: dict[str, float] | None = None
    """What each row needs of a worker, such as {"GPU": 1}."""
    tls: dict[str, str] | None = None
    """tls_ca_file, tls_client_cert and tls_client_key, as distributed.Security takes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked of a run."""

    shard: Shard | None = None
    limit: float | None = None
    """Seconds after which it stops."""
    device: Device | None = None
    """Instead of the one in the plan."""
    weights: Path | None = None
    """A file with the model's weights, or a folder that holds it."""
    take_over: bool = False
    engine: Engine | None = None


class Stopping:
    """Whether a run must stop, and whether another row still fits in."""

    def __init__(self, interrupted: threading.Event, limit: float | None) -> None:
        """Begin now.

        Args:
            interrupted: set by Ctrl+C and the like.
            limit: seconds from now; None means no end.
        """
        self._interrupted = interrupted
        self._end = None if limit is None else time.monotonic() + limit
        self._slowest = 0.0

    def due(self) -> bool:
        """Whether everything must stop."""
        return self._interrupted.is_set() or (self._end is not None and time.monotonic() >= self._end)

    def fits(self, row: Row) -> bool:
        """Whether a row can end in time, if it takes as long as the slowest so far."""
        if self._end is None or row.seconds is None:
            return True
        return time.monotonic() + self._slowest * row.seconds < self._end

    def learn(self, record: Record, wall: float) -> None:
        """Take note of how long a row took, in seconds."""
        if record.state is State.DONE and record.video_seconds > 0:
            self._slowest = max(self._slowest, wall / record.video_seconds)


def run(path: Path, order: Order) -> int:
    """Do what is left of an archive.

    Args:
        path: the archive's folder.
        order: which rows, and how.

    Returns:
        The exit status.

    Raises:
        ArchiveError: there is no archive, or somebody else is at work on it.
        AnonatorError: nothing can be done here, such as without the model's weights.
    """
    archive, about = open_archive(path)
    with lock.at_work(archive, order.shard, take_over=order.take_over):
        leftovers.sweep()
        rows = waiting(archive, order.shard)
        if not rows:
            terminal.OUT.write("Nothing is left to do.\n")
            return NOTHING
        progress = RunProgress(rows)
        with (
            interruption() as interrupted,
            _terminated(interrupted) as terminated,
            process_setup.keep_awake(),
        ):
            stopping = Stopping(interrupted, order.limit)
            try:
                through = _one_by_one if order.engine is None else _through_dask()
                through(rows, archive, about, order, stopping, progress)
            finally:
                progress.close()
                terminal.OUT.write(f"{progress}.\n")
        left = len(rows) - sum(progress.ends.values())
        if progress.ends[State.DONE]:
            terminal.OUT.write(f"{NOT_COVERED}\n")
        if left:
            terminal.OUT.write(f"{left:,} left; the same command goes on with them.\n")
            return INTERRUPTED if interrupted.is_set() and not terminated.is_set() else EARLY
        if progress.ends[State.DONE]:
            terminal.OUT.write(NOT_REVIEWED)
    return FAILED if progress.ends[State.FAILED] else DONE


def waiting(archive: Archive, shard: Shard | None = None) -> list[Row]:
    """The rows that are neither done nor failed, the longest videos first."""
    rows = read_rows(archive)
    finished = {number for number, record in records.read_all(archive).items() if record.finished}
    left = [row for row in (rows if shard is None else shard.of(rows)) if row.number not in finished]
    return sorted(left, key=lambda row: -row.weight)


def settings_for(rows: Iterable[Row], about: About, device: Device | None) -> dict[str, Settings]:
    """The settings that rows are done with, by their id.

    Raises:
        ArchiveError: this version doesn't know some of them.
    """
    chosen = {name: about.settings_of(name) for name in {row.settings for row in rows}}
    if device is None:
        return chosen
    return {name: replace(settings, device=device) for name, settings in chosen.items()}


def _one_by_one(
    rows: list[Row],
    archive: Archive,
    about: About,
    order: Order,
    stopping: Stopping,
    progress: RunProgress,
) -> None:
    """In this process, one after the other."""
    process_setup.prepare()
    settings = settings_for(rows, about, order.device)
    with contextlib.closing(DetectorCache(order.weights)) as detectors:
        place = Workplace(archive, settings, about.folders, detectors, about.keep_tracks)
        for row in rows:
            if stopping.due():
                return
            if stopping.fits(row):
                begin = time.monotonic()
                try:
                    record = do(row, place, stopping.due, _within(progress, row))
                except JobCancelled:
                    return
                stopping.learn(record, time.monotonic() - begin)
                progress.ended(record)


def _through_dask() -> Callable[[list[Row], Archive, About, Order, Stopping, RunProgress], None]:
    """What runs rows on Dask, which only those need who ask for it."""
    try:
        from anonator.archive.cluster import through_dask
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in ("dask", "distributed"):
            raise
        raise ArchiveError(MISSING) from exc
    return through_dask


def _within(progress: RunProgress, row: Row) -> Callable[..., None]:
    return lambda told: progress.within(row, told.done)


@contextlib.contextmanager
def _terminated(interrupted: threading.Event) -> Iterator[threading.Event]:
    """Set by the signal with which batch systems announce the end, which isn't a person's Ctrl+C."""
    terminated = threading.Event()

    def end(*_: object) -> None:
        terminated.set()
        interrupted.set()

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield terminated
    finally:
        signal.signal(signal.SIGTERM, before)
