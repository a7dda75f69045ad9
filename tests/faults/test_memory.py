"""Memory that runs out costs speed, never a frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from detector_helpers import FaultyNetwork, Greedy, make_detector
from face_clips import FaceClip, decode_rgb
from faults.fault_helpers import files_in

from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.errors import AnonatorError

pytestmark = pytest.mark.usefixtures("state")


class Starved(DetectorCache):
    """Has a detector whose memory runs out for the first calls."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.detector = make_detector(FaultyNetwork(Greedy(times)), batch_size=4)

    def get(self, settings: Settings) -> Any:
        return self.detector


@pytest.mark.slow
def test_a_job_whose_memory_runs_out_for_a_while_misses_no_frame(tmp_path: Path, face_clip: FaceClip) -> None:
    """The batch is halved, and halved again; a failure means an uncovered face in a frame of that batch."""
    cache = Starved(3)
    settings = Settings.standard(performance=Performance.QUALITY)
    result = VideoProcessor(Job(face_clip.path, tmp_path / "out.mp4", settings), detectors=cache).run()
    cache.detector.close()
    assert cache.detector.batch_size < 4
    assert any("ran out of memory" in note for note in result.notes)
    pictures = decode_rgb(tmp_path / "out.mp4")
    assert len(pictures) == result.frames == result.masked_frames == len(face_clip.boxes)
    for (x1, y1, x2, y2), picture in zip(face_clip.boxes, pictures, strict=True):
        assert picture[y1 + 8 : y2 - 8, max(0, x1 + 6) : x2 - 6].max() < 40


def test_a_job_whose_memory_never_comes_back_leaves_nothing(tmp_path: Path, face_clip: FaceClip) -> None:
    cache = Starved(100_000)
    with pytest.raises(AnonatorError, match="ran out of memory"):
        VideoProcessor(Job(face_clip.path, tmp_path / "out.mp4", Settings()), detectors=cache).run()
    cache.detector.close()
    assert files_in(tmp_path) == []
