"""The queue and its state machine, without a display and with a fake processor at the edge."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from anonator.core.config import Settings
from anonator.core.frames import JobResult, Preview, Progress, Stage
from anonator.core.job_thread import Job
from anonator.errors import DecodeError, HipaaLockError, JobCancelled
from anonator.ui.state.job import Existing, JobState, MediaInfo, RunState
from anonator.ui.state.job_queue import JobController
from anonator.ui.state.text import NOT_REVIEWED


class FakeProcessor:
    """A job that ends when the test says so."""

    def __init__(
        self, job: Job, on_progress: Callable[[Progress], None], on_preview: Callable[[Preview], None]
    ) -> None:
        self.job, self.on_progress, self.on_preview = job, on_progress, on_preview
        self.calls: list[str] = []
        self.done = False
        self._error: Exception | None = None

    def start(self) -> None:
        self.calls.append("start")

    def cancel(self) -> None:
        self.calls.append("cancel")

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")

    def wait(self, timeout: float | None = None) -> JobResult:
        if self._error is not None:
            raise self._error
        return JobResult(self.job.target, 30, 20, 2, 1.5, "CPU, bfloat16", "removed")

    def end(self, error: Exception | None = None) -> None:
        if error is None:
            self.job.target.write_bytes(b"result")
        self._error, self.done = error, True


class Bench:
    """A controller with a record of the processors that it made."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[FakeProcessor] = []
        self.awake = 0
        self.controller = JobController(self._make, self._keep_awake)

    def _make(self, job: Job, *callbacks: Callable[..., None]) -> FakeProcessor:
        self.made.append(FakeProcessor(job, *callbacks))
        return self.made[-1]

    @contextlib.contextmanager
    def _keep_awake(self) -> Iterator[None]:
        self.awake += 1
        yield
        self.awake -= 1

    def add(self, *names: str) -> tuple[int, ...]:
        return self.controller.add([self.folder / name for name in names])

    def start(self, existing: Existing = Existing.KEEP_BOTH) -> None:
        self.controller.start(Settings(), None, existing)

    def end(self, error: Exception | None = None) -> None:
        self.made[-1].end(error)
        self.controller.poll()

    def states(self) -> list[str]:
        return [job.state.value for job in self.controller.jobs]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def progress(frame: int, total: int | None = 100, fps: float = 10.0) -> Progress:
    remaining = None if total is None else (total - frame) / fps
    return Progress(frame, total, frame / fps, fps, remaining)


def test_jobs_run_one_after_another_with_the_same_settings(bench: Bench) -> None:
    bench.add("a.mp4", "b.mov")
    bench.start()
    assert bench.states() == ["running", "waiting"]
    bench.end()
    assert bench.states() == ["done", "running"]
    bench.end()
    assert bench.states() == ["done", "done"]
    assert bench.controller.state is RunState.IDLE
    assert [made.job.target.name for made in bench.made] == ["a_anonymized.mp4", "b_anonymized.mp4"]
    assert all(made.job.settings == Settings() and not made.job.overwrite for made in bench.made)
    assert NOT_REVIEWED in bench.controller.jobs[0].message
    assert "2 faces followed, masks on 20 of 30 frames. Sound: removed." in bench.controller.jobs[0].message


def test_one_failure_does_not_stop_the_rest(bench: Bench) -> None:
    bench.add("a.mp4", "b.mp4")
    bench.start()
    bench.end(DecodeError("Frame 12 cannot be decoded. Choose another copy of the video."))
    assert bench.states() == ["failed", "running"]
    assert bench.controller.jobs[0].state_text.startswith("failed: Frame 12 cannot be decoded.")


def test_a_foreign_error_is_shown_without_its_text_and_logged_without_it(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.add("a.mp4")
    bench.start()
    bench.end(OSError("/secret/jane doe.mp4 is gone"))
    logged = caplog.text
    caplog.clear()
    message = bench.controller.jobs[0].message
    assert "jane" not in message and "OSError" in message and "Try again" in message
    assert "jane" not in logged and "OSError" in logged


def test_a_job_that_the_engine_refuses_fails_and_the_next_one_runs(bench: Bench) -> None:
    refuse = [True, False]

    def make(job: Job, *callbacks: Callable[..., None]) -> FakeProcessor:
        if refuse.pop(0):
            raise HipaaLockError("HIPAA mode fixes the mode at solid.")
        return FakeProcessor(job, *callbacks)

    controller = JobController(make)
    controller.add([bench.folder / "a.mp4", bench.folder / "b.mp4"])
    controller.start(Settings(), None)
    assert [job.state for job in controller.jobs] == [JobState.FAILED, JobState.RUNNING]


def test_pause_and_resume(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start()
    bench.made[0].on_progress(progress(43))
    bench.controller.poll()
    bench.controller.pause()
    assert (bench.states(), bench.controller.state) == (["paused"], RunState.PAUSED)
    assert bench.controller.jobs[0].state_text == "paused at 43 %"
    bench.controller.pause()
    bench.controller.resume()
    assert (bench.states(), bench.controller.state) == (["running"], RunState.RUNNING)
    assert bench.made[0].calls == ["start", "pause", "resume"]


def test_cancel_stops_the_queue_and_leaves_the_others_waiting(bench: Bench) -> None:
    bench.add("a.mp4", "b.mp4")
    bench.start()
    bench.controller.cancel()
    assert (bench.states(), bench.controller.state) == (["cancelling", "waiting"], RunState.CANCELLING)
    assert bench.made[0].calls == ["start", "cancel"]
    bench.made[0].end(JobCancelled("cancelled"))
    assert bench.controller.poll().run_ended
    assert (bench.states(), bench.controller.state) == (["cancelled", "waiting"], RunState.IDLE)
    assert len(bench.made) == 1


def test_removing_the_running_job_cancels_it_and_the_queue_goes_on(bench: Bench) -> None:
    first, _ = bench.add("a.mp4", "b.mp4")
    bench.start()
    bench.controller.remove(first)
    bench.end(JobCancelled("cancelled"))
    assert bench.states() == ["cancelled", "running"]
    assert bench.controller.state is RunState.RUNNING


def test_a_cancel_while_paused_reaches_the_job(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start()
    bench.controller.pause()
    bench.controller.cancel()
    assert bench.made[0].calls == ["start", "pause", "cancel"]


def test_only_the_newest_progress_and_preview_are_kept(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start()
    picture = np.zeros((4, 4, 3), np.uint8)
    previews = [Preview(picture, picture, float(second), 1) for second in range(3)]

    def work() -> None:
        for number, preview in enumerate(previews):
            bench.made[0].on_progress(progress(10 * number))
            bench.made[0].on_preview(preview)

    worker = threading.Thread(target=work)
    worker.start()
    worker.join()
    changes = bench.controller.poll()
    assert changes.preview is previews[-1]
    assert bench.controller.jobs[0].progress == progress(20)
    assert not bench.controller.poll().jobs


def test_late_words_of_an_ended_job_are_dropped(bench: Bench) -> None:
    bench.add("a.mp4", "b.mp4")
    bench.start()
    bench.end()
    bench.made[0].on_progress(progress(99))
    bench.controller.poll()
    assert bench.controller.jobs[1].progress is None


def test_the_last_progress_arrives_with_the_end(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start()
    bench.made[0].on_progress(progress(100))
    bench.end()
    assert bench.controller.jobs[0].progress == progress(100)


@pytest.mark.parametrize(
    ("total", "frames", "expected"),
    [(100, 50, 5.0 + 5.0), (None, 50, None), (100, None, None)],
    ids=["known", "this length unknown", "next length unknown"],
)
def test_the_whole_queue_remaining(
    bench: Bench, total: int | None, frames: int | None, expected: float | None
) -> None:
    _, second = bench.add("a.mp4", "b.mp4")
    bench.controller.set_info(second, MediaInfo(2.0, frames, 1000, 640, 360))
    bench.start()
    assert bench.controller.queue_remaining_seconds() is None
    bench.made[0].on_progress(progress(50, total))
    bench.controller.poll()
    assert bench.controller.queue_remaining_seconds() == expected


@pytest.mark.parametrize(
    ("choice", "name", "overwrite"),
    [(Existing.OVERWRITE, "a_anonymized.mp4", True), (Existing.KEEP_BOTH, "a_anonymized_2.mp4", False)],
)
def test_a_result_that_is_there_already(bench: Bench, choice: Existing, name: str, overwrite: bool) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4")
    assert [job.source.name for job in bench.controller.conflicts(Settings(), None)] == ["a.mp4"]
    bench.start(choice)
    assert (bench.made[0].job.target.name, bench.made[0].job.overwrite) == (name, overwrite)


def test_a_result_that_is_there_already_can_be_skipped(bench: Bench) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4", "b.mp4")
    bench.start(Existing.SKIP)
    assert bench.states() == ["skipped", "running"]
    assert "Skipped" in bench.controller.jobs[0].message


def test_a_report_without_its_result_is_not_written_over(bench: Bench) -> None:
    """The engine would refuse the job at its end, after hours of work."""
    (bench.folder / "a_anonymized_report.json").write_text("{}")
    bench.add("a.mp4")
    assert bench.controller.conflicts(Settings(), None)
    assert not bench.controller.conflicts(Settings(report=False), None)
    bench.start()
    assert bench.made[0].job.target.name == "a_anonymized_2.mp4"


def test_neutral_names_are_random_and_meet_no_older_result(bench: Bench) -> None:
    (bench.folder / "jane_anonymized.mp4").write_bytes(b"old")
    bench.add("jane.mp4", "doe.mp4")
    settings = Settings(neutral_name=True)
    assert not bench.controller.conflicts(settings, None)
    bench.controller.start(settings, None, Existing.OVERWRITE)
    bench.end()
    names = [made.job.target.name for made in bench.made]
    assert len(set(names)) == 2 and all(name.endswith("_anonymized.mp4") for name in names)
    assert not any(word in name for name in names for word in ("jane", "doe"))
    assert not any(made.job.overwrite for made in bench.made)
    assert bench.controller.jobs[0].target == bench.made[0].job.target


def test_a_skipped_job_can_be_run_after_all_and_keeps_both(bench: Bench) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    (number,) = bench.add("a.mp4")
    bench.start(Existing.SKIP)
    assert bench.states() == ["skipped"] and bench.controller.state is RunState.IDLE
    bench.controller.retry(number)
    bench.start()
    assert bench.made[0].job.target.name == "a_anonymized_2.mp4"


@pytest.mark.parametrize(
    ("stage", "words"),
    [(Stage.WORKING, "40 %"), (Stage.CHECKING, "checking 40 %"), (Stage.REPAIRING, "covering more 40 %")],
)
def test_the_row_says_what_the_job_is_at(bench: Bench, stage: Stage, words: str) -> None:
    bench.add("a.mp4")
    bench.start()
    assert bench.controller.jobs[0].state_text == "opening"
    bench.made[0].on_progress(replace(progress(40), stage=stage))
    bench.controller.poll()
    assert bench.controller.jobs[0].state_text == words
    bench.controller.pause()
    assert bench.controller.jobs[0].state_text == f"paused at {words}"


def test_the_speed_of_a_check_says_nothing_of_those_that_wait(bench: Bench) -> None:
    _, second = bench.add("a.mp4", "b.mp4")
    bench.controller.set_info(second, MediaInfo(2.0, 50, 1000, 640, 360))
    bench.start()
    bench.made[0].on_progress(replace(progress(50), stage=Stage.CHECKING))
    bench.controller.poll()
    assert bench.controller.queue_remaining_seconds() is None


def test_two_videos_of_one_name_never_share_a_result(bench: Bench) -> None:
    """Failure would mean that the second job replaces the first one's result."""
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4", "a.mov")
    bench.start(Existing.OVERWRITE)
    bench.end()
    assert [made.job.target.name for made in bench.made] == ["a_anonymized.mp4", "a_anonymized_2.mp4"]
    assert not bench.made[1].job.overwrite


def test_each_replaces_its_own_result_of_an_earlier_session(bench: Bench, tmp_path: Path) -> None:
    """Failure would mean that a second session mixes up the results of videos that share a name."""
    results = tmp_path / "results"
    results.mkdir()
    sources = [bench.folder / name for name in ("x/a.mp4", "x/a.mov", "y/a.mp4")]
    made = []
    for existing in (Existing.KEEP_BOTH, Existing.OVERWRITE):
        session = Bench(tmp_path)
        session.controller.add(sources)
        conflicts = session.controller.conflicts(Settings(), results)
        session.controller.start(Settings(), results, existing)
        for _ in sources:
            session.end()
        made.append([(job.job.source, job.job.target.name) for job in session.made])
        assert [job.job.overwrite for job in session.made] == [existing is Existing.OVERWRITE] * 3
        assert len(conflicts) == (3 if existing is Existing.OVERWRITE else 0)
    assert made[0] == made[1]
    assert [name for _, name in made[0]] == [
        "a_anonymized.mp4",
        "a_anonymized_2.mp4",
        "a_anonymized_3.mp4",
    ]
    assert len(list(results.iterdir())) == 3


def test_a_numbered_result_says_why(bench: Bench) -> None:
    bench.add("a.mp4", "a.mov")
    bench.start()
    bench.end()
    bench.end()
    first, second = bench.controller.jobs
    why = f"named a_anonymized_2.mp4, because a_anonymized.mp4 is the result of {bench.folder / 'a.mp4'}."
    assert "because" not in first.message
    assert second.result is not None and second.result.notes[-1].endswith(why)
    assert why in second.message


def test_names_do_not_move_when_jobs_fail_move_or_go(bench: Bench) -> None:
    """Failure would mean that Replace hits the result of another video than the one it was planned for."""
    for old in ("a_anonymized.mp4", "a_anonymized_2.mp4", "a_anonymized_3.mp4"):
        (bench.folder / old).write_bytes(b"old")
    first, second, third, fourth = bench.add("b.mp4", "a.mp4", "a.mov", "a.avi")
    bench.start(Existing.OVERWRITE)
    bench.controller.move(fourth, -2)
    bench.controller.remove(second)
    bench.end(DecodeError("damaged"))
    bench.end()
    bench.end()
    assert [(made.job.source.name, made.job.target.name, made.job.overwrite) for made in bench.made] == [
        ("b.mp4", "b_anonymized.mp4", False),
        ("a.avi", "a_anonymized_3.mp4", True),
        ("a.mov", "a_anonymized_2.mp4", True),
    ]
    assert (bench.folder / "a_anonymized.mp4").read_bytes() == b"old"
    assert [job.number for job in bench.controller.jobs] == [first, fourth, third]


def test_clearing_the_list_during_a_run_frees_no_name(bench: Bench) -> None:
    """Failure would mean that a result of this run is replaced as soon as its row is gone."""
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4", "a.mov")
    bench.start(Existing.OVERWRITE)
    bench.end()
    bench.controller.clear_finished()
    bench.add("a.mp4")
    bench.end()
    bench.end()
    assert [(made.job.target.name, made.job.overwrite) for made in bench.made] == [
        ("a_anonymized.mp4", True),
        ("a_anonymized_2.mp4", False),
        ("a_anonymized_3.mp4", False),
    ]


def test_a_later_run_replaces_nothing_that_this_queue_made(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start()
    bench.end()
    bench.add("a.mp4", "a.mov")
    assert not bench.controller.conflicts(Settings(), None), "what cannot be replaced is not asked about"
    bench.start(Existing.OVERWRITE)
    bench.end()
    bench.end()
    assert [(made.job.target.name, made.job.overwrite) for made in bench.made] == [
        ("a_anonymized.mp4", False),
        ("a_anonymized_2.mp4", False),
        ("a_anonymized_3.mp4", False),
    ]


def test_a_result_that_was_deleted_gives_its_name_back(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start()
    bench.end()
    (bench.folder / "a_anonymized.mp4").unlink()
    bench.add("a.mp4")
    bench.start()
    assert bench.made[1].job.target.name == "a_anonymized.mp4"


def test_trying_again_during_a_run_keeps_clear_of_the_others(bench: Bench) -> None:
    failed, _ = bench.add("a.mp4", "a.mov")
    bench.start(Existing.OVERWRITE)
    bench.end(DecodeError("damaged"))
    bench.controller.retry(failed)
    bench.end()
    assert [made.job.target.name for made in bench.made] == [
        "a_anonymized.mp4",
        "a_anonymized_2.mp4",
        "a_anonymized.mp4",
    ]
    assert not bench.made[2].job.overwrite


def test_a_file_that_appears_during_a_run_is_kept(bench: Bench) -> None:
    bench.add("b.mp4", "a.mp4")
    bench.start()
    (bench.folder / "a_anonymized.mp4").write_bytes(b"from elsewhere")
    bench.end()
    assert (bench.made[1].job.target.name, bench.made[1].job.overwrite) == ("a_anonymized_2.mp4", False)


def test_a_video_that_is_added_during_a_run_is_never_replaced(bench: Bench) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("b.mp4", "a.mp4")
    bench.start(Existing.OVERWRITE)
    bench.add("a_anonymized.mp4")
    bench.end()
    assert (bench.made[1].job.target.name, bench.made[1].job.overwrite) == ("a_anonymized_2.mp4", False)


def test_replace_is_meant_for_the_videos_that_were_asked_about(bench: Bench) -> None:
    """The engine may load for seconds after the question, and videos can be added meanwhile."""
    for old in ("a_anonymized.mp4", "b_anonymized.mp4"):
        (bench.folder / old).write_bytes(b"old")
    asked = bench.add("a.mp4")
    bench.add("b.mp4")
    bench.controller.start(Settings(), None, Existing.OVERWRITE, asked)
    bench.end()
    assert [(made.job.target.name, made.job.overwrite) for made in bench.made] == [
        ("a_anonymized.mp4", True),
        ("b_anonymized_2.mp4", False),
    ]


def test_the_same_video_under_two_paths_is_done_once_unless_tried_again(bench: Bench) -> None:
    (bench.folder / "x").mkdir()
    (bench.folder / "x" / "a.mp4").write_bytes(b"video")
    _, twin = bench.add("x/a.mp4", "x/../x/a.mp4")
    bench.start()
    assert bench.states() == ["running", "skipped"]
    assert "It is the same video as" in bench.controller.jobs[1].message
    bench.controller.retry(twin)
    bench.end()
    assert bench.made[1].job.target.name == "a_anonymized_2.mp4"


def test_skipping_leaves_out_only_what_has_a_result(bench: Bench) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4", "a.mov")
    assert [job.source.name for job in bench.controller.conflicts(Settings(), None)] == ["a.mp4"]
    bench.start(Existing.SKIP)
    assert bench.states() == ["skipped", "running"]
    assert bench.made[0].job.target.name == "a_anonymized_2.mp4"


def test_videos_added_during_a_run_are_run_too_and_keep_both(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start(Existing.OVERWRITE)
    (bench.folder / "b_anonymized.mp4").write_bytes(b"old")
    bench.add("b.mp4")
    bench.end()
    assert bench.made[1].job.target.name == "b_anonymized_2.mp4"


def test_results_go_to_the_chosen_folder(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    bench.add("a.mp4")
    bench.controller.start(Settings(), folder)
    assert bench.made[0].job.target == folder / "a_anonymized.mp4"


def test_the_same_video_is_not_queued_twice_unless_it_is_finished(bench: Bench) -> None:
    assert len(bench.add("a.mp4", "a.mp4")) == 1
    assert bench.add("a.mp4") == ()
    bench.start()
    assert bench.add("a.mp4") == ()
    bench.end()
    assert len(bench.add("a.mp4")) == 1


def test_reorder_retry_and_clear(bench: Bench) -> None:
    a, b, c = bench.add("a.mp4", "b.mp4", "c.mp4")
    bench.controller.move(c, -5)
    assert [job.number for job in bench.controller.jobs] == [c, a, b]
    bench.controller.move(c, 1)
    assert [job.number for job in bench.controller.jobs] == [a, c, b]
    bench.controller.set_unreadable(c, "This is not a video.")
    bench.controller.set_info(a, MediaInfo(1.0, 25, 10, 640, 360))
    assert bench.states() == ["waiting", "failed", "waiting"]
    bench.controller.retry(c)
    bench.controller.retry(a)
    assert bench.states() == ["waiting", "waiting", "waiting"]
    bench.controller.set_unreadable(c, "This is not a video.")
    bench.controller.clear_finished()
    assert [job.number for job in bench.controller.jobs] == [a, b]
    bench.controller.remove(a)
    assert bench.controller.poll().order
    assert [job.number for job in bench.controller.jobs] == [b]


def test_the_computer_is_kept_awake_exactly_while_the_queue_runs(bench: Bench) -> None:
    bench.add("a.mp4", "b.mp4")
    assert bench.awake == 0
    bench.start()
    assert bench.awake == 1
    bench.end()
    assert bench.awake == 1
    bench.end(DecodeError("damaged"))
    assert bench.awake == 0


def test_nothing_starts_twice_or_without_videos(bench: Bench) -> None:
    bench.start()
    assert bench.controller.state is RunState.IDLE
    bench.add("a.mp4")
    bench.start()
    bench.start()
    assert len(bench.made) == 1
    assert bench.awake == 1
