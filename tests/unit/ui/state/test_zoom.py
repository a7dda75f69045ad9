"""Which part of a picture is in sight, and how it moves."""

from __future__ import annotations

import random

import pytest

from anonator.ui.state.zoom import Zoom, one_to_one

WIDE, ROOM = (1920, 1080), (960, 800)


def test_at_first_the_whole_picture_is_in_sight() -> None:
    assert Zoom().visible(WIDE, ROOM) == ((0, 0, 1920, 1080), (960, 540))
    assert Zoom().fits


def test_one_to_one_shows_the_pixels_of_the_video() -> None:
    factor = one_to_one(1920, WIDE, ROOM)
    box, size = Zoom().scaled(factor, WIDE, ROOM).visible(WIDE, ROOM)
    assert size == (960, 800)
    assert (box[2] - box[0], box[3] - box[1]) == pytest.approx(size)
    # a small copy of the video stands for as many pixels
    small = one_to_one(1920, (640, 360), ROOM)
    box, size = Zoom().scaled(small, (640, 360), ROOM).visible((640, 360), ROOM)
    assert box[2] - box[0] == pytest.approx(320) and size == (960, 800)


def test_the_point_under_the_pointer_stays_where_it_is() -> None:
    draw = random.Random(3)
    zoom = Zoom()
    for _ in range(50):
        at = (draw.uniform(-200, 200), draw.uniform(-100, 100))
        after = zoom.scaled(draw.uniform(2, 9), WIDE, ROOM, at)
        box, (width, height) = after.visible(WIDE, ROOM)
        left, top, right, bottom = box
        assert 0 <= left < right <= 1920 and 0 <= top < bottom <= 1080
        before, (b_width, b_height) = zoom.visible(WIDE, ROOM)
        if left > 0 and right < 1920:  # else an edge is in the way
            was = before[0] + (at[0] + b_width / 2) * (before[2] - before[0]) / b_width
            now = left + (at[0] + width / 2) * (right - left) / width
            assert now == pytest.approx(was, abs=2)
        zoom = after
        assert height <= ROOM[1] and b_height <= ROOM[1]


def test_a_dragged_picture_follows_the_pointer_and_stops_at_its_edge() -> None:
    zoom = Zoom().scaled(4, WIDE, ROOM)
    box, _ = zoom.visible(WIDE, ROOM)
    moved, _ = zoom.dragged(100, -50, WIDE, ROOM).visible(WIDE, ROOM)
    assert moved[0] == pytest.approx(box[0] - 50) and moved[1] == pytest.approx(box[1] + 25)
    far, _ = zoom.dragged(99999, 99999, WIDE, ROOM).visible(WIDE, ROOM)
    assert far[:2] == pytest.approx((0, 0))
    back = zoom.dragged(99999, 0, WIDE, ROOM).dragged(-2, 0, WIDE, ROOM)
    assert back.visible(WIDE, ROOM)[0][0] == pytest.approx(1), "no dead way beyond the edge"


def test_further_away_than_the_whole_is_the_whole() -> None:
    assert Zoom(3, 0.9, 0.1).scaled(0.5, WIDE, ROOM) == Zoom()
