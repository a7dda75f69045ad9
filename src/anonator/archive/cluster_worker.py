"""What happens in a worker process of Dask: it loads the detector once, and does one row after the other."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path

from distributed import Worker, WorkerPlugin, get_worker

from anonator import __version__
from anonator.archive.folder import About, Archive, read_about
from anonator.archive.records import Record
from anonator.archive.rows import Row
from anonator.archive.work import Workplace, do
from anonator.core.config import Settings
from anonator.errors import ArchiveError, JobCancelled

OTHER_VERSION = "A worker has version {} of Anonator, and this is {}. All machines need the same."
NOT_HERE = (
    "A worker doesn't see the archive under the path that it has here. All machines must see archive and "
    "videos under the same paths."
)


class RowWorker(WorkerPlugin):
    """What each worker process keeps between rows: above all the detector, loaded once."""

    def __init__(
        self,
        archive: Archive,
        settings: dict[str, Settings],
        about: About,
        weights: Path | None,
        share: int,
    ) -> None:
        """Only what can travel; the rest is made by setup.

        Args:
            archive: that the rows are of.
            settings: by their id.
            about: the archive.
            weights: a weights file or folder to use instead of the known places.
            share: workers that share this computer's processors; 0 leaves that to whoever started them.
        """
        self._archive, self._settings, self._about = archive, settings, about
        self._weights, self._share = weights, share
        self._version = __version__

    def setup(self, worker: Worker) -> None:
        """Make the process ready; the detector is loaded with the first row."""
        self._turn, self._stopped = threading.Lock(), threading.Event()
        # kept for the first row: of a worker that comes later, nobody hears what is raised here
        self._unfit = self._why_unfit()
        if self._unfit:
            return
        from anonator import logs
        from anonator.core import process_setup
        from anonator.core.detection.cache import DetectorCache
        from anonator.core.writing import leftovers

        if self._share:
            _take_processors(worker.name, self._share)
        logs.set_up()  # without names, also where Dask shows what is logged
        process_setup.prepare()
        leftovers.sweep()  # of a worker that was killed here
        self._detectors = DetectorCache(self._weights)
        about = self._about
        self._place = Workplace(
            self._archive, self._settings, about.folders, self._detectors, about.keep_tracks
        )

    def _why_unfit(self) -> str:
        """Why this worker can't do the archive's rows; empty if it can.

        Without the archive, a worker would make a folder of that name and leave its results there.
        """
        if self._version != __version__:
            return OTHER_VERSION.format(__version__, self._version)
        try:
            return "" if read_about(self._archive).id == self._about.id else NOT_HERE
        except ArchiveError:
            return NOT_HERE

    def teardown(self, worker: Worker) -> None:
        """Free the detector, unless a row is still at work with it."""
        self._stopped.set()
        if self._turn.acquire(blocking=False) and not self._unfit:
            self._detectors.close()

    def do(self, row: Row) -> Record:
        """Do a row; one at a time, however many threads the worker has.

        Raises:
            ArchiveError: this worker can't do rows of this archive.
            JobCancelled: the run has been stopped.
        """
        if self._unfit:
            raise ArchiveError(self._unfit)
        with self._turn:
            if self._stopped.is_set():
                raise JobCancelled("The run was stopped.")
            return do(row, self._place, self._stopped.is_set)

    def stop(self) -> None:
        """End the row at work in order, and begin no other."""
        self._stopped.set()


def _take_processors(name: object, workers: int) -> None:
    """Give each worker its own part of the processors, or they would all start threads for all of them."""
    if isinstance(name, int) and sys.platform == "linux":
        all_of_them = sorted(os.sched_getaffinity(0))
        mine = all_of_them[name % workers :: workers] or [all_of_them[name % len(all_of_them)]]
        os.sched_setaffinity(0, mine)


def do_row(name: str, row: Row) -> Record:
    """The task of one row, in a worker."""
    plugin = get_worker().plugins[name]
    assert isinstance(plugin, RowWorker)
    return plugin.do(row)


def stop_rows(name: str, dask_worker: Worker) -> None:
    """End the row at work on a worker."""
    plugin = dask_worker.plugins.get(name)
    if isinstance(plugin, RowWorker):
        plugin.stop()
