"""A review in the real window: opened from a finished row, used with keys and mouse, signed and left."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_clips import decode_rgb
from patience import PATIENCE
from PIL import Image, ImageGrab
from ui_helpers import Driver, Outside, Program
from unit.review.spot_clip import MASKS, SPOTS, spot_clip
from window.review_bench import STEP, SpotEngine, at, blanked, drag, finished, opened, press
from window.window_helpers import Drive

from anonator.core.config import Mode
from anonator.core.review import tracks_file
from anonator.core.review.reviewed import Reviewed, apply
from anonator.ui.review.review import Review
from anonator.ui.review.review_state import Covered
from anonator.ui.state import text
from anonator.ui.state.job import JobState, ResultFile, ReviewMark

pytestmark = pytest.mark.slow
BARE = range(20, 60)
"""Frames on which nobody found the second spot any more."""
BOX = (186, 58, 230, 102)
"""Drawn over it."""


def blank_row(driver: Driver) -> None:
    """Give the finished row tracks in which the second spot isn't found from a frame on."""
    job = driver.window.controller.jobs[0]
    assert job.review is not None and job.review.tracks is not None
    path = blanked(job.review.tracks, SPOTS[1], BARE)
    driver.window.controller.update(job.number, review=dataclasses.replace(job.review, tracks=path))
    driver.window.run.refresh()


def reviewed(drive: Drive, folder: Path, **options: Any) -> tuple[Driver, Review]:
    """A review with a leak, open in the window."""
    driver = drive(engine=SpotEngine(), **options)
    finished(driver, folder)
    blank_row(driver)
    driver.window.reviewing.open(1)
    return driver, opened(driver)


def draw(driver: Driver, review: Review) -> None:
    """Draw a cover over the bare spot on frame 40, and wait until it was followed."""
    place = at(review)
    review.playing.go(40)
    driver.turn(0.3)
    drag(driver, place(*BOX[:2]), place(*BOX[2:]))
    driver.until(lambda: review.session.state.added)
    settle(driver, review)


def settle(driver: Driver, review: Review) -> None:
    """Wait until all is followed and the doubts are those of now."""
    driver.until(lambda: review.store.state.following == 0 and review.session.is_assessed)
    driver.turn(0.2)


def test_a_finished_row_opens_its_review_and_the_queue_comes_back(drive: Drive, tmp_path: Path) -> None:
    driver = drive(engine=SpotEngine())
    finished(driver, tmp_path)
    window = driver.window
    job = window.controller.jobs[0]
    assert job.state_text == "done, not reviewed" and job.may_review
    driver.until(window.foot.review.winfo_viewable)
    assert window.foot.review.cget("text") == "Review 1 video"
    window.queue_view.tree.focus_force()
    driver.turn(0.2)
    press(driver, "Return")
    review = opened(driver)
    assert review.screen.winfo_viewable() and not window.queue_view.winfo_viewable()
    assert review.store.state.hint and review.screen.hint.winfo_viewable()
    review.screen.hint.close.invoke()
    press(driver, "Right", "Right", "Right")
    driver.until(lambda: review.store.state.index == 3)
    press(driver, "End")
    driver.until(lambda: review.store.state.index == len(review.desk.times) - 1)
    press(driver, "Home", "Right", "Right", "Right")
    driver.until(lambda: review.store.state.index == 3)
    press(driver, "comma", "ctrl+o")  # keys of the queue's side
    assert review.store.state.index == 3
    press(driver, "Escape")
    driver.until(lambda: window.queue_view.winfo_viewable())
    assert window.reviewing.review is None
    assert window.controller.jobs[0].state_text.startswith("in review, ")
    window.foot.review.invoke()
    review = opened(driver)
    assert not review.store.state.hint and review.store.state.share_seen > 0, "what was seen is kept"
    driver.close()


def test_a_leak_is_covered_by_hand_and_the_final_file_is_black_there(drive: Drive, tmp_path: Path) -> None:
    driver, review = reviewed(drive, tmp_path)
    state = lambda: review.store.state  # noqa: E731
    (card,) = state().cards
    parts = review.screen
    assert parts.to_check.title.cget("text") == f"To check: {text.count(len(card.stops), 'stop')}"
    assert not parts.stop_sign.winfo_viewable()
    press(driver, "n")
    driver.until(lambda: state().card == card.number and not state().speed and state().index > 0)
    assert state().index == card.stops[0].index
    driver.until(lambda: parts.picture.find_withtag("wanted"))
    said = f"Stop 1 of {len(card.stops)}"
    driver.until(parts.stop_sign.winfo_viewable)
    assert said == parts.stop_sign.cget("text") == parts.head.stop.cget("text") == state().stop_words
    words = parts.to_check.canvas
    assert said.lower() in [
        words.itemcget(item, "text") for item in words.find_all() if words.type(item) == "text"
    ]
    press(driver, "shift+Right")
    driver.until(lambda: parts.stop_sign.cget("text") == "Away from stop 1")
    press(driver, "shift+Left")
    driver.until(lambda: parts.stop_sign.cget("text") == said)
    before = review.session.state
    draw(driver, review)
    assert state().undo == "drawing a cover" and state().selected == (state().tracks[1].id,)
    followed = review.session.state
    assert all(len(review.session.masks(index)) for index in BARE)
    press(driver, "Right")
    driver.until(lambda: state().index == 41)
    press(driver, "ctrl+z")
    driver.until(lambda: review.session.state.added == before.added)
    press(driver, "ctrl+y")
    driver.until(lambda: review.session.state.added == followed.added)
    settle(driver, review)
    press(driver, "g")
    driver.until(lambda: state().sheet and all(cell.has_picture for cell in state().sheet.cells))
    driver.until(lambda: not state().unseen_seconds)
    assert 0 < state().share_seen < 1, "what the sheet stood for was not on the screen"
    press(driver, "Escape")
    asked: list[str] = []

    def sign(dialog: Any) -> None:
        dialog.initials.insert(0, "MK")
        asked.extend(w.cget("text") for w in dialog.body.winfo_children() if "TLabel" in w.winfo_class())
        dialog._confirm()

    driver.meeting(sign)
    press(driver, "ctrl+Return")
    driver.until(lambda: driver.window.reviewing.review is None)
    driver.turn(0.3)
    assert any("1 cover drawn" in words for words in asked)
    assert not any("stop judged" in words or "stops judged" in words for words in asked)
    assert any("only looked through on the sheet" in words for words in asked)
    assert any("stops have not been judged" in words for words in asked)
    job = driver.window.controller.jobs[0]
    assert job.state is JobState.DONE and job.state_text == "reviewed by MK" and not job.may_review
    assert job.result_file is not None and "signed by MK" in driver.window.state.message
    pictures = decode_rgb(job.result_file.path)
    x1, y1, x2, y2 = SPOTS[1]
    assert len(pictures) == 60
    for index, picture in enumerate(pictures):
        assert picture[y1:y2, x1:x2].max() < 40, f"the spot shows on frame {index}"
        assert picture[:40, :300].mean() > 50, "and only there"
    report = json.loads(job.result_file.path.with_name("visit_anonymized_report.json").read_text("utf-8"))
    told = report["review"]
    assert told["signed_by"] == "MK" and 0 < told["share_seen"] < 1
    assert told["share_seen"] + told["share_on_sheet"] == pytest.approx(1.0, abs=1e-3)
    assert report["review"]["covers_added"] == 1


def test_after_a_restart_review_comes_first_and_the_warnings_are_back(drive: Drive, tmp_path: Path) -> None:
    """Start was what the window offered for a finished video, and "look there first" was gone."""
    driver = drive(engine=SpotEngine())
    result = finished(driver, tmp_path)
    driver.close()
    path = result.with_name("visit_anonymized_report.json")
    said = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({**said, "warnings": ["A face at 0:01.0. Look there first."]}), "utf-8")
    driver = drive(engine=SpotEngine())
    driver.show(tmp_path / "visit.mp4")
    window = driver.window
    driver.until(lambda: window.state.to_review)
    driver.turn(0.2)
    assert window.foot.review.winfo_viewable() and window.foot.review.cget("style") == "Primary.TButton"
    assert window.foot.start.cget("style") == "Big.TButton", "it would do all of it again"
    assert window.foot.status.cget("text") == "1 result to review"
    words = window.queue_view.details.words
    assert text.NOT_REVIEWED in words and "Look there first." in words
    window.foot.review.invoke()
    opened(driver)
    driver.close()


def test_a_signed_review_opens_again_as_a_new_one_and_the_next_one_is_offered(
    drive: Drive, tmp_path: Path
) -> None:
    driver, review = reviewed(drive, tmp_path)
    window = driver.window
    again = tmp_path / "second"
    again.mkdir()
    other = spot_clip(again / "other.mp4", 30)
    window.add([other])
    driver.until(lambda: len(window.controller.jobs) == 2)
    window.controller.update(
        2,
        state=JobState.DONE,
        result_file=ResultFile(other),
        review=ReviewMark(window.controller.jobs[0].review.tracks),  # type: ignore[union-attr]
    )
    window.run.refresh()
    review.session.right(review.session.doubts()[0], review.session.doubts()[0].stops[0])

    def sign(dialog: Any) -> None:
        dialog.initials.insert(0, "MK")
        dialog._confirm()

    driver.meeting(sign)
    press(driver, "ctrl+Return")
    seen: list[str] = []
    driver.until(lambda: window.reviewing.review is None)
    driver.answering("Back to the queue", seen)
    driver.until(lambda: seen)
    assert "other.mp4" in seen[0]
    job = window.controller.jobs[0]
    assert job.review is not None and job.review.tracks is not None and job.may_review_again
    signed, before = job.review.tracks, job.review.tracks.read_bytes()
    driver.answering("Leave it", seen)
    window.reviewing.open(1)
    assert len(seen) == 2 and window.state.reviewing is None
    driver.answering("Review again", seen)
    window.reviewing.open(1)
    review = opened(driver)
    assert "a result that MK signed" in review.store.state.message
    assert not review.session.state.signed and not review.session.state.right
    press(driver, "n")
    press(driver, "Escape")
    driver.until(lambda: window.reviewing.review is None)
    assert signed.read_bytes() == before and window.controller.jobs[0].may_review
    driver.close()


def test_under_the_lock_leaving_visible_asks_why_and_covering_does_not(drive: Drive, tmp_path: Path) -> None:
    driver, review = reviewed(drive, tmp_path)
    review.desk.select((0,))
    driver.turn(0.2)
    faults: list[str] = []

    def without_reason(dialog: Any) -> None:
        dialog._confirm()
        faults.append(dialog.fault.cget("text"))
        dialog.close("")

    driver.meeting(without_reason)
    press(driver, "v")
    assert faults and "visible" in faults[0] and not review.session.state.visible

    def consent(dialog: Any) -> None:
        dialog.reasons.buttons["Consent on file"].invoke()
        dialog._confirm()

    driver.meeting(consent)
    press(driver, "v")
    driver.until(lambda: review.session.state.visible)
    settle(driver, review)
    ((id, _, reason),) = review.session.state.visible
    assert (id, reason) == (0, "Consent on file")
    line = next(line for line in review.store.state.tracks if line.id == 0)
    assert line.covered is Covered.NOTHING and line.reasons == ("Consent on file",)
    assert review.screen.tracks.buttons["turn"].cget("text") == "Cover again…"

    def again(dialog: Any) -> None:
        assert dialog.reasons is None, "more black needs no reason"
        dialog._confirm()

    driver.meeting(again)
    press(driver, "v")
    driver.until(lambda: not review.session.state.visible)
    driver.close()


def test_fixed_areas_cards_and_delete_by_keyboard_and_mouse(drive: Drive, tmp_path: Path) -> None:
    driver, review = reviewed(drive, tmp_path)
    place = at(review)
    press(driver, "f")
    driver.until(lambda: review.store.state.drawing_area)
    driver.meeting(lambda dialog: dialog._confirm())
    drag(driver, place(10, 10), place(60, 40))
    driver.until(lambda: review.session.state.areas)
    settle(driver, review)
    assert not review.store.state.drawing_area
    ((area, span, box),) = review.session.state.areas
    assert span == (0, 59 * STEP) and box == pytest.approx((10, 10, 60, 40), abs=2)
    review.desk.select((area,))
    driver.turn(0.2)
    press(driver, "Delete")
    driver.until(lambda: not review.session.state.areas)
    settle(driver, review)
    driver.close()


def test_enter_keeps_each_stop_that_was_looked_at_and_undo_takes_one_back(
    drive: Drive, tmp_path: Path
) -> None:
    """It recorded nothing until the last stop of a card: who was called away began anew."""
    driver, review = reviewed(drive, tmp_path)
    state = lambda: review.store.state  # noqa: E731
    (card,) = review.session.doubts()
    assert len(card.stops) > 1
    right = lambda: len(review.session.state.right)  # noqa: E731
    press(driver, "n")
    for done, stop in enumerate(card.stops):
        driver.until(lambda at=stop.index: not state().speed and state().index == at)  # type: ignore[misc]
        driver.turn(0.1)
        assert right() == done and state().open_stops == len(card.stops) - done
        press(driver, "Return")
        driver.until(lambda done=done: right() == done + 1)  # type: ignore[misc]
        if state().speed:
            press(driver, "Return")  # on the way to the next one: that is shown, and not judged unseen
            driver.turn(0.1)
            assert right() == done + 1
    driver.until(lambda: state().open_stops == 0)
    assert review.screen.to_check.title.cget("text") == f"To check: all {len(card.stops)} stops done"
    press(driver, "ctrl+z")
    driver.until(lambda: state().open_stops == 1 and state().index == card.stops[-1].index)
    tracks = driver.window.controller.jobs[0].review
    assert tracks is not None and tracks.tracks is not None
    driver.close()
    kept = tracks_file.read(tracks.tracks)
    assert len(apply(kept.edits, kept.analysis).right) == len(card.stops) - 1, "and it is on the disk"


def test_the_sheet_fills_its_room_also_after_the_window_has_another_size(
    drive: Drive, tmp_path: Path
) -> None:
    """Pictures of a first size stayed for good, even where that was before the sheet had any room."""
    driver, review = reviewed(drive, tmp_path)
    press(driver, "g")

    def fills() -> bool:
        sheet, (width, height) = review.store.state.sheet, review.screen.sheet.room
        assert sheet is not None
        return all(
            cell.has_picture
            and cell.size[0] <= width + 1
            and cell.size[1] <= height + 1
            and (cell.size[0] >= width - 2 or cell.size[1] >= height - 2)
            for cell in sheet.cells
        )

    driver.until(lambda: review.store.state.sheet and fills(), 20)
    before = review.screen.sheet.room
    wide = driver.root.winfo_width() > 1100
    driver.root.geometry("1000x700" if wide else "1240x780")
    driver.until(lambda: review.screen.sheet.room != before)
    driver.until(fills, 20)
    driver.close()


@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
def test_covers_that_are_not_black_look_as_in_the_finished_file(
    drive: Drive, tmp_path: Path, mode: Mode
) -> None:
    """They were black in the review of a blurred video: nobody saw what others would see."""
    driver = drive(engine=SpotEngine())
    driver.show()
    driver.answering("Switch off")
    driver.window.panel.lock.switch.invoke()
    driver.window.panel.masking.modes[mode].invoke()
    result = decode_rgb(finished(driver, tmp_path))[15]
    original = decode_rgb(tmp_path / "visit.mp4")[15]
    driver.window.reviewing.open(1)
    review = opened(driver)
    assert review.session.analysis.settings.mode is mode

    def shown() -> Any:
        """The video as it is on the screen, in its own size, without its outermost rows and columns."""
        driver.turn(0.3)
        left, top, right, bottom = *at(review)(0, 0), *at(review)(320, 192)
        grabbed = ImageGrab.grab((left, top, right, bottom), xdisplay=os.environ["DISPLAY"])
        return np.asarray(grabbed.convert("RGB").resize((320, 192), Image.Resampling.BOX), int)

    def apart(a: Any, b: Any, place: tuple[int, int, int, int]) -> float:
        x1, y1, x2, y2 = place
        inside = np.s_[y1 + 6 : y2 - 6, x1 + 6 : x2 - 6]  # the outline and its handles aren't in the file
        return float(np.abs(a[inside].astype(int) - b[inside]).mean())

    review.playing.go(15)
    picture = shown()
    for place in MASKS:
        assert apart(result, original, place) > 25
        assert apart(picture, result, place) < 8
    review.show_original()
    bare = shown()
    assert all(apart(bare, original, place) < 8 for place in MASKS)
    driver.close()


def test_the_finished_picture_is_saved_and_never_the_original(
    drive: Drive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, review = reviewed(drive, tmp_path)
    target = tmp_path / "still.png"
    monkeypatch.setattr("tkinter.filedialog.asksaveasfilename", lambda **_options: str(target))
    review.playing.go(15)
    driver.turn(0.3)
    review.screen.head.menu.invoke(0)
    driver.until(target.exists)
    driver.turn(0.2)
    with Image.open(target) as saved:
        assert saved.size == (320, 192) and not saved.info
        pixels = saved.convert("RGB").load()
    for x1, y1, x2, y2 in SPOTS:
        assert pixels[(x1 + x2) // 2, (y1 + y2) // 2] == (0, 0, 0)
    for entry, suffix, begins in (
        (2, ".tracks", b'{"kind":"header"'),
        (5, ".xml", b"<?xml"),
        (6, ".csv", b"1,1,"),
        (7, "2.csv", b"from_seconds"),
    ):
        target = tmp_path / f"taken{suffix}"
        review.screen.head.menu.invoke(entry)
        driver.until(target.exists)
        assert target.read_bytes().startswith(begins)
    assert tracks_file.read(tmp_path / "taken.tracks").analysis == review.session.analysis
    driver.close()


def sizes() -> list[Any]:
    return [
        pytest.param("display", "1000x700", id="smallest"),
        pytest.param("large_display", "3840x2160", id="4K"),
    ]


@pytest.mark.parametrize(("screen", "size"), sizes())
def test_everything_is_in_sight_from_the_smallest_window_to_4k(
    screen: str,
    size: str,
    drive: Drive,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISPLAY", request.getfixturevalue(screen))
    driver, review = reviewed(drive, tmp_path, size=size)
    width, height = map(int, size.split("x"))
    parts = review.screen
    for widget in (
        parts.head.sign,
        parts.picture,
        parts.lanes,
        parts.transport.buttons["play"],
        parts.to_check.canvas,
        parts.tracks.tree,
        parts.tracks.buttons["delete"],
        parts.key_line,
    ):
        assert widget.winfo_viewable()
        assert widget.winfo_rootx() + widget.winfo_width() <= width
        assert widget.winfo_rooty() + widget.winfo_height() <= height
    assert parts.picture.winfo_width() > 0.55 * width and parts.picture.winfo_height() > 0.5 * height
    assert parts.key_line.items["sign"].winfo_viewable()
    draw(driver, review)
    # where it was drawn; where it was followed it's larger
    (box,) = [box for _, pts, box in review.session.state.keyframes if pts == 40 * STEP]
    assert box == pytest.approx(BOX, abs=3)
    driver.close()


def program(outside: Outside, folder: Path, number: int, video: Path) -> Program:
    """The program in a process of its own, which finds the review of an earlier run; its row is opened."""
    log = folder / f"events{number}.jsonl"
    script = Path(__file__).with_name("review_program.py")
    started = Program(
        [sys.executable, str(script), str(video)],
        log,
        {**outside._environment, "ANONATOR_UI_EVENTS": str(log)},
    )
    outside.running.append(started)
    x, y, width, height = started.wait("kept")["row"]
    outside.xdo("mousemove", x + width // 2, y + height // 2, "sleep", 0.2, "click", "--repeat", 2, 1)
    return started


def test_what_was_done_is_there_after_a_kill(drive: Drive, tmp_path: Path, outside: Outside) -> None:
    driver, _ = reviewed(drive, tmp_path)
    mark = driver.window.controller.jobs[0].review
    assert mark is not None and mark.tracks is not None
    tracks = mark.tracks
    driver.close()
    for other in tracks.parent.iterdir():
        if other != tracks:
            other.unlink()

    def now() -> Reviewed:
        kept = tracks_file.read(tracks)
        return apply(kept.edits, kept.analysis)

    def wait_until(condition: Callable[[Reviewed], object]) -> Reviewed:
        end = time.monotonic() + PATIENCE
        while not condition(now()):
            assert time.monotonic() < end, "it did not get there"
            time.sleep(0.1)
        return now()

    first = program(outside, tmp_path, 1, tmp_path / "visit.mp4")
    picture = first.wait("review")["picture"]
    time.sleep(2)
    outside.xdo("key", "--delay", 80, "shift+Right", "shift+Right", "sleep", 0.5)  # to frame 50
    scale = min(picture[2] / 320, picture[3] / 192)
    left, top = picture[0] + (picture[2] - 320 * scale) / 2, picture[1] + (picture[3] - 192 * scale) / 2
    x1, y1, x2, y2 = (round(o + v * scale) for o, v in zip((left, top, left, top), BOX, strict=True))
    outside.xdo(
        "mousemove", x1, y1, "sleep", 0.1, "mousedown", 1, "sleep", 0.1, "mousemove", x2 - 5, y2 - 5,
        "sleep", 0.1, "mousemove", x2, y2, "sleep", 0.1, "mouseup", 1,
    )  # fmt: skip
    drawn = wait_until(lambda state: state.added and len(state.keyframes) > 5)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait(PATIENCE)
    second = program(outside, tmp_path, 2, tmp_path / "visit.mp4")
    second.wait("review")
    time.sleep(2)
    assert now().added == drawn.added
    outside.xdo("key", "ctrl+z")
    wait_until(lambda state: not state.added)
    outside.xdo("key", "ctrl+y")
    assert wait_until(lambda state: state.added).added == drawn.added
    second.stop()


def test_unfinished_reviews_are_counted_and_removed_after_a_question(drive: Drive, tmp_path: Path) -> None:
    driver = drive(engine=SpotEngine())
    finished(driver, tmp_path)
    mark = driver.window.controller.jobs[0].review
    assert mark is not None and mark.tracks is not None
    for other in mark.tracks.parent.iterdir():
        if other != mark.tracks:
            other.unlink()
    seen: list[str] = []
    driver.answering("Keep them", seen)
    driver.window.panel.reviews.invoke()
    driver.until(lambda: seen)
    assert "1 review that nobody has begun" in seen[0] and mark.tracks.exists()
    driver.turn(0.2)
    driver.answering("Remove 1 review", seen)
    driver.window.panel.reviews.invoke()
    driver.until(lambda: driver.window.state.message == "1 review was removed.")
    assert not mark.tracks.exists() and not driver.window.controller.jobs[0].may_review
    driver.window.panel.reviews.invoke()
    driver.until(lambda: "keeps no unfinished reviews" in driver.window.state.message)
    driver.close()
