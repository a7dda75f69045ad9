"""What the viewer shows when rows, settings and the engine change; without a display."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonator.core.config import Settings
from anonator.core.frames import Preview
from anonator.errors import DecodeError
from anonator.ui.preview_desk import BUSY, LOADING, TESTING, PreviewDesk
from anonator.ui.state.app_state import AppState, Store
from anonator.ui.state.job import JobView, MediaInfo, RunState
from anonator.ui.work.thumbnails import Still
from anonator.ui.work.worker import Task

PICTURE = np.zeros((4, 4, 3), np.uint8)
INFO = MediaInfo(2.0, 50, 1000, 320, 180)
JOBS = tuple(JobView(number, Path(f"{number}.mp4"), info=INFO) for number in (1, 2))


class SlowWorker:
    """Keeps what it is asked until the test answers."""

    def __init__(self) -> None:
        self.asked: list[tuple[Task, Callable[[Any], object], Callable[[Exception], object]]] = []

    def submit(
        self,
        work: Callable[[], Any],
        on_done: Callable[[Any], object],
        on_error: Callable[[Exception], object],
        *,
        first: bool = False,
    ) -> Task:
        task = Task(lambda: lambda: None)
        self.asked.append((task, on_done, on_error))
        return task

    def answer(self, number: int, value: object) -> None:
        task, on_done, on_error = self.asked[number]
        if not task.withdrawn:
            if isinstance(value, Exception):
                on_error(value)
            else:
                on_done(value)


class Bench:
    """A desk with two videos whose first frames are there."""

    def __init__(self) -> None:
        self.media, self.engine = SlowWorker(), SlowWorker()
        self.store = Store(AppState(jobs=JOBS, chosen=1, device="CPU"))
        self.desk = PreviewDesk(self.store, self, self.media, self.engine)  # type: ignore[arg-type]
        for job in JOBS:
            self.desk.first_look(job.number, Still(0.0, PICTURE))
        self.store.follow(self.desk.follow)

    def test_frame(self, source: Path, seconds: float, settings: Settings) -> Preview:
        raise AssertionError("the slow worker does nothing")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def preview(seconds: float = 0.0) -> Preview:
    return Preview(PICTURE + 90, PICTURE + 1, seconds, 3)


def test_the_frame_in_sight_is_tested_and_shown(bench: Bench) -> None:
    assert bench.store.state.view.anonymized == TESTING
    answer = preview()
    bench.engine.answer(0, answer)
    view = bench.store.state.view
    assert view.anonymized is answer.anonymized and view.faces == 3 and view.may_test
    assert len(bench.engine.asked) == 1


def test_why_a_frame_cannot_be_tested_stays_said(bench: Bench) -> None:
    """Failure would mean that the window says for ever that it looks for faces."""
    bench.engine.answer(0, DecodeError("This frame cannot be decoded."))
    assert bench.store.state.view.anonymized == "This frame cannot be decoded."
    bench.store.change(jobs=(replace(JOBS[0], info=replace(INFO, frames=51)), JOBS[1]))
    bench.desk.settings_changed()
    assert bench.store.state.view.anonymized == "This frame cannot be decoded."
    assert len(bench.engine.asked) == 1, "the same question has the same answer"
    bench.desk.test()
    assert len(bench.engine.asked) == 2, "but people may ask again"


def test_the_answer_for_another_row_is_not_shown(bench: Bench) -> None:
    bench.store.change(chosen=2)
    bench.engine.answer(0, preview())
    assert bench.store.state.view.anonymized == TESTING
    answer = preview()
    bench.engine.answer(1, answer)
    assert bench.store.state.view.anonymized is answer.anonymized


def test_other_settings_are_tested_once_they_rest(bench: Bench) -> None:
    bench.engine.answer(0, preview())
    bench.store.change(settings=Settings(mask_scale=2))
    assert len(bench.engine.asked) == 1
    bench.desk.settings_changed()
    assert len(bench.engine.asked) == 2 and bench.store.state.view.anonymized == TESTING


@pytest.mark.parametrize(
    ("values", "words"), [({"device": None}, LOADING), ({"run": RunState.RUNNING}, BUSY)]
)
def test_nothing_is_asked_of_an_engine_that_has_no_time(
    bench: Bench, values: dict[str, Any], words: str
) -> None:
    bench.store.change(**values)
    asked = len(bench.engine.asked)
    bench.store.change(chosen=2)
    assert bench.store.state.view.anonymized == words and not bench.store.state.view.may_test
    assert len(bench.engine.asked) == asked


def test_another_moment_is_read_and_an_older_one_that_comes_late_is_not_shown(bench: Bench) -> None:
    bench.desk.moved(1.0)
    bench.desk.moved(1.5)
    late, wanted = Still(1.0, PICTURE + 5), Still(1.5, PICTURE + 7)
    bench.media.answer(1, wanted)
    bench.media.answer(0, late)
    view = bench.store.state.view
    assert view.original is wanted.picture and view.moment == 1.5


def test_only_the_chosen_row_shows_the_running_job(bench: Bench) -> None:
    bench.store.change(chosen=2, current=1, run=RunState.RUNNING)
    shown = bench.store.state.view
    bench.desk.live(preview(0.7))
    assert bench.store.state.view is shown
    bench.store.change(chosen=1)
    bench.desk.live(preview(0.8))
    assert (bench.store.state.view.moment, bench.store.state.view.faces) == (0.8, 3)
