"""One worker thread that does things in their order, and calls back in the window's thread."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import TypeVar

T = TypeVar("T")

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


class Task:
    """Work that was given to a worker; whoever gave it may withdraw it."""

    def __init__(self, work: Callable[[], Callable[[], object]]) -> None:
        self.work = work
        """Does it, and gives the call that tells what came out."""
        self.withdrawn = False

    def withdraw(self) -> None:
        """Never begin it; if it has begun, tell nobody what comes out."""
        self.withdrawn = True


class Answers:
    """What came out of the workers, until the window's thread tells those who asked."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[tuple[Task, Callable[[], object]]] = queue.SimpleQueue()

    def put(self, task: Task, tell: Callable[[], object]) -> None:
        """Keep what came out of a task; called by workers."""
        self._waiting.put((task, tell))

    def deliver(self) -> None:
        """Tell everybody whose work is done; called by the window."""
        while not self._waiting.empty():  # nobody else takes anything out
            task, tell = self._waiting.get_nowait()
            if not task.withdrawn:
                tell()


class Worker:
    """A named thread with a list of work."""

    def __init__(self, name: str, answers: Answers) -> None:
        self._answers = answers
        self._tasks: deque[Task] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(
        self,
        work: Callable[[], T],
        on_done: Callable[[T], object],
        on_error: Callable[[Exception], object],
        *,
        first: bool = False,
    ) -> Task:
        """Do something slow in the worker's thread.

        Args:
            work: what to do.
            on_done: called with its result in the window's thread.
            on_error: called there instead, with what work raised.
            first: whether it goes before all that still waits.
        """

        def carry_out() -> Callable[[], object]:
            try:
                return partial(on_done, work())
            except Exception as error:  # crosses to the window, which shows and logs it
                return partial(on_error, error)

        task = Task(carry_out)
        with self._wake:
            if first:
                self._tasks.appendleft(task)
            else:
                self._tasks.append(task)
            self._wake.notify()
        return task

    def stop(self, timeout: float) -> bool:
        """Drop what waits, let the present piece end, and say whether the thread is gone."""
        with self._wake:
            self._stopping = True
            self._tasks.clear()
            self._wake.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        step_back()
        while True:
            with self._wake:
                while not self._tasks and not self._stopping:
                    self._wake.wait()
                if self._stopping:
                    return
                task = self._tasks.popleft()
            if not task.withdrawn:
                self._answers.put(task, task.work())
            del task  # its callbacks hold widgets, which must not be collected in this thread
