"""A test of a frame covers what the job covers there: the tracker's masks, from the frames around it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import av
import numpy as np
import pytest

from anonator.core import preview
from anonator.core.config import Performance, Settings
from anonator.core.frames import Detections, Frame, Masks, UInt8Array
from anonator.core.job import Preview
from anonator.core.reading.reader import VideoReader
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.schedule import look
from anonator.errors import JobCancelled

RATE, SIZE = 25, (320, 180)


class Flickering:
    """Finds the white blocks of a picture, each in some frames only, as a weak detector would.

    A block is told by its place; the frame's number is in the stripes at the left.
    """

    batch_size, max_resolution = 4, 1920
    name, device_line, weights = "flickering", "CPU", None
    notes: tuple[str, ...] = ()

    def __init__(self, seen: Callable[[int, int], bool] = lambda block, frame: True) -> None:
        self.seen, self.looks = seen, list[tuple[int, tuple[int, ...]]]()

    def detect(
        self, pictures: Sequence[UInt8Array], turns: Sequence[int] = (0,), *, checkpoint: Any = None
    ) -> list[Detections]:
        if checkpoint is not None:
            checkpoint()
        return [self._faces(picture, tuple(turns)) for picture in pictures]

    def _faces(self, picture: UInt8Array, turns: tuple[int, ...]) -> Detections:
        luma = picture.mean(axis=2)
        number = sum(1 << bit for bit in range(9) if luma[bit * 20 + 10, 8] > 128)
        self.looks.append((number, turns))
        boxes = []
        for block in range(3):
            rows = slice(block * 60, block * 60 + 50)
            (columns,) = np.nonzero((luma[rows, 20:] > 128).mean(axis=0) > 0.5)
            if len(columns) and self.seen(block, number):
                boxes.append([columns[0] + 20, rows.start, columns[-1] + 21, rows.stop])
        return Detections.upright(boxes, [0.9] * len(boxes))

    def close(self) -> None:
        pass


class Given:
    """Detectors that are always the same one."""

    def __init__(self, detector: Flickering) -> None:
        self._detector = detector

    def get(self, settings: Settings) -> Any:
        return self._detector

    def close(self) -> None:
        pass


def draw(path: Path, count: int, cut: int | None = None) -> Path:
    """White blocks that move on grey, and each frame's number in stripes; the ground changes at a cut."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "1", "g": "20"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(count):
            picture = np.full((SIZE[1], SIZE[0], 3), 40, np.uint8)
            if cut is not None and number >= cut:
                picture[:] = (20, 90, 30)
            for bit in range(9):
                picture[bit * 20 : bit * 20 + 20, :16] = 255 if number >> bit & 1 else 0
            for block in range(3):
                left = 30 + (number * (block + 1)) % 220
                picture[block * 60 : block * 60 + 50, left : left + 40] = 255
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("trial") / "a.mp4", 120)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Frame, Masks]]:
    """What the previews cover."""
    seen = list[tuple[Frame, Masks]]()
    before = preview.anonymize_and_show

    def noted(frame: Frame, masks: Masks, *more: Any) -> Preview:
        seen.append((frame, masks))
        return before(frame, masks, *more)

    monkeypatch.setattr(preview, "anonymize_and_show", noted)
    return seen


def job_masks(source: Path, detector: Flickering, settings: Settings) -> list[tuple[Frame, Masks]]:
    with VideoReader(source) as reader:
        return list(Tracker(settings).run(look(reader, detector, settings)))


def sorted_boxes(masks: Masks) -> np.ndarray:
    return np.array(sorted(masks.boxes.tolist()), np.float32).reshape(-1, 4)


def now_and_then(block: int, number: int) -> bool:
    """The first block is found in every fourth frame, the second for a moment, the third always."""
    return (number % 4 == 0, number in (50, 51), True)[block]


@pytest.mark.quick_cases(6)
@pytest.mark.parametrize("place", [0, 3, 30, 47, 52, 70, 115, 119])
@pytest.mark.parametrize(
    "settings",
    [
        Settings(),
        Settings(performance=Performance.BALANCED),
        Settings.standard(),
        Settings.standard(performance=Performance.MAXIMUM),
    ],
    ids=["hipaa", "hipaa balanced", "standard", "standard maximum"],
)
def test_a_test_of_a_frame_covers_what_the_job_covers_there(
    clip: Path, shown: list[tuple[Frame, Masks]], place: int, settings: Settings
) -> None:
    """A first user was shown 24 masks where the job made 51: the test looked at one frame alone."""
    whole = job_masks(clip, Flickering(now_and_then), settings)
    found = preview.preview_frame(clip, place / RATE, settings, Given(Flickering(now_and_then)))
    ((_, masks),) = shown
    wanted = whole[place][1]
    assert found.seconds == pytest.approx(place / RATE) and found.note == ""
    assert found.faces == len(masks) == len(wanted)
    np.testing.assert_allclose(sorted_boxes(masks), sorted_boxes(wanted), atol=0.5)


def test_a_face_seen_only_before_and_after_is_covered_in_the_test(clip: Path) -> None:
    for seen, faces in ((lambda block, n: block == 2 and abs(n - 60) > 8, 1), (lambda block, n: False, 0)):
        found = preview.preview_frame(clip, 60 / RATE, Settings(), Given(Flickering(seen)))
        assert found.faces == faces


@pytest.mark.parametrize("place", [58, 60, 62])
def test_no_mask_crosses_a_cut_in_the_test_either(
    tmp_path: Path, shown: list[tuple[Frame, Masks]], place: int
) -> None:
    source = draw(tmp_path / "cut.mp4", 110, cut=60)
    seen = lambda block, number: number < 60 if block else number > 61  # noqa: E731
    whole = job_masks(source, Flickering(seen), Settings())
    preview.preview_frame(source, place / RATE, Settings(), Given(Flickering(seen)))
    np.testing.assert_allclose(sorted_boxes(shown[0][1]), sorted_boxes(whole[place][1]), atol=0.5)


def test_what_is_known_after_a_while_is_shown_and_says_what_is_missing(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count()
    monkeypatch.setattr(preview, "time", SimpleNamespace(monotonic=lambda: next(clock) * 0.15))
    detector, first = Flickering(now_and_then), list[Preview]()
    last = preview.preview_frame(clip, 2.0, Settings(), Given(detector), on_first=first.append)
    (early,) = first
    assert early.note.startswith("Looked 0.")
    assert early.note.endswith(" s around this frame so far; the job looks further, and so does this test…")
    assert last.note == "" and last.seconds == early.seconds
    assert (early.original == last.original).all(), "the frame was covered twice"
    numbers = [number for number, _ in detector.looks]
    assert numbers[0] == 50 and abs(numbers[1] - 50) == 1, "the nearest come first"
    assert sorted(numbers) == list(range(19, 76))


def test_the_turns_are_those_of_the_job(clip: Path) -> None:
    detector = Flickering()
    preview.preview_frame(clip, 2.0, Settings(), Given(detector))
    assert [n for n, turns in sorted(detector.looks) if turns == (0, 1, 2, 3)] == list(range(24, 76, 6))


def test_large_pictures_narrow_the_view_and_it_is_said(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "AROUND_BYTES", 20 * SIZE[0] * SIZE[1] * 3 // 2)
    found = preview.preview_frame(clip, 2.0, Settings(), Given(Flickering()))
    assert found.note == (
        "Looked only 0.4 s around this frame, because its pictures are large. The job looks 1 s around it, "
        "so it may cover more."
    )


def test_a_test_that_nobody_waits_for_any_more_ends(clip: Path) -> None:
    detector = Flickering()

    def stop() -> None:
        if len(detector.looks) > 5:
            raise JobCancelled("not needed")

    with pytest.raises(JobCancelled):
        preview.preview_frame(clip, 2.0, Settings(), Given(detector), stop_if_cancelled=stop)
    assert len(detector.looks) < 12


def test_other_frames_are_read_from_the_key_frame_before(clip: Path) -> None:
    with VideoReader(clip) as reader:
        wanted = [(frame.index, frame.pts, frame.planes()[0].copy()) for frame in reader]
    with VideoReader(clip) as reader:
        for seconds in (2.0, 0.0, 4.7):
            found: Iterator[Frame] = reader.frames_from(seconds)
            frames = list(itertools.islice(found, 30))
            assert frames[0].seconds <= seconds and frames[0].index % 20 == 0
            for frame in frames:
                index, pts, plane = wanted[frame.index]
                assert (frame.index, frame.pts) == (index, pts)
                np.testing.assert_array_equal(frame.planes()[0], plane)
        assert replace(frames[-1]).index == 119


def test_on_a_slow_computer_the_frame_itself_comes_first(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, first = itertools.count(), list[Preview]()
    monkeypatch.setattr(preview, "time", SimpleNamespace(monotonic=lambda: next(clock) * 3.0))
    preview.preview_frame(clip, 2.0, Settings(), Given(Flickering()), on_first=first.append)
    (early,) = first
    assert early.note.startswith("Looked at this frame alone so far;") and early.faces == 3


@pytest.mark.parametrize(
    ("settings", "said"),
    [(Settings(), "The job ends there."), (Settings.standard(), "The job replaces it with black.")],
    ids=["hipaa", "standard"],
)
def test_what_cannot_be_decoded_near_the_frame_is_told(
    clip: Path, tmp_path: Path, settings: Settings, said: str
) -> None:
    """A failure means that a test promises what the job will not do, because pictures were left out."""
    with av.open(str(clip)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
        damaged = next(
            packet for packet in packets if packet.pts is not None and packet.time_base * packet.pts >= 3
        )
        begin, size = damaged.pos, damaged.size
        del packets, damaged
    content = bytearray(clip.read_bytes())
    content[begin + 8 : begin + size] = bytes(size - 8)
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content)
    detectors = Given(Flickering())
    assert preview.preview_frame(broken, 0.4, settings, detectors).note == ""
    for seconds in (2.7, 3.3):
        note = preview.preview_frame(broken, seconds, settings, detectors).note
        assert note.startswith("The video is damaged near this frame") and note.endswith(said)
    assert preview.preview_frame(clip, 2.7, settings, detectors).note == ""
