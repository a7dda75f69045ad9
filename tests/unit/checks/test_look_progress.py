"""How far the second look is: a comparison counts as much as it takes beside everything that came before."""

from __future__ import annotations

from typing import Any

import pytest

from anonator.core.checks import look_progress
from anonator.core.checks.look_progress import COMPARING, LookProgress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr(look_progress.time, "perf_counter", lambda: now[0])
    return now


def test_comparisons_count_by_the_time_that_the_detector_takes(clock: Any) -> None:
    """A failure means that a check seems far from its end until it ends at once."""
    progress = LookProgress(100, begun=0.0)
    for _ in range(100):
        clock[0] += 9.0  # reading, and the second detector
        with progress.detecting():
            clock[0] += 1.0
        progress.looked += 1
        progress.doubtful += 1
    assert progress.share == pytest.approx(1 / (1 + 0.1 * COMPARING))
    progress.compared = 100
    assert progress.share == pytest.approx(1.0)


def test_doubts_are_expected_as_often_as_before(clock: Any) -> None:
    progress = LookProgress(100, begun=0.0)
    assert progress.share == 0.0
    with progress.detecting():
        clock[0] += 1.0
    progress.looked, progress.doubtful = 50, 25
    assert progress.share == pytest.approx(50 / (100 + 50 * COMPARING))
