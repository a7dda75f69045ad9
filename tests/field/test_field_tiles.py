"""Half a face cut off by an edge inside the picture: call tiles, camera pictures on slides, split screens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from detector_helpers import above, covered, make_detector
from face_clips import FACE, decode_rgb

from anonator.core import boxes as box_ops
from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector import FaceDetector
from anonator.core.detection.passes import add_parts, plan_passes
from anonator.core.detection.seams import GAP, MARGIN, MOST, Layout, Seams, find_seams
from anonator.core.frames import APART, Detections, Float32Array, UInt8Array
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor

TURNS = (0, 1, 2, 3)
"""What HIPAA mode looks with on every n-th frame; its parts are looked at apart then, too."""
Box = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def detector() -> Iterator[FaceDetector]:
    """Bundled weights, float32, at the resolution of HIPAA Quality."""
    made = make_detector(max_resolution=1920)
    yield made
    made.close()


def backdrop(kind: str, size: tuple[int, int] = (640, 360)) -> UInt8Array:
    """What lies around a tile."""
    width, height = size
    picture = np.full((height, width, 3), {"black": 0, "grey": 60}.get(kind, 245), np.uint8)
    if kind == "slide":
        for i in range(height // 40):
            place = (20, 40 + 40 * i)
            cv2.putText(picture, f"Results, part {i}: 12.5 % of all", place, 0, 0.8, (20, 20, 60), 2)
    if kind == "tiles":
        rng = np.random.default_rng(3)
        tile = cv2.resize(rng.integers(60, 200, (6, 8, 3), np.uint8), (width // 3 - 8, height // 3 - 8))
        for y in range(4, height - height // 3 + 4, height // 3):
            for x in range(4, width - width // 3 + 4, width // 3):
                picture[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return picture


def cut_face(astronaut: np.ndarray, side: str, height: int, keep: float = 0.5) -> tuple[UInt8Array, Box]:
    """A tile whose edge leaves that side of a face of that height, and what is left of the face in it."""
    scale = height / (FACE[3] - FACE[1])
    picture = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    x1, y1, x2, y2 = (round(v * scale) for v in FACE)
    width, height = round((x2 - x1) * keep), round((y2 - y1) * keep)
    if side == "left":
        left = max(0, x1 + width - 300)
        return picture[:216, left : x1 + width], (x1 - left, y1, x1 + width - left, y2)
    if side == "right":
        return picture[:216, x2 - width :][:, :300], (0, y1, width, y2)
    if side == "top":
        return picture[: y1 + height, :320], (x1, y1, x2, y1 + height)
    return picture[y2 - height :][:216, :320], (x1, 0, x2, height)


def with_tile(
    kind: str, tile: UInt8Array, box: Box, at: tuple[int, int] = (200, 72)
) -> tuple[UInt8Array, Float32Array]:
    """A picture with a tile inside it, and the face's (1, 4) box there."""
    picture, (x, y) = backdrop(kind), at
    rows, columns = picture[y : y + tile.shape[0], x : x + tile.shape[1]].shape[:2]
    picture[y : y + rows, x : x + columns] = tile[:rows, :columns]
    x1, y1, x2, y2 = box
    return picture, np.array([[x + x1, y + y1, x + min(x2, columns), y + min(y2, rows)]], np.float32)


def sure(faces: Detections) -> Detections:
    """What starts a track in HIPAA mode at the first sight of it."""
    return faces.select(faces.scores >= np.where(faces.turns == 0, 0.35, 0.5).astype(np.float32))


# --- seams ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("gap", [2, 8, 20])
def test_the_gaps_of_a_gallery_are_found(gap: int) -> None:
    rng = np.random.default_rng(1)
    picture = np.zeros((360, 640, 3), np.uint8)
    for x in (0, 213, 426):
        for y in (0, 180):
            size = 213 - gap, 180 - gap
            tile = cv2.resize(rng.integers(60, 200, (6, 8, 3), np.uint8), size)
            picture[y : y + size[1], x : x + size[0]] = tile
    found = find_seams(picture)
    for last in (213, 426):
        assert any(abs(a - last + gap) <= 2 and abs(b - last) <= 2 for a, b in found.upright), found
    assert any(abs(a - 180 + gap) <= 2 and abs(b - 180) <= 2 for a, b in found.level), found


def test_tiles_that_touch_are_told_apart(astronaut: np.ndarray) -> None:
    picture = np.concatenate([astronaut[:200, :300], astronaut[300:500, 100:400]], axis=1)
    assert any(abs(a - 300) <= 2 and abs(b - 300) <= 2 for a, b in find_seams(picture).upright)


@pytest.mark.parametrize("kind", ["plain", "noise", "slope"])
def test_where_nothing_is_cut_there_are_no_seams(kind: str) -> None:
    """A failure means time lost on every n-th frame of ordinary videos."""
    rng = np.random.default_rng(2)
    picture = {
        "plain": np.full((360, 640, 3), 90, np.uint8),
        "noise": rng.integers(0, 255, (360, 640, 3), np.uint8),
        "slope": (np.indices((360, 640))[1][..., None].repeat(3, 2) * 255 // 640).astype(np.uint8),
    }[kind]
    assert find_seams(picture) == Seams((), ())


@pytest.mark.parametrize("shape", [(1, 1), (30, 2000), (2000, 30), (64, 65)])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_picture_of_any_size_has_a_bounded_number_of_seams(
    shape: tuple[int, int], channels: tuple[int, ...]
) -> None:
    stripes = (np.indices(shape).sum(axis=0) // 20 % 2 * 200).astype(np.uint8)
    picture = np.broadcast_to(stripes[..., None], (*shape, 3)).copy() if channels else stripes
    for seams in (find_seams(picture).upright, find_seams(picture).level):
        assert len(seams) <= MOST
        assert all(0 < a <= b <= a + GAP + 2 for a, b in seams)


def test_a_box_comes_back_to_its_part() -> None:
    seams = Seams(((100, 110),), ((40, 40), (120, 124)))
    layout = Layout.of(seams, (400, 200), (200, 100))
    width, height = layout.size
    # in few sizes, for each of which a network plans anew
    assert (width, height) == (384, 320) and min(width - 195 - 4 * MARGIN, height - 98 - 6 * MARGIN) >= 0
    picture = np.random.default_rng(4).integers(0, 255, (100, 200, 3), np.uint8)
    spread = layout.spread(picture)
    assert spread.shape == (height, width, 3)
    # a stretch of every part: it shows the same pixels, and its box comes back to where they were
    for x, x_apart in ((10, 10 + MARGIN), (60, 60 - 5 + 3 * MARGIN)):
        for y, y_apart in ((5, 5 + MARGIN), (25, 25 + 3 * MARGIN), (70, 70 - 2 + 5 * MARGIN)):
            np.testing.assert_array_equal(
                spread[y_apart : y_apart + 9, x_apart : x_apart + 30], picture[y : y + 9, x : x + 30]
            )
            box = np.array([[x_apart, y_apart, x_apart + 30, y_apart + 9]], np.float32)
            back = layout.gather(box / np.float32([width, height] * 2)) * np.float32([200, 100] * 2)
            np.testing.assert_allclose(back, [[x, y, x + 30, y + 9]], atol=1e-3)
    # over an edge it is cut there; in a margin it has no area
    over = np.array([[MARGIN + 40, MARGIN + 2, MARGIN + 60, MARGIN + 12], [2, 2, 20, 20]], np.float32)
    back = layout.gather(over / np.float32([width, height] * 2)) * np.float32([200, 100] * 2)
    np.testing.assert_allclose(back[0], [40, 2, 50, 12], atol=1e-3)
    assert box_ops.areas(back)[1] == 0
    # in the last margin, which is wider than the others, too
    beyond = np.array([[195 + 3 * MARGIN + 4, 98 + 5 * MARGIN + 4, width, height]], np.float32)
    assert box_ops.areas(layout.gather(beyond / np.float32([width, height] * 2)))[0] == 0


def test_a_face_seen_both_ways_is_covered_as_far_as_either_box_says() -> None:
    whole = Detections.upright([[0, 0, 40, 60], [100, 0, 140, 60]], [0.4, 0.9])
    parts = Detections(
        np.array([[10, 0, 50, 60], [104, 0, 138, 60], [200, 0, 220, 60]], np.float32),
        np.array([0.95, 0.5, 0.6], np.float32),
        np.full(3, APART, np.int32),
    )
    found = add_parts(whole, parts)
    assert found.boxes.tolist() == [[0, 0, 50, 60], [100, 0, 140, 60], [200, 0, 220, 60]]
    np.testing.assert_allclose(found.scores, [0.95, 0.9, 0.6])
    # the first is much surer with its parts apart, so only such looks can lose it
    assert found.turns.tolist() == [APART, 0, APART]
    assert len(add_parts(Detections.empty(), parts)) == 3
    assert len(add_parts(whole, Detections.empty())) == 2


def test_only_looks_that_turn_the_picture_take_it_apart() -> None:
    """Every frame of every video would pay for it."""
    assert not any(p.apart for p in plan_passes((0,), (640, 360), halves=True))
    assert sum(p.apart for p in plan_passes(TURNS, (640, 360), halves=True)) == 1


# --- faces in stills --------------------------------------------------------------------------------


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("kind", ["black", "slide", "tiles"])
@pytest.mark.parametrize(
    "height", [60, *(pytest.param(height, marks=pytest.mark.slow) for height in (100, 150, 200))]
)
@pytest.mark.parametrize("side", ["left", "right", "top"])
def test_half_a_face_at_the_edge_of_a_tile_is_found(
    detector: FaceDetector, astronaut: np.ndarray, side: str, height: int, kind: str
) -> None:
    picture, face = with_tile(kind, *cut_face(astronaut, side, height))
    found = sure(detector.detect([picture], TURNS)[0])
    assert covered(face, found.boxes, picture.shape).all()


@pytest.mark.parametrize("kind", ["black", "slide"])
@pytest.mark.parametrize("height", [100, 200])
def test_the_lower_half_of_a_face_is_found(
    detector: FaceDetector, astronaut: np.ndarray, height: int, kind: str
) -> None:
    picture, face = with_tile(kind, *cut_face(astronaut, "bottom", height))
    found = sure(detector.detect([picture], TURNS)[0])
    assert covered(face, found.boxes, picture.shape).all()


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize(
    ("side", "height", "keep"),
    [("left", 60, 0.4), ("left", 100, 0.4), ("left", 100, 0.35), ("right", 100, 0.35)],
)
def test_what_is_found_only_with_the_parts_apart(
    detector: FaceDetector, astronaut: np.ndarray, side: str, height: int, keep: float
) -> None:
    """A strip of a third of a face, in which one look at the whole picture sees nothing."""
    picture, face = with_tile("black", *cut_face(astronaut, side, height, keep))
    assert not covered(face, above(detector.detect([picture])[0], 0.35).boxes, picture.shape).any()
    found = sure(detector.detect([picture], TURNS)[0])
    assert covered(face, found.boxes, picture.shape).all()
    assert APART in found.turns


def test_a_whole_face_is_found_once(detector: FaceDetector, astronaut: np.ndarray) -> None:
    """A line behind it makes no second face of its halves."""
    picture = astronaut.copy()
    picture[:, 220:224] = 0
    picture[20:300, 90:370] = astronaut[20:300, 90:370]
    found = sure(detector.detect([picture], TURNS)[0])
    assert len(found) == 1 and found.turns[0] == 0


# --- whole jobs -------------------------------------------------------------------------------------


def write_clip(path: Path, pictures: list[UInt8Array], rate: int = 25) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "14", "preset": "ultrafast"})
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def bare_frames(target: Path, faces: list[Float32Array]) -> list[int]:
    """Frames of a finished file in which one of the faces is not black in its middle."""
    frames = decode_rgb(target)
    assert len(frames) == len(faces)
    bare = []
    for i, (picture, boxes) in enumerate(zip(frames, faces, strict=True)):
        black = picture.max(axis=2) < 40
        centres = np.round(box_ops.expand(boxes, 0.7)).astype(int)
        if any(black[y1:y2, x1:x2].mean() < 0.9 for x1, y1, x2, y2 in centres):
            bare.append(i)
    return bare


@pytest.mark.slow
@pytest.mark.parametrize(
    ("performance", "rate"),
    [(Performance.QUALITY, 25), (Performance.BALANCED, 25), (Performance.QUALITY, 2)],
)
def test_half_a_face_stays_covered_in_every_frame(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache, performance: Performance, rate: int
) -> None:
    """It is seen on every fifth frame only, whether these are moments or seconds apart."""
    tile, box = cut_face(astronaut, "left", 100, 0.4)
    pictures, faces = [], []
    for i in range(14):
        # the person moves up and down a little; the tile stays
        shifted = np.roll(tile, i % 4, axis=0)
        picture, face = with_tile("black", shifted, (box[0], box[1] + i % 4, box[2], box[3] + i % 4))
        pictures.append(picture)
        faces.append(face)
    source = write_clip(tmp_path / "call.mp4", pictures, rate)
    target = tmp_path / "out.mp4"
    VideoProcessor(Job(source, target, Settings(performance=performance)), detectors=detectors).run()
    assert bare_frames(target, faces) == []


@pytest.mark.slow
def test_halves_of_real_faces_in_a_gallery_stay_covered(
    tmp_path: Path, shared: Path, detectors: DetectorCache
) -> None:
    """Two people of a reference clip, each cut in the middle by the edge of its tile."""
    people = decode_rgb(shared / "clips" / "two_faces_tilted.mp4")[10:20]
    # for these frames another detector says where both faces are, within two pixels
    one, other = np.float32([30, 93, 100, 158]), np.float32([302, 67, 370, 139])
    pictures, faces = [], []
    for person in people:
        picture = np.full((270, 480, 3), 25, np.uint8)
        picture[:, 8:73] = person[:, :65]
        picture[:, 81 : 81 + 144] = person[:, 336:]
        picture[:, 233:] = person[:, 65:312]
        pictures.append(picture)
        left, right = one.copy(), other.copy()
        left[[0, 2]] = 38, 73
        right[[0, 2]] = 81, 81 + 370 - 336
        faces.append(np.stack([left, right]))
    source = write_clip(tmp_path / "gallery.mp4", pictures, 12)
    target = tmp_path / "out.mp4"
    VideoProcessor(Job(source, target, Settings()), detectors=detectors).run()
    assert bare_frames(target, faces) == []
