"""Two detectors as one: what either finds is found, once, and a failure of either ends the job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import pytest

from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.given import fault_in
from anonator.core.detection.joined import LESS, LOWEST, SHARE, JoinedDetector, for_looking
from anonator.core.detection.tilted import Tilted
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections
from anonator.errors import DetectionError


class Fixed:
    """A detector that always answers the same."""

    name, batch_size, max_resolution, device_line, notes, weights = "Fixed", 3, 640, "nowhere", (), None

    def __init__(self, answer: Detections) -> None:
        self.answer, self.turns = answer, ()

    def detect(
        self,
        pictures: Sequence[np.ndarray],
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        self.turns = tuple(turns)
        return [self.answer for _ in pictures]

    def close(self) -> None:
        raise AssertionError("it belongs to somebody else")


def test_what_the_first_misses_is_found(astronaut: np.ndarray) -> None:
    first = Fixed(Detections.empty())
    both = JoinedDetector(first, YuNet(LOWEST), 0.3)
    alone = YuNet(LOWEST).find(astronaut, round(640 * SHARE))
    answers = both.detect([astronaut, astronaut[::-1].copy()])
    assert fault_in(answers, [astronaut] * 2) == "" and first.turns == (0,)
    assert len(answers[0]) == len(alone) >= 1
    np.testing.assert_allclose(answers[0].scores, alone.scores - LESS)
    both.close()


def test_one_face_seen_by_both_stays_one(astronaut: np.ndarray) -> None:
    box = YuNet(0.6).find(astronaut, 640).boxes[0]
    both = JoinedDetector(
        Fixed(Detections.upright([box + 3, [400, 400, 440, 450]], [0.99, 0.4])), YuNet(0.6), 0.3
    )
    (found,) = both.detect([astronaut])
    np.testing.assert_allclose(found.boxes, [box + 3, [400, 400, 440, 450]])
    np.testing.assert_allclose(found.scores, [0.99, 0.4])


@pytest.mark.parametrize("degrees", [45, -45, 60])
def test_a_tilted_face_is_looked_for_where_the_first_looks_turned(
    astronaut: np.ndarray, degrees: float
) -> None:
    tilted = Tilted(astronaut, degrees).picture
    first = Fixed(Detections.empty())
    both = JoinedDetector(first, YuNet(LOWEST), 0.3)
    (upright,), (turned,) = both.detect([tilted]), both.detect([tilted], (0, 1, 2, 3))
    assert first.turns == (0, 1, 2, 3) and fault_in([turned], [tilted]) == ""
    assert turned.scores.max() > upright.scores.max(initial=0) + 0.05
    # where the face's middle went
    middle = np.array([[225 - 256, 135 - 256]]) @ _turn(degrees).T + np.array(tilted.shape[1::-1]) / 2
    x1, y1, x2, y2 = turned.boxes[0]
    assert x1 < middle[0, 0] < x2 and y1 < middle[0, 1] < y2


def _turn(degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, s], [-s, c]])


def test_boxes_come_back_from_a_tilted_picture(astronaut: np.ndarray) -> None:
    box = np.array([[100, 50, 140, 90], [0, 0, 20, 20]], np.float32)
    for degrees in (0, 30, 45, -45, 90, 200):
        tilted = Tilted(astronaut[:300], degrees)
        shift = np.array(tilted.picture.shape[1::-1]) / 2
        centres = ((box[:, :2] + box[:, 2:]) / 2 - (256, 150)) @ _turn(degrees).T + shift
        half = np.array([[20, 20], [10, 10]])
        there = np.concatenate([centres - half, centres + half], axis=1).astype(np.float32)
        np.testing.assert_allclose(tilted.upright(there), box, atol=1.0)


class Tilting:
    """A second detector that sees one face, in the middle of every tilted picture."""

    def __init__(self, size: float, score: float) -> None:
        self.size, self.score = size, score

    def find(self, picture: np.ndarray, long_side: int) -> Detections:
        if picture.shape[:2] == (400, 640):
            return Detections.empty()
        centre, half = np.array(picture.shape[1::-1]) / 2, self.size / 2
        return Detections.upright(np.array([[*(centre - half), *(centre + half)]], np.float32), [self.score])


@pytest.mark.parametrize(
    ("size", "score", "also_seen", "believed"),
    [
        (100, 0.69, False, False),
        (100, 0.71, False, True),
        (100, 0.69, True, True),
        (100, 0.4, False, False),
        (60, 0.4, False, True),
        # what counts is its size as the second detector sees it, two thirds of 960 pixels wide
        (79, 0.5, False, True),
        (81, 0.5, False, False),
    ],
)
def test_a_large_tilted_face_of_a_low_score_needs_the_first_detector(
    size: float, score: float, also_seen: bool, believed: bool
) -> None:
    face = np.array([[290, 170, 350, 230]], np.float32)
    first = Fixed(Detections.upright(face, [0.1]) if also_seen else Detections.empty())
    first.max_resolution = 960
    both = JoinedDetector(first, cast(YuNet, Tilting(size, score)), 0.3)
    (found,) = both.detect([np.zeros((400, 640, 3), np.uint8)], (0, 1, 2, 3))
    assert (len(found) > 0 and found.scores[0] > 0.15) == believed


def test_a_failure_of_the_second_is_not_hidden(
    astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(self: YuNet, picture: np.ndarray, long_side: int) -> Detections:
        raise DetectionError("The second detector failed.")

    both = JoinedDetector(Fixed(Detections.empty()), YuNet(LOWEST), 0.3)
    monkeypatch.setattr(YuNet, "find", failing)
    with pytest.raises(DetectionError):
        both.detect([astronaut])


def test_only_where_the_settings_say_so(detectors: DetectorCache) -> None:
    first = Fixed(Detections.empty())
    assert for_looking(first, Settings()) is first
    assert for_looking(first, Settings.standard(second_detector="off")) is first
    joined = for_looking(first, Settings(second_detector="look"))
    assert isinstance(joined, JoinedDetector)
    said = ("name", "batch_size", "max_resolution", "device_line", "notes", "weights")
    assert [getattr(joined, each) for each in said] == [getattr(first, each) for each in said]
