"""YuNet finds faces, in several threads at once; neither its file nor its answers are trusted unseen."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from detector_helpers import covered, labelled_pictures

from anonator import models
from anonator.core.detection import yunet
from anonator.core.detection.known_weights import YUNET
from anonator.core.detection.yunet import YuNet
from anonator.errors import DetectionError, WeightsInvalidError, WeightsMissingError

FACE = (170, 60, 280, 210)
"""The astronaut's, hair to chin."""


@pytest.fixture
def own_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    shutil.copytree(Path(models.__file__).parent, folder)
    monkeypatch.setattr(models, "__file__", str(folder / "__init__.py"))
    return folder


@pytest.mark.parametrize("long_side", [256, 512, 1024])
def test_boxes_are_in_pixels_of_the_picture_at_every_size(astronaut: np.ndarray, long_side: int) -> None:
    found = YuNet(0.6).find(astronaut, long_side)
    assert len(found) == 1 and found.turns.tolist() == [0]
    x1, y1, x2, y2 = found.boxes[0].tolist()
    assert FACE[0] - 10 <= x1 < x2 <= FACE[2] + 10 and FACE[1] - 10 <= y1 < y2 <= FACE[3] + 10
    assert (x2 - x1) * (y2 - y1) > 0.5 * (FACE[2] - FACE[0]) * (FACE[3] - FACE[1])


def test_colours_are_not_swapped(astronaut: np.ndarray) -> None:
    """Far away, a face in wrong colours scores less."""
    small = cv2.resize(astronaut, (64, 64), interpolation=cv2.INTER_AREA)
    second = YuNet(0.05)
    right, wrong = second.find(small, 64), second.find(np.ascontiguousarray(small[:, :, ::-1]), 64)
    assert right.scores.max() > wrong.scores.max(initial=0) + 0.1


def test_labelled_faces_are_found(shared: Path) -> None:
    hidden = np.concatenate(
        [
            covered(each.scored, YuNet(0.3).find(each.rgb, 1920).boxes, each.rgb.shape)
            for each in labelled_pictures(shared / "wider")
        ]
    )
    assert len(hidden) > 30 and hidden.mean() > 0.85


def test_a_picture_without_faces_has_none() -> None:
    assert len(YuNet(0.3).find(np.full((90, 160, 3), 120, np.uint8), 320)) == 0


def test_boxes_stay_within_the_picture(astronaut: np.ndarray) -> None:
    half = np.ascontiguousarray(astronaut[:, : (FACE[0] + FACE[2]) // 2])
    found = YuNet(0.2).find(half, 512)
    assert len(found) and found.boxes.min() >= 0 and found.boxes[:, 2].max() <= half.shape[1]


def test_threads_at_once_find_what_one_finds(astronaut: np.ndarray) -> None:
    second = YuNet(0.1)
    sizes = [256 + 32 * (i % 5) for i in range(20)]
    alone = [second.find(astronaut, size) for size in sizes]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda size: second.find(astronaut, size), sizes))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one.boxes, other.boxes)
        np.testing.assert_array_equal(one.scores, other.scores)


def test_after_a_rest_it_finds_the_same(astronaut: np.ndarray) -> None:
    second = YuNet(0.3)
    before = second.find(astronaut, 512)
    second.rest()
    assert not second._free, "what it held is free"
    after = second.find(astronaut, 512)
    np.testing.assert_array_equal(before.boxes, after.boxes)


def test_a_changed_network_is_refused(own_models: Path) -> None:
    file = own_models / YUNET.file_name
    content = bytearray(file.read_bytes())
    assert len(content) == YUNET.size_bytes
    content[-1] ^= 1
    file.write_bytes(content)
    with pytest.raises(WeightsInvalidError, match="SHA-256"):
        YuNet(0.3)
    file.unlink()
    with pytest.raises(WeightsMissingError, match="Install"):
        YuNet(0.3)


class Broken:
    """Answers with something else."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def setInputSize(self, size: tuple[int, int]) -> None: ...

    def detect(self, picture: np.ndarray) -> tuple[int, Any]:
        if isinstance(self.answer, Exception):
            raise self.answer
        return 1, self.answer


@pytest.mark.parametrize(
    "answer", [cv2.error("no memory"), np.full((1, 15), np.nan, np.float32), np.full((1, 15), np.inf)]
)
def test_a_failure_is_never_no_faces(monkeypatch: pytest.MonkeyPatch, answer: Any) -> None:
    second = YuNet(0.3)
    monkeypatch.setattr(second, "_free", [Broken(answer)])
    with pytest.raises(DetectionError, match="second detector failed"):
        second.find(np.zeros((64, 64, 3), np.uint8), 64)


def test_each_thread_has_an_object_for_itself_while_it_looks(astronaut: np.ndarray) -> None:
    second, alone = YuNet(0.3), YuNet(0.3).find(astronaut, 320)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: second.find(astronaut, 320), range(40)))
    assert all(np.array_equal(each.boxes, alone.boxes) for each in found)
    assert len(second._free) <= 4


def test_a_network_that_opencv_cannot_run_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yunet, "_published_network", lambda: np.zeros(100, np.uint8))
    with pytest.raises(DetectionError, match="second detector failed"):
        YuNet(0.3)
