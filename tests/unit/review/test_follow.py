"""Following: a drawn box goes with its face both ways, and stops where it must."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import av
import numpy as np
import pytest
from face_clips import FaceClip, decode_rgb, moving_face

from anonator.core import boxes as box_ops
from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.frames import Frame
from anonator.core.reading.reader import VideoReader
from anonator.core.review import face_in_box
from anonator.core.review import follow as module
from anonator.core.review.analysis import Analysis, VideoKey
from anonator.core.review.edits import Operation
from anonator.core.review.flow import flowed
from anonator.core.review.follow import LEAST_WIDER, LOWEST_SCORE, WIDER, follow
from anonator.core.review.kept_sightings import Box, Sightings
from anonator.core.review.reviewed import apply

FRAMES = 60


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> FaceClip:
    path = tmp_path_factory.mktemp("clip") / "walk.mp4"
    return moving_face(path, astronaut, frames=FRAMES, speed=4, half=True)


def of(path: Path, cuts: tuple[int, ...] = (0,)) -> Analysis:
    """What a run would know of a clip in which it found nobody."""
    with VideoReader(path) as reader:
        frames: list[Frame] = list(reader)
    pts, base = tuple(f.pts for f in frames), frames[0].time_base.as_integer_ratio()
    key = VideoKey(path.stat().st_size, len(pts), frames[0].width, frames[0].height, base, "")
    return Analysis(key, Settings(), "", pts, cuts, ((0, True),), ((0, 99),), (), Sightings())


def is_covered(face: tuple[int, ...], box: Box) -> bool:
    middle = box_ops.expand(np.array([face], np.float32), 0.7)
    return bool(box_ops.inside(middle, np.array([box], np.float32))[0, 0] >= 0.9)


def as_box(face: tuple[int, ...]) -> Box:
    x1, y1, x2, y2 = map(float, face)
    return x1, y1, x2, y2


def test_it_goes_with_the_face_both_ways(clip: FaceClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK_SECONDS", 0.5)
    given = of(clip.path)
    followed = follow(clip.path, given, [(given.pts[30], as_box(clip.boxes[30]))])
    assert [step.pts for step in followed.steps] == list(given.pts)
    assert followed.steps[30].box == as_box(clip.boxes[30]) and followed.held == []
    for face, step in zip(clip.boxes, followed.steps, strict=True):
        assert is_covered(face, step.box)
        assert box_ops.areas(np.array([step.box], np.float32))[0] < 1.5 * 55 * 75 * WIDER**2


def test_what_was_followed_is_covered_wider_the_farther_it_is_from_where_a_person_placed_it(
    clip: FaceClip,
) -> None:
    """Nothing is followed exactly: a cover as tight as the drawn box leaves an edge of the face bare."""
    given = of(clip.path)
    box = as_box(clip.boxes[30])
    steps = follow(clip.path, given, [(given.pts[30], box)]).steps
    wide = [step.box[2] - step.box[0] for step in steps]
    assert steps[30].box == box and wide[30] < wide[31] < wide[36] and wide[30] < wide[29] < wide[24]
    assert wide[50] > 1.15 * wide[30]
    small = (box[0] + 20, box[1] + 20, box[0] + 28, box[1] + 28)
    far = follow(clip.path, given, [(given.pts[30], small)]).steps[45].box
    assert far[2] - far[0] >= 8 * 0.8 + 2 * LEAST_WIDER, "of a small face, at least some pixels"


def test_it_stops_at_cuts(clip: FaceClip) -> None:
    given = of(clip.path, cuts=(0, 20, 50))
    followed = follow(clip.path, given, [(given.pts[30], as_box(clip.boxes[30]))])
    assert [step.pts for step in followed.steps] == list(given.pts[20:50])


def test_places_that_a_person_chose_are_never_changed(clip: FaceClip) -> None:
    given = of(clip.path)
    chosen = [(given.pts[i], as_box((10, 10, 90 + i, 150))) for i in (25, 31, 40)]
    steps = {step.pts: step.box for step in follow(clip.path, given, chosen).steps}
    assert [steps[pts] for pts, _ in chosen] == [box for _, box in chosen]
    assert sorted(steps) == list(given.pts)


@pytest.fixture(scope="module")
def hidden(tmp_path_factory: pytest.TempPathFactory, clip: FaceClip) -> Path:
    """The same, but from frame 30 on every picture is another noise."""
    path, rng = tmp_path_factory.mktemp("hidden") / "hidden.mp4", np.random.default_rng(2)
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *clip.size, "yuv420p"  # type: ignore[assignment]
        for i, picture in enumerate(decode_rgb(clip.path)):
            shown = picture if i < 30 else rng.integers(0, 255, picture.shape, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def test_where_it_is_lost_it_is_held_larger_and_marked_and_then_it_ends(hidden: Path, clip: FaceClip) -> None:
    given = of(hidden)
    followed = follow(hidden, given, [(given.pts[20], as_box(clip.boxes[20]))])
    ((first, last),) = followed.held
    assert first == given.pts[30] and last == followed.span[1] and last in given.pts[54:57]
    sizes = [float(box_ops.areas(np.array([s.box], np.float32))[0]) for s in followed.steps[29:]]
    assert sizes[-1] > 2 * sizes[0] and sizes == sorted(sizes)
    add, held = followed.edits(7)
    assert (add.operation, held.operation, held.span) == (Operation.ADD, Operation.HELD, (first, last))
    assert apply([add, held], given).held == {(-8, (first, last))}


def test_noise_has_no_flow() -> None:
    rng = np.random.default_rng(1)
    one, other = (rng.integers(0, 255, (90, 120), np.uint8) for _ in range(2))
    assert flowed(one, other, (20, 20, 60, 60)) is None
    moved = np.roll(one, (2, 3), axis=(0, 1))
    np.testing.assert_allclose(flowed(one, moved, (20, 20, 60, 60)) or (), (23, 22, 63, 62), atol=0.5)


@pytest.mark.slow
def test_the_detector_keeps_it_on_the_face(clip: FaceClip) -> None:
    settings = Settings()
    low = dataclasses.replace(settings.tracking, continue_threshold=LOWEST_SCORE)
    detector = DetectorCache()
    try:
        given = of(clip.path)
        start = box_ops.expand(np.array([clip.boxes[30]], np.float32), 1.2)[0].tolist()
        followed = follow(
            clip.path,
            given,
            [(given.pts[30], as_box(tuple(start)))],
            detector.get(dataclasses.replace(settings, tracking=low)),
        )
        assert len(followed.steps) == FRAMES
        assert all(is_covered(f, s.box) for f, s in zip(clip.boxes, followed.steps, strict=True))
    finally:
        detector.close()


def test_another_track_s_face_is_not_taken() -> None:
    """A detection that an other track was seen at belongs to it."""
    boxes = np.array([[50, 50, 90, 90], [54, 50, 94, 90]], np.float32)
    scores = np.array([0.5, 0.9], np.float32)
    assert face_in_box._best(boxes, scores, (52, 50, 92, 90), []) == ((54, 50, 94, 90), pytest.approx(0.9))
    assert face_in_box._best(boxes[1:], scores[1:], (52, 50, 92, 90), [(54, 50, 94, 90)]) is None
