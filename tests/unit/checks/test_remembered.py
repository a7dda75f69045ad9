"""What was seen in one attempt's file is known in the next one only where nothing more shows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_clips import FaceClip, moving_face

from anonator.core.checks import every_frame, remembered
from anonator.core.checks.every_frame import EveryFrame, Seen
from anonator.core.checks.input_frames import InputFrames
from anonator.core.checks.remembered import NOISE, Memory, Remembered, brightness_of
from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections, Frame
from anonator.core.reading.reader import VideoReader

SETTINGS = Settings(performance=Performance.BALANCED)
SIZE = 160, 128
PICTURE = np.full((8, 10), 100, np.uint8)
FACE = Detections.upright([[10, 20, 30, 40]], [0.75])


def changed(row: int, column: int, to: int) -> np.ndarray:
    picture = PICTURE.copy()
    picture[row, column] = to
    return picture


@pytest.mark.parametrize(
    ("row", "column", "to", "same"),
    [
        (0, 0, 100 + NOISE, True),
        (0, 0, 100 - NOISE, True),
        (0, 0, 101 + NOISE, False),
        (0, 0, 99 - NOISE, False),  # darker, but nothing was covered there
        (2, 3, 16, True),
        (3, 4, 60, True),  # covered in part
        (2, 5, 60, False),  # beside it
        (4, 3, 60, False),
        (2, 3, 101 + NOISE, False),  # covering makes nothing brighter
    ],
)
def test_only_what_was_covered_may_be_darker(row: int, column: int, to: int, same: bool) -> None:
    known = Remembered(PICTURE, FACE)
    assert known.is_shown_by(changed(row, column, to), [(50, 40, 70, 60)], SIZE) is same


def test_a_picture_of_another_size_is_another_picture() -> None:
    assert not Remembered(PICTURE, FACE).is_shown_by(PICTURE.T.copy(), [], SIZE)


@pytest.fixture(scope="module")
def frames(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> list[Frame]:
    clip = moving_face(tmp_path_factory.mktemp("clip") / "walk.mp4", astronaut, frames=4, speed=9, half=True)
    with VideoReader(clip.path) as reader:
        return list(reader)


@pytest.mark.parametrize("in_memory", [1, remembered.IN_MEMORY], ids=["on the disk", "in memory"])
def test_what_was_seen_comes_back_and_leaves_no_file(
    tmp_path: Path, frames: list[Frame], monkeypatch: pytest.MonkeyPatch, in_memory: int
) -> None:
    monkeypatch.setattr(remembered, "IN_MEMORY", in_memory)
    first = Memory(tmp_path)
    assert [first.recall(frame) for frame in frames] == [None] * 4
    for number, frame in enumerate(frames):
        first.note(brightness_of(frame), FACE if number == 2 else Detections.empty())
    second = Memory(tmp_path, first)
    known = [second.recall(frame) for frame in frames]
    assert [None if each is None else len(each.bare) for each in known] == [0, 0, 1, 0]
    assert known[2] is not None
    np.testing.assert_array_equal(known[2].bare.boxes, FACE.boxes)
    np.testing.assert_array_equal(known[2].bare.scores, FACE.scores)
    for memory in (first, second):
        memory.close()
    assert list(tmp_path.iterdir()) == []


def test_another_frame_is_not_known(tmp_path: Path, frames: list[Frame]) -> None:
    first = Memory(tmp_path)
    for frame in frames:
        first.note(brightness_of(frame), FACE)
    second = Memory(tmp_path, first)
    assert [second.recall(frame) is not None for frame in frames[1:]] == [False] * 3
    first.close()
    second.close()


def test_what_cannot_be_kept_is_looked_at_again(
    tmp_path: Path, frames: list[Frame], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = Memory(tmp_path)
    first.note(brightness_of(frames[0]), FACE)
    written = first._file.write

    def full(content: bytes) -> Any:
        written(content[:7])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(first._file, "write", full)
    for frame in frames[1:]:
        first.note(brightness_of(frame), FACE)
    second = Memory(tmp_path, first)
    assert [second.recall(frame) is not None for frame in frames] == [True, False, False, False]
    assert caplog.text.count("can't be kept") == 1
    first.close()
    second.close()


class Counting(YuNet):
    """Counts the looks at whole pictures; a cut-out of the input is looked at for another reason."""

    def __init__(self) -> None:
        super().__init__(0.2)
        self.calls = self.evidence = 0

    def find(self, picture: np.ndarray, long_side: int) -> Detections:
        whole = max(picture.shape) > 112
        self.calls, self.evidence = self.calls + whole, self.evidence + (not whole)
        return super().find(picture, long_side)


def watched(
    clip: FaceClip,
    detectors: DetectorCache,
    second: YuNet,
    memory: Memory,
    changes: dict[int, int],
    *,
    known_every: int = 0,
) -> Seen:
    """What is seen in a clip; each frame that is named gets a grey patch, in its lower right corner."""
    with (
        EveryFrame(
            second,
            detectors.get(SETTINGS),
            InputFrames(clip.path, 0, None),
            SETTINGS,
            memory=memory,
            known_every=known_every,
        ) as every,
        VideoReader(clip.path) as reader,
    ):
        for frame in reader:
            if frame.index in changes:
                frame.make_writable()
                frame.planes()[0][-32:, -32:] = changes[frame.index]
            every.see(frame)
        return every.finish(20)


def test_only_frames_that_differ_are_looked_at_again(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache
) -> None:
    clip = moving_face(tmp_path / "walk.mp4", astronaut, frames=20, speed=2, half=True)
    second, first_memory = Counting(), Memory(tmp_path)
    seen = watched(clip, detectors, second, first_memory, {})
    assert second.calls == 20 and second.evidence and seen.known == 0 and seen.uncovered
    second.calls = second.evidence = 0
    memory = Memory(tmp_path, first_memory)
    again = watched(clip, detectors, second, memory, {7: 235, 12: 0})
    assert second.calls == 2 and again.known == 18 and again.frames == 20
    assert second.evidence <= 4, "what the input shows at a place is asked only once"
    assert {face.index for face in again.uncovered} == {face.index for face in seen.uncovered}
    first_memory.close()
    memory.close()


def test_a_sample_of_what_is_known_is_looked_at_again(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache
) -> None:
    clip = moving_face(tmp_path / "walk.mp4", astronaut, frames=20, speed=2, half=True)
    second, first_memory = Counting(), Memory(tmp_path)
    seen = watched(clip, detectors, second, first_memory, {})
    second.calls = second.evidence = 0
    memory = Memory(tmp_path, first_memory)
    again = watched(clip, detectors, second, memory, {}, known_every=5)
    assert second.calls == 4 and again.known == 16 and second.evidence == 0
    assert {face.index for face in again.uncovered} == {face.index for face in seen.uncovered}
    first_memory.close()
    memory.close()


def test_what_would_need_too_much_memory_is_asked_again(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(every_frame, "MOST_EVIDENCE", 2)
    clip = moving_face(tmp_path / "walk.mp4", astronaut, frames=20, speed=2, half=True)
    second, first_memory = Counting(), Memory(tmp_path)
    seen = watched(clip, detectors, second, first_memory, {})
    assert len(first_memory.evidence) == 2 and second.evidence > 4
    second.evidence = 0
    memory = Memory(tmp_path, first_memory)
    again = watched(clip, detectors, second, memory, {})
    assert second.evidence and again.uncovered == seen.uncovered
    first_memory.close()
    memory.close()


@pytest.mark.parametrize(
    ("covered", "lost"),
    [
        ([], False),
        ([(40, 0, 60, 60)], False),  # beside it
        ([(28, 20, 60, 60)], True),  # a tenth of it
        ([(0, 0, 12, 21), (0, 0, 60, 60)], False),  # all of it
    ],
)
def test_something_that_is_hidden_in_part_is_looked_at_again(
    covered: list[tuple[int, int, int, int]], lost: bool
) -> None:
    """What is left of it may look like nothing at all, and would still be taken for a hole in a mask."""
    assert Remembered(PICTURE, FACE).has_lost_a_part(covered) is lost
    assert not Remembered(PICTURE, Detections.empty()).has_lost_a_part(covered)
