"""A turned picture may show a face and the hands near it as one large face; only the face is kept."""

from __future__ import annotations

import numpy as np
import pytest

from anonator.core.boxes import iou, turn_back
from anonator.core.detection.passes import Pass, merge, suppress, without_swollen
from anonator.core.frames import Detections

FACE = (277, 100, 333, 171)
HANDS_TOO = (263, 86, 373, 219)
"""As found on a clip of a person whose hands come near the face."""


def found(*faces: tuple[tuple[int, int, int, int], float, int]) -> Detections:
    boxes, scores, turns = zip(*faces, strict=True)
    return Detections(np.array(boxes, np.float32), np.array(scores, np.float32), np.array(turns, np.int32))


def left(faces: Detections) -> Detections:
    """Each was found in the picture that it counts for."""
    return without_swollen(faces, faces.turns)


def test_a_sure_upright_face_speaks_for_what_surrounds_it_turned() -> None:
    other = ((10, 10, 60, 70), 0.4, 2)
    kept = left(found((FACE, 0.99, 0), (HANDS_TOO, 0.72, 3), other))
    assert kept.boxes.tolist() == [list(FACE), list(other[0])]


@pytest.mark.parametrize(
    "faces",
    [
        [(FACE, 0.85, 0), (HANDS_TOO, 0.72, 3)],  # it isn't sure
        [(FACE, 0.95, 0), (HANDS_TOO, 0.97, 3)],  # the turned one is surer
        [(FACE, 0.99, 1), (HANDS_TOO, 0.72, 3)],  # neither is upright
        [(FACE, 0.99, 0), (HANDS_TOO, 0.72, 0)],  # both are
        [(FACE, 0.99, 0), ((200, 60, 400, 260), 0.72, 3)],  # too large to be the same
        [(FACE, 0.99, 0), ((300, 86, 410, 219), 0.72, 3)],  # half of it lies elsewhere
        [(HANDS_TOO, 0.72, 3)],
        [(FACE, 0.99, 0)],
    ],
)
def test_nothing_else_is_left_out(faces: list[tuple[tuple[int, int, int, int], float, int]]) -> None:
    assert len(left(found(*faces))) == len(faces)


def test_an_empty_picture_stays_empty() -> None:
    assert len(left(Detections.empty())) == 0


def test_the_sure_face_makes_nothing_upright_that_swells_around_it() -> None:
    seen = (1920, 1440)

    def by_a_pass(box: tuple[int, int, int, int], score: float, turns: int) -> np.ndarray:
        """(1, 5) as one pass answers, of a picture that the network sees three times as large."""
        size = seen[::-1] if turns % 2 else seen
        there = turn_back(3 * np.array([box], np.float32), -turns % 4, *size)
        sides = np.array(size * 2, np.float32)
        return np.concatenate([there / sides, [[np.float32(score)]]], axis=1).astype(np.float32)

    # half the size shows the same face a little larger: enough to be taken for the turned one, too
    looser = (265, 88, 345, 190)
    passes = [Pass(0), Pass(0, 1, smallest=96), Pass(3, 1)]
    looks = [by_a_pass(FACE, 0.99, 0), by_a_pass(looser, 0.97, 0), by_a_pass(HANDS_TOO, 0.72, 3)]
    boxes = np.array([FACE, looser, HANDS_TOO], np.float32)
    assert iou(boxes, boxes)[2].tolist() == pytest.approx([0.272, 0.558, 1], abs=0.01)
    as_suppressed = suppress(boxes, np.array([0.99, 0.97, 0.72], np.float32), np.array([0, 0, 3]))
    assert len(as_suppressed) == 2 and not as_suppressed.turns.any()
    merged = merge(looks, passes, seen, (1 / 3, 1 / 3), (640, 480))
    np.testing.assert_allclose(merged.boxes, [FACE], atol=0.01)
