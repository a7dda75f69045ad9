"""How long tests wait for what comes by itself, and how they measure that something was prompt."""

from __future__ import annotations

import os
import time
from pathlib import Path

STRICT = os.environ.get("ANONATOR_STRICT_TIMING") == "1"
"""Whether limits are those that a free machine keeps, and all time counts."""
PATIENCE = 60.0
"""Seconds for something that comes by itself; on a free machine it takes a few at most."""


def prompt(seconds: float) -> float:
    """The limit for something that takes so long at most on a free machine."""
    return seconds if STRICT else 3 * seconds


class Stopwatch:
    """Seconds since it was made, without those in which others had the processor that a process wanted.

    Only Linux tells of those; elsewhere, and with ANONATOR_STRICT_TIMING=1, all time counts.
    """

    def __init__(self, process: int | str = "self", *, own_thread: bool = False) -> None:
        """Start it.

        Args:
            process: whose waits are left out, by its number if it's another one.
            own_thread: count the waits of the calling thread only, not those of its process's others.
        """
        self._process, self._own = process, own_thread
        self._begin, self._waits = time.monotonic(), self._waited()

    @property
    def seconds(self) -> float:
        """What has passed without the waits; below zero if several threads waited most of the time."""
        waited = sum(now - self._waits.get(thread, 0.0) for thread, now in self._waited().items())
        return time.monotonic() - self._begin - waited

    def _waited(self) -> dict[str, float]:
        """For how many seconds each thread has waited for a free processor so far."""
        found: dict[str, float] = {}
        if STRICT:
            return found
        folder = Path(f"/proc/{self._process}/task")
        try:
            threads = (
                ["/proc/thread-self"] if self._own else [str(folder / name) for name in os.listdir(folder)]
            )
        except OSError:
            return found
        for thread in threads:
            try:
                with open(f"{thread}/schedstat", "rb") as file:
                    found[thread] = int(file.read().split()[1]) / 1e9
            except (OSError, IndexError):  # it has ended, or the system keeps no such record
                continue
        return found
