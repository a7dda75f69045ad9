"""A face left uncovered is found in the finished file, covered once more, or the file is refused."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_clips import FaceClip, decode_rgb, moving_face
from unit.tracking.record_helpers import recorded

from anonator.core import processor
from anonator.core.checks import second_look
from anonator.core.checks.second_look import frames_to_look_at, patches_for, uncovered_faces
from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.yunet import YuNet
from anonator.core.frames import Detections, Frame, Look, Masks
from anonator.core.job import Job, Progress, Stage
from anonator.core.job_thread import VideoProcessor
from anonator.core.tracking.linking import Tracker
from anonator.errors import VerificationError

SETTINGS = Settings(performance=Performance.BALANCED)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> FaceClip:
    """60 frames, 2.4 seconds."""
    return moving_face(tmp_path_factory.mktemp("clip") / "walk.mp4", astronaut, frames=60, speed=2, half=True)


def test_the_sample_holds_every_tenth_frame_cuts_and_what_lies_around_tracks() -> None:
    record = recorded(*[()] * 13, *[(1,)] * 8, *[()] * 15, *[(2,)] * 6)
    record.cuts.append(27)
    record.turned += range(2, 42, 3)
    turned = {2, 20, 38}  # every sixth of those that were looked at so
    upright = {0, 10, 30, 40, 41}  # every tenth, and the last
    upright |= {26, 27}  # the cut
    upright |= {12, 35}  # before the tracks; the frame after the first has a neighbour in the sample
    assert frames_to_look_at(record) == {i: i in turned for i in sorted(upright | turned)}


def test_the_sample_is_thin_where_both_detectors_see_every_frame() -> None:
    record = recorded(*[()] * 13, *[(1,)] * 8, *[()] * 15, *[(2,)] * 6)
    record.cuts.append(27)
    record.looked_at = len(record)
    assert set(frames_to_look_at(record, another_sees_all=True)) == {0, 15, 30, 41, 26, 27}
    assert set(frames_to_look_at(record)) == {0, 10, 20, 30, 40, 41, 26, 27, 12, 35}
    record.looked_at -= 1
    assert frames_to_look_at(record, another_sees_all=True) == frames_to_look_at(record)


@pytest.mark.slow
def test_an_uncovered_face_is_found_and_a_covered_one_is_not(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache
) -> None:
    covered = tmp_path / "covered.mp4"
    VideoProcessor(Job(clip.path, covered, SETTINGS), detectors=detectors).run()
    detector, ticks = detectors.get(SETTINGS), list[float]()
    wanted = {0: False, 10: True, 33: False}
    for finished, expected in ((clip.path, wanted), (covered, {})):
        found = list(uncovered_faces(finished, clip.path, wanted, detector, SETTINGS, ticks.append))
        assert [face.index for face in found] == list(expected)
        for face in found:
            x1, y1, x2, y2 = clip.boxes[face.index]
            assert x1 < (face.box[0] + face.box[2]) / 2 < x2 and y1 < (face.box[1] + face.box[3]) / 2 < y2
            assert face.seconds == pytest.approx(face.index / 25) and face.score >= 0.5
    assert len(ticks) >= 3 * 34, "the job could not be cancelled meanwhile"
    assert min(ticks) == 0 and max(ticks) <= 1


def test_what_only_looks_like_a_face_between_masks_is_not_one(
    clip: FaceClip, detectors: DetectorCache, tmp_path: Path, astronaut: np.ndarray
) -> None:
    """What the input does not show as a face, the job need not cover."""
    empty = moving_face(tmp_path / "empty.mp4", np.full_like(astronaut, 120), frames=60, speed=2, half=True)
    found = uncovered_faces(
        clip.path, empty.path, {0: False, 10: True}, detectors.get(SETTINGS), SETTINGS, lambda _share: None
    )
    assert list(found) == []


def blind_the_second_detector(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(YuNet, "find", lambda *_: Detections.empty())


def forget(frames: range, monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """The tracker loses its masks on these frames, in so many passes."""
    original, left = Tracker.run, [times]

    def run(self: Tracker, looks: Iterable[Look], heard: Any = None) -> Iterator[tuple[Frame, Masks]]:
        left[0] -= 1
        for frame, masks in original(self, looks, heard):
            yield frame, Masks.empty() if frame.index in frames and left[0] >= 0 else masks

    monkeypatch.setattr(Tracker, "run", run)


@pytest.mark.slow
def test_a_face_that_was_left_uncovered_is_covered_in_a_second_attempt(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The net under everything else: the job's own mistake does not reach the user."""
    blind_the_second_detector(monkeypatch)  # else one file would be enough
    forget(range(18, 24), monkeypatch, times=1)
    told: list[Progress] = []
    target = tmp_path / "out.mp4"
    result = VideoProcessor(
        Job(clip.path, target, SETTINGS), detectors=detectors, on_progress=told.append
    ).run()
    for (x1, y1, x2, y2), picture in zip(clip.boxes, decode_rgb(target), strict=True):
        assert picture[y1 + 8 : y2 - 8, max(x1, 0) + 8 : x2 - 8].max() < 40
    assert list(dict.fromkeys(p.stage for p in told)) == [Stage.WORKING, Stage.CHECKING, Stage.REPAIRING]
    assert any("wider masks" in note and "0:00.7" in note for note in result.notes)
    assert any("covered more widely" in check for check in result.checks)
    audit = json.loads((tmp_path / "out_report.json").read_text("utf-8"))
    assert [face["seconds"] for face in audit["repaired"]] == [0.72, 0.8, 0.92]
    assert audit["frames"]["decoded"] == audit["frames"]["verified"] == 60
    assert len(audit["tracks"]) >= 1


@pytest.mark.slow
def test_a_face_that_stays_visible_fails_the_job_and_leaves_nothing(
    tmp_path: Path, clip: FaceClip, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = processor.anonymize

    def broken(frame: Frame, *args: Any) -> None:
        if frame.index not in range(18, 24):
            original(frame, *args)

    monkeypatch.setattr(processor, "anonymize", broken)
    with pytest.raises(VerificationError, match=r"still be seen at 0:00\.[78]"):
        VideoProcessor(Job(clip.path, tmp_path / "out.mp4", SETTINGS), detectors=detectors).run()
    assert list(tmp_path.iterdir()) == []


def test_patches_are_wider_than_the_face() -> None:
    face = second_look.Uncovered(20, 0.8, (100, 100, 120, 140), 0.9)
    patches = patches_for([face])
    np.testing.assert_allclose(patches.boxes(0.8 + second_look.PATCH_SECONDS), [[95, 90, 125, 150]])
    assert patches.boxes(0.8 + second_look.PATCH_SECONDS + 0.01).shape == (0, 4)


def test_a_face_is_covered_with_another_where_its_middle_is_within_reach() -> None:
    covered = [second_look.Uncovered(20, 0.8, (100, 100, 120, 140), 0.9)]
    near = second_look.PATCH_SECONDS
    for seconds, box, expected in (
        (0.8, (100, 100, 120, 140), True),
        (0.8 + near, (110, 120, 138, 176), True),
        (0.8, (124, 100, 144, 140), False),  # beside it: another face, or one that moved on
        (0.81 + near, (100, 100, 120, 140), False),
    ):
        face = second_look.Uncovered(1, seconds, box, 0.9)
        assert second_look.is_covered_with(face, covered) is expected
    assert not second_look.is_covered_with(covered[0], [])
