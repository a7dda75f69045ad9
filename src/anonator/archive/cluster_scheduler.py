"""Reaches a Dask scheduler: a running one, or its own for processes here or for jobs of a batch system."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Iterator
from typing import Any

import dask.config
from dask.utils import parse_timedelta
from distributed import Client, LocalCluster, Status
from distributed.comm.core import CommClosedError, FatalCommClosedError, connect
from distributed.security import Security

from anonator.archive.folder import Archive, make_private
from anonator.archive.run import Engine
from anonator.core.file_faults import reason
from anonator.errors import ArchiveError, SettingsError

NO_SCHEDULER = "The scheduler can't be reached. Check its address, and that it is running."
HUNG_UP = (
    "The scheduler hung up. If it uses TLS, its address begins with tls://; if not, something else than "
    "a Dask scheduler may be there."
)
NO_CERTIFICATE = (
    "an address that begins with tls:// needs --tls-ca-file, --tls-cert and --tls-key, or the same in Dask's "
    "own configuration."
)
BAD_CERTIFICATE = (
    "The certificates can't be used. --tls-ca-file and --tls-cert must be PEM files, and --tls-key must hold "
    "the key of that certificate."
)
REFUSED = (
    "The scheduler and this computer don't accept each other's certificates. Both must be valid now, and "
    "from the authority in --tls-ca-file."
)
NO_TLS = (
    "What answers at this address doesn't speak TLS. `dask scheduler` needs --protocol tls and certificates."
)
NO_JOBQUEUE = "dask-jobqueue isn't installed: `pip install dask-jobqueue`."
NO_RESOURCES = (
    "dask-jobqueue needs to know what a job may ask for: put cores and memory into its configuration file, "
    "jobqueue.yaml."
)
NOT_PLAIN = (
    "dask-jobqueue can't work in a folder with spaces or special characters in its path. Use another one, or "
    "`anonator archive slurm`."
)
NO_JOBS = "The batch system took no job: {}"
PATIENCE = 5.0
"""Seconds that a scheduler has to greet back, beyond those that Dask tries to connect."""
_NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL")
_PLAIN = re.compile(r"[\w./+=@:,-]+")
_CLUSTERS = {"slurm": "SLURMCluster", "pbs": "PBSCluster", "lsf": "LSFCluster", "sge": "SGECluster"}


@contextlib.contextmanager
def connected(engine: Engine, archive: Archive) -> Iterator[Client]:
    """A connection to the scheduler, which is started first where none was named.

    Args:
        engine: which scheduler.
        archive: where the jobs of a batch system leave their logs.

    Raises:
        SettingsError: TLS is asked for without certificates.
        ArchiveError: there is no scheduler, or it doesn't let us in.
    """
    # one row at a time reaches a worker, so that the others stay free to be taken by whoever is first
    with (
        dask.config.set({"distributed.scheduler.worker-saturation": 1.0}),
        _scheduler(engine, archive) as (address, security),
    ):
        try:
            client = Client(address, security=security, set_as_default=False, name="anonator")
        except (OSError, TimeoutError, ValueError, TypeError, ImportError) as exc:
            raise ArchiveError(NO_SCHEDULER) from exc
        try:
            yield client
        finally:
            with contextlib.suppress(Exception):
                client.close(timeout=5)


@contextlib.contextmanager
def _scheduler(engine: Engine, archive: Archive) -> Iterator[tuple[Any, Security | None]]:
    """What a client connects to, and with which certificates, if that doesn't know itself."""
    if engine.scheduler is not None:
        yield engine.scheduler, _running(engine.scheduler, engine.tls)
    elif engine.queue is not None:
        with _jobs(engine.queue, engine.workers or 1, archive) as cluster:
            yield cluster, None
    else:
        with _processes(engine.workers or 1) as cluster:
            yield cluster, None


def _running(address: str, tls: dict[str, str] | None) -> Security | None:
    """Make sure that a scheduler is there and lets us in, and return with which certificates.

    A client that can't connect would tell less, and wait for another minute when it is thrown away.
    """
    try:
        security = Security(**tls, require_encryption=True) if tls else Security()
        connection = security.get_connection_args("client")
    except (OSError, ValueError, TypeError) as exc:  # ssl.SSLError is an OSError
        raise ArchiveError(BAD_CERTIFICATE) from exc
    if address.startswith("tls:") and connection["ssl_context"] is None:
        raise SettingsError(NO_CERTIFICATE)
    try:
        asyncio.run(_greet(address, connection))
    except (OSError, TimeoutError, asyncio.TimeoutError, RuntimeError, ValueError) as exc:
        raise ArchiveError(_refusal(exc)) from exc
    return security if tls else None


async def _greet(address: str, connection: dict[str, Any]) -> None:
    seconds = parse_timedelta(dask.config.get("distributed.comm.timeouts.connect"))
    greeted = await asyncio.wait_for(connect(address, **connection), seconds + PATIENCE)
    await greeted.close()


def _refusal(exc: BaseException) -> str:
    """Why a scheduler didn't let us in, from what Dask raised."""
    if isinstance(exc, ValueError):  # it spoke before TLS had begun
        return NO_TLS
    link: BaseException | None = exc
    while link is not None:
        if isinstance(link, ssl.SSLError):
            return NO_TLS if link.reason in _NOT_TLS else REFUSED
        link = link.__cause__ or link.__context__
    if isinstance(exc, FatalCommClosedError):
        return REFUSED
    return HUNG_UP if isinstance(exc, CommClosedError) else NO_SCHEDULER


@contextlib.contextmanager
def _processes(workers: int) -> Iterator[LocalCluster]:
    """So many processes on this computer."""
    # encrypted, with keys of its own: whoever else is on this computer could otherwise run code through it
    with LocalCluster(
        n_workers=workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=0,
        host="127.0.0.1",
        security=True,
        dashboard_address="127.0.0.1:0",
        silence_logs=50,
    ) as cluster:
        yield cluster


@contextlib.contextmanager
def _jobs(system: str, workers: int, archive: Archive) -> Iterator[Any]:
    """So many jobs of a batch system with one worker each, as dask-jobqueue's own configuration says.

    A job that ends, as when its time is over, is followed by another.
    """
    try:
        import dask_jobqueue
    except ImportError as exc:
        raise ArchiveError(NO_JOBQUEUE) from exc

    def configured(name: str, otherwise: Any) -> Any:
        return dask.config.get(f"jobqueue.{system}.{name}", None) or otherwise

    folder = archive.private / "jobqueue"
    folders = [configured(name, str(folder)) for name in ("log-directory", "shared-temp-directory")]
    if not all(_PLAIN.fullmatch(each) for each in folders):
        raise ArchiveError(NOT_PLAIN)
    try:
        make_private(folder)
        for old in folder.glob(".dask-jobqueue.worker.*"):  # keys of a run that was killed
            old.unlink()
    except OSError as exc:
        raise ArchiveError(f"The archive can't be written to: {reason(exc, folder)}.") from None
    # each worker does one row at a time, however many processors its job has
    extra = [*configured("worker-extra-args", []), "--nthreads", "1", "--no-dashboard"]
    try:
        cluster = getattr(dask_jobqueue, _CLUSTERS[system])(
            processes=1,
            security=True,
            log_directory=folders[0],
            shared_temp_directory=folders[1],
            worker_extra_args=extra,
            scheduler_options={"dashboard_address": "127.0.0.1:0", **configured("scheduler-options", {})},
        )
    except ValueError as exc:
        raise ArchiveError(NO_RESOURCES) from exc
    with cluster:
        # not by scale(), which leaves the batch system's refusal to a log
        for _ in range(workers):
            cluster.worker_spec.update(cluster.new_worker_spec())
        try:
            cluster.sync(cluster._correct_state)
        except (OSError, RuntimeError) as exc:
            for job in cluster.workers.values():
                if job.status is Status.created:  # it never began, and closing would wait for its end
                    job.status = Status.closed
            told = (str(exc).strip().splitlines() or [type(exc).__name__])[-1]
            raise ArchiveError(NO_JOBS.format(told)) from exc
        cluster.adapt(minimum_jobs=workers, maximum_jobs=workers)
        yield cluster
