"""check_detector: right detectors pass, and each way to break the contract is told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from detector_helpers import make_detector

from anonator.core.frames import Detections, UInt8Array
from anonator.errors import DetectionError, JobCancelled
from anonator.testing import check_detector


class Blind:
    """The least that a detector is: it finds nothing."""

    name = "Blind"
    batch_size = 2
    max_resolution = 640
    device_line = "CPU"
    notes: tuple[str, ...] = ()
    weights = None

    def detect(
        self,
        pictures: Sequence[UInt8Array],
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        return [Detections.empty() for _ in pictures]

    def close(self) -> None:
        pass


class Middle(Blind):
    """Finds a face in the middle of every picture, and asks its checkpoint before each."""

    def detect(
        self,
        pictures: Sequence[UInt8Array],
        turns: Sequence[int] = (0,),
        *,
        checkpoint: Callable[[], None] | None = None,
    ) -> list[Detections]:
        found = []
        for picture in pictures:
            if checkpoint is not None:
                checkpoint()
            found.append(self.face(picture))
        return found

    def face(self, picture: UInt8Array) -> Detections:
        height, width = picture.shape[:2]
        return Detections.upright([[width / 4, height / 4, width * 3 / 4, height * 3 / 4]], [0.9])


def test_the_program_s_own_detector_keeps_the_contract() -> None:
    check_detector(make_detector(max_resolution=320, device_line="CPU, float32"))


@pytest.mark.parametrize("detector", [Blind(), Middle()], ids=["blind", "middle"])
def test_right_detectors_pass(detector: Blind) -> None:
    check_detector(detector)


def boxes(*box: float, score: float = 0.9) -> Callable[[Any, UInt8Array], Detections]:
    return lambda self, picture: Detections.upright([box], [score])


def beyond_the_edge(self: Any, picture: UInt8Array) -> Detections:
    return Detections.upright([[0, 0, picture.shape[1] + 1, 10]], [0.9])


def turned_five_times(self: Any, picture: UInt8Array) -> Detections:
    return Detections(np.array([[0, 0, 9, 9]], np.float32), np.ones(1, np.float32), np.full(1, 5, np.int32))


def painted_on(self: Any, picture: UInt8Array) -> Detections:
    picture[:2] = 0
    return Detections.empty()


def by_chance() -> Callable[[Any, UInt8Array], Detections]:
    draw = np.random.default_rng(1)
    return lambda self, picture: Detections.upright([[0, 0, 8 + draw.random(), 9]], [0.9])


WRONG_FACES: dict[str, tuple[Callable[[Any, UInt8Array], object], str]] = {
    "not a number": (boxes(0, 0, float("nan"), 9), "not finite"),
    "infinite": (boxes(0, 0, float("inf"), 9), "not finite"),
    "upside down": (boxes(0, 9, 9, 0), "without area"),
    "no width": (boxes(4, 0, 4, 9), "without area"),
    "left of the picture": (boxes(-1, 0, 9, 9), "extends beyond its picture"),
    "beyond the edge": (beyond_the_edge, "extends beyond its picture of 96x64 pixels"),
    "score over one": (boxes(0, 0, 9, 9, score=1.01), "score"),
    "score below zero": (boxes(0, 0, 9, 9, score=-0.1), "score"),
    "score not a number": (boxes(0, 0, 9, 9, score=float("nan")), "score"),
    "wrong turns": (turned_five_times, "quarter turns"),
    "no detections": (lambda self, picture: None, "NoneType instead of anonator.Detections"),
    "bare boxes": (lambda self, picture: np.zeros((0, 4)), "ndarray instead of anonator.Detections"),
    "paints": (painted_on, "changed a picture"),
    "plays dice": (by_chance(), "gave two different answers"),
    "raises on grey": (
        lambda self, picture: 1 / int(picture.std() > 0) and Detections.empty(),
        "failed with ZeroDivisionError on 1 pictures of 96x64",
    ),
    "fails on odd sizes": (
        lambda self, picture: Detections.upright([[0, 0, 1, 1]], [0.9 if picture.shape[1] % 2 == 0 else 9]),
        "97x63",
    ),
}


@pytest.mark.parametrize(("face", "sentence"), WRONG_FACES.values(), ids=WRONG_FACES)
def test_a_wrong_answer_is_told(face: Callable[[Any, UInt8Array], object], sentence: str) -> None:
    detector = type("Wrong", (Middle,), {"face": face})()
    with pytest.raises(AssertionError, match=sentence):
        check_detector(detector)


def answers(change: Callable[[list[Detections]], object]) -> dict[str, object]:
    def detect(self: Any, pictures: Any, turns: Any = (0,), *, checkpoint: Any = None) -> object:
        return change([Detections.empty() for _ in pictures])

    return {"detect": detect}


def without_turns(self: Any, pictures: Any, turns: Any = (0,), *, checkpoint: Any = None) -> list[Detections]:
    if len(turns) > 1:
        raise ValueError("upright only")
    return [Detections.empty() for _ in pictures]


def without_checkpoint(self: Any, pictures: Any, turns: Any = (0,)) -> list[Detections]:
    return [Detections.empty() for _ in pictures]


def deaf(self: Any, pictures: Any, turns: Any = (0,), *, checkpoint: Any = None) -> list[Detections]:
    try:
        if checkpoint is not None:
            checkpoint()
    except JobCancelled:
        pass
    return [Detections.empty() for _ in pictures]


def renaming(self: Any, pictures: Any, turns: Any = (0,), *, checkpoint: Any = None) -> list[Detections]:
    try:
        if checkpoint is not None:
            checkpoint()
    except JobCancelled as exc:
        raise DetectionError("failed") from exc
    return [Detections.empty() for _ in pictures]


def closes_once() -> Callable[[Any], None]:
    closed: list[bool] = []

    def close(self: Any) -> None:
        closed.append(True)
        if len(closed) > 1:
            raise RuntimeError("closed already")

    return close


WRONG_PARTS: dict[str, tuple[dict[str, object], str]] = {
    "one answer short": (answers(lambda found: found[:-1]), "returned 0 answers for 1 pictures"),
    "one answer too many": (answers(lambda found: [*found, *found[:1]]), "returned 2 answers for 1 pictures"),
    "a generator": (answers(iter), "list_iterator instead of a list"),
    "no batch size": ({"batch_size": 0}, "batch_size must be a whole number"),
    "half a picture": ({"batch_size": 1.5}, "batch_size must be a whole number"),
    "no resolution": ({"max_resolution": None}, "max_resolution must be a whole number"),
    "no name": ({"name": ""}, "name must say what finds the faces"),
    "no device": ({"device_line": ""}, "device_line must say"),
    "one note": ({"notes": "careful"}, "notes must be a list of sentences"),
    "weights as a path": ({"weights": "net.pth"}, "weights must be a WeightsFile or None, not str"),
    "no turns": ({"detect": without_turns}, r"failed with ValueError on .*turns \(0, 1, 2, 3\)"),
    "no checkpoint": ({"detect": without_checkpoint}, "must take a checkpoint"),
    "deaf to cancel": ({"detect": deaf}, "continued although its checkpoint raised"),
    "renames cancel": ({"detect": renaming}, "let through what it raises, but raised DetectionError"),
    "closes once": ({"close": closes_once()}, "close failed when called twice: RuntimeError"),
}


@pytest.mark.parametrize(("parts", "sentence"), WRONG_PARTS.values(), ids=WRONG_PARTS)
def test_a_wrong_part_is_told(parts: dict[str, object], sentence: str) -> None:
    detector = type("Wrong", (Blind,), parts)()
    with pytest.raises(AssertionError, match=sentence):
        check_detector(detector)


def test_a_missing_part_is_told() -> None:
    class Half:
        name = "Half"
        batch_size = 1

    with pytest.raises(AssertionError, match="the detector has no max_resolution"):
        check_detector(Half())  # type: ignore[arg-type]
