"""The assignment of boxes to tracks gives SciPy's answer, also where several cost the same."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from anonator.core.tracking.assignment import cheapest_pairs
from anonator.core.tracking.linking import APART, IMPOSSIBLE


def of_scipy(cost: np.ndarray) -> list[tuple[int, int]]:
    return [(int(row), int(column)) for row, column in zip(*linear_sum_assignment(cost), strict=True)]


def some_costs(kind: str, rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    shape = rows, columns
    if kind == "any":
        return rng.normal(size=shape)
    if kind == "equal":
        return np.full(shape, IMPOSSIBLE, np.float32)
    if kind == "ties":
        return rng.integers(0, 3, shape).astype(np.float64)
    # as the tracker asks: overlapping, near, and impossible, with many equal values
    far = np.where(rng.random(shape) < 0.4, APART + rng.integers(0, 4, shape) / 4, IMPOSSIBLE)
    return np.where(rng.random(shape) < 0.3, rng.integers(0, 8, shape) / 8, far).astype(np.float32)


@pytest.mark.parametrize("kind", ["any", "equal", "ties", "tracker"])
def test_it_gives_scipys_answer(kind: str) -> None:
    rng = np.random.default_rng(1)
    for _ in range(1500):
        rows, columns = rng.integers(1, 9, 2)
        cost = some_costs(kind, int(rows), int(columns), rng)
        before = cost.copy()
        assert cheapest_pairs(cost) == of_scipy(cost), cost
        assert np.array_equal(cost, before)
    for rows, columns in ((60, 60), (40, 90), (90, 40)):
        cost = some_costs(kind, rows, columns, rng)
        assert cheapest_pairs(cost) == of_scipy(cost)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_is_paired_with_nothing(shape: tuple[int, int]) -> None:
    assert cheapest_pairs(np.zeros(shape)) == []


@pytest.mark.parametrize("cost", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_never_paired_in_silence(cost: float) -> None:
    with pytest.raises(ValueError, match="no number"):
        cheapest_pairs(np.array([[1.0, cost], [cost, 2.0]]))


def test_no_other_choice_costs_less() -> None:
    """Without SciPy: every choice is tried."""
    rng = np.random.default_rng(2)
    for _ in range(200):
        cost = rng.random((4, 5))
        mine = sum(cost[pair] for pair in cheapest_pairs(cost))
        choices = itertools.permutations(range(5), 4)
        least = min(sum(cost[row, column] for row, column in enumerate(choice)) for choice in choices)
        assert mine == pytest.approx(least, abs=1e-12)
