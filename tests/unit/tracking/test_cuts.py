"""Scene cuts on made pictures: cuts, flashes, fades, pans, and rooms that look alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from anonator.core.frames import Frame
from anonator.core.tracking.cuts import CutDetector, colour_histogram
from anonator.core.tracking_settings import TrackingSettings

WIDTH, HEIGHT = 320, 180
THRESHOLD = TrackingSettings().cut_correlation
Picture = np.ndarray


def frame_of(rgb: Picture, index: int = 0) -> Frame:
    image = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24").reformat(format="yuv420p")
    return Frame(index, index, Fraction(1, 25), image)


def cuts(pictures: Iterable[Picture], threshold: float = THRESHOLD) -> list[int]:
    """The frames with which a scene begins."""
    detector = CutDetector(threshold)
    return [i for i, picture in enumerate(pictures) if detector.is_cut(frame_of(picture, i))]


def correlation(a: Picture, b: Picture) -> float:
    return cv2.compareHist(colour_histogram(frame_of(a)), colour_histogram(frame_of(b)), cv2.HISTCMP_CORREL)


def room(seed: int, wall: Sequence[int], floor: Sequence[int], width: int = WIDTH) -> Picture:
    """(HEIGHT, width, 3) uint8: a wall with light falling on it, a floor, and a dozen pieces of furniture."""
    rng = np.random.default_rng(seed)
    picture = np.empty((HEIGHT, width, 3), np.float32)
    picture[:] = wall
    picture[HEIGHT * 2 // 3 :] = floor
    for _ in range(width // 26):
        x, y = int(rng.integers(0, width - 40)), int(rng.integers(30, HEIGHT - 50))
        w, h = rng.integers(15, 60, 2)
        picture[y : y + h, x : x + w] = rng.integers(20, 220, 3)
    picture *= np.linspace(0.8, 1.15, width)[None, :, None]
    # a camera's grain; without it a histogram has needles where real ones have hills
    picture += rng.normal(0, 5, picture.shape)
    return np.clip(picture, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def kitchen() -> Picture:
    return room(1, (205, 190, 150), (120, 85, 60))


@pytest.fixture(scope="module")
def street() -> Picture:
    return room(2, (90, 120, 165), (70, 72, 75))


def shaken(picture: Picture, index: int) -> Picture:
    """The same picture with a hand's trembling."""
    return np.roll(picture, ((index * 7) % 5 - 2, (index * 3) % 7 - 3), (0, 1))


# --- what is a cut --------------------------------------------------------------------------------


def test_the_first_frame_begins_a_scene_and_a_still_picture_has_no_other(kitchen: Picture) -> None:
    assert cuts([kitchen] * 10) == [0]


def test_a_trembling_camera_makes_no_cut(kitchen: Picture) -> None:
    assert cuts(shaken(kitchen, i) for i in range(30)) == [0]


def test_a_cut_is_found_on_its_first_frame(kitchen: Picture, street: Picture) -> None:
    pictures = [shaken(kitchen, i) for i in range(7)] + [shaken(street, i) for i in range(7)]
    assert cuts([*pictures, *pictures[:3]]) == [0, 7, 14]


def test_a_cut_to_black_and_back(kitchen: Picture) -> None:
    black = np.zeros_like(kitchen)
    assert cuts([kitchen, kitchen, black, black, kitchen, kitchen]) == [0, 2, 4]


def test_a_cut_in_brightness_alone_is_found(street: Picture) -> None:
    """Night and day have no grey in common."""
    night = (street // 5).astype(np.uint8)
    assert cuts([street, street, night, night]) == [0, 2]


def test_a_cut_in_colour_alone_is_found() -> None:
    """Two rooms of equal brightness: luma by itself would not tell them apart."""
    green, purple = np.empty((2, HEIGHT, WIDTH, 3), np.uint8)
    green[:], purple[:] = (60, 140, 90), (150, 84, 150)
    ys = [frame_of(p).planes()[0].mean() for p in (green, purple)]
    assert abs(ys[0] - ys[1]) < 8
    assert cuts([green, green, purple, purple]) == [0, 2]


# --- what is none ---------------------------------------------------------------------------------


def test_a_fast_pan_is_no_cut() -> None:
    """A twelfth of the picture changes with every frame; after a second nothing of the first is left."""
    panorama = room(3, (205, 190, 150), (120, 85, 60), width=WIDTH * 4)
    step = WIDTH // 12
    assert cuts(panorama[:, x : x + WIDTH] for x in range(0, WIDTH * 3, step)) == [0]


@pytest.mark.parametrize("frames", [12, 25, 50])
def test_a_cross_fade_of_half_a_second_or_longer_is_no_cut(
    kitchen: Picture, street: Picture, frames: int
) -> None:
    """Both scenes' faces are visible in a fade, so masks had better not stop anywhere in it."""
    mixed = [cv2.addWeighted(kitchen, 1 - i / frames, street, i / frames, 0) for i in range(frames + 1)]
    assert cuts([kitchen, kitchen, *mixed, street, street]) == [0]


def test_a_slow_fade_to_black_is_no_cut(kitchen: Picture) -> None:
    assert cuts((kitchen * (1 - i / 50)).astype(np.uint8) for i in range(51)) == [0]


def test_light_that_is_dimmed_slowly_is_no_cut(kitchen: Picture) -> None:
    assert cuts((kitchen * (1 - 0.4 * i / 50)).astype(np.uint8) for i in range(51)) == [0]


def test_a_face_that_fills_a_third_of_the_picture_is_no_cut(kitchen: Picture, astronaut: Picture) -> None:
    near = kitchen.copy()
    near[:, 100:220] = cv2.resize(astronaut[20:300, 130:310], (120, HEIGHT))
    assert cuts([kitchen, kitchen, near, near, kitchen]) == [0]


# --- the limits of the method, written down -------------------------------------------------------


def test_a_flash_begins_a_scene_and_its_end_another(kitchen: Picture) -> None:
    """An overexposed frame shares no colour with its neighbours; it is looked at by itself, as are they."""
    flash = np.clip(kitchen.astype(np.int16) + 130, 0, 255).astype(np.uint8)
    assert cuts([kitchen, kitchen, flash, kitchen, kitchen]) == [0, 2, 3]


def test_the_frame_after_a_flash_of_one_frame_tells_that_it_was_one(
    kitchen: Picture, street: Picture
) -> None:
    """Sampling takes both cuts back then, so that masks reach across the flash."""
    flash = np.clip(kitchen.astype(np.int16) + 130, 0, 255).astype(np.uint8)
    detector = CutDetector(THRESHOLD)
    told = []
    for i, picture in enumerate([kitchen, kitchen, flash, kitchen, street, street, flash, flash, street]):
        detector.is_cut(frame_of(picture, i))
        told.append(detector.flashed)
    assert [i for i, flashed in enumerate(told) if flashed] == [3]


def test_a_weak_flash_is_no_cut(kitchen: Picture) -> None:
    flash = np.clip(kitchen.astype(np.int16) + 4, 0, 255).astype(np.uint8)
    assert cuts([kitchen, kitchen, flash, kitchen, kitchen]) == [0]


def test_a_cut_between_two_similar_rooms_is_missed() -> None:
    """Same walls, same floor, other furniture: the histograms are those of one room.

    What a miss costs is masks that stay for a quarter of a second too long, never a face: the
    detector looks at the new scene as it would have, only up to one interval later.
    """
    a, b = (room(seed, (205, 190, 150), (120, 85, 60)) for seed in (11, 12))
    assert correlation(a, b) > THRESHOLD
    assert cuts([a, a, b, b]) == [0]


def test_two_rooms_that_differ_in_paint_are_told_apart() -> None:
    a, b = room(11, (205, 190, 150), (120, 85, 60)), room(11, (150, 190, 205), (70, 85, 110))
    assert cuts([a, a, b, b]) == [0, 2]


# --- how it is measured ---------------------------------------------------------------------------


@pytest.mark.parametrize(("threshold", "found"), [(-1.0, [0]), (1.0, [0, 1, 2])])
def test_the_threshold_decides(kitchen: Picture, street: Picture, threshold: float, found: list[int]) -> None:
    """At -1 nothing is a cut but the beginning; at 1 everything is that is not the very same picture."""
    assert cuts([kitchen, street, kitchen], threshold) == found


@pytest.mark.parametrize(
    "size", [(2, 2), (16, 16), (320, 180), (1920, 1080), (1080, 1920), (98, 1000), (1000, 98)]
)
def test_pictures_of_any_size_and_shape_have_a_histogram(size: tuple[int, int]) -> None:
    width, height = size
    histogram = colour_histogram(frame_of(np.full((height, width, 3), 90, np.uint8)))
    assert histogram.shape == (16, 8, 8)
    assert histogram.sum() == pytest.approx(1)
    assert histogram.max() > 0.999, "one colour fills one bin"


def test_the_size_of_the_picture_hardly_changes_the_histogram(kitchen: Picture) -> None:
    large = cv2.resize(kitchen, (1920, 1080), interpolation=cv2.INTER_LINEAR)
    assert correlation(kitchen, large) > 0.9


def test_real_footage_without_cuts_has_none(shared: Path) -> None:
    with av.open(shared / "clips" / "night_crowd.mp4") as container:
        stream = container.decode(video=0)
        detector = CutDetector(THRESHOLD)
        found = [
            i
            for i, image in zip(range(60), stream, strict=False)
            if detector.is_cut(Frame(i, i, Fraction(1, 25), image))
        ]
    assert found == [0]
