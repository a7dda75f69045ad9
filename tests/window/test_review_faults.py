"""Reviews where something goes wrong: the person is told, and nobody is left before an empty window."""

from __future__ import annotations

from pathlib import Path

import pytest
from ui_helpers import Driver
from window.review_bench import SpotEngine, finished, opened, press
from window.window_helpers import Drive

from anonator.core.review import tracks_file
from anonator.core.review.edits import Edit, Operation
from anonator.ui.review.review import Review

pytestmark = pytest.mark.slow


def reviewed(drive: Drive, folder: Path) -> tuple[Driver, Review, Path]:
    """A review in the window, and its tracks file."""
    driver = drive(engine=SpotEngine())
    finished(driver, folder, 30)
    job = driver.window.controller.jobs[0]
    assert job.review is not None and job.review.tracks is not None
    driver.window.reviewing.open(1)
    return driver, opened(driver), job.review.tracks


def signed(tracks: Path, path: Path, by: str) -> Path:
    """The same tracks without what a person did, signed."""
    theirs = tracks_file.create(tracks_file.read(tracks).analysis, path)
    with tracks_file.TracksFile(theirs) as file:
        file.append(Edit(1, Operation.SIGN, reason=by))
    return theirs


def test_signed_tracks_of_somebody_else_open_as_a_new_review(drive: Drive, tmp_path: Path) -> None:
    """The row was called signed, and the window stayed empty."""
    driver, review, tracks = reviewed(drive, tmp_path)
    window = driver.window
    window.reviewing._open_tracks(signed(tracks, tmp_path / "theirs.tracks", "MK"))
    driver.until(lambda: window.reviewing.review is not review)
    other = opened(driver)
    assert other.store.state.message.startswith("MK has signed these tracks")
    assert not other.session.state.signed
    press(driver, "Escape")
    driver.until(window.queue_view.winfo_viewable)
    mark = window.controller.jobs[0].review
    assert mark is not None and not mark.signed and mark.tracks not in (None, tracks)
    driver.close()


def test_other_tracks_that_do_not_open_give_the_queue_back(drive: Drive, tmp_path: Path) -> None:
    """The window stayed empty, and no key did anything."""
    driver, review, tracks = reviewed(drive, tmp_path)
    window = driver.window
    theirs = tracks_file.create(review.session.analysis, tmp_path / "theirs.tracks")
    window.controller.jobs[0].source.unlink()
    window.reviewing._open_tracks(theirs)
    driver.until(window.queue_view.winfo_viewable, 20)
    assert "original video isn't there" in window.state.message and window.state.reviewing is None
    mark = window.controller.jobs[0].review
    assert mark is not None and mark.tracks == tracks, "the row keeps the review it had"
    driver.close()
