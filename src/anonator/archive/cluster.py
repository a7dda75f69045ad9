"""Runs an archive on Dask: on processes of this computer, a running scheduler, or a batch system's jobs.

Dask decides who does which row and what becomes of the rows of a lost worker. Records tell what is done;
nothing here is needed to know that.
"""

from __future__ import annotations

import contextlib
import queue
import secrets
import time
from collections.abc import Iterator
from typing import Any

import dask
import dask.config
from distributed import Client, Future, LocalCluster
from distributed.scheduler import KilledWorker
from distributed.security import Security

from anonator import terminal
from anonator.archive import records
from anonator.archive.cluster_worker import RowWorker, do_row, stop_rows
from anonator.archive.folder import About, Archive
from anonator.archive.progress import RunProgress
from anonator.archive.records import Record, State
from anonator.archive.retry import LOST
from anonator.archive.rows import Row
from anonator.archive.run import Engine, Order, Stopping, settings_for
from anonator.errors import AnonatorError, ArchiveError, JobCancelled

LOST_TOO_OFTEN = (
    "The workers that did this video were lost again and again: perhaps their memory is too small for it. "
    "Retry it with fewer workers, or with more memory for each."
)
NO_SCHEDULER = "The scheduler can't be reached. Check its address, and that it is running."
SCHEDULER_GONE = "The scheduler is gone. Start it again; the same command then goes on.\n"
SEVERAL_THREADS = (
    "Some workers have several threads, but each does one video at a time. Start them with --nthreads 1.\n"
)
AT_ONCE = 5000
"""Rows that the scheduler knows of at a time; it needs a few kilobytes for each."""
GONE_SECONDS = 30.0
"""After this long without a connection, the scheduler isn't waited for any more."""
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
    with _client(engine) as client:
        client.register_plugin(plugin, name=name)
        threads = [each["nthreads"] for each in client.scheduler_info()["workers"].values()]
        if any(count > 1 for count in threads):
            terminal.ERR.write(SEVERAL_THREADS)
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
                    terminal.ERR.write(SCHEDULER_GONE)
                    return
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
        return None

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


@contextlib.contextmanager
def _client(engine: Engine) -> Iterator[Client]:
    """A connection to the scheduler, which is made first where none was named."""
    security = Security(**engine.tls, require_encryption=True) if engine.tls else None
    # one row at a time reaches a worker, so that the others stay free to be taken by whoever is first
    with (
        dask.config.set({"distributed.scheduler.worker-saturation": 1.0}),
        _scheduler(engine, security) as address,
    ):
        try:
            client = Client(address, security=security, set_as_default=False, name="anonator")
        except (OSError, TimeoutError, ValueError, TypeError) as exc:
            raise ArchiveError(NO_SCHEDULER) from exc
        try:
            yield client
        finally:
            with contextlib.suppress(Exception):
                client.close(timeout=5)


@contextlib.contextmanager
def _scheduler(engine: Engine, security: Any) -> Iterator[Any]:
    if engine.scheduler is not None:
        yield engine.scheduler
        return
    workers = engine.workers or 1
    if engine.queue is not None:
        with _jobs(engine.queue, workers) as cluster:
            yield cluster
        return
    # encrypted, with keys of its own: whoever else is on this computer could otherwise run code through it
    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,
        host="127.0.0.1",
        security=True if security is None else security,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:
        yield cluster


@contextlib.contextmanager
def _jobs(system: str, workers: int) -> Iterator[Any]:
    """So many jobs of a batch system with one worker each, as dask-jobqueue's own configuration says."""
    try:
        import dask_jobqueue
    except ImportError as exc:
        raise ArchiveError("dask-jobqueue isn't installed: `pip install dask-jobqueue`.") from exc
    names = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster", "sge": "SGECluster"}
    try:
        cluster = getattr(dask_jobqueue, names[system])(processes=1)
    except ValueError as exc:
        raise ArchiveError(
            "dask-jobqueue needs to know what a job may ask for: put cores and memory into its configuration "
            "file, jobqueue.yaml."
        ) from exc
    with cluster:
        cluster.scale(jobs=workers)
        yield cluster
