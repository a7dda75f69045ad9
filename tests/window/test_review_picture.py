"""The picture under review, its slider and playing: a real window and mouse, and the pixels on the screen."""

from __future__ import annotations

import _tkinter
import gc
import os
import subprocess
import sys
import time
import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from patience import PATIENCE, Stopwatch
from PIL import ImageGrab
from video_helpers import GOP, clip

from anonator.core.frames import UInt8Array
from anonator.core.review.analysis import Analysis, Collector
from anonator.ui.look import theme as look
from anonator.ui.look.colours import BLACK, WHITE
from anonator.ui.look.theme import Theme
from anonator.ui.review import look_here
from anonator.ui.review.dragging import PictureActions
from anonator.ui.review.film import Film, Shown
from anonator.ui.review.lanes import LaneActions, Lanes
from anonator.ui.review.marks import Box, Mark, Tick
from anonator.ui.review.picture import Picture
from anonator.ui.review.playing import Playing, PlayingActions

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the mouse is moved by xdotool")

VIDEO = 640, 360
GREY = np.full((360, 640, 3), 128, np.uint8)


class Bench:
    """A window, what it failed with, and a mouse."""

    def __init__(self, root: tk.Tk, display: str) -> None:
        self.root, self.display = root, display
        self.failed: list[BaseException] = []
        self.asked: list[tuple[Any, ...]] = []
        root.report_callback_exception = lambda _kind, error, _tb: self.failed.append(error)

    def until(self, condition: Callable[[], Any], patience: float = PATIENCE) -> None:
        end = time.monotonic() + patience
        while not condition():
            assert time.monotonic() < end, f"it did not get there: {self.failed}"
            if not self.root.tk.dooneevent(_tkinter.DONT_WAIT):
                time.sleep(0.002)

    def rest(self, seconds: float = 0.15) -> None:
        watch = Stopwatch(own_thread=True)
        self.until(lambda: watch.seconds > seconds)

    def mouse(self, widget: tk.Misc, *steps: Any) -> None:
        """Steps are points of the widget, or words of xdotool."""
        words: list[str] = []
        for step in steps:
            if isinstance(step, tuple):
                x, y = widget.winfo_rootx() + step[0], widget.winfo_rooty() + step[1]
                words += ["mousemove", str(round(x)), str(round(y)), "sleep", "0.02"]
            else:
                words += [*step.split(), "sleep", "0.02"]
        done = subprocess.Popen(["xdotool", *words], env={**os.environ, "DISPLAY": self.display})
        self.until(lambda: done.poll() is not None)
        assert done.returncode == 0
        self.rest()

    def drag(self, widget: tk.Misc, start: Any, end: Any) -> None:
        middle = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        self.mouse(widget, start, "mousedown 1", middle, end, "mouseup 1")

    def screen(self, widget: tk.Misc) -> UInt8Array:
        """(H, W, 3) the pixels of a widget as they are on the screen."""
        self.rest()
        x, y = widget.winfo_rootx(), widget.winfo_rooty()
        box = (x, y, x + widget.winfo_width(), y + widget.winfo_height())
        return np.asarray(ImageGrab.grab(box, xdisplay=self.display).convert("RGB"), np.uint8)

    def take(self) -> list[tuple[Any, ...]]:
        asked, self.asked = self.asked, []
        return asked


@pytest.fixture
def bench(display: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("DISPLAY", display)
    made = Bench(tk.Tk(), display)
    made.root.geometry("900x600+0+0")
    yield made
    made.root.destroy()
    made.root = None  # type: ignore[assignment]
    gc.collect()
    assert made.failed == []


@pytest.fixture
def theme(bench: Bench) -> Theme:
    return look.apply(bench.root)


@pytest.fixture
def picture(bench: Bench, theme: Theme) -> Picture:
    """A grey frame, exactly as large as the video."""
    actions = PictureActions(
        draw=lambda box: bench.asked.append(("draw", box)),
        move=lambda id, box: bench.asked.append(("move", id, box)),
        select=lambda id, more: bench.asked.append(("select", id, more)),
        resized=lambda: None,
        began=lambda: bench.asked.append(("began",)),
    )
    made = Picture(bench.root, theme, actions)
    made.place(x=0, y=0, width=VIDEO[0], height=VIDEO[1])
    bench.root.update()
    made.show(GREY, VIDEO, ())
    bench.rest(0.2)
    bench.mouse(made, (5, 5))
    return made


def about(found: Box, wanted: Box, by: float = 1.5) -> bool:
    return bool(np.allclose(found, wanted, atol=by))


A, B = (100.0, 100.0, 180.0, 180.0), (200.0, 100.0, 280.0, 180.0)
INSIDE_A = slice(110, 170), slice(110, 170)
INSIDE_B = slice(110, 170), slice(210, 270)


# --- what is drawn


def test_covers_are_black_and_the_rest_is_the_picture(bench: Bench, picture: Picture) -> None:
    picture.show(GREY, VIDEO, (Mark(1, A), Mark(2, B, visible=True)))
    pixels = bench.screen(picture)
    assert (pixels[INSIDE_A] == 0).all()
    assert (pixels[INSIDE_B] == 128).all() and (pixels[300:350, 300:600] == 128).all()
    picture.show_original(True)
    assert (bench.screen(picture)[INSIDE_A] == 128).all()
    picture.show_original(False)
    assert (bench.screen(picture)[INSIDE_A] == 0).all()


def test_a_cover_is_nowhere_smaller_than_it_will_be(bench: Bench, picture: Picture) -> None:
    """At any zoom: a face that looks covered must be."""
    mark = Mark(1, (101.0, 51.0, 333.0, 222.0))
    for steps in (0, 3, 4):
        picture.nearer(steps)
        picture.show(GREY, VIDEO, (mark,))
        view = picture.view
        assert view is not None
        x1, y1, x2, y2 = (round(side) for side in view.to_screen(mark.box))
        pixels = bench.screen(picture)[max(2, y1 + 4) : y2 - 4, max(2, x1 + 4) : x2 - 4]
        assert pixels.size and (pixels == 0).all()


def test_tracks_have_colours_and_held_and_selected_ones_differ(bench: Bench, picture: Picture) -> None:
    def drawn(*marks: Mark) -> UInt8Array:
        picture.mark(marks)
        return bench.screen(picture)

    plain = drawn(Mark(1, A))
    assert not np.array_equal(plain, drawn(Mark(2, A)))
    held, selected = drawn(Mark(1, A, held=True)), drawn(Mark(1, A, selected=True))
    assert (held[INSIDE_A].max(-1) > 60).mean() > 0.05, "it isn't hatched"
    assert (selected[90:190, 90:190] == 255).all(-1).sum() > 500 > (plain == 255).all(-1).sum()
    assert (drawn(Mark(1, A, visible=True))[INSIDE_A] == 128).all()


def test_a_place_to_look_at_cannot_be_taken_for_a_cover(bench: Bench, picture: Picture) -> None:
    """Told by shape and brightness alone: a dashed blue outline was also a track's colour."""
    picture.show(GREY, VIDEO, (Mark(1, A), Mark(-(10**9), B, visible=True, moves=False, wanted=True)))
    pixels = bench.screen(picture)
    assert (pixels[INSIDE_B] == 128).all(), "nothing of the place is hidden"
    items = picture.find_withtag("wanted")
    kinds = [str(picture.tk.call(str(picture), "type", item)) for item in items]
    assert kinds.count("line") == 8 and "text" in kinds and "rectangle" not in kinds
    colours = {str(picture.tk.call(str(picture), "itemcget", item, "-fill")) for item in items}
    assert colours == {BLACK, WHITE}
    places = [(x * 20.0, 0.0, x * 20.0 + 15, 15.0) for x in range(look_here.MOST_SIGNS + 1)]
    picture.mark([Mark(-(10**9), place, visible=True, moves=False, wanted=True) for place in places])
    assert not any(picture.tk.call(str(picture), "type", i) == "text" for i in picture.find_withtag("wanted"))


def test_words_take_the_place_of_the_picture(bench: Bench, picture: Picture) -> None:
    picture.mark((Mark(1, A),))
    picture.say("Nothing to see.")
    assert not (bench.screen(picture)[INSIDE_A] == 0).all() and picture.view is None
    bench.drag(picture, (10, 10), (80, 80))
    assert bench.take() == []


# --- what the mouse does


def test_a_drag_draws_a_box_and_a_short_one_is_a_click(bench: Bench, picture: Picture) -> None:
    bench.drag(picture, (300, 200), (400, 280))
    began, (kind, box) = bench.take()
    assert (began, kind) == (("began",), "draw") and about(box, (300, 200, 400, 280))
    bench.drag(picture, (400, 280), (300, 200))
    assert about(bench.take()[1][1], (300, 200, 400, 280))
    bench.drag(picture, (300, 200), (302, 202))
    assert bench.take() == [("select", None, False)]
    bench.drag(picture, (600, 330), (700, 420))  # beyond the edge
    assert about(bench.take()[1][1], (600, 330, 640, 360))


def test_only_the_selected_cover_moves(bench: Bench, picture: Picture) -> None:
    picture.mark((Mark(1, A, selected=True), Mark(2, B)))
    bench.drag(picture, (240, 140), (270, 170))  # on the neighbour: a new box, and nothing is moved
    assert [each[0] for each in bench.take()] == ["began", "draw"]
    bench.drag(picture, (140, 140), (150, 160))
    _, (kind, id, box) = bench.take()
    assert (kind, id) == ("move", 1) and about(box, (110, 120, 190, 200))
    bench.drag(picture, (140, 140), (142, 141))
    assert bench.take() == [("select", 1, False)]
    picture.mark((Mark(1, A, selected=True), Mark(2, B, selected=True)))
    bench.drag(picture, (140, 140), (150, 160))
    assert [each[0] for each in bench.take()] == ["began", "draw"]
    picture.mark((Mark(1, A, selected=True, moves=False),))
    bench.drag(picture, (140, 140), (150, 160))
    assert [each[0] for each in bench.take()] == ["began", "draw"]


def test_edges_and_corners_resize(bench: Bench, picture: Picture) -> None:
    picture.mark((Mark(1, A, selected=True),))
    for start, end, wanted in (
        ((180, 180), (200, 210), (100, 100, 200, 210)),
        ((100, 140), (80, 300), (80, 100, 180, 180)),
        ((140, 100), (140, 175), (100, 175, 180, 180)),
        ((100, 100), (640, 360), (176, 176, 180, 180)),
    ):
        bench.drag(picture, start, end)
        _, (kind, _, box) = bench.take()
        assert kind == "move" and about(box, wanted, 2.5)


def test_the_wheel_resizes_the_selected_cover_once_it_rests(bench: Bench, picture: Picture) -> None:
    picture.mark((Mark(1, A, selected=True),))
    bench.mouse(picture, (140, 140), "click --repeat 3 --delay 20 4")
    bench.rest(0.6)
    _, (kind, id, box) = bench.take()
    assert (kind, id) == ("move", 1) and box[2] - box[0] == pytest.approx(80 * 1.06**3, abs=0.1)
    bench.mouse(picture, (400, 300), "click 4")
    bench.rest(0.6)
    assert bench.take() == []


def test_clicks_select_the_smallest_and_then_what_lies_under_it(bench: Bench, picture: Picture) -> None:
    small = (120.0, 120.0, 150.0, 150.0)
    picture.mark((Mark(1, A), Mark(3, small), Mark(2, B)))
    bench.mouse(picture, (135, 135), "click 1")
    assert bench.take() == [("select", 3, False)]
    picture.mark((Mark(1, A), Mark(3, small, selected=True), Mark(2, B)))
    bench.mouse(picture, (135, 135), "click 1")
    assert bench.take() == [("select", 1, False)]
    bench.mouse(picture, (240, 140), "keydown shift", "click 1", "keyup shift")
    assert bench.take() == [("select", 2, True)]


def test_an_area_is_drawn_also_from_the_selected_cover(bench: Bench, picture: Picture) -> None:
    picture.mark((Mark(1, A, selected=True),))
    picture.draw_area(True)
    bench.drag(picture, (140, 140), (240, 240))
    assert about(bench.take()[1][1], (140, 140, 240, 240))


def test_a_drag_can_be_given_up(bench: Bench, picture: Picture) -> None:
    bench.mouse(picture, (300, 200), "mousedown 1", (350, 250), (400, 280))
    assert picture.cancel_drag()
    bench.mouse(picture, "mouseup 1")
    assert bench.take() == [("began",)] and not picture.cancel_drag()


def test_a_question_mark_hides_no_other_place(bench: Bench, picture: Picture) -> None:
    """In a crowd, one face's sign lay on the next face."""
    beside = (A[2] + 8.0, A[1] - 45.0, A[2] + 38.0, A[1] - 14.0)
    wanted = [Mark(-(10**9), box, visible=True, moves=False, wanted=True) for box in (A, beside, B)]
    picture.show(GREY, VIDEO, wanted)
    pixels = bench.screen(picture)
    x1, y1, x2, y2 = map(round, beside)
    assert (pixels[y1:y2, x1:x2] == 128).all()
    kinds = [picture.type(item) for item in picture.find_withtag("wanted")]
    assert kinds.count("text") == 2, "the others have theirs"


def test_handles_leave_a_small_cover_in_sight(bench: Bench, picture: Picture) -> None:
    small = (100.0, 100.0, 120.0, 124.0)
    picture.show(GREY, VIDEO, (Mark(1, small, selected=True),))
    pixels = bench.screen(picture)
    assert (pixels[104:120, 104:116] == 0).mean() > 0.9
    assert len(picture.find_withtag("grip")) == 4
    bench.drag(picture, (123, 127), (133, 137))
    assert about(bench.take()[1][2], (100, 100, 130, 134))


def test_the_plus_key_looks_at_what_is_marked(bench: Bench, picture: Picture) -> None:
    corner = (560.0, 300.0, 580.0, 320.0)
    picture.show(GREY, VIDEO, (Mark(1, A, selected=True), Mark(-(10**9), corner, visible=True, wanted=True)))
    for _ in range(4):
        picture.closer()
    view = picture.view
    assert view is not None and view.zoom.factor == pytest.approx(1.25**4)
    x, y = view.to_screen(corner)[:2]
    assert 0 < x < VIDEO[0] and 0 < y < VIDEO[1]


def test_boxes_stay_in_the_video_s_pixels_when_looked_at_closer(bench: Bench, picture: Picture) -> None:
    bench.mouse(picture, (320, 180), "keydown ctrl", "click --repeat 4 4", "keyup ctrl")
    view = picture.view
    assert view is not None and view.zoom.factor == pytest.approx(1.25**4)
    assert picture.side == round(640 * 1.25**4)
    bench.drag(picture, (320, 180), (420, 280))
    box = bench.take()[1][1]
    assert about(box, (320, 180, 320 + 100 / 1.25**4, 180 + 100 / 1.25**4))
    bench.mouse(picture, (320, 180), "mousedown 2", (370, 200), (420, 230), "mouseup 2")
    assert bench.take() == []
    moved = picture.view
    assert moved is not None and moved.to_screen(box)[0] == pytest.approx(420, abs=2)
    picture.fit()
    assert picture.view is not None and picture.view.zoom.fits


def test_pixels_that_are_not_square_are_where_they_look(bench: Bench, picture: Picture) -> None:
    """Frames of 320 x 360 whose pixels are twice as wide as high."""
    picture.show(GREY, (320, 360), (Mark(1, (50.0, 100.0, 90.0, 180.0)),))
    assert (bench.screen(picture)[INSIDE_A] == 0).all()
    bench.drag(picture, (300, 200), (400, 280))
    assert about(bench.take()[1][1], (150, 200, 200, 280))


# --- the slider


def test_the_slider_goes_where_it_is_clicked_and_tells_doubts(bench: Bench, theme: Theme) -> None:
    asked: list[tuple[str, int]] = []
    actions = LaneActions(lambda i, _last: asked.append(("go", i)), lambda n: asked.append(("doubt", n)))
    lanes = Lanes(bench.root, theme, actions)
    lanes.place(x=0, y=0, width=801)
    lanes.show_video(np.arange(1001) / 25)
    lanes.show_doubts([Tick(500, "Seen once."), Tick(750, "Held.", is_done=True)])
    lanes.show_seen([(0, 250), (600, 650)])
    counts = np.zeros(1001, np.int64)
    counts[100] = 3  # narrower than a pixel, and still to be seen
    lanes.show_counts(counts)
    bench.rest()
    pixels = bench.screen(lanes)
    height = lanes.winfo_height()
    assert pixels[: height // 3, 80].max(0).tolist() != pixels[: height // 3, 300].max(0).tolist()
    assert (pixels[height - 2, 5:190] == pixels[height - 2, 100]).all()
    assert not np.array_equal(pixels[height - 2, 100], pixels[height - 2, 300])
    bench.mouse(lanes, (200, 10), "click 1")
    bench.mouse(lanes, (200, 10), "mousedown 1", (210, 10), (240, 10), "mouseup 1")
    bench.mouse(lanes, (401, 34), "click 1")
    assert asked[0] == ("go", 250) and ("go", 300) in asked and asked[-1] == ("doubt", 0)
    bench.mouse(lanes, (600, 34))
    bench.rest(0.9)
    tips = [str(each) for each in lanes.winfo_children()]
    assert tips, "no tip"
    lanes.show_position(1000)
    assert lanes.coords(lanes._position_item)[0] == 800


def test_a_long_video_is_drawn_quickly(bench: Bench, theme: Theme) -> None:
    lanes = Lanes(bench.root, theme, LaneActions(lambda *_: None, lambda _n: None))
    lanes.place(x=0, y=0, width=850)
    frames = 100_000
    rng = np.random.default_rng(1)
    lanes.show_video(np.arange(frames) / 25)
    lanes.show_doubts([Tick(int(i), "Why.") for i in rng.integers(0, frames, 300)])
    lanes.show_seen([(i, i + 40) for i in range(0, frames, 400)])
    lanes.show_counts(rng.integers(0, 9, frames))
    bench.root.update()
    times = []
    for _ in range(5):
        begin = time.thread_time()
        lanes._draw()
        times.append(time.thread_time() - begin)
    assert min(times) < 0.05


def test_a_single_frame_and_a_narrow_slider_are_drawn(bench: Bench, theme: Theme) -> None:
    lanes = Lanes(bench.root, theme, LaneActions(lambda *_: None, lambda _n: None))
    lanes.place(x=0, y=0, width=3)
    lanes.show_video(np.array([0.5]))
    lanes.show_counts(np.array([2]))
    lanes.show_seen([(0, 0)])
    bench.rest()
    assert lanes.index_at(2) == 0


# --- playing


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Analysis]:
    from anonator.core.config import Settings
    from anonator.core.reading.reader import VideoReader

    path = clip(tmp_path_factory.mktemp("clips") / "a.mp4", *GOP, size="640x360", seconds=6)
    taken = Collector()
    with VideoReader(path) as reader:
        for frame in reader:
            taken.see(frame)
        return path, taken.finished(Settings(), "", reader.file_bytes)


class Played:
    """Playing, and everything that it told."""

    def __init__(self, bench: Bench, video: tuple[Path, Analysis]) -> None:
        self.bench = bench
        self.shown: list[Shown] = []
        self.moved: list[tuple[int, float]] = []
        self.seen: list[tuple[int, int, float]] = []
        self.failed: list[Exception] = []
        actions = PlayingActions(
            self.shown.append,
            lambda index, speed: self.moved.append((index, speed)),
            lambda *span: self.seen.append(span),
            self.failed.append,
        )
        path, analysis = video
        times = [pts * analysis.key.time_base[0] / analysis.key.time_base[1] for pts in analysis.pts]
        self.playing = Playing(bench.root, Film(path, analysis), times, lambda: 320, actions)

    def at(self, index: int) -> None:
        self.bench.until(lambda: self.shown and self.shown[-1].index == index and not self.playing.speed)


@pytest.fixture
def played(bench: Bench, video: tuple[Path, Analysis]) -> Iterator[Played]:
    made = Played(bench, video)
    made.at(0)
    yield made
    made.playing.close()
    assert made.failed == []


def test_steps_seconds_and_jumps_land_on_their_frames(played: Played) -> None:
    playing = played.playing
    moves: list[tuple[Callable[[], None], int]] = [
        (lambda: playing.step(1), 1),
        (lambda: playing.step(-1), 0),
        (lambda: playing.step(-1), 0),
        (lambda: playing.skip(1.0), 25),
        (lambda: playing.skip(2.0), 75),
        (lambda: playing.skip(-1.0), 50),
        (lambda: playing.go(149), 149),
        (lambda: playing.step(1), 149),
        (lambda: playing.skip(-1.0), 124),
        (lambda: playing.go(7), 7),
    ]
    for ask, lands in moves:
        ask()
        assert playing.index == lands
        played.at(lands)
        assert played.moved[-1] == (lands, 0.0)
        played.bench.until(lambda lands=lands: played.seen[-1] == (lands, lands, 0.0))  # type: ignore[misc]


def test_playing_tells_every_frame_that_was_on_the_screen(played: Played) -> None:
    played.playing.go(100)
    played.at(100)
    played.seen.clear()
    played.playing.toggle()
    assert played.playing.speed == 1.0
    played.at(149)
    seen = {i for first, last, speed in played.seen if speed == 1.0 for i in range(first, last + 1)}
    assert seen == set(range(100, 150))
    assert played.moved[-1] == (149, 0.0)
    played.seen.clear()
    played.playing.back()
    played.bench.until(lambda: played.playing.index < 140)
    played.playing.stop()
    index = played.playing.index
    played.bench.until(lambda: played.seen[-1] == (index, index, 0.0))
    assert {s for *_, s in played.seen} == {1.0, 0.0} and min(f for f, *_ in played.seen) == index


def test_pressed_again_it_plays_faster_and_the_other_way_begins_anew(played: Played) -> None:
    playing = played.playing
    speeds = []
    for ask in (playing.forward, playing.forward, playing.forward, playing.forward, playing.forward):
        ask()
        speeds.append(playing.speed)
    assert speeds == [1, 2, 4, 8, 8]
    played.bench.until(lambda: playing.index > 60)
    playing.back()
    assert playing.speed == -1
    playing.stop()
    played.at(playing.index)


def test_playing_to_a_doubt_stops_exactly_on_it(played: Played) -> None:
    played.playing.play_to(30, 55)
    played.at(55)
    played.bench.rest(0.2)
    assert max(each.index for each in played.shown) == 55
    seen = {i for first, last, _ in played.seen for i in range(first, last + 1)}
    assert seen >= set(range(30, 56)) and max(seen) == 55


def test_a_drag_holds_the_frame_that_is_on_the_screen(played: Played) -> None:
    played.playing.go(80)
    played.at(80)
    played.playing.go(140)
    played.playing.hold()
    assert played.playing.index == 80
    played.bench.rest(0.5)
    assert played.shown[-1].index == 80
    played.playing.forward()
    played.bench.until(lambda: played.playing.index > 85)
    played.playing.hold()
    index, drawn = played.playing.index, played.shown[-1].index
    played.bench.rest(0.3)
    assert index == drawn == played.shown[-1].index and not played.playing.speed


def test_another_size_is_decoded_again(played: Played) -> None:
    assert max(played.shown[-1].picture.shape) == 320
    played.playing._side = lambda: 100
    played.playing.refresh()
    played.bench.until(lambda: max(played.shown[-1].picture.shape) == 100)
