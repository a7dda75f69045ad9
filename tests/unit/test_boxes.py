"""Box geometry: tables with no boxes, one-pixel boxes and boxes at and beyond the picture's edge."""

from __future__ import annotations

import numpy as np
import pytest

from anonator.core import boxes

NONE = np.zeros((0, 4), np.float32)
Row = tuple[float, float, float, float]


def rows(*given: Row) -> np.ndarray:
    return np.array(given, np.float32).reshape(-1, 4)


def painted(box: tuple[int, int, int, int], width: int, height: int) -> np.ndarray:
    """(height, width) bool, True inside the half-open box."""
    picture = np.zeros((height, width), bool)
    x1, y1, x2, y2 = box
    picture[y1:y2, x1:x2] = True
    return picture


def box_of(picture: np.ndarray) -> tuple[int, int, int, int]:
    ys, xs = np.nonzero(picture)
    return int(xs.min()), int(ys.min()), int(xs.max()) + 1, int(ys.max()) + 1


# --- one box --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("box", "area", "centre", "size"),
    [
        ((0, 0, 1, 1), 1, (0.5, 0.5), 1),
        ((2, 3, 6, 12), 36, (4, 7.5), 6),
        ((5, 5, 5, 9), 0, (5, 7), 0),
        ((9, 5, 5, 9), 0, (7, 7), 0),  # turned inside out: no area, never a negative one
        ((9, 9, 5, 5), 0, (7, 7), 0),  # twice negative must not become positive
        ((-4, -4, 0, 0), 16, (-2, -2), 4),
    ],
)
def test_area_centre_and_size(box: Row, area: float, centre: tuple[float, float], size: float) -> None:
    assert boxes.areas(rows(box)).tolist() == [area]
    assert boxes.centres(rows(box)).tolist() == [list(centre)]
    assert boxes.sizes(rows(box)).tolist() == [size]


def test_no_boxes_go_through_everything() -> None:
    one = rows((0, 0, 4, 4))
    assert boxes.areas(NONE).shape == (0,)
    assert boxes.centres(NONE).shape == (0, 2)
    assert boxes.sizes(NONE).shape == (0,)
    assert boxes.iou(NONE, one).shape == (0, 1)
    assert boxes.iou(one, NONE).shape == (1, 0)
    assert boxes.iou(NONE, NONE).shape == (0, 0)
    for result in (
        boxes.clip(NONE, 8, 6),
        boxes.expand(NONE, 1.5),
        boxes.rescale(NONE, 2, 2),
        boxes.interpolate(NONE, NONE, 0.5),
        boxes.hull(NONE, NONE),
        *(boxes.turn_back(NONE, k, 8, 6) for k in range(4)),
    ):
        assert result.shape == (0, 4)
        assert result.dtype == np.float32
    assert boxes.to_pixels(NONE, 8, 6) == []


# --- overlap --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 4, 4), (0, 0, 4, 4), 1.0),
        ((0, 0, 4, 4), (4, 0, 8, 4), 0.0),  # half-open: they touch and share no pixel
        ((0, 0, 4, 4), (3, 3, 7, 7), 1 / 31),
        ((0, 0, 4, 4), (1, 1, 3, 3), 4 / 16),
        ((0, 0, 1, 1), (0, 0, 1, 1), 1.0),
        ((0, 0, 0, 0), (0, 0, 0, 0), 0.0),  # no area: 0, not a division by zero
        ((0, 0, 4, 4), (100, 100, 104, 104), 0.0),
        ((0, 0, 4, 4), (2, 5, 6, 9), 0.0),  # shares columns, but no row
    ],
)
def test_iou(a: Row, b: Row, expected: float) -> None:
    assert boxes.iou(rows(a), rows(b))[0, 0] == pytest.approx(expected)
    assert boxes.iou(rows(b), rows(a))[0, 0] == pytest.approx(expected)


def test_iou_agrees_with_counting_pixels() -> None:
    rng = np.random.default_rng(1)
    corners = rng.integers(0, 15, (12, 2))
    given = np.concatenate([corners, corners + rng.integers(1, 8, (12, 2))], axis=1)
    result = boxes.iou(given[:5].astype(np.float32), given[5:].astype(np.float32))
    assert result.shape == (5, 7)
    for i in range(5):
        for j in range(7):
            a, b = painted(tuple(given[i]), 24, 24), painted(tuple(given[5 + j]), 24, 24)
            assert result[i, j] == pytest.approx((a & b).sum() / (a | b).sum())


# --- change of size and place ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        ((1, 1, 5, 4), (1, 1, 5, 4)),
        ((0, 0, 8, 6), (0, 0, 8, 6)),
        ((-3, -2, 3, 2), (0, 0, 3, 2)),
        ((5, 4, 12, 9), (5, 4, 8, 6)),
        ((20, 20, 30, 30), (8, 6, 8, 6)),
        ((-30, -30, -20, -20), (0, 0, 0, 0)),
    ],
)
def test_clip(box: Row, clipped: Row) -> None:
    assert boxes.clip(rows(box), 8, 6).tolist() == [list(clipped)]


@pytest.mark.parametrize(
    ("box", "scale", "expanded"),
    [
        ((2, 2, 6, 4), 1.0, (2, 2, 6, 4)),
        ((2, 2, 6, 4), 1.5, (1, 1.5, 7, 4.5)),
        ((2, 2, 6, 4), 2.0, (0, 1, 8, 5)),
        ((3, 3, 4, 4), 3.0, (2, 2, 5, 5)),
        ((0, 0, 4, 4), 1.5, (-1, -1, 5, 5)),  # not clipped here: a mask at the edge keeps its shape
    ],
)
def test_expand(box: Row, scale: float, expanded: Row) -> None:
    assert boxes.expand(rows(box), scale).tolist() == [list(expanded)]


def test_rescale_takes_each_axis_by_itself() -> None:
    assert boxes.rescale(rows((1, 2, 3, 4)), 2, 0.5).tolist() == [[2, 1, 6, 2]]


@pytest.mark.parametrize(
    ("fraction", "between"), [(0, (0, 0, 4, 4)), (0.25, (2, 1, 7, 6)), (1, (8, 4, 16, 12))]
)
def test_interpolate(fraction: float, between: Row) -> None:
    assert boxes.interpolate(rows((0, 0, 4, 4)), rows((8, 4, 16, 12)), fraction).tolist() == [list(between)]


def test_hull_holds_both_row_by_row() -> None:
    a, b = rows((0, 0, 2, 2), (5, 5, 6, 6)), rows((8, 1, 9, 9), (5, 5, 6, 6))
    assert boxes.hull(a, b).tolist() == [[0, 0, 9, 9], [5, 5, 6, 6]]


# --- turned pictures ------------------------------------------------------------------------------

WIDTH, HEIGHT = 13, 8


@pytest.mark.parametrize("quarter_turns", range(-1, 6))
@pytest.mark.parametrize(
    "box",
    [
        (2, 1, 7, 5),
        (0, 0, 1, 1),
        (12, 7, 13, 8),
        (12, 0, 13, 1),
        (0, 7, 1, 8),
        (0, 0, WIDTH, HEIGHT),
        (0, 3, 13, 4),
    ],
)
def test_turn_back_finds_the_painted_rectangle(box: tuple[int, int, int, int], quarter_turns: int) -> None:
    turned = np.rot90(painted(box, WIDTH, HEIGHT), quarter_turns)
    back = boxes.turn_back(rows(box_of(turned)), quarter_turns, WIDTH, HEIGHT)
    assert back.tolist() == [list(box)]


def test_turn_back_of_several_boxes_keeps_their_order() -> None:
    given = [(0, 0, 3, 2), (5, 4, 9, 8)]
    turned = [box_of(np.rot90(painted(box, WIDTH, HEIGHT), 1)) for box in given]
    assert boxes.turn_back(rows(*turned), 1, WIDTH, HEIGHT).tolist() == [list(box) for box in given]


# --- pixels ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("box", "pixels"),
    [
        ((1, 1, 3, 3), [(1, 1, 3, 3)]),
        ((1.9, 1.1, 3.1, 2.01), [(1, 1, 4, 3)]),  # every pixel that it touches
        ((2, 2, 2.001, 2.001), [(2, 2, 3, 3)]),
        ((7, 5, 8, 6), [(7, 5, 8, 6)]),  # the last pixel of the picture
        ((7.5, 5.5, 40, 40), [(7, 5, 8, 6)]),
        ((-9, -9, 0.5, 0.5), [(0, 0, 1, 1)]),
        ((8, 6, 12, 12), []),  # begins where the picture ends
        ((-5, 0, 0, 4), []),
        ((3, 3, 3, 5), []),
        ((5, 3, 3, 5), []),
    ],
)
def test_to_pixels(box: Row, pixels: list[tuple[int, int, int, int]]) -> None:
    assert boxes.to_pixels(rows(box), 8, 6) == pixels


def test_to_pixels_leaves_out_only_the_empty_ones() -> None:
    assert boxes.to_pixels(rows((0, 0, 1, 1), (50, 50, 60, 60), (2, 2, 4, 4)), 8, 6) == [
        (0, 0, 1, 1),
        (2, 2, 4, 4),
    ]


def test_the_share_that_lies_inside() -> None:
    small, large = rows((2, 2, 4, 6), (5, 5, 5, 9)), rows((0, 0, 10, 4), (4, 2, 8, 8))
    np.testing.assert_allclose(boxes.inside(small, large), [[0.5, 0.0], [0.0, 0.0]])
    assert boxes.inside(small, NONE).shape == (2, 0)
    assert boxes.inside(NONE, large).shape == (0, 2)
