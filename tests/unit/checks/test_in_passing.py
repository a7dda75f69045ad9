"""What only the second detector sees is covered before the file is written, so that one file is enough."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from face_clips import FaceClip, decode_rgb, moving_face

from anonator.core import attempt
from anonator.core.checks import in_passing
from anonator.core.checks.in_passing import InPassing
from anonator.core.checks.remembered import Memory
from anonator.core.checks.second_look import PATCH_SECONDS, Uncovered
from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector_protocol import Detector
from anonator.core.detection.given import GivenDetectors
from anonator.core.detection.threads import cpu_threads
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections, Frame, Masks
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.reading.reader import VideoReader
from anonator.errors import DetectionError

SETTINGS = Settings(performance=Performance.BALANCED)
RATE = 25


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> FaceClip:
    """80 frames, 3.2 seconds."""
    return moving_face(tmp_path_factory.mktemp("clip") / "walk.mp4", astronaut, frames=80, speed=1, half=True)


def watched(
    clip: FaceClip,
    bare: Sequence[int],
    first: Detector,
    folder: Path,
    found: list[Uncovered],
    second: YuNet | None = None,
) -> Iterator[tuple[Frame, Masks]]:
    """The clip's frames with their true masks, but for some that have none."""

    def frames() -> Iterator[tuple[Frame, Masks]]:
        with VideoReader(clip.path) as reader:
            for frame in reader:
                box = np.array([clip.boxes[frame.index]], np.float32)
                none = frame.index in bare
                yield frame, Masks.empty() if none else Masks(box, np.zeros(1, np.int32))

    with (
        closing(Memory(folder)) as memory,
        InPassing(second or YuNet(0.2), first, SETTINGS, memory, found) as watch,
    ):
        yield from watch.watched(frames())


def covers(masks: Masks, box: Sequence[float]) -> bool:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return any(x1 <= x <= x2 and y1 <= y <= y2 for x1, y1, x2, y2 in masks.boxes)


@pytest.mark.parametrize("leak", [[0], [40], [79], [38, 39, 40, 41, 42, 43, 44, 45]])
def test_a_bare_face_is_covered_from_a_second_before_to_a_second_after(
    leak: list[int], clip: FaceClip, detectors: DetectorCache, tmp_path: Path
) -> None:
    found: list[Uncovered] = []
    out = list(watched(clip, leak, detectors.get(SETTINGS), tmp_path, found))
    assert [frame.index for frame, _ in out] == list(range(80)), "each frame once, in order"
    assert all(covers(masks, clip.boxes[frame.index]) for frame, masks in out)
    assert found and all(face.second and face.index in leak for face in found)
    reach = round(PATCH_SECONDS * RATE)
    first, last = max(0, leak[0] - reach), min(79, leak[0] + reach)
    more = [frame.index for frame, masks in out if len(masks) > (frame.index not in leak)]
    assert more[0] == first and more[-1] >= last
    assert set(range(first, last + 1)) <= set(more)


def test_covered_frames_are_passed_on_as_they_are(
    clip: FaceClip, detectors: DetectorCache, tmp_path: Path
) -> None:
    found: list[Uncovered] = []
    out = list(watched(clip, [], detectors.get(SETTINGS), tmp_path, found))
    assert found == [] and {len(masks) for _, masks in out} == {1}
    with VideoReader(clip.path) as reader:
        for (frame, _), original in zip(out, reader, strict=True):
            assert all((a == b).all() for a, b in zip(frame.planes(), original.planes(), strict=True)), (
                "looking at it must not change it"
            )


def test_frames_wait_no_longer_than_memory_allows(
    clip: FaceClip, detectors: DetectorCache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, given, most = [0], [0], [0]
    see = in_passing.EveryFrame.see

    def counted(self: Any, frame: Frame) -> None:
        taken[0] += 1
        most[0] = max(most[0], taken[0] - given[0])
        see(self, frame)

    monkeypatch.setattr(in_passing.EveryFrame, "see", counted)
    held = {}
    for room in (10**9, 1):
        monkeypatch.setattr(in_passing, "HELD_BYTES", room)
        taken[0] = given[0] = most[0] = 0
        for _ in watched(clip, [], detectors.get(SETTINGS), tmp_path, []):
            given[0] += 1
        held[room] = most[0]
    assert held[1] <= 2 * cpu_threads() + 1 and 12 < in_passing.HELD_SECONDS * RATE < held[10**9] < 80


def test_a_failure_ends_the_look_and_its_threads(
    clip: FaceClip, detectors: DetectorCache, tmp_path: Path
) -> None:
    class Failing(YuNet):
        def find(self, picture: np.ndarray, long_side: int) -> Detections:
            raise DetectionError("The second detector failed.")

    with pytest.raises(DetectionError, match="second detector"):
        list(watched(clip, [], detectors.get(SETTINGS), tmp_path, [], Failing(0.2)))
    assert not [each for each in threading.enumerate() if each.name.startswith("anonator-second")]


class Hinting(YuNet):
    """Sees a face at one place in frame 40, and a hint in 66 and 67; a black bar's length tells frames."""

    def find(self, picture: np.ndarray, long_side: int) -> Detections:
        if (
            max(picture.shape) == 112
        ):  # a place that was cut out: surely a face in frame 40, and nothing later
            return Detections.upright([[41, 41, 71, 71]], [0.9 if picture.max() > 200 else 0.1])
        index = int((picture[4, :, 0] < 20).argmin()) // 2 - 1
        x1, y1, x2, y2 = (round(v) for v in PLACE)
        score = {40: 0.9, 66: 0.31, 67: 0.31}.get(index, 0)
        seen = score and picture[y1:y2, x1:x2].max() > 40
        return Detections.upright([PLACE], [score]) if seen else Detections.empty()


PLACE = (200.0, 100.0, 230.0, 136.0)


class Faint:
    """A first detector that sees something weakly in every place that it is asked about."""

    max_resolution = 1920

    def detect(self, pictures: Sequence[np.ndarray], *_: Any, **__: Any) -> list[Detections]:
        return [Detections.upright([[41, 41, 71, 71]], [0.15]) for _ in pictures]


def test_a_weak_sign_of_a_face_counts_between_a_cover_and_a_mask(clip: FaceClip, tmp_path: Path) -> None:
    """The check of the finished file would take it for a hole in a mask, and have another file made."""

    def frames() -> Iterator[tuple[Frame, Masks]]:
        with VideoReader(clip.path) as reader:
            for frame in reader:
                frame.make_writable()
                x1, y1, x2, y2 = (round(v) for v in PLACE)
                frame.planes()[0][y1:y2, x1:x2] = 235 if frame.index == 40 else 128
                boxes = [(0, 0, 2 * frame.index + 2, 16)] + ([PLACE] if frame.index >= 68 else [])
                yield frame, Masks(np.array(boxes, np.float32), np.zeros(len(boxes), np.int32))

    found: list[Uncovered] = []
    settings = replace(SETTINGS, mask_scale=1.0)
    detector = cast(Detector, Faint())
    with (
        closing(Memory(tmp_path)) as memory,
        InPassing(Hinting(0.2), detector, settings, memory, found) as watch,
    ):
        covered = [frame.index for frame, masks in watch.watched(frames()) if covers(masks, PLACE)]
    assert covered == list(range(15, 80)), "from a second before frame 40 on, without a hole"
    assert {face.index for face in found} == {40, 66, 67}


# --- whole jobs


class Blind:
    """The job's own detector, which misses every face; about cut-outs it says what it sees."""

    def __init__(self, inner: Detector) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def detect(self, pictures: Sequence[np.ndarray], *args: Any, **options: Any) -> list[Detections]:
        found = self._inner.detect(pictures, *args, **options)
        return [Detections.empty() for _ in pictures] if max(pictures[0].shape) > 112 else found


@pytest.mark.slow
@pytest.mark.parametrize("hipaa", [True, False])
def test_faces_that_only_the_second_detector_sees_are_covered_in_one_file(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch, hipaa: bool
) -> None:
    written: list[object] = []
    writer = attempt.Run.writer
    monkeypatch.setattr(attempt.Run, "writer", lambda *args: written.append(0) or writer(*args))
    settings = SETTINGS if hipaa else Settings.standard(performance=Performance.BALANCED)
    target = tmp_path / "out.mp4"
    detector = GivenDetectors(Blind(detectors.get(settings)))
    job = Job(clip.path, target, settings, save_tracks=tmp_path / "out.tracks.jsonl")
    result = VideoProcessor(job, detectors=detector).run()
    for (x1, y1, x2, y2), picture in zip(clip.boxes, decode_rgb(target), strict=True):
        assert picture[y1 + 8 : y2 - 8, max(x1, 0) + 8 : x2 - 8].max() < 40
    assert len(written) == 1, "one file was enough"
    (sentence,) = [each for each in result.checks if "different detector" in each]
    assert "looked at all 80 finished frames" in sentence and "covered more widely" in sentence
    assert "had been looked at before" in sentence
    assert any(note.startswith("Only the second detector found a face at 0:00.0") for note in result.notes)
    if hipaa:
        audit = json.loads((tmp_path / "out_report.json").read_text("utf-8"))
        assert {face["found_by"] for face in audit["repaired"]} == {"second detector"}
    again = Job(clip.path, tmp_path / "again.mp4", settings, tracks=job.save_tracks)
    VideoProcessor(again, detectors=detector).run()
    for (x1, y1, x2, y2), picture in zip(clip.boxes, decode_rgb(again.target), strict=True):
        assert picture[y1 + 8 : y2 - 8, max(x1, 0) + 8 : x2 - 8].max() < 40, "kept tracks hold them, too"


@pytest.mark.slow
def test_a_face_that_could_not_be_covered_in_time_costs_another_file(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_passing, "HELD_BYTES", 1)
    monkeypatch.setattr(in_passing, "PATCH_SECONDS", 0.0)  # nor do covers reach the next frames
    target = tmp_path / "out.mp4"
    detector = GivenDetectors(Blind(detectors.get(SETTINGS)))
    result = VideoProcessor(Job(clip.path, target, SETTINGS), detectors=detector).run()
    for (x1, y1, x2, y2), picture in zip(clip.boxes, decode_rgb(target), strict=True):
        assert picture[y1 + 8 : y2 - 8, max(x1, 0) + 8 : x2 - 8].max() < 40
    assert any("made again" in note for note in result.notes)
