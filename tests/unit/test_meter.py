"""The meter on a clock that the tests turn by hand."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from anonator.core import meter as meter_module
from anonator.core.job import Progress
from anonator.core.meter import PREVIEW_SECONDS, PROGRESS_SECONDS, SPEED_WINDOW_SECONDS, Meter


class Clock:
    """Stands in for the time module."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clock]:
    clock = Clock()
    monkeypatch.setattr(meter_module, "time", clock)
    yield clock


def run(meter: Meter, clock: Clock, frames: int, fps: float) -> list[Progress]:
    """Count frames that take 1/fps each; what was told."""
    told = []
    for _ in range(frames):
        clock.now += 1 / fps
        progress = meter.count()
        if progress is not None:
            told.append(progress)
    return told


def test_a_steady_job_has_a_steady_speed(clock: Clock) -> None:
    meter = Meter(total=1000)
    told = run(meter, clock, 500, fps=20)
    assert [p.fps for p in told] == pytest.approx([20] * len(told))
    assert meter.progress().frame == 500
    assert meter.progress().elapsed_seconds == pytest.approx(25)


@pytest.mark.parametrize("fps", [3, 50, 1000])
def test_progress_is_told_at_most_ten_times_a_second(clock: Clock, fps: int) -> None:
    told = run(Meter(None), clock, 3 * fps, fps)
    assert min(2.4 * fps, 24) <= len(told) <= 31
    gaps = [b.elapsed_seconds - a.elapsed_seconds for a, b in itertools.pairwise(told)]
    assert min(gaps) >= PROGRESS_SECONDS - 1e-9


def test_the_speed_follows_a_change_within_its_window(clock: Clock) -> None:
    meter = Meter(total=10_000)
    run(meter, clock, 1000, fps=100)
    slow = run(meter, clock, 100, fps=10)
    assert slow[3].fps > 50, "one slow moment does not turn everything over"
    assert SPEED_WINDOW_SECONDS <= 8
    assert slow[-1].fps == pytest.approx(10, rel=0.05)


def test_a_pause_is_not_counted(clock: Clock) -> None:
    meter = Meter(total=400)
    run(meter, clock, 100, fps=20)
    meter.stop_clock()
    clock.now += 3600
    assert meter.elapsed() == pytest.approx(5)
    assert meter.progress().fps == pytest.approx(20)
    meter.start_clock()
    told = run(meter, clock, 100, fps=20)
    assert meter.elapsed() == pytest.approx(10)
    assert [p.fps for p in told] == pytest.approx([20] * len(told))


def test_starting_a_clock_that_runs_changes_nothing(clock: Clock) -> None:
    meter = Meter(None)
    clock.now += 2
    meter.start_clock()
    assert meter.elapsed() == pytest.approx(2)


def test_before_the_first_frame_there_is_no_speed(clock: Clock) -> None:
    meter = Meter(total=10)
    assert meter.progress() == Progress(0, 10, 0.0, 0.0, None)
    clock.now += 4
    assert meter.progress() == Progress(0, 10, 4.0, 0.0, None)


def test_previews_are_due_at_most_four_times_a_second(clock: Clock) -> None:
    meter = Meter(None)
    due = []
    for _ in range(100):
        clock.now += 0.02
        if meter.preview_is_due():
            due.append(clock.now)
    assert len(due) in (7, 8)
    assert min(b - a for a, b in itertools.pairwise(due)) >= PREVIEW_SECONDS - 1e-9
