"""Reviews where something goes wrong: the person is told, and nobody is left before an empty window."""

from __future__ import annotations

from pathlib import Path

import pytest
from ui_helpers import Driver
from window.review_bench import SpotEngine, at, by_hand, finished, opened, press
from window.window_helpers import Drive

from anonator.core.review import tracks_file
from anonator.core.review.edits import Edit, Operation
from anonator.errors import ReviewError
from anonator.ui.review import seen
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


def drawn(driver: Driver, review: Review, frame: int) -> int:
    """Cover a place on a frame, select it, and turn the wheel on it once; returns its id."""
    review.playing.go(frame)
    driver.turn(0.3)
    id = review.session.draw(review.session.analysis.pts[frame], (100, 20, 140, 60))
    driver.turn(0.2)
    review.store.change(selected=(id,))
    driver.turn(0.2)
    picture = review.screen.picture
    assert picture.view is not None
    x, y, _, _ = picture.view.to_screen((120, 40, 120, 40))
    picture.event_generate("<Button-4>", x=round(x), y=round(y))
    return id


@pytest.mark.parametrize("key", ["Right", "n", "space"])
def test_a_size_holds_on_the_frame_on_which_the_wheel_was_turned(
    drive: Drive, tmp_path: Path, key: str
) -> None:
    """Who went on within a third of a second made the cover larger on another frame, and not on this one."""
    driver, review, _ = reviewed(drive, tmp_path)
    id = drawn(driver, review, 5)
    press(driver, key)
    driver.turn(0.6)
    ((pts, (x1, y1, x2, y2)),) = review.session.placed(id)
    assert pts == review.session.analysis.pts[5]
    assert x2 - x1 > 41 and y2 - y1 > 41
    driver.close()


def test_what_is_drawn_is_given_up_when_another_frame_comes(drive: Drive, tmp_path: Path) -> None:
    """It covered that place on the next frame, and not on the one over which it was drawn."""
    driver, review, _ = reviewed(drive, tmp_path)
    review.playing.go(5)
    driver.turn(0.3)
    place = at(review)
    for left, going in ((100, ()), (20, ("key", "Right", "sleep", 0.1))):
        begin, end = place(left, 20), place(left + 40, 60)
        by_hand(
            driver, "mousemove", *begin, "mousedown", 1, "sleep", 0.05, "mousemove", *end, "sleep", 0.1,
            *going, "mouseup", 1,
        )  # fmt: skip
        driver.turn(0.3)
        assert len(review.session.state.added) == 1
    assert review.store.state.index == 6
    driver.close()


def test_undo_takes_the_turn_of_the_wheel_back_and_not_what_was_before(drive: Drive, tmp_path: Path) -> None:
    driver, review, _ = reviewed(drive, tmp_path)
    id = drawn(driver, review, 5)
    press(driver, "ctrl+z")
    driver.turn(0.6)
    assert review.session.placed(id) == [(review.session.analysis.pts[5], (100, 20, 140, 60))]
    drawn(driver, review, 8)
    press(driver, "Escape")
    driver.turn(0.6)
    assert review.session.undo_words == "drawing a cover", "Escape gives it up"
    driver.close()


def test_with_a_full_disk_the_review_goes_on_says_so_and_can_be_left(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Playing froze, Enter at a stop said nothing, and neither Escape nor closing the window ended it."""
    driver, review, _ = reviewed(drive, tmp_path)
    window = driver.window

    def full(*_: object) -> None:
        raise ReviewError("The edit could not be saved. Is the disk full?")

    with monkeypatch.context() as disk:
        disk.setattr(tracks_file.TracksFile, "append", full)
        disk.setattr(seen, "SAVE_SECONDS", 0.0)
        press(driver, "space")
        driver.until(lambda: review.store.state.index == 29 and not review.store.state.speed, 20)
        assert "Is the disk full?" in review.store.state.message
        assert review.store.state.share_seen > 0.5
        review.say("")
        (card, *_) = review.session.doubts()
        review.desk.walk.open_card(card.number)
        driver.until(lambda: review.playing.index == card.stops[0].index and not review.playing.speed, 20)
        driver.turn(0.3)
        review.say("")
        press(driver, "Return")
        driver.until(lambda: "Is the disk full?" in review.store.state.message, 20)
        assert not review.session.doubts()[0].stops[0].is_done
        press(driver, "Escape")
        driver.until(window.queue_view.winfo_viewable, 20)
    driver.close()
