"""FaceDetector: the published answer, recall on labelled pictures, any size, turns, no silent failure."""

from __future__ import annotations

import copy
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from detector_helpers import (
    CPU,
    FaultyNetwork,
    LabelledPicture,
    above,
    bundled_network,
    labelled_pictures,
    make_detector,
    random_network,
    recall_and_precision,
    turned,
)
from patience import PATIENCE

from anonator.core import boxes as box_ops
from anonator.core.config import MAX_UPSCALE, PASS_FACTORS, Model
from anonator.core.detection.cpu_fusion import computes_in_bfloat16
from anonator.core.detection.detector import FaceDetector
from anonator.core.detection.detector_protocol import View
from anonator.core.detection.networks import FaceNetwork
from anonator.core.detection.passes import suppress
from anonator.core.detection.preprocess import network_size
from anonator.core.frames import Detections
from anonator.errors import DetectionError, JobCancelled

HIPAA_TURNS = (0, 1, 2, 3)


@pytest.fixture(scope="module")
def detector() -> Iterator[FaceDetector]:
    """Bundled weights, float32, long side 640."""
    made = make_detector()
    yield made
    made.close()


@pytest.fixture(scope="module")
def pictures(shared: Path) -> tuple[LabelledPicture, ...]:
    return labelled_pictures(shared / "wider")


def same(a: Detections, b: Detections, tolerance: float = 0.0) -> None:
    np.testing.assert_allclose(a.boxes, b.boxes, rtol=0, atol=tolerance)
    np.testing.assert_allclose(a.scores, b.scores, rtol=0, atol=tolerance)
    np.testing.assert_array_equal(a.turns, b.turns)


# --- the published detector ---------------------------------------------------------------------


@pytest.fixture
def published(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[int, tuple[int, int]], Any]:
    """face_detection's own detector with the reference weights lying where it looks for them."""
    checkpoints = tmp_path / "torch" / "hub" / "checkpoints"
    checkpoints.mkdir(parents=True)
    shutil.copy(shared / "weights" / "RetinaFace_mobilenet025.pth", checkpoints)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(torch.hub, "_hub_dir", None)

    def build(max_resolution: int, size: tuple[int, int]) -> Any:
        import face_detection
        from face_detection.retinaface.prior_box import generate_prior_box

        made = face_detection.build_detector(
            "RetinaNetMobileNetV1",
            confidence_threshold=0.1,
            nms_iou_threshold=0.3,
            device=CPU,
            max_resolution=max_resolution,
            clip_boxes=True,
        )
        # its own priors, but counted in whole Python numbers: its 16-bit ones overflow at these sizes
        maps = [[-(-size[0] // step), -(-size[1] // step)] for step in made.cfg["steps"]]
        priors = generate_prior_box(maps, size, made.cfg["steps"], made.cfg["min_sizes"]).reshape(-1, 4)
        made.prior_box_cache[torch.Size(size)] = torch.from_numpy(priors)
        return made

    return build


@pytest.mark.parametrize("max_resolution", [pytest.param(1024, marks=pytest.mark.slow), 512])
def test_same_faces_as_the_published_detector(
    published: Callable[[int, tuple[int, int]], Any],
    pictures: tuple[LabelledPicture, ...],
    shared: Path,
    max_resolution: int,
) -> None:
    """With its order of means and its nearest-neighbour scaling, which are wrong, switched on here."""
    from anonator.core.detection.networks import build_network, load_weights

    network = build_network(Model.MOBILENET)
    load_weights(network, shared / "weights" / "RetinaFace_mobilenet025.pth")
    ours = make_detector(
        network,
        max_resolution=max_resolution,
        means=(104.0, 117.0, 123.0),
        interpolation=cv2.INTER_NEAREST,
        judges_large_faces_at_half_size=False,
    )
    compared = 0
    for picture in pictures:
        # even heights, so that both round the scaled size alike
        rgb = picture.rgb[: picture.rgb.shape[0] // 2 * 2]
        scale = max_resolution / rgb.shape[1]
        size = int(rgb.shape[0] * scale), int(rgb.shape[1] * scale)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of torch, about autocast
            expected = published(max_resolution, size).detect(rgb)
        found = ours.detect([rgb])[0]
        expected = expected[np.argsort(-expected[:, 4], kind="stable")]
        assert len(found) == len(expected)
        np.testing.assert_allclose(found.boxes, expected[:, :4], rtol=0, atol=1e-3)
        np.testing.assert_allclose(found.scores, expected[:, 4], rtol=0, atol=1e-3)
        compared += len(found)
    ours.close()
    assert compared > 60


# --- what it finds ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def upright(pictures: tuple[LabelledPicture, ...]) -> dict[torch.dtype, tuple[float, float]]:
    """Recall and precision of one look at each picture, by data type."""
    found = {}
    for dtype in (torch.float32, torch.bfloat16):
        detector = make_detector(max_resolution=1920, dtype=dtype)
        found[dtype] = recall_and_precision(detector, pictures)
        detector.close()
    return found


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_recall_and_precision(upright: dict[torch.dtype, tuple[float, float]], dtype: torch.dtype) -> None:
    recall, precision = upright[dtype]
    assert recall >= 0.90 and precision >= 0.85


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_recall_and_precision_with_turns(pictures: tuple[LabelledPicture, ...], dtype: torch.dtype) -> None:
    if dtype is torch.bfloat16 and not computes_in_bfloat16():
        pytest.skip("this processor has no bfloat16, and imitates it for minutes")
    detector = make_detector(max_resolution=1920, dtype=dtype)
    recall, precision = recall_and_precision(detector, pictures, HIPAA_TURNS)
    assert recall >= 0.93 and precision >= 0.72

    for k in (1, 2, 3):
        lying = tuple(turned(p, k) for p in pictures)
        assert recall_and_precision(detector, lying, HIPAA_TURNS)[0] >= 0.88
        # why the turned passes are there
        assert recall_and_precision(detector, lying)[0] < 0.8
    detector.close()


@pytest.mark.slow
def test_bfloat16_finds_the_same_faces(upright: dict[torch.dtype, tuple[float, float]]) -> None:
    assert abs(upright[torch.float32][0] - upright[torch.bfloat16][0]) <= 0.005


def three_runs(
    network: Callable[[], FaceNetwork], picture: np.ndarray, threshold: float, size: int
) -> Detections:
    """Multi-pass as it was published: a run for each multiple of the threshold, merged by NMS."""
    found = []
    for factor in PASS_FACTORS:
        detector = make_detector(network(), max_resolution=size, score_floor=threshold * factor)
        found.append(detector.detect([picture])[0])
        detector.close()
    return suppress(
        *(np.concatenate([getattr(f, name) for f in found]) for name in ("boxes", "scores", "turns"))
    )


@pytest.mark.slow
def test_one_run_gives_what_three_passes_give(pictures: tuple[LabelledPicture, ...]) -> None:
    detector = make_detector(max_resolution=1024)
    for picture in pictures:
        expected = three_runs(bundled_network, picture.rgb, 0.5, 1024)
        found = above(detector.detect([picture.rgb])[0], 0.5 * min(PASS_FACTORS))
        assert len(found) > 10
        same(found, expected)
    detector.close()


@pytest.mark.slow
@pytest.mark.parametrize("model", [Model.RESNET50, Model.DSFD])
def test_one_run_gives_what_three_passes_give_with_other_networks(
    model: Model, astronaut: np.ndarray
) -> None:
    """Their weights are random: what they find means nothing, but there is much of it."""
    network = random_network(model)
    detector = make_detector(copy.deepcopy(network), max_resolution=128)
    all_found = detector.detect([astronaut])[0]
    threshold = min(float(np.quantile(all_found.scores, 0.5)), 0.6)
    found = above(all_found, threshold * min(PASS_FACTORS))
    assert len(found) > 3
    # large networks share one picture among threads, which may add in another order
    same(found, three_runs(lambda: copy.deepcopy(network), astronaut, threshold, 128), 1e-4)
    detector.close()


@pytest.mark.parametrize("k", [1, 2, 3])
def test_turned_boxes_come_back_in_place(detector: FaceDetector, astronaut: np.ndarray, k: int) -> None:
    upright = detector.detect([astronaut])[0]
    lying = np.ascontiguousarray(np.rot90(astronaut, k))
    for turns in (HIPAA_TURNS, (4 - k,)):
        found = above(detector.detect([lying], turns)[0], 0.9)
        back = box_ops.turn_back(found.boxes[:1], k, astronaut.shape[1], astronaut.shape[0])
        assert box_ops.iou(back, upright.boxes[:1])[0, 0] > 0.6
    # only seen turned, and said so
    assert found.turns.tolist() == [4 - k]


@pytest.mark.parametrize("shape", [(360, 640), (640, 360)])
def test_turned_boxes_of_an_oblong_picture_lie_on_the_face(
    detector: FaceDetector, astronaut: np.ndarray, shape: tuple[int, int]
) -> None:
    head = np.rot90(astronaut[20:300, 90:370], 3)
    picture = np.full((*shape, 3), 110, np.uint8)
    picture[20:300, 60:340] = head
    best = detector.detect([picture], (1,))[0]
    assert best.scores[0] > 0.9 and best.turns[0] == 1
    x1, y1, x2, y2 = best.boxes[0]
    # the astronaut's face, in the head that was cut out and turned clockwise: hair to the right
    assert 60 + 60 < (x1 + x2) / 2 < 60 + 260 and 20 + 60 < (y1 + y2) / 2 < 20 + 220
    assert 60 < x2 - x1 < 190 and 50 < y2 - y1 < 160


def test_an_upright_face_is_not_called_turned(detector: FaceDetector, astronaut: np.ndarray) -> None:
    assert detector.detect([astronaut], HIPAA_TURNS)[0].turns[0] == 0


def test_suppress_keeps_the_best_and_says_upright() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [80, 0, 90, 10]], np.float32)
    scores = np.array([0.8, 0.9, 0.7, 0.2], np.float32)
    kept = suppress(boxes, scores, np.array([0, 2, 1, 0], np.int32))
    np.testing.assert_array_equal(kept.boxes, boxes[[1, 2, 3]])
    # the first was found upright too, nearly as well; the second only turned
    assert kept.turns.tolist() == [0, 1, 0]


# --- sizes and numbers of pictures --------------------------------------------------------------


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1920, 1080), (640, 360)),
        ((320, 180), (640, 360)),
        ((100, 50), (200, 100)),
        ((1, 8192), (1, 640)),
        ((1, 1), (2, 2)),
    ],
)
def test_network_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert network_size(*size, 640) == expected
    assert MAX_UPSCALE == 2


@pytest.mark.quick_cases(5)
@pytest.mark.parametrize("turns", [(0,), HIPAA_TURNS])
@pytest.mark.parametrize(
    "shape",
    [
        (16, 16),
        (1, 1),
        (1, 64),
        (64, 1),
        (4000, 1),
        (1, 4000),
        (31, 33),
        (333, 517),
        (8192, 8192),
        (60, 8192),
    ],
)
def test_any_size_without_faces_gives_no_faces(
    detector: FaceDetector, shape: tuple[int, int], turns: tuple[int, ...]
) -> None:
    picture = np.full((*shape, 3), 90, np.uint8)
    result = detector.detect([picture], turns)[0]
    assert len(above(result, 0.35)) == 0
    assert (result.boxes >= 0).all() and (result.boxes <= np.tile(shape[::-1], 2)).all()


def test_a_face_in_a_huge_picture_is_found_with_bounded_memory(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    huge: Any = cv2.resize(astronaut, (8192, 8192), interpolation=cv2.INTER_LINEAR)
    seen: list[int] = []
    network = detector._inference.network
    assert network is not None
    hook = network.register_forward_pre_hook(lambda _m, args: seen.append(args[0].numel()))
    result = detector.detect([huge])[0]
    hook.remove()
    assert sorted(seen) == [3 * 160 * 160, 3 * 320 * 320, 3 * 640 * 640]
    small = detector.detect([astronaut])[0]
    assert box_ops.iou(result.boxes[:1] / np.float32(16), small.boxes[:1])[0, 0] > 0.9


def test_grey_pictures_are_grey_colours(detector: FaceDetector, astronaut: np.ndarray) -> None:
    grey: Any = cv2.cvtColor(astronaut, cv2.COLOR_RGB2GRAY)
    found = detector.detect([grey])[0]
    assert found.scores[0] > 0.9
    same(found, detector.detect([np.repeat(grey[..., None], 3, axis=2)])[0])


def test_tiny_face_beside_padding_keeps_its_place(detector: FaceDetector, astronaut: np.ndarray) -> None:
    """A picture of 15 pixels height is padded; boxes must be in its own pixels all the same."""
    strip: Any = cv2.resize(astronaut[40:230, 130:320], (15, 15), interpolation=cv2.INTER_AREA)
    result = detector.detect([strip], HIPAA_TURNS)[0]
    assert (result.boxes <= 15).all()


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 5])
@pytest.mark.parametrize("batch_size", [1, 2, 4])
def test_as_many_results_as_pictures_in_their_order(
    astronaut: np.ndarray, count: int, batch_size: int
) -> None:
    detector = make_detector(batch_size=batch_size, max_resolution=320)
    pictures = [np.roll(astronaut, 40 * i, axis=1) for i in range(count)]
    results = detector.detect(pictures)
    assert len(results) == count
    for picture, result in zip(pictures, results, strict=True):
        assert result.scores[0] > 0.9
        same(result, detector.detect([picture])[0])
    if count:
        for a, b in zip(
            detector.detect(np.stack(pictures), (0, 2)), detector.detect(pictures, (0, 2)), strict=True
        ):
            same(a, b)
    assert len({tuple(r.boxes[0]) for r in results}) == count
    detector.close()


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("threads", [1, 2, 3, 8])
def test_the_number_of_threads_changes_nothing(
    detector: FaceDetector, astronaut: np.ndarray, threads: int
) -> None:
    other = make_detector(threads=threads)
    same(other.detect([astronaut] * 3, (0, 1))[2], detector.detect([astronaut], (0, 1))[0], 1e-3)
    other.close()


def test_the_callers_threads_are_left_alone(astronaut: np.ndarray) -> None:
    """Several pictures are worked on side by side, one alone by all threads."""
    detector = make_detector(batch_size=4, threads=2)
    before = torch.get_num_threads()
    used: list[int] = []
    network = detector._inference.network
    assert network is not None
    hook = network.register_forward_pre_hook(lambda _m, _args: used.append(torch.get_num_threads()))
    detector.detect([astronaut] * 4)
    assert used == [1] * 12  # at full size, a quarter and, because that shows a large face, half of it
    used.clear()
    detector.detect([astronaut])
    hook.remove()
    assert used == [2] * 3
    assert torch.get_num_threads() == before
    detector.close()


# --- failures -----------------------------------------------------------------------------------


def raises(error: Exception) -> Callable[..., Any]:
    def fault(regressions: torch.Tensor, logits: torch.Tensor) -> Any:
        raise error

    return fault


def put(which: int, value: float) -> Callable[..., Any]:
    """One impossible number among many good ones."""

    def fault(*answer: torch.Tensor) -> Any:
        answer[which].flatten()[7] = value
        return answer

    return fault


@pytest.mark.parametrize(
    "error", [RuntimeError("boom"), ValueError("boom"), KeyError("boom"), IndexError("boom")]
)
def test_a_failing_network_stops_the_job(astronaut: np.ndarray, error: Exception) -> None:
    """A failure would mean that faces stay visible because nobody said that nobody looked."""
    detector = make_detector(FaultyNetwork(raises(error)))
    with pytest.raises(DetectionError, match="failed") as caught:
        detector.detect([astronaut])
    assert caught.value.__cause__ is error
    detector.close()


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("which", [0, 1], ids=["boxes", "logits"])
def test_impossible_numbers_are_not_no_faces(astronaut: np.ndarray, which: int, value: float) -> None:
    detector = make_detector(FaultyNetwork(put(which, value)))
    with pytest.raises(DetectionError):
        detector.detect([astronaut])
    detector.close()


def test_a_later_picture_that_fails_gives_no_half_answer(astronaut: np.ndarray) -> None:
    calls = []

    def fault(*answer: torch.Tensor) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise RuntimeError("boom")
        return answer

    detector = make_detector(FaultyNetwork(fault), batch_size=2)
    with pytest.raises(DetectionError):
        detector.detect([astronaut] * 4)
    detector.close()


@pytest.mark.parametrize(
    "pictures",
    [
        [np.zeros((64, 64, 4), np.uint8)],
        [np.zeros((64, 64, 3), np.float32)],
        [np.zeros((0, 64, 3), np.uint8)],
        [np.zeros(64, np.uint8)],
    ],
    ids=["channels", "dtype", "empty", "line"],
)
def test_what_is_no_picture_is_refused(detector: FaceDetector, pictures: list[np.ndarray]) -> None:
    with pytest.raises(DetectionError):
        detector.detect(pictures)


def test_views_of_any_kind_together_show_what_each_shows_alone(
    detector: FaceDetector, astronaut: np.ndarray
) -> None:
    part = astronaut[:200, 100:400]
    views = [
        View(astronaut),
        View(np.ascontiguousarray(part), scale=2.0),
        View(np.ascontiguousarray(np.rot90(astronaut)), (0, 1, 2, 3)),
        View(astronaut, scale=1.0),
        View(np.ascontiguousarray(part), (0, 1, 2, 3), scale=1.0),
    ]
    together = detector.detect_views(views)
    assert all(len(each) for each in together)
    for view, found in zip(views, together, strict=True):
        (alone,) = detector.detect_views([view])
        np.testing.assert_allclose(found.boxes, alone.boxes, atol=0.01)
        np.testing.assert_allclose(found.scores, alone.scores, atol=1e-4)
        assert found.turns.tolist() == alone.turns.tolist()


def test_a_small_picture_does_not_wait_for_large_ones(detector: FaceDetector, astronaut: np.ndarray) -> None:
    """The thread that covers frames asks about a place while another one looks at the frames to come."""
    begun, answered = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        assert answered.wait(PATIENCE), "the small picture waited for the large ones"

    large = threading.Thread(target=detector.detect, args=([astronaut] * 2,), kwargs={"checkpoint": wait})
    large.start()
    try:
        assert begun.wait(PATIENCE)
        small = np.ascontiguousarray(astronaut[30:142, 170:282])
        (found,) = detector.detect([small])
    finally:
        answered.set()
        large.join()
    assert len(found) and found.scores[0] > 0.9


def test_one_threads_checkpoint_does_not_stop_another(detector: FaceDetector, astronaut: np.ndarray) -> None:
    stopped = threading.Event()

    def stop() -> None:
        stopped.set()
        raise JobCancelled

    def cancelled() -> None:
        with pytest.raises(JobCancelled):
            detector.detect([astronaut], checkpoint=stop)

    small = np.ascontiguousarray(astronaut[30:142, 170:282])
    other = threading.Thread(target=cancelled)
    other.start()
    while not stopped.is_set():
        assert len(detector.detect([small])[0])
    other.join()
    assert len(detector.detect([small])[0])


def test_a_closed_detector_says_so_and_leaves_no_thread(astronaut: np.ndarray) -> None:
    before = set(threading.enumerate())
    detector = make_detector()
    detector.detect([astronaut] * 2)
    assert 1 <= len(set(threading.enumerate()) - before) <= 2
    detector.close()
    assert set(threading.enumerate()) <= before
    with pytest.raises(DetectionError, match="closed"):
        detector.detect([astronaut])
    detector.close()


@pytest.mark.parametrize("model", [Model.MOBILENET, Model.RESNET50])
def test_a_cancelled_job_waits_for_no_network(model: Model, astronaut: np.ndarray) -> None:
    """A large network takes seconds for a picture; who cancels a job waits for a few layers of it only."""
    detector = make_detector(random_network(model), max_resolution=256)
    asked: list[int] = []

    def stop() -> None:
        asked.append(1)
        if len(asked) > 3:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        detector.detect([astronaut], checkpoint=stop)
    assert len(asked) < 10, "it went on to the end"
    assert len(detector.detect([astronaut])) == 1
    detector.close()
