"""A still camera's pictures are looked at where they change, and no face is missed for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
import pytest
from detector_helpers import make_detector

from anonator.core import boxes as box_ops
from anonator.core.detection.detector import FaceDetector
from anonator.core.detection.detector_protocol import View
from anonator.core.frames import Detections, UInt8Array
from anonator.core.tracking.watch import AFRESH_SECONDS, Glance, Watch

UPRIGHT, ALL_TURNS = (0,), (0, 1, 2, 3)
RATE = 25
FACE = (90, 40, 220, 190)


@pytest.fixture(scope="module")
def detector() -> Iterator[FaceDetector]:
    """Bundled weights, float32; it sees these pictures at twice their size."""
    made = make_detector(max_resolution=1280)
    yield made
    made.close()


class Plain:
    """Looks at whole pictures with another detector, and keeps how many pixels it looked at."""

    def __init__(self, detector: FaceDetector) -> None:
        self._inner, self.pixels = detector, list[int]()
        self.name, self.batch_size, self.max_resolution = "Recorder", 1, detector.max_resolution
        self.device_line, self.notes, self.weights = "CPU", list[str](), None

    def detect(
        self, pictures: Sequence[UInt8Array], turns: Sequence[int] = (0,), **more: object
    ) -> list[Detections]:
        self.pixels += [p.shape[0] * p.shape[1] for p in pictures]
        return self._inner.detect(pictures, turns)

    def close(self) -> None: ...


class Recorder(Plain):
    """The same, for parts too."""

    def part_scale(self, width: int, height: int) -> float | None:
        return self._inner.part_scale(width, height)

    def detect_views(self, views: Sequence[View], **more: object) -> list[Detections]:
        self.pixels += [v.picture.shape[0] * v.picture.shape[1] for v in views]
        return self._inner.detect_views(views)


def room(rng: np.random.Generator | None = None, size: tuple[int, int] = (640, 360)) -> UInt8Array:
    """A still background, with noise if asked for."""
    width, height = size
    shades = np.random.default_rng(5).integers(60, 150, (6, 9, 3)).astype(np.uint8)
    picture = cv2.resize(shades, size, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    if rng is not None:
        picture += rng.normal(0, 4, (height, width, 3))
    return np.clip(picture, 0, 255).astype(np.uint8)


def with_face(
    picture: UInt8Array, astronaut: np.ndarray, at: tuple[int, int], height: int = 60, share: float = 1.0
) -> UInt8Array:
    """The picture with a face whose top left corner is there."""
    x1, y1, x2, y2 = FACE
    width = round(height * (x2 - x1) / (y2 - y1))
    face = cv2.resize(astronaut[y1:y2, x1:x2], (width, height), interpolation=cv2.INTER_AREA)
    result, (x, y) = picture.copy(), at
    seen = result[y : y + height, x : x + width]
    seen[:] = (share * face[: seen.shape[0], : seen.shape[1]] + (1 - share) * seen).astype(np.uint8)
    return result


def glances(pictures: Sequence[UInt8Array], turned_every: int = 5) -> list[Glance]:
    return [
        Glance(p, ALL_TURNS if i % turned_every == 0 else UPRIGHT, i / RATE, i == 0)
        for i, p in enumerate(pictures)
    ]


def missed(detector: FaceDetector, pictures: Sequence[UInt8Array], batch: int = 1) -> tuple[list[int], float]:
    """Pictures in which a face is missed that a look at all of it finds, and the share that was looked at."""
    recorder = Recorder(detector)
    watch, every = Watch(recorder), glances(pictures)
    found = [f for i in range(0, len(every), batch) for f in watch.look(every[i : i + batch])]
    lost, faces = [], 0
    for i, (glance, seen) in enumerate(zip(every, found, strict=True)):
        whole = detector.detect([glance.picture], glance.turns)[0]
        sure = whole.select(whole.scores >= 0.5)
        faces += len(sure)
        if len(sure) and not (box_ops.iou(sure.boxes, seen.boxes).max(axis=1, initial=0) > 0.5).all():
            lost.append(i)
    assert faces, "nothing was there to be missed"
    height, width = pictures[0].shape[:2]
    return lost, sum(recorder.pixels) / (len(pictures) * width * height)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("batch", [2, 5])
def test_a_person_who_moves_in_a_still_room(
    detector: FaceDetector, astronaut: np.ndarray, batch: int
) -> None:
    rng = np.random.default_rng(1)
    pictures = [with_face(room(rng), astronaut, (40 + 10 * i, 100 + 4 * i)) for i in range(12)]
    lost, share = missed(detector, pictures, batch)
    assert lost == [] and share < 0.6


@pytest.mark.slow
def test_a_face_in_a_corner_for_one_picture(detector: FaceDetector, astronaut: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    pictures = [room(rng) for _ in range(12)]
    pictures[7] = with_face(pictures[7], astronaut, (580, 0))
    lost, share = missed(detector, pictures)
    assert lost == [] and share < 0.5


@pytest.mark.slow
def test_a_face_that_fades_in(detector: FaceDetector, astronaut: np.ndarray) -> None:
    pictures = [with_face(room(), astronaut, (300, 150), share=i / 20) for i in range(21)]
    assert missed(detector, pictures)[0] == []


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("light", ["drift", "flicker"])
def test_light_that_changes(detector: FaceDetector, astronaut: np.ndarray, light: str) -> None:
    pictures = []
    for i in range(10):
        factor = 1 - 0.02 * i if light == "drift" else (0.85 if i % 2 else 1.0)
        picture = with_face(room(), astronaut, (60 + 10 * i, 120))
        pictures.append((picture * factor).astype(np.uint8))
    assert missed(detector, pictures)[0] == []


@pytest.mark.slow
def test_a_large_face_that_only_blinks(detector: FaceDetector, astronaut: np.ndarray) -> None:
    """What changes is a small piece of a face that is much larger than the part looked at."""
    pictures = [with_face(room(), astronaut, (200, 20), height=320) for _ in range(10)]
    for i in (4, 5, 6):
        pictures[i][130:150, 270:320] = 90
    assert missed(detector, pictures)[0] == []


def test_nothing_is_looked_at_while_nothing_changes(detector: FaceDetector, astronaut: np.ndarray) -> None:
    recorder = Recorder(detector)
    watch = Watch(recorder)
    picture = with_face(room(), astronaut, (300, 150))
    first = watch.look([Glance(picture, UPRIGHT, 0.0, True)])[0]
    recorder.pixels.clear()
    again = watch.look([Glance(picture, UPRIGHT, 0.5, False)])[0]
    assert recorder.pixels == [] and np.array_equal(first.boxes, again.boxes) and len(again) >= 1
    watch.look([Glance(picture, UPRIGHT, AFRESH_SECONDS, False)])
    assert recorder.pixels == [640 * 360], "all of it is looked at afresh after a while"


def test_a_face_that_has_gone_is_not_carried_on(detector: FaceDetector, astronaut: np.ndarray) -> None:
    watch = Watch(detector)
    assert len(watch.look([Glance(with_face(room(), astronaut, (300, 150)), UPRIGHT, 0.0, True)])[0])
    assert not (watch.look([Glance(room(), UPRIGHT, 0.04, False)])[0].scores >= 0.35).any()


def test_a_scene_that_begins_is_looked_at_afresh(detector: FaceDetector) -> None:
    recorder = Recorder(detector)
    watch = Watch(recorder)
    for seconds in (0.0, 0.04):
        watch.look([Glance(room(), ALL_TURNS, seconds, True)])
    assert recorder.pixels == [640 * 360] * 2
    watch.look([Glance(room(size=(320, 180)), UPRIGHT, 0.08, False)])
    assert recorder.pixels[2:] == [320 * 180], "another shape of picture is another scene"


class White(Recorder):
    """Sees white squares as faces lying on their side, and only with the picture turned."""

    def detect(
        self, pictures: Sequence[UInt8Array], turns: Sequence[int] = (0,), **more: object
    ) -> list[Detections]:
        return [self._seen(each) if len(turns) > 1 else Detections.empty() for each in pictures]

    def detect_views(self, views: Sequence[View], **more: object) -> list[Detections]:
        return [self.detect([each.picture], each.turns)[0] for each in views]

    def _seen(self, picture: UInt8Array) -> Detections:
        rows, columns = np.nonzero(picture.min(axis=2) == 255)
        if not len(rows):
            return Detections.empty()
        box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], np.float32)
        return Detections(box, np.ones(1, np.float32), np.ones(1, np.int32))


def test_an_upright_look_does_not_stand_for_a_turned_one(detector: FaceDetector) -> None:
    """Somebody lies down between two turned looks, and then nothing moves."""
    empty, lying = room(), room()
    lying[100:160, 200:260] = 255
    watch = Watch(White(detector))
    watch.look([Glance(empty, ALL_TURNS, 0.0, True)])
    for seconds in (0.04, 0.08):
        assert not len(watch.look([Glance(lying, UPRIGHT, seconds, False)])[0])
    for seconds in (0.12, 0.2):
        assert watch.look([Glance(lying, ALL_TURNS, seconds, False)])[0].boxes.tolist() == [
            [200, 100, 260, 160]
        ]


def test_a_detector_that_cannot_look_at_parts_looks_at_all(detector: FaceDetector) -> None:
    plain = Plain(detector)
    watch = Watch(plain)
    for seconds in (0.0, 0.04):
        watch.look([Glance(room(), UPRIGHT, seconds, seconds == 0)])
    assert plain.pixels == [640 * 360] * 2


# --- half the size


def test_a_light_look_sees_half_the_size(detector: FaceDetector, astronaut: np.ndarray) -> None:
    picture = with_face(room(), astronaut, (300, 150), height=70)
    near, far = detector.detect([picture])[0], detector.detect([picture[::2, ::2].copy()])[0]
    seen: list[float | None] = []

    class Scaled(Recorder):
        def detect_views(self, views: Sequence[View], **more: object) -> list[Detections]:
            seen.extend(each.scale for each in views)
            return super().detect_views(views)

    light = Watch(Scaled(detector)).look([Glance(picture, UPRIGHT, 0.0, False, light=True)])[0]
    assert seen == [1.0], "the picture as it is, instead of twice as large"
    assert box_ops.iou(light.boxes[:1], near.boxes[:1])[0, 0] > 0.6
    assert len(far)


def test_a_light_look_is_no_reason_to_look_less_closely_afterwards(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    """A face that only the full size shows appears where a light look comes first."""
    empty, small = room(), with_face(room(), astronaut, (300, 150), height=37)
    recorder = Recorder(detector)
    watch = Watch(recorder)
    watch.look([Glance(empty, UPRIGHT, 0.0, True)])
    watch.look([Glance(small, UPRIGHT, 0.04, False, light=True)])
    full = watch.look([Glance(small, UPRIGHT, 0.08, False)])[0]
    whole, half = detector.detect([small])[0], detector.detect_views([View(small, scale=1.0)])[0]
    assert len(whole) and not len(half), "the face isn't one that only the full size shows"
    assert box_ops.iou(full.boxes[:1], whole.boxes[:1])[0, 0] > 0.6
    recorder.pixels.clear()
    carried = watch.look([Glance(small, UPRIGHT, 0.12, False, light=True)])[0]
    assert recorder.pixels == [] and len(carried) == len(full), (
        "nothing changed, so what was seen is carried on"
    )


def test_a_detector_that_cannot_look_at_parts_always_sees_the_full_size(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    picture = with_face(room(), astronaut, (300, 150), height=37)
    light = Watch(Plain(detector)).look([Glance(picture, UPRIGHT, 0.0, False, light=True)])[0]
    assert len(light) == len(detector.detect([picture])[0]) == 1
