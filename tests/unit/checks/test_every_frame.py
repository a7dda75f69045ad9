"""The second detector looks at every finished frame; a leak of one frame is found, and covered or refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from face_clips import FaceClip, decode_rgb, moving_face

from anonator.core import examining, processor
from anonator.core.checks import second_look
from anonator.core.checks.every_frame import EveryFrame, Seen
from anonator.core.checks.input_frames import InputFrames
from anonator.core.config import Mode, Performance, SecondDetector, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.given import GivenDetectors
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections, Frame
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.reading.reader import VideoReader
from anonator.errors import DetectionError, VerificationError

SETTINGS = Settings(performance=Performance.BALANCED)
LEAK = 23
"""A frame that the sample of the second look leaves out."""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> FaceClip:
    """40 frames, 1.6 seconds."""
    return moving_face(tmp_path_factory.mktemp("clip") / "walk.mp4", astronaut, frames=40, speed=2, half=True)


@pytest.fixture
def still(tmp_path: Path, astronaut: np.ndarray) -> FaceClip:
    """Nothing moves in it."""
    return moving_face(tmp_path / "still.mp4", astronaut, frames=20, speed=0, half=True)


def leave_bare(
    monkeypatch: pytest.MonkeyPatch, *indexes: int, attempts: int = 1, in_second: int | None = None
) -> None:
    """No mask is drawn into these frames, in so many attempts; the record says that there is one.

    In the second attempt, none is drawn into the frame named for it.
    """
    original, begun = processor.anonymize, [0]

    def forgetful(frame: Frame, *args: Any) -> None:
        begun[0] += frame.index == 0
        if begun[0] == 2 and frame.index == in_second:
            return
        if frame.index not in indexes or begun[0] > attempts:
            original(frame, *args)

    monkeypatch.setattr(processor, "anonymize", forgetful)


def run(clip: FaceClip, target: Path, settings: Settings, detectors: Any) -> Any:
    return VideoProcessor(Job(clip.path, target, settings), detectors=detectors).run()


def assert_covered(clip: FaceClip, target: Path) -> None:
    for (x1, y1, x2, y2), picture in zip(clip.boxes, decode_rgb(target), strict=True):
        assert picture[y1 + 8 : y2 - 8, max(x1, 0) + 8 : x2 - 8].max() < 40


class Blindable:
    """The job's own detector, which can be made blind."""

    def __init__(self, inner: Detector) -> None:
        self.inner, self.blind = inner, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def detect(self, pictures: Sequence[np.ndarray], *args: Any, **options: Any) -> list[Detections]:
        found = self.inner.detect(pictures, *args, **options)
        return [Detections.empty() for _ in pictures] if self.blind else found


@pytest.mark.parametrize(("margin", "heard_of"), [(0.0, 0), (0.05, 1)])
def test_what_is_fainter_than_faint_counts_only_with_a_margin(
    clip: FaceClip, margin: float, heard_of: int
) -> None:
    """In passing, the network tells weaker faces, which the check of the finished file must not take up."""

    class Fainter(YuNet):
        def find(self, picture: np.ndarray, long_side: int) -> Detections:
            return Detections.upright([clip.boxes[0]], [0.17])

    heard: list[int] = []
    with (
        VideoReader(clip.path) as reader,
        closing(InputFrames(clip.path, 0, None)) as originals,
        EveryFrame(
            Fainter(0.15),
            cast(Detector, None),
            originals,
            SETTINGS,
            margin=margin,
            heard=lambda findings: heard.append(len(findings)),
        ) as every,
    ):
        every.see(next(iter(reader)))
        every.catch_up()
    assert heard == [heard_of]


@pytest.mark.slow
@pytest.mark.parametrize("blind", [False, True], ids=["both look", "the first is blind"])
def test_a_leak_of_one_frame_is_found_and_covered(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch, blind: bool
) -> None:
    leave_bare(monkeypatch, LEAK)
    detector, examine = Blindable(detectors.get(SETTINGS)), examining.examine

    def examined(*args: Any) -> Any:
        detector.blind = blind
        try:
            return examine(*args)
        finally:
            detector.blind = False

    monkeypatch.setattr(processor, "examine", examined)
    target = tmp_path / "out.mp4"
    result = run(clip, target, SETTINGS, GivenDetectors(detector))
    assert_covered(clip, target)
    assert result.near_misses == ()
    (sentence,) = [each for each in result.checks if "different detector" in each]
    assert "looked at all 40 finished frames" in sentence and "after 1 were covered more widely" in sentence
    # a frame that lost its mask differs from what was looked at, and so do those that are covered since
    assert "looked at before" in sentence
    assert any("0:00.9" in note and "wider masks" in note for note in result.notes)
    audit = json.loads((tmp_path / "out_report.json").read_text("utf-8"))
    assert [(face["seconds"], face["found_by"]) for face in audit["repaired"]] == [(0.92, "second detector")]


@pytest.mark.slow
def test_a_leak_that_only_the_repaired_file_has_is_found(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_bare(monkeypatch, LEAK, in_second=37)
    target = tmp_path / "out.mp4"
    with monkeypatch.context() as patch:
        # the cover of the first leak must not reach the second one
        patch.setattr(second_look, "PATCH_SECONDS", 0.2)
        result = run(clip, target, SETTINGS, detectors)
    assert_covered(clip, target)
    assert any("after 2 were covered more widely" in each for each in result.checks)


@pytest.mark.slow
def test_a_leak_that_stays_fails_the_job_and_leaves_nothing(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_bare(monkeypatch, LEAK, attempts=9)
    with pytest.raises(VerificationError, match=r"still be seen at 0:00\.9"):
        run(clip, tmp_path / "out.mp4", SETTINGS, detectors)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_standard_mode_is_checked_too_where_black_covers(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_bare(monkeypatch, LEAK)
    standard = Settings.standard(performance=Performance.BALANCED)
    result = run(clip, tmp_path / "black.mp4", standard, detectors)
    assert_covered(clip, tmp_path / "black.mp4")
    assert any("all 40 finished frames" in check for check in result.checks)
    for name, changes in {"off": {"second_detector": "off"}, "blur": {"mode": Mode.BLUR}}.items():
        settings = Settings.standard(performance=Performance.BALANCED, **changes)
        unchecked = run(clip, tmp_path / f"{name}.mp4", settings, detectors)
        assert not any("different detector" in check for check in unchecked.checks)


@pytest.mark.parametrize("works", [0, 12])
def test_a_second_detector_that_fails_ends_the_job(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch, works: int
) -> None:
    find, calls = YuNet.find, [0]

    def failing(self: YuNet, picture: np.ndarray, long_side: int) -> Detections:
        calls[0] += 1
        if calls[0] > works:
            raise DetectionError("The second detector failed.")
        return find(self, picture, long_side)

    monkeypatch.setattr(YuNet, "find", failing)
    settings = Settings.standard(performance=Performance.MAXIMUM)
    with pytest.raises(DetectionError, match="second detector failed"):
        run(clip, tmp_path / "out.mp4", settings, detectors)
    assert list(tmp_path.iterdir()) == []


# --- the look alone


def watched(
    finished: Path,
    source: Path,
    detector: Detector,
    second: YuNet | None = None,
    passing: Callable[[Frame], bool] = lambda frame: True,
    expected: int | None = None,
) -> Seen:
    """What is seen in a file, or in those of its frames that pass."""
    with (
        EveryFrame(second or YuNet(0.2), detector, InputFrames(source, 0, None), SETTINGS) as every,
        VideoReader(finished) as reader,
    ):
        count = 0
        for frame in reader:
            if passing(frame):
                every.see(frame)
                count += 1
        return every.finish(count if expected is None else expected)


def test_what_the_input_does_not_show_is_told_but_not_covered(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache, still: FaceClip
) -> None:
    empty = moving_face(tmp_path / "empty.mp4", np.full_like(astronaut, 120), frames=20, speed=0, half=True)
    seen = watched(still.path, empty.path, detectors.get(SETTINGS), passing=lambda frame: frame.index < 4)
    assert seen.uncovered == () and len(seen.near_misses) == 1
    (miss,) = seen.near_misses
    assert (miss.start_seconds, miss.end_seconds) == (0, pytest.approx(3 / 25)) and miss.score > 0.8
    seen = watched(still.path, still.path, detectors.get(SETTINGS))
    assert seen.frames == 20 and seen.uncovered and all(face.second for face in seen.uncovered)


def test_a_frame_that_did_not_change_is_not_looked_at_again(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache, still: FaceClip, clip: FaceClip
) -> None:
    class Counting(YuNet):
        calls = 0

        def find(self, picture: np.ndarray, long_side: int) -> Detections:
            Counting.calls += max(picture.shape) > 112  # a cut-out is looked at for another reason
            return super().find(picture, long_side)

    counting = Counting(0.2)
    seen = watched(still.path, still.path, detectors.get(SETTINGS), counting)
    assert Counting.calls <= 3 and seen.uncovered[-1].index == 19, "what is seen there counts in all of them"
    Counting.calls = 0
    watched(clip.path, clip.path, detectors.get(SETTINGS), counting)
    assert Counting.calls == 40


def test_a_frame_that_was_left_out_is_noticed(clip: FaceClip, detectors: DetectorCache) -> None:
    detector = detectors.get(SETTINGS)
    with pytest.raises(VerificationError, match="frame by frame"):
        watched(clip.path, clip.path, detector, passing=lambda frame: frame.index != 2)
    with pytest.raises(VerificationError, match="3 of 4 frames"):
        watched(clip.path, clip.path, detector, passing=lambda frame: frame.index < 3, expected=4)


def test_an_input_that_ends_too_early_is_noticed(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache, clip: FaceClip
) -> None:
    short = moving_face(tmp_path / "short.mp4", astronaut, frames=3, speed=2, half=True)
    with pytest.raises(VerificationError, match="changed during the job"):
        watched(clip.path, short.path, detectors.get(SETTINGS))


def test_only_black_tells_what_is_covered() -> None:
    assert Settings().looks_at_every_frame and Settings(second_detector="look").looks_at_every_frame
    assert Settings.standard().looks_at_every_frame
    for changes in ({"mode": Mode.BLUR}, {"mode": Mode.MOSAIC}, {"second_detector": SecondDetector.OFF}):
        assert not Settings.standard(**changes).looks_at_every_frame
