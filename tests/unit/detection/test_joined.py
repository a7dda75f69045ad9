"""Two detectors as one: what either finds is found, once, and a failure of either ends the job."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.given import fault_in
from anonator.core.detection.joined import LESS, LOWEST, JoinedDetector, for_looking
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
    alone = YuNet(LOWEST).find(astronaut, 640)
    answers = both.detect([astronaut, astronaut[::-1].copy()], (0, 1))
    assert fault_in(answers, [astronaut] * 2) == "" and first.turns == (0, 1)
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
