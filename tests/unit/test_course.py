"""The course of a job on a clock that the tests turn by hand."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from anonator.core.course import KEPT_BACK, STEADY_SECONDS, Course
from anonator.core.job import Progress


def stage(
    course: Course, seconds: float, *, silent: float = 0.0, pace: Callable[[float], float] = lambda part: part
) -> Iterator[Progress]:
    """A stage of that length that reports ten times a second after a silent beginning, as the engine does."""
    for tenth in range(round(silent * 10), round(seconds * 10) + 1):
        now = tenth / 10
        yield course.place(Progress(tenth, None, now, 10.0), pace(now / seconds))


def test_the_bar_never_goes_back_and_the_check_begins_where_the_work_ended() -> None:
    course = Course()
    course.enter(lambda: 30.0)
    work = list(stage(course, 70, silent=3))
    course.enter(lambda: 0.0, 30.0)
    check = list(stage(course, 30))
    told = [each.done for each in (*work, *check)]
    assert told == sorted(told)
    assert work[-1].done == pytest.approx(0.7, abs=0.03) and check[0].done == pytest.approx(work[-1].done)
    assert check[-1].done == pytest.approx(1 - KEPT_BACK)
    steps = [after - before for before, after in itertools.pairwise(told[50:])]
    assert max(steps) < 0.01


@pytest.mark.parametrize("later", [0.0, 5.0, 40.0])
def test_remaining_time_is_right_once_it_is_told(later: float) -> None:
    course = Course()
    course.enter(lambda: later)
    told = [(each.elapsed_seconds, each.remaining_seconds) for each in stage(course, 60, silent=2)]
    first = next(now for now, remaining in told if remaining is not None)
    assert STEADY_SECONDS <= first < 15
    for now, remaining in told:
        assert (remaining is None) is (now < first)
        if remaining is not None and now < 58:
            assert remaining == pytest.approx(60 - now + later, rel=0.05)


def test_nothing_is_told_while_the_pace_changes() -> None:
    course = Course()
    course.enter(lambda: 0.0)
    told = stage(course, 60, pace=lambda part: part**2)  # twice as fast every few seconds at first
    early = [each for each in told if each.elapsed_seconds < 10]
    assert all(each.remaining_seconds is None for each in early)


def test_what_comes_later_is_waited_for_before_a_time_is_told() -> None:
    course = Course()
    course.enter(lambda: None)
    told = list(stage(course, 60))
    assert all(each.remaining_seconds is None for each in told) and told[-1].done > 0.5


def test_a_repair_takes_what_is_left_of_the_bar_and_tells_its_time() -> None:
    course = Course()
    course.enter(lambda: 30.0)
    list(stage(course, 70))
    course.enter(lambda: 0.0, 30.0)
    before = list(stage(course, 30))[-1].done
    course.enter(lambda: 30.0)
    repair = list(stage(course, 20))
    assert before <= repair[0].done <= repair[-1].done < 1
    assert repair[100].remaining_seconds == pytest.approx(40, rel=0.05)


def test_a_stage_that_is_expected_has_a_time_from_its_first_report() -> None:
    course = Course()
    course.enter(lambda: 30.0)
    list(stage(course, 70))
    course.enter(lambda: 0.0, 30.0)
    first = next(stage(course, 30))
    assert first.remaining_seconds == pytest.approx(30)


def test_a_slow_beginning_turns_an_expected_stage_over_only_by_and_by() -> None:
    """A failure means that a check is told to take twice as long as it does, as in a crowd."""
    course = Course()
    course.enter(lambda: 40.0)
    list(stage(course, 70))
    course.enter(lambda: 0.0, 40.0)
    for each in stage(course, 40, pace=lambda part: part**1.12):
        left = 110 - each.elapsed_seconds
        if left > 2:
            assert each.remaining_seconds == pytest.approx(left, rel=0.2)
