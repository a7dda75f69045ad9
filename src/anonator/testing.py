"""check_detector: checks whether your own detector keeps the contract that jobs rely on.

    from anonator.testing import check_detector

    def test_my_detector():
        check_detector(MyDetector())

It needs no test framework and no video, only pictures made by NumPy. Whether your detector finds the faces
is for you to test.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.given import fault_in
from anonator.core.detection.weights import WeightsFile
from anonator.core.frames import Detections, UInt8Array
from anonator.errors import JobCancelled

__all__ = ["check_detector"]

ALL_TURNS = (0, 1, 2, 3)


def check_detector(detector: Detector) -> None:
    """Ask a detector about the kinds of pictures that jobs use, and close it at the end.

    Raises:
        AssertionError: one sentence on which part of the contract it breaks.
    """
    _check_attributes(detector)
    for pictures, turns in _questions(detector.batch_size):
        before = [picture.copy() for picture in pictures]
        what = f"{len(pictures)} pictures of {_size(pictures)}, turns {turns}"
        first = _ask(detector, pictures, turns, what)
        for picture, copy in zip(pictures, before, strict=True):
            _require(np.array_equal(picture, copy), f"detect changed a picture that it was given ({what})")
        second = _ask(detector, pictures, turns, what)
        for one, other in zip(first, second, strict=True):
            _require(_same(one, other), f"detect gave two different answers to the same question ({what})")
    _check_checkpoint(detector)
    _check_attributes(detector)
    for time in ("once", "twice"):
        try:
            detector.close()
        except Exception as exc:
            raise AssertionError(f"close failed when called {time}: {type(exc).__name__}") from exc


def _check_attributes(detector: Detector) -> None:
    for name in (
        "name",
        "batch_size",
        "max_resolution",
        "device_line",
        "notes",
        "weights",
        "detect",
        "close",
    ):
        _require(hasattr(detector, name), f"the detector has no {name}")
    for name in ("batch_size", "max_resolution"):
        value = getattr(detector, name)
        whole = isinstance(value, int) and not isinstance(value, bool)
        _require(whole and value >= 1, f"{name} must be a whole number of at least 1, not {value!r}")
    for name, what in (("name", "what finds the faces"), ("device_line", "where it runs")):
        text = getattr(detector, name)
        _require(isinstance(text, str) and text != "", f"{name} must say {what}, not {text!r}")
    notes, weights = detector.notes, detector.weights
    sentences = isinstance(notes, (list, tuple)) and all(isinstance(note, str) for note in notes)
    _require(sentences, f"notes must be a list of sentences, not {notes!r}")
    known = weights is None or isinstance(weights, WeightsFile)
    _require(known, f"weights must be a WeightsFile or None, not {type(weights).__name__}")


def _questions(batch_size: int) -> Iterator[tuple[list[UInt8Array], tuple[int, ...]]]:
    """Pictures of one size, and the turns to look at them in."""
    draw = np.random.default_rng(5)
    # more than a batch, so that the last one isn't full; of a huge batch a few pictures tell enough
    many = min(batch_size + 1, 9)
    yield [_noise(draw, 96, 64)], (0,)
    yield [_noise(draw, 96, 64) for _ in range(many)], (0,)
    yield [_noise(draw, 96, 64) for _ in range(2)], ALL_TURNS
    yield [_noise(draw, 97, 63)], ALL_TURNS
    yield [_noise(draw, 63, 97)], ALL_TURNS
    yield [_noise(draw, 33, 17)], (0,)
    yield [_noise(draw, 320, 240)], ALL_TURNS
    for level in (0, 127, 255):
        yield [np.full((64, 96, 3), level, np.uint8)], ALL_TURNS


def _noise(draw: np.random.Generator, width: int, height: int) -> UInt8Array:
    """Coarse colour noise with a light oval in it, so that there's something to see."""
    picture = draw.integers(40, 200, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    picture = picture.repeat(8, 0).repeat(8, 1)[:height, :width].copy()
    y, x = np.ogrid[:height, :width]
    oval = ((x - width / 2) / (width / 6)) ** 2 + ((y - height / 2) / (height / 4)) ** 2 < 1
    picture[oval] = (224, 172, 140)
    return picture


def _ask(
    detector: Detector, pictures: Sequence[UInt8Array], turns: Sequence[int], what: str
) -> list[Detections]:
    try:
        answers = detector.detect(pictures, turns)
    except Exception as exc:
        raise AssertionError(f"detect failed with {type(exc).__name__} on {what}: {exc}") from exc
    fault = fault_in(answers, pictures)
    _require(not fault, f"detect {fault} ({what})")
    return answers


def _check_checkpoint(detector: Detector) -> None:
    """A checkpoint may be called or not; what it raises ends the call."""
    asked = 0

    def cancel() -> None:
        nonlocal asked
        asked += 1
        raise JobCancelled("cancelled")

    picture = np.full((64, 96, 3), 127, np.uint8)
    try:
        detector.detect([picture], (0,), checkpoint=cancel)
    except JobCancelled:
        pass
    except Exception as exc:
        raise AssertionError(
            f"detect must take a checkpoint and let through what it raises, but raised {type(exc).__name__}"
        ) from exc
    else:
        _require(asked == 0, "detect continued although its checkpoint raised an exception")
    _ask(detector, [picture], (0,), "a picture after a cancelled call")


def _same(one: Detections, other: Detections) -> bool:
    return (
        np.array_equal(one.boxes, other.boxes)
        and np.array_equal(one.scores, other.scores)
        and np.array_equal(one.turns, other.turns)
    )


def _size(pictures: Sequence[UInt8Array]) -> str:
    return f"{pictures[0].shape[1]}x{pictures[0].shape[0]}" if pictures else "any size"


def _require(kept: bool, sentence: str) -> None:
    # not an assert statement: python -O leaves those out
    if not kept:
        raise AssertionError(f"{sentence}.")
