"""Which looks a picture gets: every one is looked at, and what is found there decides on others."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch
from detector_helpers import make_detector
from torchvision.ops import nms  # type: ignore[import-untyped]

from anonator.core.detection.passes import (
    HINT,
    LARGE_FACE,
    SURELY_TURNED,
    Pass,
    all_passes,
    best_of_each,
    further_passes,
    merge,
    plan_passes,
)
from anonator.core.frames import APART

SEEN = (1920, 1088)
ALL_TURNS = (0, 1, 2, 3)
NOTHING = np.zeros((0, 5), np.float32)


def face(width: float, score: float, turns: int = 0) -> np.ndarray:
    """(1, 5) one face of that width, in 0..1 of the picture as it was turned."""
    sides = np.array([SEEN[1], SEEN[0]] * 2 if turns % 2 else [*SEEN] * 2, np.float32)
    box = np.array([400, 300, 400 + width, 300 + width], np.float32) / sides
    return np.array([[*box, score]], np.float32)


def further(turns: tuple[int, ...], seen_by: dict[tuple[int, int], np.ndarray]) -> list[Pass]:
    """What is worth a further look where only those (turns, halvings) found something."""
    passes = plan_passes(turns, SEEN, halves=True)
    found = [NOTHING if p.apart else seen_by.get((p.turns, p.halvings), NOTHING) for p in passes]
    return further_passes(found, passes, SEEN)


def test_an_upright_picture_without_large_faces_is_looked_at_in_full_and_small() -> None:
    assert [(p.turns, p.halvings) for p in plan_passes((0,), SEEN, halves=True)] == [(0, 0), (0, 2)]
    assert further((0,), {(0, 0): face(LARGE_FACE / 2, 0.99)}) == []


@pytest.mark.parametrize(
    "seen_by",
    [
        {(0, 0): face(LARGE_FACE, 0.1)},
        {(0, 2): face(LARGE_FACE, HINT)},
        {(0, 2): np.concatenate([face(20, 0.9), face(800, 0.3)])},
    ],
)
def test_any_hint_of_a_large_face_is_judged_at_half_the_size(
    seen_by: dict[tuple[int, int], np.ndarray],
) -> None:
    (more,) = further((0,), seen_by)
    assert (more.turns, more.halvings) == (0, 1) and more.smallest < LARGE_FACE


def test_a_small_face_on_its_side_is_worth_a_full_look_at_its_turn_alone() -> None:
    more = further(ALL_TURNS, {(2, 1): face(40, SURELY_TURNED)})
    assert [(p.turns, p.halvings) for p in more] == [(2, 0)]
    assert further(ALL_TURNS, {(2, 1): face(40, SURELY_TURNED - 0.01)}) == []
    assert further(ALL_TURNS, {(3, 1): face(2 * LARGE_FACE, 0.99, 3)}) == []


def test_an_upright_face_that_also_looks_turned_is_worth_no_full_look() -> None:
    upright = face(40, 0.9)
    turned = upright.copy()
    turned[0, [0, 2]] = 1 - upright[0, [2, 0]]  # the same place, turned by half
    turned[0, [1, 3]] = 1 - upright[0, [3, 1]]
    assert further(ALL_TURNS, {(0, 0): upright, (2, 1): turned}) == []


def test_a_small_face_found_only_at_half_the_size_counts_where_no_full_look_was() -> None:
    found, half = face(40, 0.6, 1), Pass(1, 1)
    assert len(merge([found], [half], SEEN, (1, 1), SEEN)) == 1
    assert len(merge([found, NOTHING], [half, Pass(1, largest=LARGE_FACE)], SEEN, (1, 1), SEEN)) == 0


@pytest.mark.parametrize("turns", [(0,), ALL_TURNS, (1, 3)])
def test_all_passes_at_once_leave_nothing_for_later(turns: tuple[int, ...]) -> None:
    passes = all_passes(turns, SEEN, halves=True)
    looks = {(p.turns, p.halvings) for p in passes if not p.apart}
    quarter = {(0, 2)} if 0 in turns else set()
    assert looks == {(k, h) for k in turns for h in (0, 1)} | quarter
    assert len(passes) == len(looks) + (len(turns) > 1)


@pytest.mark.parametrize("turns", [(0,), ALL_TURNS])
@pytest.mark.parametrize("seen", [(640, 240), (960, 72), (255, 640)])
def test_a_large_face_in_a_low_or_narrow_picture_is_some_pass_s_business(
    turns: tuple[int, ...], seen: tuple[int, int]
) -> None:
    """Such a picture has no quarter that could hint at it."""
    passes = plan_passes(turns, seen, halves=True)
    passes += further_passes([NOTHING] * len(passes), passes, seen)
    upright = [p for p in passes if p.turns == 0 and not p.apart]
    for side in (10, LARGE_FACE - 1, LARGE_FACE, 2 * LARGE_FACE):
        assert any(p.smallest <= side < p.largest for p in upright)


def test_small_pictures_are_looked_at_once() -> None:
    assert plan_passes((0,), (200, 120), halves=True) == [Pass(0)]
    assert plan_passes(ALL_TURNS, SEEN, halves=False) == [Pass(k) for k in ALL_TURNS]


def test_a_dark_face_larger_than_the_picture_is_found(astronaut: np.ndarray) -> None:
    """At half the size it was found in 10 of 39 pictures like this one, at full size in one."""
    x1, y1, x2, y2 = 90, 40, 220, 190
    height = (y2 - y1) / 1.2
    scale = 540 / height
    corner = (x1 + x2) / 2 - 480 / scale, (y1 + y2) / 2 - height / 2
    move = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]], np.float32)
    dark = (astronaut * 0.25).astype(np.uint8)
    near = cv2.warpAffine(dark, move, (960, 540), borderMode=cv2.BORDER_REFLECT)
    detector = make_detector(max_resolution=1920)
    seen = detector.detect([near])[0]
    detector.close()
    sure = seen.select(seen.scores >= 0.5)
    assert len(sure) and (sure.boxes[:, 2:] - sure.boxes[:, :2]).max() > 350
    assert not (sure.turns == APART).any()


@pytest.mark.parametrize("seed", range(20))
def test_the_boxes_that_stay_are_torchvisions(seed: int) -> None:
    draw = np.random.default_rng(seed)
    count = int(draw.integers(0, 300))
    corners = draw.uniform(0, 400, (count, 2))
    boxes = np.concatenate([corners, corners + draw.uniform(4, 120, (count, 2))], axis=1).astype(np.float32)
    scores = draw.uniform(0, 1, count).astype(np.float32)
    if seed % 2:
        scores = scores.round(1)  # equal ones stay in their order; some are 0
    threshold = float(draw.uniform(0.2, 0.6))
    expected = nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold).numpy()
    np.testing.assert_array_equal(best_of_each(boxes, scores, threshold), expected)
