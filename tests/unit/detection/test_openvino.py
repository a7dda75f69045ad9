"""OpenVINO as an engine: refused, tried, found out, left; and the real one, where it is installed."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from detector_helpers import CPU, bundled_network, random_network
from face_clips import FaceClip
from openvino_helpers import Answer, FakeOpenVino
from skimage import data

import anonator
from anonator.core.config import Device, Model, Precision, Settings
from anonator.core.detection import openvino_engine, openvino_package
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.detector import FaceDetector
from anonator.core.detection.detector_protocol import View
from anonator.core.detection.inference import Inference
from anonator.core.detection.loading import load_detector
from anonator.core.detection.networks import FaceNetwork, build_network
from anonator.core.detection.openvino_engine import (
    FAILED,
    LEFT,
    LEFT_LINE,
    NO_GPU,
    NOT_INSTALLED,
    OTHER_MODEL,
    WRONG,
    EngineFailedError,
    OpenVinoNetwork,
)
from anonator.core.detection.openvino_package import usable_devices
from anonator.core.frames import Detections
from anonator.errors import DetectionError, DeviceError, JobCancelled

TURNS = (0, 1, 2, 3)
real = pytest.mark.skipif(find_spec("openvino") is None, reason="needs anonator[openvino]")


@pytest.fixture
def face() -> np.ndarray:
    whole: np.ndarray = data.astronaut()
    return np.ascontiguousarray(np.tile(whole[::2, ::2], (1, 2, 1))[:180, :320])


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeOpenVino:
    """Instead of OpenVINO, with an Intel GPU."""
    module = FakeOpenVino("CPU", "GPU.0")
    monkeypatch.setitem(sys.modules, "openvino", module)
    return module


def load(**changes: Any) -> FaceDetector:
    return load_detector(Settings(**{"device": Device.OPENVINO_CPU, **changes}), threads=2)


def same(found: list[Detections], expected: list[Detections], off: float = 0.05) -> None:
    for one, other in zip(found, expected, strict=True):
        assert len(one.boxes) == len(other.boxes) > 0
        np.testing.assert_allclose(one.boxes, other.boxes, atol=off)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)


def by_torch(pictures: list[np.ndarray], turns: tuple[int, ...] = TURNS) -> list[Detections]:
    detector = load(device=Device.CPU, precision=Precision.FLOAT32)
    try:
        return detector.detect(pictures, turns)
    finally:
        detector.close()


# --- refused


def test_without_the_package_the_device_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    for device in (Device.INTEL_GPU, Device.OPENVINO_CPU):
        with pytest.raises(DeviceError) as refusal:
            load(device=device)
        assert str(refusal.value) == NOT_INSTALLED.format(device.value)


def test_without_such_a_gpu_the_device_is_refused(fake: FakeOpenVino) -> None:
    fake.devices[:] = ["CPU", "NPU"]
    with pytest.raises(DeviceError) as refusal:
        load(device=Device.INTEL_GPU)
    assert str(refusal.value) == NO_GPU


@pytest.mark.parametrize("model", [Model.RESNET50, Model.DSFD])
def test_other_models_are_refused(fake: FakeOpenVino, model: Model) -> None:
    with pytest.raises(DeviceError) as refusal:
        OpenVinoNetwork(build_network(model), Device.OPENVINO_CPU, exact=True)
    assert str(refusal.value) == OTHER_MODEL


def test_auto_never_asks_for_openvino(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_engine, "import_openvino", lambda: pytest.fail("it was imported"))
    detector = load(device=Device.AUTO)
    detector.close()


def test_its_devices_are_those_that_it_finds(fake: FakeOpenVino, monkeypatch: pytest.MonkeyPatch) -> None:
    assert usable_devices() == (Device.INTEL_GPU, Device.OPENVINO_CPU)
    fake.devices[:] = ["CPU"]
    assert usable_devices() == (Device.OPENVINO_CPU,)
    monkeypatch.setattr(fake, "Core", failing)
    assert usable_devices() == ()
    monkeypatch.delitem(sys.modules, "openvino")
    monkeypatch.setattr(openvino_package, "find_spec", lambda _: None)
    assert usable_devices() == ()


# --- used


def test_it_finds_what_pytorch_finds(fake: FakeOpenVino, face: np.ndarray) -> None:
    detector = load()
    same(detector.detect([face, face[::-1]], TURNS), by_torch([face, face[::-1]]))
    assert detector.notes == [] and detector.device_line == "CPU with OpenVINO 2026.4.1, float32"
    shapes = {shape for _, shape, _ in fake.compiled}
    assert {(1, 360, 640, 3), (1, 180, 320, 3), (1, 320, 180, 3)} <= shapes
    assert fake.asked.count((1, 360, 640, 3)) >= 3, "both pictures, and the known one before them"
    detector.close()


@pytest.mark.parametrize(
    ("settings", "hint"),
    [
        (Settings(device=Device.INTEL_GPU), "f32"),
        (Settings.standard(device=Device.INTEL_GPU), None),
        (Settings.standard(device=Device.INTEL_GPU, precision=Precision.FLOAT32), "f32"),
        (Settings(device=Device.OPENVINO_CPU), "f32"),
        (Settings.standard(device=Device.OPENVINO_CPU), "f32"),
    ],
)
def test_hipaa_mode_computes_in_float32(fake: FakeOpenVino, settings: Settings, hint: str | None) -> None:
    detector = load_detector(settings, threads=2)
    ((device, _, options),) = fake.compiled
    assert device == ("GPU" if settings.device is Device.INTEL_GPU else "CPU")
    assert options.get("INFERENCE_PRECISION_HINT") == hint
    assert detector.device_line.endswith("float32" if hint else "float16") and not detector.notes
    detector.close()


def test_an_engine_that_ignores_the_precision_is_left(fake: FakeOpenVino) -> None:
    fake.precision = "f16"
    detector = load(device=Device.INTEL_GPU)
    assert detector.notes == [LEFT.format(FAILED)] and detector.device_line == LEFT_LINE
    detector.close()


def test_a_detector_in_fewer_bits_does_not_serve_hipaa_mode(fake: FakeOpenVino) -> None:
    """A failure means that HIPAA mode after standard mode runs in float16."""
    hipaa = Settings(device=Device.INTEL_GPU)
    standard = Settings.standard(device=Device.INTEL_GPU, tracking=hipaa.tracking)
    cache = DetectorCache()
    assert cache.get(standard).device_line.endswith("float16")
    assert cache.get(hipaa).device_line.endswith("float32")
    cache.close()


@pytest.mark.parametrize(("threads", "side_by_side"), [(1, (1, 1)), (2, (1, 2)), (8, (2, 4))])
def test_it_takes_no_more_threads_than_the_others(
    fake: FakeOpenVino, face: np.ndarray, threads: int, side_by_side: tuple[int, int]
) -> None:
    detector = load_detector(Settings(device=Device.OPENVINO_CPU), threads=threads)
    detector.detect([face] * 4, TURNS)
    used = {(options["INFERENCE_NUM_THREADS"], options["NUM_STREAMS"]) for _, _, options in fake.compiled}
    each, streams = side_by_side
    assert used == {(threads, 1), (each * streams, streams)}
    detector.close()


def test_parts_of_pictures_are_left_to_pytorch(fake: FakeOpenVino, face: np.ndarray) -> None:
    """Their sizes are ever new, and each would need a model of its own."""
    detector = load()
    detector.detect([face])
    before = len(fake.compiled)
    part = np.ascontiguousarray(face[:133, :255])
    scale = detector.part_scale(320, 180)
    assert scale is not None
    found = detector.detect_views([View(part, scale=scale)])
    assert len(fake.compiled) == before and len(found[0].boxes)
    detector.close()


def test_models_of_many_sizes_are_not_kept(fake: FakeOpenVino, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino_engine, "MODELS_KEPT", 2)
    detector = load()
    sizes = [(64 + 8 * i, 80) for i in range(5)]
    for size in (*sizes, sizes[0]):
        detector.detect([np.zeros((*size, 3), np.uint8)])
    assert len(fake.compiled) == 7, "the trial, five sizes, and the first one again"
    detector.close()


# --- found out, and left


def noise(regressions: np.ndarray, logits: np.ndarray) -> Answer:
    draw = np.random.default_rng(3)
    return draw.normal(size=regressions.shape), draw.normal(size=logits.shape) - 5


def silence(regressions: np.ndarray, logits: np.ndarray) -> Answer:
    return np.zeros_like(regressions), np.full_like(logits, -20)


def shifted(regressions: np.ndarray, logits: np.ndarray) -> Answer:
    return regressions, logits - 0.02


def undefined(regressions: np.ndarray, logits: np.ndarray) -> Answer:
    return regressions, logits * np.nan


def failing(*_: np.ndarray) -> Answer:
    raise RuntimeError("[GPU] clEnqueueNDRangeKernel, error code: -5 CL_OUT_OF_RESOURCES")


@pytest.mark.parametrize(
    ("spoil", "why"),
    [(noise, WRONG), (silence, WRONG), (shifted, WRONG), (undefined, WRONG), (failing, FAILED)],
)
def test_an_engine_that_fails_its_trial_is_not_used(
    fake: FakeOpenVino,
    face: np.ndarray,
    spoil: Callable[..., Answer],
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake.spoil = spoil
    with caplog.at_level(logging.WARNING):
        detector = load()
    assert detector.notes == [LEFT.format(why)] and LEFT.format(why) in caplog.text
    assert detector.device_line == LEFT_LINE
    asked = len(fake.asked)
    same(detector.detect([face], TURNS), by_torch([face]), off=0.001)
    assert len(fake.asked) == asked and len(detector.notes) == 1
    detector.close()


@pytest.mark.parametrize("part", ["Core", "opset13", "Model"])
def test_an_engine_that_cannot_be_loaded_is_not_used(
    fake: FakeOpenVino, face: np.ndarray, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(fake, part)
    detector = load()
    assert detector.notes == [LEFT.format(FAILED)] and detector.device_line == LEFT_LINE
    same(detector.detect([face]), by_torch([face], (0,)), off=0.001)
    detector.close()


@pytest.mark.parametrize(("spoil", "why"), [(undefined, WRONG), (failing, FAILED)])
@pytest.mark.parametrize("pictures", [1, 2, 4])
def test_a_failure_during_a_job_loses_no_picture(
    fake: FakeOpenVino, face: np.ndarray, spoil: Callable[..., Answer], why: str, pictures: int
) -> None:
    """A failure means uncovered faces in the frame at which OpenVINO broke down."""
    frames = [np.ascontiguousarray(np.roll(face, 9 * i, axis=1)) for i in range(pictures)]
    detector = load()
    detector.detect(frames, TURNS)
    assert detector.notes == []
    fake.spoil = spoil
    same(detector.detect(frames, TURNS), by_torch(frames), off=0.001)
    assert detector.notes == [LEFT.format(why)] and detector.device_line == LEFT_LINE
    detector.close()


def test_a_failure_that_was_not_told_yet_is_raised_again(fake: FakeOpenVino) -> None:
    """Of several pictures at once, only one exception arrives, and it may be about something else."""
    network = OpenVinoNetwork(bundled_network(), Device.OPENVINO_CPU, exact=True, threads=1)
    network.prepare()
    network.expect((64, 48))
    fake.spoil = failing
    x = torch.zeros(1, 3, 48, 64)
    for _ in range(2):
        with pytest.raises(EngineFailedError, match=FAILED) as failure, torch.inference_mode():
            network(x)
    failure.value.leave()
    with torch.inference_mode():
        assert torch.equal(network(x)[1], network.net(x)[1])
    assert len(fake.asked) == 1, "an engine that has failed is not asked again"


def test_a_size_that_comes_later_is_tried_too(fake: FakeOpenVino, face: np.ndarray) -> None:
    """Nonsense may come only from some sizes: each must have given the known answer before it counts."""

    def wrong_when_tall(regressions: np.ndarray, logits: np.ndarray) -> Answer:
        return (
            silence(regressions, logits) if fake.asked[-1][1] > fake.asked[-1][2] else (regressions, logits)
        )

    fake.spoil = wrong_when_tall
    detector = load()
    detector.detect([face])
    assert detector.notes == []
    same(detector.detect([face], TURNS), by_torch([face]), off=0.001)
    assert detector.notes == [LEFT.format(WRONG)]
    detector.close()


def test_a_model_that_cannot_be_compiled_is_left(fake: FakeOpenVino, face: np.ndarray) -> None:
    detector = load()
    fake.spoil_compiling = failing
    same(detector.detect([face], TURNS), by_torch([face]), off=0.001)
    assert detector.notes == [LEFT.format(FAILED)]
    detector.close()


def test_a_detector_that_left_its_engine_is_not_kept(fake: FakeOpenVino, face: np.ndarray) -> None:
    cache, settings = DetectorCache(), Settings(device=Device.OPENVINO_CPU)
    first = cache.get(settings)
    assert cache.get(settings) is first
    fake.spoil = failing
    first.detect([face])
    fake.spoil = lambda *answer: answer
    assert cache.get(settings).notes == []
    cache.close()


def test_a_job_says_that_the_engine_was_left(
    fake: FakeOpenVino, small_face_clip: FaceClip, tmp_path: Path
) -> None:
    """In its result, which window and terminal show, and in its report."""
    fake.spoil = silence
    result = anonator.anonymize(
        small_face_clip.path, tmp_path / "out.mp4", settings=Settings(device=Device.OPENVINO_CPU)
    )
    assert LEFT.format(WRONG) in result.notes and result.device == LEFT_LINE
    assert result.report is not None
    report = json.loads(result.report.read_text("utf-8"))
    assert LEFT.format(WRONG) in report["warnings"] and report["model"]["device"] == LEFT_LINE


# --- cancelled


def test_cancelling_ends_a_pass(fake: FakeOpenVino, face: np.ndarray) -> None:
    detector = load()
    detector.detect([face])
    fake.unready, calls = 1_000_000, []

    def checkpoint() -> None:
        calls.append(None)
        if len(calls) > 3:
            raise JobCancelled

    with pytest.raises(JobCancelled):
        detector.detect([face], checkpoint=checkpoint)
    assert fake.cancelled and detector.notes == []
    fake.unready = 0
    same(detector.detect([face]), by_torch([face], (0,)))
    assert detector.notes == [], "a cancelled job is no failure of OpenVINO"
    detector.close()


def test_after_closing_it_refuses(fake: FakeOpenVino, face: np.ndarray) -> None:
    detector = load()
    detector.close()
    with pytest.raises(DetectionError):
        detector.detect([face])


# --- nobody is told that it is used

PACKAGES = {
    "openvino_telemetry": "raise SystemExit('it was imported')",
    "openvino": "try:\n    import openvino_telemetry\nexcept ImportError:\n    dummy = True\n",
}


def test_the_part_that_reports_its_use_is_never_loaded(tmp_path: Path) -> None:
    for name, text in PACKAGES.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(text)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from anonator.core.detection.openvino_package import import_openvino\n"
        "assert import_openvino().dummy and 'openvino_telemetry' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- the real one


@real
@pytest.mark.parametrize("size", [(1920, 1080), (720, 1280), (641, 479), (100, 60), (32, 32)])
def test_the_real_one_finds_what_pytorch_finds(size: tuple[int, int]) -> None:
    whole = np.tile(data.astronaut(), (-(-size[1] // 512), -(-size[0] // 512), 1))
    picture = np.ascontiguousarray(whole[: size[1], : size[0]])
    detector, expected = load(), by_torch([picture, picture[:, ::-1]])
    found = detector.detect([picture, picture[:, ::-1]], TURNS)
    assert detector.notes == [] and detector.device_line.startswith("CPU with OpenVINO 2")
    for one, other in zip(found, expected, strict=True):
        assert len(one.boxes) == len(other.boxes)
        np.testing.assert_allclose(one.boxes, other.boxes, atol=0.05)
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-3)
    detector.close()


@real
@pytest.mark.parametrize("size", [(480, 270), (90, 150), (37, 53), (33, 32)])
def test_the_real_one_computes_every_number(size: tuple[int, int]) -> None:
    """With weights that leave no layer without effect, and sizes that are no multiples of anything."""
    draw = torch.Generator().manual_seed(5)
    x = torch.randn(1, 3, *size, generator=draw).contiguous(memory_format=torch.channels_last)
    network = OpenVinoNetwork(random_network(Model.MOBILENET), Device.OPENVINO_CPU, exact=True, threads=2)
    network.prepare()
    network.expect((size[1], size[0]))
    plain: FaceNetwork = network.net  # type: ignore[assignment]
    with torch.inference_mode():
        for answer, expected in zip(network(x), plain(x), strict=True):
            assert answer is not expected and answer.shape == expected.shape
            torch.testing.assert_close(answer, expected, atol=1e-3, rtol=1e-3)


@pytest.mark.slow
@real
def test_the_real_one_can_be_cancelled_within_a_pass() -> None:
    network = OpenVinoNetwork(bundled_network(), Device.OPENVINO_CPU, exact=True, threads=1)
    inference = Inference(network, device=CPU, dtype=torch.float32, score_floor=0.1, threads=1)
    detector = FaceDetector(inference, max_resolution=4096, judges_large_faces_at_half_size=False)
    large = np.zeros((2176, 4096, 3), np.uint8)
    detector.detect([large])
    calls, begin = [], time.process_time()
    detector.detect([large], checkpoint=lambda: calls.append(None))
    whole = time.process_time() - begin
    assert len(calls) > 4
    left = [3]

    def checkpoint() -> None:
        left[0] -= 1
        if left[0] == 0:
            raise JobCancelled

    begin = time.process_time()
    with pytest.raises(JobCancelled):
        detector.detect([large], checkpoint=checkpoint)
    assert time.process_time() - begin < whole * 0.7, "it was not interrupted"
    same_size = detector.detect([large])
    assert len(same_size) == 1 and detector.notes == []
    detector.close()


@pytest.mark.slow
@real
def test_the_real_one_gives_back_what_it_holds(face: np.ndarray) -> None:
    def threads() -> int:
        tasks = Path("/proc/self/task")
        return len(list(tasks.iterdir())) if tasks.exists() else threading.active_count()

    detector = load()
    detector.detect([face], TURNS)
    detector.close()
    before = threads()
    for _ in range(3):
        detector = load()
        detector.detect([face], TURNS)
        network = weakref.ref(detector._inference.network)  # type: ignore[arg-type]
        detector.close()
        assert network() is None
    assert threads() <= before + 2


@real
def test_the_real_one_does_a_whole_job(small_face_clip: FaceClip, tmp_path: Path) -> None:
    result = anonator.anonymize(
        small_face_clip.path, tmp_path / "out.mp4", settings=Settings(device=Device.OPENVINO_CPU)
    )
    assert result.device.startswith("CPU with OpenVINO 2") and not any("OpenVINO" in n for n in result.notes)


@real
@pytest.mark.skipif(find_spec("openvino_telemetry") is None, reason="needs openvino-telemetry")
def test_the_real_one_tells_nobody(tmp_path: Path) -> None:
    """Imported as usual, OpenVINO starts a process that reports it, and keeps a number in ~/intel."""
    code = (
        "import os, sys\n"
        "from anonator.core.detection.openvino_package import import_openvino\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, _: seen.append(event))\n"
        "import_openvino().Core()\n"
        "bad = [e for e in seen if e.startswith(('socket.', 'os.fork', 'os.posix_spawn', 'os.mkdir'))]\n"
        "assert not bad and 'openvino_telemetry' not in sys.modules, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
