"""Devices: which is chosen and why, float16 against float32, running out of memory, and speed on a GPU."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from detector_helpers import (
    CPU,
    FaultyNetwork,
    Greedy,
    labelled_pictures,
    make_detector,
    random_network,
    recall_and_precision,
)

from anonator.core import boxes as box_ops
from anonator.core.config import Device, Model, Performance, Precision, Settings
from anonator.core.detection import devices
from anonator.core.detection.detector import FaceDetector
from anonator.core.detection.devices import Workers, is_out_of_memory, why_no_cuda
from anonator.core.detection.inference import Inference
from anonator.core.detection.loading import load_detector
from anonator.core.detection.threads import cpu_threads
from anonator.core.frames import Detections
from anonator.core.performance import PerformancePreset, Presets
from anonator.errors import DetectionError, DeviceError

CUDA = torch.device("cuda")


# --- the choice of a device ---------------------------------------------------------------------


def test_cuda_that_is_not_there_is_refused_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "why_no_cuda", lambda: "the GPU sleeps")
    with pytest.raises(
        DeviceError, match=r"CUDA was requested, but the GPU sleeps\. Choose the device auto or cpu"
    ):
        load_detector(Settings.standard(device=Device.CUDA))


def test_auto_takes_the_cpu_and_says_why(monkeypatch: pytest.MonkeyPatch, astronaut: np.ndarray) -> None:
    monkeypatch.setattr(devices, "why_no_cuda", lambda: "the GPU sleeps")
    detector = load_detector(Settings.standard(device=Device.AUTO))
    assert detector.device == CPU
    assert detector.device_line.startswith(("CPU, float32;", "CPU, bfloat16;"))
    assert detector.device_line.endswith("no CUDA because the GPU sleeps")
    assert detector.detect([astronaut])[0].scores[0] > 0.9
    assert detector.notes == []
    detector.close()


def test_the_cpu_that_was_asked_for_needs_no_excuse() -> None:
    detector = load_detector(Settings.standard(device=Device.CPU), threads=2)
    assert detector.device_line in ("CPU, float32", "CPU, bfloat16")
    assert detector.batch_size == 2
    detector.close()


def test_reasons_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    assert why_no_cuda() == "this copy of PyTorch was built for CPUs only"
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert why_no_cuda() == "no NVIDIA GPU with a working driver was found"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_arch_list", lambda: ["sm_75", "sm_90"])
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (6, 1))
    assert why_no_cuda() == "PyTorch does not support this GPU (compute capability 6.1)"


@pytest.mark.parametrize(
    ("capability", "built_for", "runs"),
    [
        ((8, 6), ["sm_80", "sm_90"], True),
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80"], False),
        ((9, 0), ["sm_90a"], True),
        ((12, 0), ["sm_75", "sm_90"], False),
        ((12, 0), ["sm_90", "compute_90"], True),
        ((12, 0), ["sm_120"], True),
        ((7, 5), ["sm_100", "compute_100"], False),
    ],
)
def test_which_gpus_a_build_of_pytorch_runs_on(
    capability: tuple[int, int], built_for: list[str], runs: bool
) -> None:
    assert devices._has_kernels(capability, built_for) is runs


def test_some_processors_are_left_to_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    for count, expected in ((1, 1), (2, 2), (4, 3), (8, 6), (16, 12)):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _pid, n=count: set(range(n)), raising=False)
        assert cpu_threads() == expected


def test_workers_keep_the_order_and_raise_after_all_have_ended() -> None:
    workers, ended = Workers(2, 1), []

    def call(i: int) -> int:
        if i == 0:
            raise ValueError("first")
        time.sleep(0.05)
        ended.append(i)
        return i

    with pytest.raises(ValueError, match="first"):
        workers.map(call, range(4))
    assert sorted(ended) == [1, 2, 3]
    assert workers.map(lambda i: -i, range(20)) == [-i for i in range(20)]
    workers.close()


# --- running out of memory, on this machine's own allocator ---------------------------------------


def test_what_counts_as_out_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60)
    assert is_out_of_memory(caught.value)
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("shape '[3]' is invalid"))
    assert not is_out_of_memory(ValueError("out of memory"))


def test_no_frame_is_lost_when_memory_runs_out_for_a_moment(
    astronaut: np.ndarray, caplog: pytest.LogCaptureFixture
) -> None:
    pictures = [np.roll(astronaut, 30 * i, axis=1) for i in range(7)]
    plain = make_detector(max_resolution=320)
    expected = plain.detect(pictures)
    plain.close()
    detector = make_detector(FaultyNetwork(Greedy(4)), batch_size=4, max_resolution=320)
    results = detector.detect(pictures)
    assert detector.batch_size == 2
    assert detector.notes == ["This computer ran out of memory; continuing with batches of 2."]
    assert detector.notes[0] in caplog.text
    assert len(results) == 7
    for found, wanted in zip(results, expected, strict=True):
        np.testing.assert_allclose(found.boxes, wanted.boxes, rtol=0, atol=1e-3)
    detector.close()


def test_memory_that_stays_away_stops_the_job(astronaut: np.ndarray) -> None:
    detector = make_detector(FaultyNetwork(Greedy(1000)), batch_size=4)
    with pytest.raises(DetectionError, match="ran out of memory"):
        detector.detect([astronaut] * 4)
    detector.close()


def test_a_gpu_gives_way_in_steps(astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of the steps; whether they help is tested on a GPU below."""
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: None)
    detector = make_detector(batch_size=16, max_resolution=1920)
    expected = detector.detect([astronaut])[0]
    detector._inference.device = CUDA
    steps = []
    while detector.device.type == "cuda":
        detector._retreat(torch.OutOfMemoryError("CUDA out of memory"))
        steps.append((detector.device.type, detector.batch_size, detector.max_resolution))
    assert steps == [
        ("cuda", 2, 1920),  # four at most go up together
        ("cuda", 1, 1920),
        ("cuda", 1, 960),
        ("cuda", 1, 480),
        ("cpu", 2, 1920),
    ]
    assert len(detector.notes) == 5 and "slower" in detector.notes[-1]
    assert detector.device_line == "CPU, float32; the GPU ran out of memory"
    np.testing.assert_allclose(detector.detect([astronaut])[0].boxes, expected.boxes, rtol=0, atol=1e-3)
    detector.close()


# --- the code for CUDA, its calls of CUDA replaced ------------------------------------------------


@pytest.fixture
def pretended_gpu(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The path for a GPU on the CPU: pinned memory is ordinary memory, and waiting is noted."""
    waits: list[str] = []
    empty = torch.empty
    monkeypatch.setattr(torch, "empty", lambda *a, pin_memory=False, **k: empty(*a, **k))
    monkeypatch.setattr(torch.cuda, "synchronize", lambda _device: waits.append("wait"))
    monkeypatch.setattr(Inference, "asks_further", False)
    on_gpu = Inference._look_on_cuda
    monkeypatch.setattr(Inference, "_look_on_cpu", lambda self, requests, _: on_gpu(self, requests))
    monkeypatch.setattr(FaceDetector, "_takes_any_together", False)
    return waits


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("turns", [(0,), (0, 1, 2, 3), (2,)])
@pytest.mark.parametrize("count", [1, 4, 6])
def test_the_path_for_a_gpu_gives_the_same(
    astronaut: np.ndarray, pretended_gpu: list[str], count: int, turns: tuple[int, ...]
) -> None:
    pictures = [np.roll(astronaut, 30 * i, axis=1)[:400] for i in range(count)]
    detector = make_detector(batch_size=8, max_resolution=320)
    found = detector.detect(pictures, turns)
    assert pretended_gpu == ["wait"], "more than one wait in a batch"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Inference, "_look_on_cpu", ORIGINAL_LOOK)
        patch.setattr(FaceDetector, "_takes_any_together", True)
        expected = detector.detect(pictures, turns)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a.boxes, b.boxes, rtol=0, atol=1e-3)
        np.testing.assert_allclose(a.scores, b.scores, rtol=0, atol=1e-4)
        np.testing.assert_array_equal(a.turns, b.turns)
    detector.close()


ORIGINAL_LOOK = Inference._look_on_cpu


def test_the_path_for_a_gpu_sees_impossible_numbers(astronaut: np.ndarray, pretended_gpu: list[str]) -> None:
    def fault(regressions: torch.Tensor, logits: torch.Tensor) -> Any:
        logits[0, 5] = float("nan")
        return regressions, logits

    detector = make_detector(FaultyNetwork(fault))
    with pytest.raises(DetectionError):
        detector.detect([astronaut])
    detector.close()


# --- on a GPU -------------------------------------------------------------------------------------


def on_gpu(network: Any = None, **changes: Any) -> FaceDetector:
    return make_detector(network, **{"device": CUDA, "dtype": torch.float16, **changes})


def same_faces(a: Detections, b: Detections, threshold: float = 0.5, overlap: float = 0.9) -> None:
    first, second = (f.boxes[f.scores >= threshold] for f in (a, b))
    assert len(first) == len(second)
    if len(first):
        assert (box_ops.iou(first, second).max(axis=1) > overlap).all()


@pytest.mark.gpu
def test_gpu_is_chosen_and_named() -> None:
    assert why_no_cuda() == ""
    detector = load_detector(Settings.standard(performance=Performance.MAXIMUM))
    assert detector.device.type == "cuda" and detector.dtype == torch.float16 and detector.batch_size == 16
    assert detector.device_line == f"{torch.cuda.get_device_name()}, float16"
    detector.close()


@pytest.mark.gpu
def test_precision_and_batches_of_the_gpu_can_be_chosen(astronaut: np.ndarray) -> None:
    presets = Presets(quality=PerformancePreset(3, 1, 1600))
    settings = Settings.standard(device=Device.CUDA, precision=Precision.FLOAT32, presets=presets)
    detector = load_detector(settings)
    assert (detector.dtype, detector.batch_size, detector.max_resolution) == (torch.float32, 3, 1600)
    assert detector.device_line == f"{torch.cuda.get_device_name()}, float32"
    assert detector.detect([astronaut])[0].scores[0] > 0.9
    detector.close()


@pytest.mark.gpu
@pytest.mark.parametrize("turns", [(0,), (0, 1, 2, 3)])
def test_float16_on_the_gpu_finds_what_float32_finds_on_the_cpu(
    astronaut: np.ndarray, turns: tuple[int, ...]
) -> None:
    pictures = [np.roll(astronaut, 50 * i, axis=1) for i in range(9)]
    gpu, cpu = on_gpu(batch_size=8), make_detector()
    for a, b in zip(gpu.detect(pictures, turns), cpu.detect(pictures, turns), strict=True):
        same_faces(a, b, threshold=0.8)
    gpu.close()
    cpu.close()


@pytest.mark.gpu
def test_float16_recall(shared: Path) -> None:
    pictures = labelled_pictures(shared / "wider")
    recalls = []
    for dtype in (torch.float16, torch.float32):
        detector = on_gpu(dtype=dtype, max_resolution=1920)
        recalls.append(recall_and_precision(detector, pictures)[0])
        detector.close()
    assert abs(recalls[0] - recalls[1]) <= 0.005


@pytest.mark.gpu
@pytest.mark.parametrize("model", [Model.RESNET50, Model.DSFD])
def test_large_networks_in_float16(astronaut: np.ndarray, model: Model) -> None:
    half, single = (
        on_gpu(random_network(model), max_resolution=320),
        on_gpu(random_network(model), dtype=torch.float32, max_resolution=320),
    )
    a, b = half.detect([astronaut])[0], single.detect([astronaut])[0]
    assert half.dtype == torch.float16 and half.notes == []
    assert len(b) > 0 and abs(len(a) - len(b)) <= 0.1 * len(b) + 2
    assert abs(a.scores.max() - b.scores.max()) < 0.02
    half.close()
    single.close()


@pytest.fixture
def little_memory() -> Iterator[Any]:
    """Lets the allocator of the GPU give out so many more bytes and no more."""

    def limit(more: int) -> None:
        torch.cuda.empty_cache()
        total = torch.cuda.get_device_properties(0).total_memory
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + more) / total)

    yield limit
    torch.cuda.set_per_process_memory_fraction(1.0)
    torch.cuda.empty_cache()


@pytest.mark.gpu
@pytest.mark.parametrize("megabytes", [400, 100, 40, 4])
def test_no_frame_is_lost_when_the_gpu_runs_out_of_memory(
    astronaut: np.ndarray, little_memory: Any, megabytes: int
) -> None:
    """From a smaller batch to the CPU, as far as it takes."""
    pictures = [np.roll(np.tile(astronaut, (3, 4, 1))[:1080, :1920], 100 * i, axis=1) for i in range(6)]
    cpu = make_detector(max_resolution=1920)
    expected = cpu.detect(pictures)
    cpu.close()
    detector = on_gpu(batch_size=4, max_resolution=1920)
    little_memory(megabytes << 20)
    results = detector.detect(pictures)
    assert len(results) == len(pictures)
    assert megabytes > 40 or detector.notes
    if megabytes == 4:
        assert detector.device == CPU and "ran out of memory" in detector.device_line
    for a, b in zip(results, expected, strict=True):
        sure = b.boxes[b.scores > 0.9]
        assert len(sure) == 8
        # with 480 pixels, on a CPU in float32, 0.81 and more
        assert (box_ops.iou(sure, a.boxes).max(axis=1, initial=0) > 0.7).all()
        if not any("pixels from here on" in note for note in detector.notes):
            same_faces(a, b, threshold=0.9, overlap=0.8)
    detector.close()


@pytest.mark.gpu
def test_600_frames_a_second(astronaut: np.ndarray) -> None:
    """Of an H100: batches of 16 frames of 1080p in the computer's memory, from uint8 to boxes."""
    if not any(name in torch.cuda.get_device_name() for name in ("H100", "H200")):
        pytest.skip("the bar is for an H100")
    picture = np.tile(astronaut, (3, 4, 1))[:1080, :1920]
    pictures = [np.ascontiguousarray(np.roll(picture, 60 * i, axis=1)) for i in range(16)]
    detector = on_gpu(max_resolution=1920, batch_size=16)
    times = []
    for _ in range(15):
        begin = time.perf_counter()
        detector.detect(pictures)
        times.append(time.perf_counter() - begin)
    detector.close()
    assert 16 / statistics.median(times[5:]) >= 600
