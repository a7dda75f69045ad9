"""A worker thread that does tasks in order, and calls back in the window's thread."""

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
"""Nice value of background work. Measured on two busy cores with a 1080p job, the 99th percentile of the
window's delays falls from 60-99 ms to 24 ms, and the longest from 260 ms to 36 ms."""


def step_back(by: int = LOWER_PRIORITY) -> None:
    """Give the calling thread, and threads it starts, a lower priority than the window's, if possible."""
    if sys.platform == "linux":  # only there does a thread have its own nice value, and inherit it
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), by)


def call_stepped_back(call: Callable[[], object]) -> None:
    """Call something quick that starts threads, so they get a lower priority than the window's."""

    def work() -> None:
        step_back()
        call()

    starter = threading.Thread(target=work, name="anonator-starter")
    starter.start()
    starter.join()


class Task:
    """Work given to a worker, which can still be withdrawn."""

    def __init__(self, work: Callable[[], Callable[[], object]]) -> None:
        self.work = work
        """Does the work, and returns the call that reports the outcome."""
        self.withdrawn = False

    def withdraw(self) -> None:
        """Don't start the work; if it has started, don't report its outcome."""
        self.withdrawn = True


class Answers:
    """Outcomes from the workers, kept until the window's thread delivers them."""

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[tuple[Task, Callable[[], object]]] = queue.SimpleQueue()

    def put(self, task: Task, tell: Callable[[], object]) -> None:
        """Keep the outcome of a task; called by workers."""
        self._waiting.put((task, tell))

    def deliver(self) -> None:
        """Make the calls for all finished tasks; called by the window."""
        while not self._waiting.empty():  # nothing else takes items out
            task, tell = self._waiting.get_nowait()
            if not task.withdrawn:
                tell()


class Worker:
    """A named thread with a list of tasks."""

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
            first: whether it goes ahead of all waiting tasks.
        """

        def carry_out() -> Callable[[], object]:
            try:
                return partial(on_done, work())
            except Exception as error:  # passed to the window, which shows and logs it
                return partial(on_error, error)

        task = Task(carry_out)
        with self._wake:
            if first:
                self._tasks.appendleft(task)
            else:
                self._tasks.append(task)
            self._wake.notify()
        return task

    def tell(self, call: Callable[[], object]) -> None:
        """Make a call in the window's thread; for work that has something to report before its end."""
        self._answers.put(Task(lambda: call), call)

    def stop(self, timeout: float) -> bool:
        """Drop waiting tasks, let the current one finish, and return whether the thread has ended."""
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
            del task  # its callbacks refer to widgets, which must not be collected in this thread
