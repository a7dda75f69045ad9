"""The workers behind the window: their order, and who is told what came out, in which thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from patience import PATIENCE

from anonator.ui.work.worker import Answers, Worker


class Bench:
    """A worker that waits at its first piece of work until the test lets it go on."""

    def __init__(self) -> None:
        self.answers = Answers()
        self.worker = Worker("anonator-test", self.answers)
        self.go = threading.Event()
        self.told: list[object] = []
        self.done: list[str] = []
        self.worker.submit(self.go.wait, self._nothing, self._nothing)

    def _nothing(self, _value: object) -> None:
        pass

    def work(self, name: str) -> Callable[[], str]:
        def work() -> str:
            self.done.append(name)
            return name

        return work

    def finish(self) -> None:
        """Let the worker do everything, and deliver the answers."""
        ended = threading.Event()
        self.worker.submit(ended.set, self._nothing, self._nothing)
        self.go.set()
        assert ended.wait(PATIENCE)
        end = time.monotonic() + 0.05  # until the last answer is put
        while time.monotonic() < end:
            self.answers.deliver()


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.go.set()
    assert made.worker.stop(PATIENCE)


def never(_value: object) -> None:
    raise AssertionError("nobody asked for this")


def test_work_is_done_in_its_order_and_what_is_urgent_before_it(bench: Bench) -> None:
    for name in ("first", "second"):
        bench.worker.submit(bench.work(name), bench.told.append, never)
    bench.worker.submit(bench.work("urgent"), bench.told.append, never, first=True)
    bench.finish()
    assert bench.done == bench.told == ["urgent", "first", "second"]


def test_who_asked_is_told_in_the_thread_that_delivers(bench: Bench) -> None:
    threads: list[int] = []
    bench.worker.submit(threading.get_ident, threads.append, never)
    bench.worker.submit(lambda: None, lambda _value: threads.append(threading.get_ident()), never)
    bench.finish()
    assert threads[0] != threading.get_ident() and threads[1] == threading.get_ident()


def test_an_error_goes_to_whom_it_concerns_and_the_worker_goes_on(bench: Bench) -> None:
    def fail() -> None:
        raise OSError("no room")

    bench.worker.submit(fail, never, bench.told.append)
    bench.worker.submit(bench.work("next"), bench.told.append, never)
    bench.finish()
    assert [type(what) for what in bench.told] == [OSError, str]


def test_withdrawn_work_is_not_done_and_its_answer_not_told(bench: Bench) -> None:
    waiting = bench.worker.submit(bench.work("waiting"), never, never)
    waiting.withdraw()
    bench.finish()
    begun = threading.Event()
    late = bench.worker.submit(begun.set, never, never)
    assert begun.wait(PATIENCE)
    late.withdraw()
    bench.finish()
    assert bench.done == []


def test_a_stopped_worker_leaves_what_waits(bench: Bench) -> None:
    bench.worker.submit(bench.work("waiting"), never, never)
    threading.Timer(0.05, bench.go.set).start()
    assert bench.worker.stop(PATIENCE)
    assert bench.done == []
