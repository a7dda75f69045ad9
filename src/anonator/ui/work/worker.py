"""One worker thread that does things in their order and puts what came out where the window looks."""

from __future__ import annotations

import logging
import os
import queue
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)


LOWER_PRIORITY = 10
"""Nice value of work behind the window: measured on two busy cores with a 1080p job, 99 % of the window's
delays fall from 60-99 ms to 24 ms, the longest from 260 ms to 36 ms."""


def step_back() -> None:
    """Let the window's thread go before the calling thread and all that it starts, where the system can."""
    if sys.platform == "linux":  # only there is the nice value one of threads, and inherited
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWER_PRIORITY)


def call_stepped_back(call: Callable[[], object]) -> None:
    """Call something quick that starts threads, so that they go after the window's."""

    def work() -> None:
        step_back()
        call()

    starter = threading.Thread(target=work, name="anonator-starter")
    starter.start()
    starter.join()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a piece of work gave: a value or an error."""

    key: Hashable
    value: Any = None
    error: BaseException | None = None


class Worker:
    """A named thread with a list of work; newer work under the same key replaces what still waits."""

    def __init__(self, name: str, outcomes: queue.SimpleQueue[Outcome]) -> None:
        self._outcomes = outcomes
        self._work: OrderedDict[Hashable, Callable[[], Any]] = OrderedDict()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, key: Hashable, work: Callable[[], Any], *, first: bool = False) -> None:
        """Do this when everything before it is done, or as the next thing."""
        with self._wake:
            self._work.pop(key, None)
            self._work[key] = work
            if first:
                self._work.move_to_end(key, last=False)
            self._wake.notify()

    def stop(self, timeout: float) -> bool:
        """Drop what waits, let the present piece end, and say whether the thread is gone."""
        with self._wake:
            self._stopping = True
            self._work.clear()
            self._wake.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        step_back()
        while True:
            with self._wake:
                while not self._work and not self._stopping:
                    self._wake.wait()
                if self._stopping:
                    return
                key, work = self._work.popitem(last=False)
            try:
                outcome = Outcome(key, work())
            except Exception as error:  # crosses to the window, which shows and logs it
                outcome = Outcome(key, error=error)
            del work
            self._outcomes.put(outcome)
