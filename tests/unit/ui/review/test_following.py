"""Following goes on in the background, and what was begun for a cover that is placed again is given up."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from face_clips import FaceClip, moving_face
from patience import PATIENCE

from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.review.tracks_file import TracksFile
from anonator.errors import ReviewError, WeightsMissingError
from anonator.ui.review.following import Following
from anonator.ui.review.session import ReviewSession
from anonator.ui.work.engine import Engine
from anonator.ui.work.worker import Answers


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> FaceClip:
    return moving_face(tmp_path_factory.mktemp("clip") / "walk.mp4", astronaut, frames=25, speed=2, half=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, clip: FaceClip, detectors: DetectorCache) -> Path:
    """The tracks of a job."""
    folder = tmp_path_factory.mktemp("made")
    tracks, settings = folder / "a.tracks", Settings(performance=Performance.QUALITY)
    VideoProcessor(
        Job(clip.path, folder / "out.mp4", settings, save_tracks=tracks), detectors=detectors
    ).run()
    return tracks


@pytest.fixture
def session(tmp_path: Path, clip: FaceClip, made: Path) -> ReviewSession:
    session = ReviewSession(clip.path, Path(shutil.copy(made, tmp_path)))
    session.prepared(session.prepare()())
    return session


def until(answers: Answers, done: Callable[[], bool]) -> None:
    limit = time.monotonic() + 3 * PATIENCE
    while not done():
        assert time.monotonic() < limit
        answers.deliver()
        time.sleep(0.01)


@pytest.mark.slow
def test_a_drawn_cover_goes_with_its_face(session: ReviewSession, clip: FaceClip) -> None:
    answers, engine, heard = Answers(), Engine(), list[int]()
    following = Following(
        session, engine.following_detector, answers, lambda: heard.append(following.waiting), pytest.fail
    )
    id = session.draw(session.analysis.pts[12], tuple(clip.boxes[12]))
    following.follow(id)
    assert following.waiting == 1
    until(answers, lambda: not following.waiting)
    following.close()
    engine.close()
    assert heard[0] == 1 and heard[-1] == 0
    for index, (x1, y1, x2, y2) in enumerate(clip.boxes):
        masks = session.masks(index)
        own = masks.boxes[masks.track_ids == id]
        assert len(own), index
        a, b, c, d = own[0].tolist()
        assert a < (x1 + x2) / 2 < c and b < (y1 + y2) / 2 < d
    session.undo()
    assert id not in session.masks(12).track_ids


@pytest.mark.slow
def test_what_was_begun_is_given_up_when_a_cover_is_placed_again(session: ReviewSession) -> None:
    def without() -> None:
        raise WeightsMissingError("none here")

    answers = Answers()
    following = Following(session, without, answers, lambda: None, pytest.fail)
    id = session.draw(session.analysis.pts[12], (10.0, 10.0, 60.0, 60.0))
    following.follow(id)
    session.move(id, session.analysis.pts[14], (12.0, 10.0, 62.0, 60.0))
    following.follow(id)
    assert following.waiting == 1
    until(answers, lambda: not following.waiting)
    assert [place for place, _ in session.placed(id)] == [session.analysis.pts[12], session.analysis.pts[14]]
    following.follow(id)
    following.close()
    assert following.waiting == 0


@pytest.mark.parametrize("cause", ["video", "disk"])
def test_a_cover_that_cannot_be_followed_is_told(
    session: ReviewSession, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    """It stayed on one frame, and nobody was told; of a full disk, signing waited for ever."""
    answers, told, heard = Answers(), list[str](), list[int]()
    following = Following(
        session, lambda: None, answers, lambda: heard.append(following.waiting), told.append
    )
    id = session.draw(session.analysis.pts[12], (10.0, 10.0, 60.0, 60.0))

    def full(*_: object) -> None:
        raise ReviewError("The edit could not be saved. Is the disk full?")

    if cause == "disk":
        monkeypatch.setattr(TracksFile, "append", full)
    else:
        session.video = session.video.with_name("gone.mp4")
    following.follow(id)
    until(answers, lambda: not following.waiting)
    following.close()
    assert heard == [1, 0] and len(told) == 1
    assert told[0].startswith("A cover couldn't be followed, so it's only where you put it. ")
    assert ("disk full" in told[0]) is (cause == "disk")
    monkeypatch.undo()
    session.close()
