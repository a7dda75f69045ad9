"""What running jobs report from their own threads, kept until the window asks for the newest."""

from __future__ import annotations

import contextlib
import queue

from anonator.core.job import Preview, Progress
from anonator.ui.state.job import LivePicture, RowKey


class JobReports:
    """A queue from the jobs' threads to the window's."""

    def __init__(self) -> None:
        self._inbox: queue.SimpleQueue[tuple[RowKey, Progress | Preview]] = queue.SimpleQueue()

    def put(self, row: RowKey, report: Progress | Preview) -> None:
        """Hand in a report, from any thread.

        Args:
            row: whose job it is.
            report: how far it is, or a frame before and after.
        """
        self._inbox.put((row, report))

    def newest(self, row: RowKey | None) -> tuple[Progress | None, LivePicture | None]:
        """The last progress and picture of a row since the last call; those of other rows are dropped."""
        progress: Progress | None = None
        live: LivePicture | None = None
        with contextlib.suppress(queue.Empty):
            while True:
                of, report = self._inbox.get_nowait()
                if of != row:
                    continue
                if isinstance(report, Progress):
                    progress = report
                else:
                    live = LivePicture(of, report)
        return progress, live
