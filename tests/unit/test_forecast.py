"""What is foretold of checks and repairs, from what the stages of the job took."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from face_clips import FaceClip

from anonator.core import forecast
from anonator.core.attempt import Run
from anonator.core.checks.second_look import Uncovered
from anonator.core.config import Performance, Settings
from anonator.core.control import Control
from anonator.core.course import Course
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections, Frame, Look, Masks
from anonator.core.job import Job, Progress, Stage
from anonator.core.job_thread import VideoProcessor
from anonator.core.tracking.linking import Tracker


@pytest.mark.parametrize(
    ("processors", "others", "share"), [(2, 30.0, 0.85), (1, 30.0, 0.7), (16, 100.0, 1.0), (4, 200.0, 0.75)]
)
def test_the_detector_is_faster_alone_where_it_shares_its_processors(
    processors: int, others: float, share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast.os, "cpu_count", lambda: processors)
    took = {"detection": 100.0, "writing": others / 2, "reading": others / 2, "checks": 999.0}
    assert forecast._alone(took) == pytest.approx(share)


@pytest.mark.parametrize(("processors", "seconds"), [(8, 10.0), (2, 5.0)])
def test_a_repair_takes_as_long_as_its_slower_half_without_the_detector(
    processors: int, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forecast.os, "cpu_count", lambda: processors)
    took = {"reading": 3.0, "detection": 60.0, "masking": 1.0, "writing": 9.0, "checks": 99.0}
    run = SimpleNamespace(times=SimpleNamespace(seconds=lambda: took), rewriting=None)
    assert forecast.rewriting(cast(Run, run)) == seconds


def test_a_second_repair_takes_as_long_as_the_first(tmp_path: Path) -> None:
    """A failure means that what all passes took together is taken for what the next one takes."""
    run = Run(Job(tmp_path / "a.mp4", tmp_path / "b.mp4", Settings()), Control())
    with run.times.measured("writing"):
        time.sleep(0.01)
    run.add(60.0)
    assert forecast.whole_pass(run) is None and 0 < forecast.rewriting(run) < 1
    run.repairs = [Uncovered(0, 0.0, (0.0, 0.0, 9.0, 9.0), 0.9)]
    run.add(7.0)
    assert forecast.whole_pass(run) == forecast.rewriting(run) == 7.0 and run.seconds == 67.0


@pytest.mark.slow
def test_a_repair_is_foretold_as_soon_as_a_face_is_found(
    tmp_path: Path, small_face_clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failure means that a job says "0:03 left" when its check has only begun to go wrong."""
    laters: list[Callable[[], float | None]] = []
    enter, run, left = Course.enter, Tracker.run, [1]

    def noted(self: Course, later: Callable[[], float | None], expected: float | None = None) -> None:
        laters.append(later)
        enter(self, later, expected)

    def forgetting(self: Tracker, looks: Iterable[Look], *more: Any) -> Iterator[tuple[Frame, Masks]]:
        left[0] -= 1
        for frame, masks in run(self, looks, *more):
            yield frame, Masks.empty() if left[0] >= 0 else masks

    monkeypatch.setattr(YuNet, "find", lambda *_: Detections.empty())  # it would cover the face in time
    monkeypatch.setattr(Course, "enter", noted)
    monkeypatch.setattr(Tracker, "run", forgetting)
    told: list[tuple[Stage, Any]] = []

    def tell(progress: Progress) -> None:
        assert progress.at_least, "a check of HIPAA mode may ask for a repair"
        told.append((progress.stage, laters[-1]()))

    monkeypatch.setattr("anonator.core.meter.PROGRESS_SECONDS", 0.0)
    job = Job(small_face_clip.path, tmp_path / "out.mp4", Settings(performance=Performance.BALANCED))
    VideoProcessor(job, detectors=detectors, on_progress=tell).run()
    assert Stage.REPAIRING in dict(told)
    later = [seconds for stage, seconds in told if stage is Stage.CHECKING]
    assert later[0] == 0.0 and max(later) > 0.0
