"""What is foretold of checks and repairs, from what the stages of the job took."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from face_clips import FaceClip

from anonator.core import forecast
from anonator.core.attempt import Run
from anonator.core.config import Performance, Settings
from anonator.core.course import Course
from anonator.core.detection.cache import DetectorCache
from anonator.core.frames import Frame, Look, Masks
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


def test_a_repair_takes_as_long_as_its_slower_half() -> None:
    times = SimpleNamespace(
        seconds=lambda: {"reading": 3.0, "detection": 60.0, "masking": 1.0, "writing": 9.0}
    )
    assert forecast.rewriting(cast(Run, SimpleNamespace(times=times))) == 10.0


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

    monkeypatch.setattr(Course, "enter", noted)
    monkeypatch.setattr(Tracker, "run", forgetting)
    told: list[tuple[Stage, Any]] = []

    def tell(progress: Progress) -> None:
        told.append((progress.stage, laters[-1]()))

    monkeypatch.setattr("anonator.core.meter.PROGRESS_SECONDS", 0.0)
    job = Job(small_face_clip.path, tmp_path / "out.mp4", Settings(performance=Performance.BALANCED))
    VideoProcessor(job, detectors=detectors, on_progress=tell).run()
    assert Stage.REPAIRING in dict(told)
    later = [seconds for stage, seconds in told if stage is Stage.CHECKING]
    assert later[0] == 0.0 and max(later) > 0.0
