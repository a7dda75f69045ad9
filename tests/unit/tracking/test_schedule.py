"""Where the detector looks: every n-th frame, both sides of a cut, the last one; no frame is lost."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

import av
import numpy as np
import pytest

from anonator.core.config import Performance, Settings
from anonator.core.frames import Detections, Frame, Look, UInt8Array
from anonator.core.tracking.schedule import TURNED_EVERY, look, plan
from anonator.errors import DetectionError

COLOURS = ((30, 90, 200), (200, 60, 40), (60, 200, 60))


class FakeDetector:
    """Answers every picture with one box that carries a number read from the picture."""

    def __init__(self, batch_size: int = 1, max_resolution: int = 1920) -> None:
        self.batch_size, self.max_resolution = batch_size, max_resolution
        self.calls: list[tuple[list[int], tuple[int, ...]]] = []
        """(numbers of the pictures, turns) of every call."""
        self.sizes: set[tuple[int, int]] = set()

    def detect(
        self, pictures: Sequence[UInt8Array], turns: Sequence[int] = (0,), *, checkpoint: object = None
    ) -> list[Detections]:
        numbers = [read_number(p) for p in pictures]
        self.calls.append((numbers, tuple(turns)))
        self.sizes |= {(p.shape[1], p.shape[0]) for p in pictures}
        return [
            Detections.upright([[0, 0, p.shape[1], p.shape[0]]], [(number + 1) / 1000])
            for number, p in zip(numbers, pictures, strict=True)
        ]


def read_number(picture: UInt8Array) -> int:
    """The frame's number, from the eight stripes at its left."""
    height, width = picture.shape[:2]
    luma = picture.mean(axis=2)
    return sum(1 << bit for bit in range(8) if luma[int((bit + 0.5) * height / 8), width // 16] > 128)


def frames(
    count: int, cuts: Sequence[int] = (), size: tuple[int, int] = (128, 64), flashes: Sequence[int] = ()
) -> Iterator[Frame]:
    """Frames that carry their number in black and white stripes; the colour changes at every cut."""
    width, height = size
    scene = 0
    for i in range(count):
        scene += i in cuts
        picture = np.empty((height, width, 3), np.uint8)
        picture[:] = (250, 250, 250) if i in flashes else COLOURS[scene % 3]
        for bit in range(8):
            stripe = slice(bit * height // 8, (bit + 1) * height // 8)
            picture[stripe, : width // 8] = 255 if i >> bit & 1 else 0
        image = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
        yield Frame(i, 3 * i, Fraction(1, 75), image)


def settings(performance: Performance, *, orientations: bool = False) -> Settings:
    return Settings.standard(performance=performance, orientations=orientations)


def run(
    count: int,
    performance: Performance,
    *,
    cuts: Sequence[int] = (),
    batch_size: int = 1,
    orientations: bool = False,
) -> tuple[list[Look], FakeDetector]:
    detector = FakeDetector(batch_size)
    out = list(look(frames(count, cuts), detector, settings(performance, orientations=orientations)))
    return out, detector


def looked(out: Sequence[Look]) -> list[int]:
    return [x.frame.index for x in out if x.detections is not None]


# --- which frames ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("performance", "count", "cuts", "expected"),
    [
        (Performance.QUALITY, 5, (), [0, 1, 2, 3, 4]),
        (Performance.BALANCED, 10, (), [0, 3, 6, 9]),
        (Performance.BALANCED, 11, (), [0, 3, 6, 9, 10]),  # the last one too
        (Performance.BALANCED, 12, (), [0, 3, 6, 9, 11]),
        (Performance.MAXIMUM, 11, (), [0, 5, 10]),
        (Performance.MAXIMUM, 13, (), [0, 5, 10, 12]),
        (Performance.MAXIMUM, 1, (), [0]),
        (Performance.MAXIMUM, 2, (), [0, 1]),
        (Performance.MAXIMUM, 0, (), []),
        (Performance.MAXIMUM, 14, (7,), [0, 5, 6, 7, 12, 13]),  # both sides of a cut; counting begins anew
        (Performance.MAXIMUM, 14, (5,), [0, 4, 5, 10, 13]),
        (Performance.MAXIMUM, 14, (6,), [0, 5, 6, 11, 13]),
        (Performance.MAXIMUM, 9, (3, 4), [0, 2, 3, 4, 8]),  # a scene of one frame
        (Performance.BALANCED, 8, (7,), [0, 3, 6, 7]),  # a cut right before the end
    ],
)
def test_the_frames_that_are_looked_at(
    performance: Performance, count: int, cuts: Sequence[int], expected: list[int]
) -> None:
    out, _ = run(count, performance, cuts=cuts)
    assert looked(out) == expected
    assert [x.frame.index for x in out if x.cut] == ([0, *cuts] if count else [])


@pytest.mark.parametrize("performance", list(Performance))
def test_no_two_neighbouring_looks_are_further_apart_than_the_preset_says(performance: Performance) -> None:
    out, _ = run(97, performance, cuts=(11, 50, 52), batch_size=3)
    places = looked(out)
    assert max(b - a for a, b in itertools.pairwise(places)) == settings(performance).preset.detect_every
    assert (places[0], places[-1]) == (0, 96)


@pytest.mark.parametrize(
    ("flashes", "cuts", "expected_cuts", "expected_looks"),
    [
        ((7,), (), [0], [0, 5, 6, 7, 8, 13, 15]),  # both neighbours and the flash itself are looked at
        ((1,), (), [0], [0, 1, 2, 7, 12, 15]),
        ((3, 5, 7), (), [0], [0, 2, 3, 4, 5, 6, 7, 8, 13, 15]),  # a stroboscope
        ((7,), (11,), [0, 11], [0, 5, 6, 7, 8, 10, 11, 15]),
        ((7, 8), (), [0, 7, 9], [0, 5, 6, 7, 8, 9, 14, 15]),  # longer than one frame: nobody can tell
        ((7,), (7,), [0, 7, 8], [0, 5, 6, 7, 8, 13, 15]),  # a flash right at a cut
        ((15,), (), [0, 15], [0, 5, 10, 14, 15]),
    ],
)
def test_a_flash_of_one_frame_ends_no_scene(
    flashes: Sequence[int], cuts: Sequence[int], expected_cuts: list[int], expected_looks: list[int]
) -> None:
    """Masks reach across it, because the detector may well find no face in an overexposed picture."""
    stream = frames(16, cuts=cuts, flashes=flashes)
    out = list(look(stream, FakeDetector(3), settings(Performance.MAXIMUM)))
    assert [x.frame.index for x in out] == list(range(16))
    assert [x.frame.index for x in out if x.cut] == expected_cuts
    assert looked(out) == expected_looks


# --- no frame is lost -----------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 2, 3, 8, 64])
@pytest.mark.parametrize("count", [0, 1, 2, 7, 8, 9, 41])
@pytest.mark.parametrize("performance", [Performance.QUALITY, Performance.MAXIMUM])
@pytest.mark.parametrize("orientations", [False, True])
def test_every_frame_comes_out_once_in_order_with_its_own_detections(
    performance: Performance, count: int, batch_size: int, orientations: bool
) -> None:
    out, detector = run(count, performance, cuts=(4, 23), batch_size=batch_size, orientations=orientations)
    assert [x.frame.index for x in out] == list(range(count))
    assert [x.frame.pts for x in out] == [3 * i for i in range(count)]
    for x in out:
        if x.detections is not None:
            number = round(float(x.detections.scores[0]) * 1000) - 1
            assert number == x.frame.index, "the detections of another frame"
    assert sorted(n for numbers, _ in detector.calls for n in numbers) == looked(out)


@pytest.mark.parametrize(("batch_size", "performance"), [(4, Performance.QUALITY), (4, Performance.BALANCED)])
def test_batches_are_full_but_for_the_last(batch_size: int, performance: Performance) -> None:
    _, detector = run(50, performance, batch_size=batch_size)
    lengths = [len(numbers) for numbers, _ in detector.calls]
    assert set(lengths[:-1]) == {batch_size}
    assert 1 <= lengths[-1] <= batch_size


def test_a_batch_that_shrinks_on_the_way_loses_nothing() -> None:
    """The detector halves its batch when a GPU runs out of memory."""
    detector = FakeDetector(8)
    out = []
    for x in look(frames(60), detector, settings(Performance.QUALITY)):
        out.append(x)
        if x.frame.index == 20:
            detector.batch_size = 2
    assert looked(out) == [x.frame.index for x in out] == list(range(60))


def test_frames_are_handed_on_as_soon_as_a_batch_is_complete() -> None:
    """Not all at the end: memory must not grow with the video."""
    taken = 0

    def counted() -> Iterator[Frame]:
        nonlocal taken
        for frame in frames(100):
            taken += 1
            yield frame

    deepest = 0
    for x in look(counted(), FakeDetector(4), settings(Performance.MAXIMUM)):
        deepest = max(deepest, taken - x.frame.index)
    assert deepest <= 4 * 5 + 2


# --- turned looks ---------------------------------------------------------------------------------


def turned(out: Sequence[Look]) -> list[int]:
    return [x.frame.index for x in out if x.turned]


@pytest.mark.parametrize(
    ("performance", "cuts", "orientations", "full"),
    [
        (Performance.ORIGINAL, (), False, list(range(12))),
        (Performance.QUALITY, (), False, [0, 2, 4, 6, 8, 10, 11]),
        (Performance.QUALITY, (), True, [0, 2, 4, 6, 8, 10, 11]),
        (Performance.QUALITY, (5,), True, [0, 2, 4, 5, 7, 9, 11]),  # both sides of a cut
        (Performance.BALANCED, (), False, [0, 3, 6, 9, 11]),
    ],
)
def test_the_looks_in_full_size(
    performance: Performance, cuts: Sequence[int], orientations: bool, full: list[int]
) -> None:
    planned = list(plan(frames(12, cuts), settings(performance, orientations=orientations)))
    assert [each.frame.index for each in planned if each.wanted and not each.light] == full
    assert not any(each.light and (each.turned or each.at_change or not each.wanted) for each in planned)


def test_with_few_frames_a_second_every_look_is_in_full_size() -> None:
    """A small face may be gone before the next one: half the size would be all that ever saw it."""
    for rate, expected in ((25, True), (6, True), (4, False), (1, False)):
        slow = (replace(each, pts=each.index, time_base=Fraction(1, rate)) for each in frames(12))
        planned = list(plan(slow, settings(Performance.QUALITY)))
        assert any(each.light for each in planned) is expected, rate


def test_a_plan_that_begins_within_a_scene_goes_on_as_it_would() -> None:
    whole = list(plan(frames(30), settings(Performance.QUALITY, orientations=True)))
    for begin in range(1, 14):
        some = (each for each in frames(30) if each.index >= begin)
        rest = plan(some, settings(Performance.QUALITY, orientations=True), begins_within=True)
        for one, same in zip(rest, whole[begin + 1 :], strict=True):
            assert (one.frame.index, one.light, one.turned) == (same.frame.index, same.light, same.turned)


def test_without_orientations_nothing_is_turned() -> None:
    out, detector = run(30, Performance.QUALITY)
    assert turned(out) == []
    assert {turns for _, turns in detector.calls} == {(0,)}


@pytest.mark.parametrize(
    ("performance", "count", "cuts", "expected"),
    [
        (Performance.ORIGINAL, 10, (), [0, 5, 9]),
        (Performance.ORIGINAL, 12, (), [0, 5, 10, 11]),
        (Performance.ORIGINAL, 12, (5,), [0, 4, 5, 10, 11]),
        (Performance.QUALITY, 10, (), [0, 6, 9]),  # where the full size is looked at, too
        (Performance.QUALITY, 14, (), [0, 6, 12, 13]),
        (Performance.QUALITY, 13, (5,), [0, 4, 5, 11, 12]),
        (Performance.BALANCED, 11, (), [0, 3, 6, 9, 10]),
        (Performance.MAXIMUM, 11, (), [0, 5, 10]),
    ],
)
def test_the_turned_looks(
    performance: Performance, count: int, cuts: Sequence[int], expected: list[int]
) -> None:
    assert TURNED_EVERY == 5, "the table below was made for it"
    out, detector = run(count, performance, cuts=cuts, orientations=True, batch_size=2)
    assert turned(out) == expected
    assert set(turned(out)) <= set(looked(out))
    by_call = sorted(n for numbers, turns in detector.calls if turns == (0, 1, 2, 3) for n in numbers)
    assert by_call == expected, "what a look says of itself is what the detector was asked"


# --- pictures and places --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "resolution", "shown"),
    [
        ((128, 64), 1920, (128, 64)),  # enlarging is the detector's own business
        ((128, 64), 128, (128, 64)),
        ((128, 64), 64, (64, 32)),
        ((64, 128), 64, (32, 64)),
        ((130, 64), 100, (100, 49)),
        ((2048, 16), 256, (256, 2)),
    ],
)
def test_large_pictures_are_shrunk_and_boxes_come_back_in_pixels_of_the_frame(
    size: tuple[int, int], resolution: int, shown: tuple[int, int]
) -> None:
    detector = FakeDetector(max_resolution=resolution)
    (result,) = look(frames(1, size=size), detector, settings(Performance.QUALITY))
    assert detector.sizes == {shown}
    assert result.detections is not None
    assert result.detections.boxes[0].tolist() == pytest.approx([0, 0, *size])


# --- what goes wrong ------------------------------------------------------------------------------


def test_a_detector_that_answers_for_too_few_pictures_ends_the_job() -> None:
    class Short(FakeDetector):
        def detect(
            self, pictures: Sequence[UInt8Array], turns: Sequence[int] = (0,), *, checkpoint: object = None
        ) -> list[Detections]:
            return super().detect(pictures, turns)[:-1]

    with pytest.raises(ValueError, match="shorter"):
        list(look(frames(5), Short(2), settings(Performance.QUALITY)))


def test_a_detector_that_fails_ends_the_job() -> None:
    class Broken(FakeDetector):
        def detect(
            self, pictures: Sequence[UInt8Array], turns: Sequence[int] = (0,), *, checkpoint: object = None
        ) -> list[Detections]:
            raise DetectionError("broken")

    with pytest.raises(DetectionError, match="broken"):
        list(look(frames(5), Broken(), settings(Performance.QUALITY)))


def test_a_decoder_that_fails_ends_the_job_and_is_not_taken_for_the_end() -> None:
    def damaged() -> Iterator[Frame]:
        yield from frames(5)
        raise OSError("damaged")

    out = []
    with pytest.raises(OSError, match="damaged"):
        for x in look(damaged(), FakeDetector(), settings(Performance.QUALITY)):
            out.append(x)
    assert len(out) <= 5


def test_large_frames_make_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure means that a batch of 16 in Maximum Speed holds 80 frames of 4K, a gigabyte."""
    three_frames = 3 * next(frames(1)).nbytes
    monkeypatch.setattr("anonator.core.tracking.schedule.WAITING_BYTES", three_frames)
    out, detector = run(12, Performance.QUALITY, batch_size=8)
    assert looked(out) == list(range(12))
    assert [len(numbers) for numbers, _ in detector.calls] == [3, 3, 3, 3]
