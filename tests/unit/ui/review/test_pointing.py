"""Where marks are on the screen, and what the mouse does to a box: never beyond the picture or inside out."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anonator.ui.review import pointing
from anonator.ui.review.marks import Box, Mark
from anonator.ui.review.pointing import LEAST_SIDE, MOVE, View
from anonator.ui.state.zoom import Zoom

VIDEO = 640, 360
WIDTHS, HEIGHTS = st.floats(0, 640), st.floats(0, 360)
DISTANCES = st.floats(-2000, 2000)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    x, y = draw(st.floats(0, 600)), draw(st.floats(0, 320))
    return x, y, draw(st.floats(x + LEAST_SIDE, 640)), draw(st.floats(y + LEAST_SIDE, 360))


@st.composite
def views(draw: st.DrawFn) -> View:
    room = draw(st.integers(100, 2560)), draw(st.integers(100, 1600))
    picture = draw(st.sampled_from([(640, 360), (320, 180), (1280, 360)]))
    return View(
        VIDEO, picture, room, room, Zoom(draw(st.floats(1, 8)), draw(st.floats(0, 1)), draw(st.floats(0, 1)))
    )


def inside(box: Box) -> bool:
    x1, y1, x2, y2 = box
    small = LEAST_SIDE - 1e-6
    return -1e-6 <= x1 <= x2 - small and x2 <= 640 + 1e-6 and -1e-6 <= y1 <= y2 - small and y2 <= 360 + 1e-6


@given(views(), WIDTHS, HEIGHTS)
def test_a_point_of_the_video_is_found_again_from_the_screen(view: View, x: float, y: float) -> None:
    left, top, _, _ = view.to_screen((x, y, x, y))
    assert view.to_video(left, top) == pytest.approx((x, y), abs=1e-6)


@given(views(), DISTANCES, DISTANCES)
def test_a_point_beside_the_picture_is_moved_to_its_edge(view: View, x: float, y: float) -> None:
    across, down = view.to_video(x, y)
    assert 0 <= across <= 640 and 0 <= down <= 360


@given(boxes(), st.sampled_from([MOVE, "n", "s", "w", "e", "nw", "ne", "sw", "se"]), DISTANCES, DISTANCES)
def test_a_pulled_box_stays_in_the_picture_and_only_those_sides_move(
    box: Box, sides: str, across: float, down: float
) -> None:
    after = pointing.pulled(box, sides, across, down, VIDEO)
    assert inside(after)
    if sides == MOVE:
        assert after[2] - after[0] == pytest.approx(box[2] - box[0], abs=1e-6)
        assert after[3] - after[1] == pytest.approx(box[3] - box[1], abs=1e-6)
    else:
        still = {"w": 0, "n": 1, "e": 2, "s": 3}
        assert all(after[place] == box[place] for side, place in still.items() if side not in sides)


@given(boxes(), st.floats(0.01, 20))
def test_a_grown_box_stays_in_the_picture(box: Box, factor: float) -> None:
    x1, y1, x2, y2 = pointing.grown(box, factor, VIDEO)
    assert 0 <= x1 < x2 <= 640 and 0 <= y1 < y2 <= 360


def test_what_of_a_box_is_taken_hold_of() -> None:
    box = (100.0, 100.0, 200.0, 180.0)
    for point, wanted in (
        ((150, 140), MOVE), ((101, 101), "nw"), ((199, 140), "e"), ((205, 140), "e"), ((150, 176), "s"),
        ((207, 140), None), ((150, 93), None),
    ):  # fmt: skip
        assert pointing.handle(box, *point, 6) == wanted
    assert pointing.handle((100.0, 100.0, 112.0, 112.0), 106, 106, 6) == MOVE, "a small box can be moved, too"


def test_a_click_takes_the_smallest_and_then_the_next() -> None:
    large, small = Mark(1, (0.0, 0.0, 100.0, 100.0)), Mark(2, (10.0, 10.0, 30.0, 30.0))
    chosen = Mark(2, small.box, selected=True)
    assert pointing.clicked([large, small], 20, 20) is small
    assert pointing.clicked([large, chosen], 20, 20) is large
    assert pointing.clicked([large, small], 90, 90) is large
    assert pointing.clicked([large, small], 300, 90) is None


def test_only_a_single_selected_mark_that_moves_can_be_moved() -> None:
    one, other = (Mark(n, (0.0, 0.0, 9.0, 9.0), selected=True) for n in (1, 2))
    fixed = Mark(3, one.box, selected=True, moves=False)
    assert pointing.movable([one, Mark(2, one.box)]) is one
    assert pointing.movable([one, other]) is pointing.movable([fixed]) is pointing.movable([]) is None


@given(boxes(), st.floats(3, 40))
def test_hatching_stays_within_its_box(box: Box, step: float) -> None:
    line = pointing.hatching(box, step)
    assert all(box[0] - 1e-6 <= x <= box[2] + 1e-6 for x in line[::2])
    assert all(box[1] - 1e-6 <= y <= box[3] + 1e-6 for y in line[1::2])


def test_a_box_that_is_too_small_is_none() -> None:
    assert pointing.drawn((10, 10), (12, 60)) is None
    assert pointing.drawn((60, 60), (10, 20)) == (10, 20, 60, 60)
