"""Runs an archive on Dask: on processes of this computer, a running scheduler, or a batch system's jobs.

Dask decides who does which row and what becomes of the rows of a lost worker. Records tell what is done;
nothing here is needed to know that.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import secrets
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError

from distributed import Client, Future
from distributed.scheduler import KilledWorker

from anonator.archive import records
from anonator.archive.cluster_scheduler import connected
from anonator.archive.cluster_worker import RowWorker, do_row, stop_rows
from anonator.archive.folder import About, Archive
from anonator.archive.progress import RunProgress
from anonator.archive.records import Record, State
from anonator.archive.retry import LOST
from anonator.archive.rows import Row
from anonator.archive.run import Engine, Order, Stopping, settings_for
from anonator.errors import AnonatorError, ArchiveError, JobCancelled

log = logging.getLogger(__name__)

LOST_TOO_OFTEN = (
    "The workers that did this video were lost again and again: perhaps their memory is too small for it. "
    "Retry it with fewer workers, or with more memory for each."
)
SCHEDULER_GONE = "The scheduler is gone. Start it again; the same command then goes on."
SEVERAL_THREADS = (
    "Some workers have several threads, but each does one video at a time. Start them with --nthreads 1."
)
NOT_READY = (
    "A worker can't do videos of this archive. All machines need the same version of Anonator, with its "
    "extra `cluster`, and of Python; the worker's own log says more."
)
LEFT = "Row {} was left for another run, because Dask or its worker failed ({})."
NOBODY = "No worker has taken a video yet. They wait until one is there, and free."
NOBODY_WITH = "No worker has taken a video yet. They wait until one is there, and free, that has {}."
NO_JOB = (
    "No worker has taken a video yet. They wait until a job of the batch system begins. If the jobs have "
    "ended already, their logs in private/jobqueue say why."
)
AT_ONCE = 5000
"""Rows that the scheduler knows of at a time; it needs a few kilobytes for each."""
GONE_SECONDS = 30.0
"""After this long without a connection, the scheduler isn't waited for any more."""
NOBODY_SECONDS = 20.0
"""After this long in which no worker has taken a row, it is told."""
STOP_SECONDS = 60.0
"""How long rows that are stopped may take to clean up."""


def through_dask(
    rows: list[Row],
    archive: Archive,
    about: About,
    order: Order,
    stopping: Stopping,
    progress: RunProgress,
) -> None:
    """Do rows on Dask, until all have ended or the run must stop.

    Raises:
        ArchiveError: Dask isn't installed, or its scheduler can't be reached.
        AnonatorError: nothing can be done on the workers, such as without the model's weights.
    """
    engine = order.engine
    assert engine is not None
    # the name is the archive's: what an earlier run left on a scheduler ends when it is taken
    name = f"anonator-{about.id[:8]}"
    settings = settings_for(rows, about, order.device)
    weights = None if order.weights is None else order.weights.absolute()
    share = 0 if engine.scheduler is not None or engine.queue is not None else engine.workers or 1
    plugin = RowWorker(archive, settings, about, weights, share)
    with connected(engine, archive) as client:
        try:
            client.register_plugin(plugin, name=name)
        except AnonatorError:
            raise
        except Exception as exc:  # whatever a worker can't import or unpack
            raise ArchiveError(NOT_READY) from exc
        if any(count > 1 for count in client.nthreads().values()):
            progress.tell(SEVERAL_THREADS)
        try:
            _Run(client, name, archive, engine, stopping, progress).through(rows)
        finally:
            with contextlib.suppress(Exception):  # a scheduler that is gone
                client.unregister_worker_plugin(name)


class _Run:
    """The rows of one run on a scheduler."""

    def __init__(
        self,
        client: Client,
        plugin: str,
        archive: Archive,
        engine: Engine,
        stopping: Stopping,
        progress: RunProgress,
    ) -> None:
        self._client, self._plugin, self._archive, self._engine = client, plugin, archive, engine
        self._keys = f"{plugin}-{secrets.token_hex(4)}"
        self._stopping, self._progress = stopping, progress
        self._ended: queue.Queue[Future[Record]] = queue.Queue()
        self._at_work: dict[str, tuple[Future[Record], Row]] = {}
        self._alone_since: float | None = None
        self._looks_at, self._nobody = time.monotonic() + NOBODY_SECONDS, False

    def through(self, rows: list[Row]) -> None:
        """Hand in rows, the longest first, and take note of their ends."""
        waiting = iter(rows)
        self._hand_in(waiting)
        while self._at_work:
            if self._stopping.due():  # also while short rows end one after the other
                self._stop()
                while not self._ended.empty():
                    self._take(self._ended.get())
                return
            try:
                future = self._ended.get(timeout=0.2)
            except queue.Empty:
                if self._is_alone():
                    self._progress.tell(SCHEDULER_GONE)
                    return
                self._look_for_workers()
                continue
            self._take(future)
            self._hand_in(waiting)

    def _hand_in(self, waiting: Iterator[Row]) -> None:
        while len(self._at_work) < AT_ONCE and (row := next(waiting, None)) is not None:
            if not self._stopping.fits(row):
                continue
            future = self._client.submit(
                do_row,
                self._plugin,
                row,
                key=f"{self._keys}-{row.number}",
                pure=False,
                retries=0,
                resources=self._engine.resources,
            )
            self._at_work[str(future.key)] = future, row
            future.add_done_callback(self._ended.put)

    def _take(self, future: Future[Record]) -> None:
        """Take note of a row's end; one that was cancelled, as without a scheduler, stays as it is."""
        _, row = self._at_work.pop(str(future.key))
        record: Record | None
        try:
            record = future.result(timeout=10)
        except Exception as exc:
            record = self._failed(row, exc)
        if record is not None:
            self._progress.ended(record)

    def _failed(self, row: Row, exc: Exception) -> Record | None:
        """What a row's exception means: the worker was lost, nothing works there, or nobody knows."""
        if isinstance(exc, KilledWorker):
            record = Record(number=row.number, state=State.FAILED, sentence=LOST_TOO_OFTEN, error=LOST)
            records.write(self._archive, record)
            return record
        if isinstance(exc, AnonatorError) and not isinstance(exc, JobCancelled):
            self._stop()
            raise exc
        if not isinstance(exc, AnonatorError | CancelledError):
            log.warning("row %d ended with %s", row.number, type(exc).__name__)
            self._progress.tell(LEFT.format(row.number, type(exc).__name__))
        return None

    def _look_for_workers(self) -> None:
        """Tell once if nothing happens because no worker is there, or none that has what rows need."""
        if time.monotonic() < self._looks_at:
            return
        self._looks_at = time.monotonic() + NOBODY_SECONDS
        with contextlib.suppress(Exception):  # whatever a scheduler on its way out says
            before, self._nobody = self._nobody, not self._begun()
            if self._nobody and not before:
                needed = self._engine.resources
                which = ", ".join(f"{name}={count:g}" for name, count in (needed or {}).items())
                if self._engine.queue is not None:
                    self._progress.tell(NO_JOB)
                else:
                    self._progress.tell(NOBODY_WITH.format(which) if needed else NOBODY)

    def _is_alone(self) -> bool:
        """Whether the scheduler has been away for long."""
        if self._client.status == "running":
            self._alone_since = None
            return False
        self._alone_since = self._alone_since or time.monotonic()
        return self._client.status == "closed" or time.monotonic() - self._alone_since > GONE_SECONDS

    def _stop(self) -> None:
        """Take back what hasn't begun, and let what has begun end in order."""
        with contextlib.suppress(Exception):  # whatever a scheduler on its way out says
            self._client.run(stop_rows, self._plugin, on_error="ignore")
            begun = self._begun()
            self._client.cancel([future for key, (future, _) in self._at_work.items() if key not in begun])
            end = time.monotonic() + STOP_SECONDS
            while self._begun() and time.monotonic() < end:
                time.sleep(0.1)

    def _begun(self) -> set[str]:
        """The keys of this run that workers have."""
        there = self._client.processing()
        return {str(key) for keys in there.values() for key in keys} & self._at_work.keys()
