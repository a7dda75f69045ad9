"""Playing: pictures at their times, or fewer of them; it ends when told to."""

from __future__ import annotations

import itertools
import threading
import time
from pathlib import Path

import pytest
import ui_helpers
from patience import PATIENCE

from anonator.ui.work import player
from anonator.ui.work.player import Played, play
from anonator.ui.work.thumbnails import neighbour


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return ui_helpers.write_clip(tmp_path_factory.mktemp("played") / "a.mp4", frames=60)


class Clock:
    """Time that passes only while somebody waits, or works."""

    def __init__(self) -> None:
        self.now = 100.0
        self.stopped = self

    def monotonic(self) -> float:
        return self.now

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        return False

    def is_set(self) -> bool:
        return False


@pytest.mark.parametrize(("work", "least", "speed"), [(0.0, 20, 1.0), (0.1, 15, 1.0), (0.9, 5, 0.5)])
def test_pictures_come_at_their_times_and_slower_only_if_it_must_be(
    clip: Path, monkeypatch: pytest.MonkeyPatch, work: float, least: int, speed: float
) -> None:
    clock, shown = Clock(), list[tuple[float, float]]()
    monkeypatch.setattr(player, "time", clock)

    def show(played: Played) -> None:
        shown.append((clock.now, played.seconds))
        clock.now += work

    play(clip, None, 0.4, 200, show, clock)  # type: ignore[arg-type]
    assert len(shown) >= least and shown[0][1] == pytest.approx(0.4) and shown[-1][1] > 2.0
    (began, first), (ended, last) = shown[0], shown[-1]
    assert (last - first) / (ended - began) == pytest.approx(speed, rel=0.25)
    times = [seconds for _, seconds in shown]
    gaps = [b - a for a, b in itertools.pairwise(times)]
    assert min(gaps) > 1 / 16 and max(gaps) < 0.5


def test_a_result_plays_beside_its_video_at_the_same_moment(clip: Path, tmp_path: Path) -> None:
    result = ui_helpers.write_clip(tmp_path / "r.mp4", frames=60)
    shown = list[Played]()
    play(clip, result, 1.6, 160, shown.append, threading.Event())
    assert shown
    for played in shown:
        assert played.anonymized is not None
        assert abs(played.original.astype(int) - played.anonymized).mean() < 12


def test_it_ends_when_it_is_told_to(clip: Path) -> None:
    stopped, shown = threading.Event(), list[Played]()
    thread = threading.Thread(target=play, args=(clip, None, 0.0, 160, shown.append, stopped))
    thread.start()
    while not shown:
        time.sleep(0.01)
    stopped.set()
    thread.join(PATIENCE)
    assert not thread.is_alive() and shown[-1].seconds < 2


@pytest.mark.parametrize(
    ("at", "steps", "expected"), [(0, 1, 1), (0, -1, 0), (10, -3, 7), (10, 5, 15), (59, 1, 59), (30, -30, 0)]
)
def test_the_neighbours_of_a_frame(clip: Path, at: int, steps: int, expected: int) -> None:
    assert neighbour(clip, at / 25, steps) == pytest.approx(expected / 25, abs=1e-4)
