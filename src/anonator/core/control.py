"""Pausing and cancelling a running job: from any thread, taking effect where the job calls checkpoint."""

from __future__ import annotations

import threading

from anonator.core.meter import Meter
from anonator.errors import JobCancelled


class Control:
    """What the user currently wants from a job."""

    def __init__(self) -> None:
        self._cancelled = threading.Event()
        self._running = threading.Event()
        self._running.set()

    def cancel(self) -> None:
        """Make the next checkpoint raise, even in a paused job."""
        self._cancelled.set()
        self._running.set()

    def pause(self) -> None:
        """Make the next checkpoint wait."""
        self._running.clear()

    def resume(self) -> None:
        """Let a waiting checkpoint continue."""
        self._running.set()

    def checkpoint(self, meter: Meter | None = None) -> None:
        """Wait while the job is paused, with the meter's clock stopped.

        Raises:
            JobCancelled: the job was cancelled.
        """
        if not self._running.is_set():
            if meter is not None:
                meter.stop_clock()
            while not self._running.wait(0.2):
                self.stop_if_cancelled()  # also where a pause was asked for at the moment of the cancel
            if meter is not None:
                meter.start_clock()
        self.stop_if_cancelled()

    def stop_if_cancelled(self) -> None:
        """The checkpoint of a stage that may run ahead of a paused job.

        Raises:
            JobCancelled: the job was cancelled.
        """
        if self._cancelled.is_set():
            raise JobCancelled("The job was cancelled; nothing was written.")
