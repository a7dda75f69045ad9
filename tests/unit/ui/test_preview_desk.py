"""What the viewer shows when rows, settings and the engine change; without a display."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from anonator.core.config import Settings
from anonator.core.job import Preview
from anonator.errors import DecodeError, JobCancelled
from anonator.ui.preview_desk import BUSY, LOADING, RESULT, TEST, TESTING, PreviewDesk
from anonator.ui.state.app_state import AppState, Store
from anonator.ui.state.job import JobState, JobView, LivePicture, MediaInfo, ResultFile, RowKey, RunState
from anonator.ui.work.player import Played
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
        task = Task(work)
        self.asked.append((task, on_done, on_error))
        return task

    def tell(self, call: Callable[[], object]) -> None:
        call()

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
            self.desk.first_look(job.key, Still(0.0, PICTURE))
        self.store.follow(self.desk.follow)

    def test_frame(self, source: Path, seconds: float, settings: Settings, *more: object) -> Preview:
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
    running = replace(JOBS[0], state=JobState.RUNNING, generation=1)
    bench.store.change(chosen=2, current=1, run=RunState.RUNNING, jobs=(running, JOBS[1]))
    shown = bench.store.state.view
    bench.desk.live(LivePicture(running.key, preview(0.7)))
    assert bench.store.state.view is shown
    bench.store.change(chosen=1)
    bench.desk.live(LivePicture(running.key, preview(0.8)))
    assert (bench.store.state.view.moment, bench.store.state.view.faces) == (0.8, 3)


def colour(number: int) -> np.ndarray:
    """The picture of a row: every pixel tells whose it is."""
    return np.full((4, 4, 3), number, np.uint8)


class Storm:
    """Rows whose pictures tell whose they are, and every event that can happen to them, in any order."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.media, self.engine = SlowWorker(), SlowWorker()
        self.asked: list[tuple[str, int]] = []
        jobs = tuple(JobView(number, Path(f"{number}.mp4")) for number in (1, 2, 3))
        self.store = Store(AppState(jobs=jobs, chosen=1, device="CPU"))
        self.desk = PreviewDesk(self.store, self, self.media, self.engine)  # type: ignore[arg-type]
        self.store.follow(self.desk.follow)
        self.store.follow(self.check)
        self.started: dict[int, RowKey] = {}
        self.seen = 0

    def test_frame(self, source: Path, *more: object) -> Preview:
        raise AssertionError("the slow worker does nothing")

    def check(self, state: AppState) -> None:
        """Beside a row there is its own picture or none."""
        for side in (state.shown.original, state.shown.anonymized):
            if not isinstance(side, str):
                self.seen += 1
                assert state.chosen is not None and (side == state.chosen).all(), "another row's picture"

    def change(self, number: int, **values: Any) -> None:
        jobs = tuple(replace(j, **values) if j.number == number else j for j in self.store.state.jobs)
        self.store.change(jobs=jobs)

    def happen(self) -> None:
        state = self.store.state
        if not state.jobs:
            return
        job = self.draw.choice(state.jobs)
        number, picture = job.number, colour(job.number)
        shown = Preview(picture, picture, self.draw.random(), 3)
        match self.draw.randrange(14):
            case 0 | 1:
                self.store.change(chosen=number)
            case 2:
                self.change(number, info=INFO)
                self.desk.first_look(job.key, Still(0.0, picture, whole=False))
            case 3:
                if job.state is JobState.WAITING:
                    self.change(number, state=JobState.FAILED, message="It can't be read.")
            case 4:
                self.desk.moved(self.draw.random())
            case 5:  # its job starts
                anew = replace(job, state=JobState.RUNNING, generation=job.generation + 1)
                self.started[number] = anew.key
                self.store.change(
                    run=RunState.RUNNING,
                    current=number,
                    jobs=tuple(anew if j is job else j for j in state.jobs),
                )
            case 6:  # a live picture, perhaps of a job that has ended or of an earlier run
                if number in self.started:
                    self.desk.live(LivePicture(self.started[number], shown))
            case 7:  # it ends
                done = ResultFile(Path(f"{number}_anonymized.mp4"))
                self.change(number, state=JobState.DONE, result_file=done)
                self.store.change(run=RunState.IDLE, current=None)
            case 8:
                self.desk.played(job.key, Played(picture, self.draw.choice((picture, None)), 0.5))
            case 9:
                self.draw.choice((self.desk.test, self.desk.compare, self.desk.settings_changed))()
            case 10:
                if len(state.jobs) > 1 and self.draw.random() < 0.1:
                    left = tuple(j for j in state.jobs if j is not job)
                    self.store.change(jobs=left, chosen=left[0].number if left else None)
            case _:
                self.answer()

    def answer(self) -> None:
        """Some question is answered, not always the oldest one; it knows whose video it was about."""
        worker = self.draw.choice((self.media, self.engine))
        if not worker.asked:
            return
        task, on_done, on_error = worker.asked.pop(self.draw.randrange(len(worker.asked)))
        if task.withdrawn and self.draw.random() < 0.5:
            return  # else it had started already, and the withdrawal came too late
        work = task.work  # type: ignore[attr-defined]
        if self.draw.random() < 0.15:
            on_error(DecodeError("It can't be read."))
            return
        picture = colour(int(Path(work.args[0]).stem))
        if work.func.__name__ == "still":
            on_done(Still(0.0, picture))
        else:
            on_done(Preview(picture, picture, 0.0, 3))


@pytest.mark.parametrize("seed", range(40))
def test_beside_a_row_there_is_its_own_picture_or_none_whatever_happens_in_whatever_order(seed: int) -> None:
    """The panel showed the video before, once labelled as a test, beside the name of the next one."""
    storm = Storm(seed)
    for _ in range(400):
        storm.happen()
    assert storm.seen > 10


def test_what_a_test_knows_so_far_is_shown_until_it_knows_more(bench: Bench) -> None:
    early = replace(preview(), note="so far")
    work = bench.engine.asked[0][0].work
    on_first, _ = work.args[3:]  # type: ignore[attr-defined]
    on_first(early)
    view = bench.store.state.view
    assert view.anonymized is early.anonymized and view.note == "so far"
    last = preview()
    bench.engine.answer(0, last)
    assert bench.store.state.view.anonymized is last.anonymized and bench.store.state.view.note == ""


@pytest.mark.parametrize(
    "change",
    [
        lambda bench: bench.store.change(closing=True),
        lambda bench: bench.store.change(chosen=None, jobs=()),
        lambda bench: bench.desk.moved(1.5),
    ],
    ids=["the program ends", "its row is gone", "another moment is wanted"],
)
def test_a_test_that_nobody_waits_for_ends(bench: Bench, change: Callable[[Bench], None]) -> None:
    """Failure would mean that the program ends seconds late, or works for nothing."""
    _, stop_if_cancelled = bench.engine.asked[0][0].work.args[3:]  # type: ignore[attr-defined]
    stop_if_cancelled()
    change(bench)
    with pytest.raises(JobCancelled):
        stop_if_cancelled()


def test_a_start_ends_the_test_that_is_under_way(bench: Bench) -> None:
    _, stop_if_cancelled = bench.engine.asked[0][0].work.args[3:]  # type: ignore[attr-defined]
    stop_if_cancelled()
    bench.store.change(starting=True)
    with pytest.raises(JobCancelled):
        stop_if_cancelled()
    bench.store.change(starting=False)
    assert len(bench.engine.asked) == 2, "it is asked again when the engine is free"


def test_a_finished_test_stays_during_a_job(bench: Bench) -> None:
    answer = preview()
    bench.engine.answer(0, answer)
    bench.store.change(run=RunState.RUNNING)
    assert bench.store.state.view.anonymized is answer.anonymized


def test_a_result_is_seen_until_a_test_is_asked_for_and_again_afterwards(bench: Bench) -> None:
    bench.engine.answer(0, preview())
    done = replace(JOBS[0], result_file=ResultFile(Path("1_anonymized.mp4")))
    bench.store.change(jobs=(done, JOBS[1]))
    bench.desk.engine_loaded()  # nobody asked for a test by this
    compared = preview()
    bench.media.answer(-1, compared)
    view = bench.store.state.view
    assert view.anonymized is compared.anonymized and view.caption == RESULT and not view.may_compare
    bench.desk.settings_changed()
    assert bench.store.state.view.caption == RESULT
    bench.desk.test()
    bench.engine.answer(-1, preview())
    assert bench.store.state.view.caption == TEST and bench.store.state.view.may_compare
    bench.desk.compare()
    bench.media.answer(-1, compared)
    assert bench.store.state.view.caption == RESULT


def test_a_result_that_cannot_be_read_leaves_the_video_and_says_why(bench: Bench) -> None:
    done = replace(JOBS[0], result_file=ResultFile(Path("1_anonymized.mp4")))
    bench.store.change(jobs=(done, JOBS[1]))
    bench.media.answer(-1, DecodeError("It is gone."))
    still = Still(0.0, PICTURE + 3)
    bench.media.answer(-1, still)
    view = bench.store.state.view
    assert view.original is still.picture and view.anonymized == "It is gone."
