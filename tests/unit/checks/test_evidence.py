"""Both detectors look at a place of the input, and say what they see there and nowhere else."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from anonator.core.checks.evidence import Judge
from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Frame

FACE = (170, 60, 280, 210)
"""The astronaut's, hair to chin."""


def frame(rgb: np.ndarray, sar: Fraction = Fraction(1)) -> Frame:
    image = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
    return Frame(0, 0, Fraction(1, 25), image, sar=sar)


@pytest.fixture
def judge(detectors: DetectorCache) -> Judge:
    return Judge(detectors.get(Settings(performance=Performance.BALANCED)), YuNet(0.2), None)


def test_a_face_is_seen_by_both_where_it_is(judge: Judge, astronaut: np.ndarray) -> None:
    places = np.array([FACE, (20, 300, 130, 450), (185, 85, 270, 190)], np.float32)
    there, elsewhere, inner = judge.look(frame(astronaut), places)
    for evidence in (there, inner):
        assert min(evidence.first, evidence.second) > 0.6
        x, y = (evidence.boxes[:, :2] + evidence.boxes[:, 2:]).mean(axis=0) / 2
        assert len(evidence.boxes) >= 2 and abs(x - 225) < 15 and abs(y - 135) < 20
    assert (elsewhere.first, elsewhere.second, len(elsewhere.boxes)) == (0, 0, 0)
    assert judge.look(frame(astronaut), np.zeros((0, 4), np.float32)) == []


def test_places_are_in_pixels_of_the_frame_whatever_their_shape(judge: Judge, astronaut: np.ndarray) -> None:
    narrow = astronaut[:, ::2]  # every pixel is twice as wide as high
    x1, y1, x2, y2 = FACE
    (seen,) = judge.look(frame(narrow, Fraction(2)), np.array([(x1 / 2, y1, x2 / 2, y2)], np.float32))
    assert min(seen.first, seen.second) > 0.6
    x, y = (seen.boxes[:, :2] + seen.boxes[:, 2:]).mean(axis=0) / 2
    assert abs(x - 225 / 2) < 8 and abs(y - 135) < 20


def test_a_face_at_the_edge_is_seen(judge: Judge, astronaut: np.ndarray) -> None:
    cut = astronaut[60:, 180:]
    (seen,) = judge.look(frame(cut[: cut.shape[0] // 2 * 2]), np.array([(0, 0, 95, 145)], np.float32))
    assert max(seen.first, seen.second) > 0.5
