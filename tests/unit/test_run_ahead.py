"""RunAhead: order, bounded memory, errors with their traceback, and no thread left whatever happens."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator

import pytest
from patience import PATIENCE, Stopwatch

from anonator.core.run_ahead import RunAhead, StageStopped

DEADLINE = PATIENCE


def ahead(
    source: Iterable[int], *, limit: int = 4, nbytes: Callable[[int], int] = lambda _: 1
) -> RunAhead[int]:
    return RunAhead(source, nbytes=nbytes, limit=limit, name="anonator-test")


def alive() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "anonator-test"]


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.002)


class Counted:
    """An endless or finite source that knows what was asked of it, and whether it was closed."""

    def __init__(self, items: int = 10**9, error_at: int | None = None) -> None:
        self.made = 0
        self.closed_in: str | None = None
        self._items, self._error_at = items, error_at

    def __iter__(self) -> Iterator[int]:
        try:
            for i in range(self._items):
                if i == self._error_at:
                    raise ZeroDivisionError("the stage broke")
                self.made = i + 1
                yield i
        finally:
            self.closed_in = threading.current_thread().name


# --- delivery -------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 3, 1000])
@pytest.mark.parametrize("count", [0, 1, 2, 500])
def test_everything_arrives_once_and_in_order(count: int, limit: int) -> None:
    with ahead(range(count), limit=limit) as stage:
        assert list(stage) == list(range(count))
    assert not alive()


def test_the_end_stays_the_end() -> None:
    with ahead([1]) as stage:
        assert list(stage) == [1]
        assert list(stage) == []
        assert next(stage, "end") == "end"


def test_stages_run_at_the_same_time() -> None:
    """Both sides meet while each is busy with an item of its own; one after the other they would never."""
    meeting = threading.Barrier(2, timeout=DEADLINE)

    def busy(items: Iterable[int]) -> Iterator[int]:
        for i in items:
            meeting.wait()
            yield i

    with ahead(busy(range(10)), limit=100) as stage:
        assert list(busy(range(10))) == list(range(10))
        assert list(stage) == list(range(10))


def test_it_runs_ahead_without_being_asked() -> None:
    source = Counted()
    with ahead(source, limit=4):
        until(lambda: source.made == 5)


# --- bounded memory -------------------------------------------------------------------------------


def test_the_queue_is_bounded_in_bytes_not_in_items() -> None:
    small, large = Counted(), Counted()
    with ahead(small, limit=40, nbytes=lambda _: 1), ahead(large, limit=40, nbytes=lambda _: 10):
        until(lambda: small.made >= 41 and large.made >= 5)
        time.sleep(0.05)
        # one more than fits is in the stage's hands
        assert (small.made, large.made) == (41, 5)


def test_taking_an_item_makes_room_for_another() -> None:
    source = Counted()
    with ahead(source, limit=2) as stage:
        until(lambda: source.made == 3)
        assert next(stage) == 0
        until(lambda: source.made == 4)
        time.sleep(0.02)
        assert source.made == 4


def test_an_item_larger_than_the_limit_still_passes() -> None:
    with ahead(range(5), limit=10, nbytes=lambda _: 1000) as stage:
        assert list(stage) == [0, 1, 2, 3, 4]


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("error_at", [0, 1, 7])
def test_an_error_comes_after_the_items_before_it_and_shows_where_it_happened(error_at: int) -> None:
    source = Counted(error_at=error_at)
    got = []
    watch = Stopwatch()
    with ahead(source) as stage, pytest.raises(ZeroDivisionError, match="the stage broke") as caught:
        for item in stage:
            got.append(item)
    assert watch.seconds < 1
    assert got == list(range(error_at))
    assert "__iter__" in [f.name for f in traceback.extract_tb(caught.value.__traceback__)]
    assert not alive()


def test_an_error_is_raised_while_the_consumer_already_waits() -> None:
    def late() -> Iterator[int]:
        time.sleep(0.05)
        raise KeyError("late")
        yield 1

    with ahead(late()) as stage, pytest.raises(KeyError, match="late"):
        next(stage)


def test_even_an_exception_that_is_no_error_reaches_the_consumer() -> None:
    def stopped() -> Iterator[int]:
        yield 1
        raise KeyboardInterrupt

    with ahead(stopped()) as stage:
        assert next(stage) == 1
        with pytest.raises(KeyboardInterrupt):
            next(stage)


def test_an_error_while_closing_the_source_is_not_lost() -> None:
    class Bad:
        def __iter__(self) -> Bad:
            return self

        def __next__(self) -> int:
            raise StopIteration

        def close(self) -> None:
            raise OSError("could not close")

    with ahead(Bad()) as stage, pytest.raises(OSError, match="could not close"):
        next(stage)


def test_an_error_in_measuring_an_item_reaches_the_consumer() -> None:
    def broken(_: int) -> int:
        raise TypeError("no size")

    with ahead(range(3), nbytes=broken) as stage, pytest.raises(TypeError, match="no size"):
        next(stage)


# --- closing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("taken", [0, 1, 5])
def test_closing_while_the_stage_waits_for_room(taken: int) -> None:
    source = Counted()
    stage = ahead(source, limit=2)
    got = [next(stage) for _ in range(taken)]
    until(lambda: source.made >= taken + 3)
    watch = Stopwatch()
    stage.close()
    assert watch.seconds < 0.5
    assert got == list(range(taken))
    assert source.closed_in == "anonator-test", "the generator is closed in the thread that ran it"
    assert not alive()


def test_closing_an_empty_finished_stage_and_closing_twice() -> None:
    stage = ahead([])
    until(lambda: not alive())
    stage.close()
    stage.close()
    assert not alive()


def test_leaving_the_with_block_by_an_error_closes_the_stage() -> None:
    source = Counted()
    with pytest.raises(ValueError, match="consumer"), ahead(source) as stage:
        next(stage)
        raise ValueError("consumer")
    assert source.closed_in is not None
    assert not alive()


def test_a_closed_stage_never_looks_like_the_end_of_the_video() -> None:
    """A stage that took it for the end would finish a file that is too short."""
    stage = ahead(range(100), limit=2)
    next(stage)
    stage.close()
    for _ in range(2):
        with pytest.raises(StageStopped):
            next(stage)


def test_closing_wakes_a_consumer_that_waits_in_another_thread() -> None:
    gate = threading.Event()

    def stuck() -> Iterator[int]:
        gate.wait(DEADLINE)
        yield 1

    stage = ahead(stuck())
    seen: list[BaseException] = []

    def consume() -> None:
        try:
            next(stage)
        except BaseException as exc:
            seen.append(exc)

    consumer = threading.Thread(target=consume)
    consumer.start()
    closer = threading.Thread(target=stage.close)
    closer.start()
    consumer.join(DEADLINE)
    assert [type(exc) for exc in seen] == [StageStopped]
    gate.set()
    closer.join(DEADLINE)
    assert not alive()


# --- several stages in a row ----------------------------------------------------------------------


def doubled(items: Iterable[int]) -> Iterator[int]:
    for i in items:
        yield 2 * i


def test_a_chain_delivers_in_order() -> None:
    with ahead(range(200)) as first, ahead(doubled(first)) as second:
        assert list(second) == [2 * i for i in range(200)]
    assert not alive()


def test_an_error_in_the_first_stage_reaches_the_end_of_the_chain() -> None:
    with ahead(Counted(error_at=5)) as first, ahead(doubled(first)) as second:
        got = []
        with pytest.raises(ZeroDivisionError):
            for item in second:
                got.append(item)
    assert got == [0, 2, 4, 6, 8]
    assert not alive()


def test_a_chain_ends_when_its_first_stage_is_closed_first() -> None:
    """The second stage waits for the first one; its end must wake it, by an error and not quietly."""
    gate = threading.Event()

    def slow() -> Iterator[int]:
        yield 0
        gate.wait(DEADLINE)

    first = ahead(slow())
    second = ahead(doubled(first))
    assert next(second) == 0
    closing = threading.Thread(target=first.close)
    closing.start()
    with pytest.raises(StageStopped):
        next(second)
    gate.set()
    closing.join(DEADLINE)
    watch = Stopwatch()
    second.close()
    assert watch.seconds < 0.5
    assert not alive()


def test_a_full_chain_is_closed_from_its_start_within_half_a_second() -> None:
    source = Counted()
    first = ahead(source, limit=2)
    second = ahead(doubled(first), limit=2)
    until(lambda: source.made >= 6)
    watch = Stopwatch()
    first.close()
    second.close()
    assert watch.seconds < 0.5
    assert source.closed_in is not None
    assert not alive()
