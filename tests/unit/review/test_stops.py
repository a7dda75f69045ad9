"""Stops: every window has one, and there are as few as possible."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonator.core.review.stops import stops

WINDOW = st.tuples(st.integers(0, 12), st.integers(0, 4)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@pytest.mark.parametrize(
    ("windows", "expected"),
    [([], []), ([(4, 8)], [6]), ([(0, 9), (8, 20), (9, 9)], [9]), ([(0, 2), (10, 14)], [1, 12])],
)
def test_some_by_hand(windows: list[tuple[int, int]], expected: list[int]) -> None:
    assert stops(windows) == expected


def test_a_stop_is_where_most_is_seen_best() -> None:
    assert stops([(4, 8)], [4]) == [4]
    assert stops([(4, 8), (5, 20), (3, 9)], [4, 8, 8]) == [8]
    assert stops([(4, 8), (6, 20)], [4, 20]) in ([6], [8]), "but always in all of their windows"


@given(st.lists(WINDOW, max_size=6))
def test_each_window_has_one_and_fewer_would_not_do(windows: list[tuple[int, int]]) -> None:
    found = stops(windows)
    assert found == sorted(set(found))
    assert all(any(first <= at <= last for at in found) for first, last in windows)
    for fewer in combinations(range(17), max(0, len(found) - 1)) if found else ():
        assert not all(any(first <= at <= last for at in fewer) for first, last in windows)
