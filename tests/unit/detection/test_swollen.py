"""A turned picture may show a face and the hands near it as one large face; only the face is kept."""

from __future__ import annotations

import numpy as np
import pytest

from anonator.core.detection.passes import without_swollen
from anonator.core.frames import Detections

FACE = (277, 100, 333, 171)
HANDS_TOO = (263, 86, 373, 219)
"""As found on a clip of a person whose hands come near the face."""


def found(*faces: tuple[tuple[int, int, int, int], float, int]) -> Detections:
    boxes, scores, turns = zip(*faces, strict=True)
    return Detections(np.array(boxes, np.float32), np.array(scores, np.float32), np.array(turns, np.int32))


def test_a_sure_upright_face_speaks_for_what_surrounds_it_turned() -> None:
    other = ((10, 10, 60, 70), 0.4, 2)
    kept = without_swollen(found((FACE, 0.99, 0), (HANDS_TOO, 0.72, 3), other))
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
    assert len(without_swollen(found(*faces))) == len(faces)


def test_an_empty_picture_stays_empty() -> None:
    assert len(without_swollen(Detections.empty())) == 0
