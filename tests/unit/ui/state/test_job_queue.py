"""The queue and its state machine, without a display and with a fake processor at the edge."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from unit.ui.state.queue_helpers import Bench, FakeProcessor, progress

from anonator.core.config import Settings
from anonator.core.job import Job, Preview, Stage
from anonator.errors import DecodeError, HipaaLockError, JobCancelled
from anonator.ui.state.job import Clear, JobState, MediaInfo, RunState
from anonator.ui.state.job_queue import JobController
from anonator.ui.state.text import NOT_REVIEWED


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
    assert "Something was covered in 20 of 30 frames. Sound: removed." in bench.controller.jobs[0].message


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
    assert changes.live is not None and changes.live.preview is previews[-1]
    assert changes.live.of == bench.controller.jobs[0].key
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
    ("own", "next_one", "expected"),
    [(4.0, 2.0, 5.0 + 3.0), (None, 2.0, None), (4.0, None, None)],
    ids=["known", "this length unknown", "next length unknown"],
)
def test_the_whole_queue_remaining(
    bench: Bench, own: float | None, next_one: float | None, expected: float | None
) -> None:
    """By the length of the videos, because many files don't say how many frames they have."""
    first, second = bench.add("a.mp4", "b.mp4")
    bench.controller.set_info(first, MediaInfo(own, None, 1000, 640, 360))
    bench.controller.set_info(second, MediaInfo(next_one, None, 1000, 640, 360))
    bench.start()
    assert bench.controller.queue_remaining_seconds() is None
    bench.made[0].on_progress(replace(progress(50), elapsed_seconds=1.0, remaining_seconds=5.0))
    bench.controller.poll()
    assert bench.controller.queue_remaining_seconds() == expected


def test_videos_are_counted_by_the_run_and_not_by_the_list(bench: Bench) -> None:
    """With a video on top that could not be read, the first of two was called the second of three."""
    broken, *_ = bench.add("broken.mp4", "a.mp4", "b.mp4")
    bench.controller.set_unreadable(broken, "This is not a video.")
    bench.start()
    assert bench.controller.place == (1, 2)
    bench.end()
    assert bench.controller.place == (2, 2)
    bench.add("c.mp4")
    assert bench.controller.place == (2, 3)


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
    bench.controller.clear(Clear.ALL)
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
