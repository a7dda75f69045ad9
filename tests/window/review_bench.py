"""Reviews in the real window: an engine that finds bright spots, videos with them, and a mouse."""

from __future__ import annotations

import dataclasses
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from ui_helpers import Driver, FakeEngine
from unit.review.spot_clip import Spotter, spot_clip

from anonator.core.detection.given import GivenDetectors
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.review import tracks_file
from anonator.core.review.analysis import FoundTrack
from anonator.core.review.kept_sightings import Sightings
from anonator.ui.review.review import Review
from anonator.ui.state.job import JobState

STEP = 512
"""PTS of one frame of the clip."""


class SpotEngine(FakeEngine):
    """Does whole jobs, but takes bright spots for faces."""

    def __init__(self) -> None:
        super().__init__()
        self.spotter = Spotter()
        self.made: list[VideoProcessor] = []

    def make_processor(self, job: Job, on_progress: Any, on_preview: Any) -> Any:
        detectors = GivenDetectors(self.spotter)
        self.made.append(
            VideoProcessor(job, detectors=detectors, on_progress=on_progress, on_preview=on_preview)
        )
        return self.made[-1]


def blanked(tracks: Path, place: tuple[int, int, int, int], frames: range) -> Path:
    """The same tracks without the sightings near a place on these frames, in a new file beside them."""
    kept = tracks_file.read(tracks)
    x, y = (place[0] + place[2]) / 2, (place[1] + place[3]) / 2
    found = []
    for track in kept.analysis.tracks:
        rows = track.sightings.rows
        boxes = rows["box"]
        near = (boxes[:, 0] <= x) & (x <= boxes[:, 2]) & (boxes[:, 1] <= y) & (y <= boxes[:, 3])
        gone = near & np.isin(rows["frame"], list(frames))
        if (~gone).any():
            found.append(FoundTrack(track.id, Sightings(rows[~gone])))
    analysis = dataclasses.replace(kept.analysis, tracks=tuple(found))
    return tracks_file.create(analysis, tracks.with_name(f"blanked{tracks.name}"))


def finished(driver: Driver, folder: Path, frames: int = 60) -> Path:
    """Run a job on a clip with spots in the window, and return its result."""
    driver.show(spot_clip(folder / "visit.mp4", frames))
    driver.window.foot.start.invoke()
    driver.until(lambda: driver.window.controller.jobs[0].state is JobState.DONE)
    driver.turn(0.1)
    job = driver.window.controller.jobs[0]
    assert job.result_file is not None
    return job.result_file.path


def opened(driver: Driver) -> Review:
    """Wait until a review is open, its masks are known and its first picture is shown."""
    reviewing = driver.window.reviewing
    driver.until(lambda: reviewing.review is not None and reviewing.review.store.state.assessed)
    assert reviewing.review is not None
    driver.turn(0.3)
    return reviewing.review


def by_hand(driver: Driver, *arguments: object) -> None:
    """Let xdotool work while the window goes on."""
    hand = subprocess.Popen(["xdotool", *map(str, arguments)], env=dict(os.environ))
    driver.until(lambda: hand.poll() is not None)
    assert hand.returncode == 0
    driver.turn(0.1)


def press(driver: Driver, *keys: str) -> None:
    """Press keys, one after the other, as X calls them."""
    for key in keys:
        by_hand(driver, "key", "--delay", "30", key)


def drag(driver: Driver, begin: tuple[int, int], end: tuple[int, int]) -> None:
    """Drag the mouse from one point of the screen to another."""
    (x1, y1), (x2, y2) = begin, end
    by_hand(
        driver, "mousemove", x1, y1, "sleep", 0.05, "mousedown", 1, "sleep", 0.05,
        "mousemove", (x1 + x2) // 2, (y1 + y2) // 2, "sleep", 0.05, "mousemove", x2, y2, "sleep", 0.05,
        "mouseup", 1,
    )  # fmt: skip


def at(review: Review) -> Callable[[float, float], tuple[int, int]]:
    """Where pixels of the video are on the screen while the whole picture is shown."""
    picture = review.screen.picture
    assert picture.view is not None
    to_screen = picture.view.to_screen

    def place(x: float, y: float) -> tuple[int, int]:
        across, down, _, _ = to_screen((x, y, x, y))
        return round(picture.winfo_rootx() + across), round(picture.winfo_rooty() + down)

    return place
