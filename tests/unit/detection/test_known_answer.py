"""The known picture and what counts as the same answer to it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from detector_helpers import bundled_network

from anonator.core.detection.known_answer import disagreement, known_picture
from anonator.core.detection.networks import RGB_MEANS

SIZES = [(1920, 1080), (480, 270), (135, 240), (96, 64)]


@pytest.mark.parametrize(("size", "least"), [((1920, 1080), 500), ((480, 270), 100), ((135, 240), 20)])
def test_the_known_picture_has_something_to_find_in_every_size(size: tuple[int, int], least: int) -> None:
    """A failure means that an engine that sees nothing at all would pass."""
    network = bundled_network()
    network.prepare()
    picture = torch.from_numpy(known_picture(*size)) - torch.tensor(RGB_MEANS)
    with torch.inference_mode():
        _, logits = network(picture[None].permute(0, 3, 1, 2))
    assert (logits.sigmoid() > 0.1).sum() >= least
    assert (logits.sigmoid() > 0.9).sum() >= least / 5


@pytest.mark.parametrize("size", [*SIZES, (1, 1), (32, 4000), (4096, 2160)])
def test_the_known_picture_is_always_the_same(size: tuple[int, int]) -> None:
    picture = known_picture(*size)
    assert picture.shape == (size[1], size[0], 3) and picture.dtype == np.uint8
    assert np.array_equal(picture, known_picture(*size))


def answer(scores: list[float], box: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    logits = np.log(np.array(scores) / (1 - np.array(scores))).astype(np.float32)
    return np.full((len(scores), 4), box, np.float32), logits


GOOD = answer([0.9, 0.001])


@pytest.mark.parametrize("exact", [True, False])
def test_the_same_answer_is_right(exact: bool) -> None:
    assert disagreement(GOOD, GOOD, exact=exact) == ""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (answer([0.9]), "shape"),
        ((GOOD[0], GOOD[1] * np.nan), "not finite"),
        ((GOOD[0] + np.inf, GOOD[1]), "not finite"),
        (answer([0.8, 0.001]), "off by 0.811"),
        (answer([0.9, 0.8]), "off by 8.29"),  # a face that is none
        (answer([0.001, 0.001]), "off by 9.1"),  # a face that is missing
        (answer([0.9, 0.001], box=0.8), "off by 0.3"),
        (answer([0.9, 0.000_001]), "off by 6.91"),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
def test_what_differs_is_told(wrong: tuple[np.ndarray, np.ndarray], said: str, exact: bool) -> None:
    assert said in disagreement(wrong, GOOD, exact=exact)


@pytest.mark.parametrize(
    "close", [answer([0.895, 0.001]), answer([0.9, 0.0018]), answer([0.9, 0.001], box=0.55)]
)
def test_fewer_bits_may_differ_a_little(close: tuple[np.ndarray, np.ndarray]) -> None:
    assert disagreement(close, GOOD, exact=False) == ""
    assert "off by" in disagreement(close, GOOD, exact=True)
