"""Fused layers and the plain ones that stand in for them: both must find the same faces."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from detector_helpers import make_detector
from torch import Tensor

from anonator.core.config import Precision
from anonator.core.detection import cpu_fusion
from anonator.core.detection.cpu_fusion import (
    FusedConvolution,
    computes_in_bfloat16,
    fuse_for_cpu,
    has_bfloat16_instructions,
)
from anonator.core.detection.devices import choose_dtype
from anonator.core.frames import Detections

DETECTION = Path(cpu_fusion.__file__).parent
Break = Callable[[pytest.MonkeyPatch], None]


def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The names have gone."""

    def gone() -> Any:
        raise AttributeError("no such operator")

    monkeypatch.setattr(cpu_fusion, "_private_operators", gone)


def of_another_shape(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take other arguments."""

    def refuse(*_: object) -> Tensor:
        raise RuntimeError("expected at most 3 arguments")

    monkeypatch.setattr(cpu_fusion, "_private_operators", lambda: (refuse, refuse))


def without_activation(monkeypatch: pytest.MonkeyPatch) -> None:
    """They compute something else, without an error."""
    pack, convolve = cpu_fusion._private_operators()

    def plain(x: Tensor, weight: Tensor, bias: Tensor | None, *rest: Any) -> Tensor:
        return convolve(x, weight, bias, *rest[:4], "none", [], "")

    monkeypatch.setattr(cpu_fusion, "_private_operators", lambda: (pack, plain))


def without_onednn(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch was built without the library."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)


def faces(pictures: list[np.ndarray]) -> tuple[list[Detections], bool]:
    """What a detector finds, and whether its layers are fused."""
    detector = make_detector()
    try:
        assert detector._inference.network is not None
        fused = any(isinstance(layer, FusedConvolution) for layer in detector._inference.network.modules())
        return detector.detect(pictures, turns=(0, 1)), fused
    finally:
        detector.close()


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("broken", [missing, of_another_shape, without_activation, without_onednn])
def test_plain_layers_find_the_same_faces(
    astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch, broken: Break
) -> None:
    pictures = [astronaut, np.ascontiguousarray(astronaut[:, ::-1])]
    expected, fused = faces(pictures)
    if not fused:
        pytest.skip("this PyTorch has no oneDNN")
    broken(monkeypatch)
    found, fused = faces(pictures)
    assert not fused
    for a, b in zip(found, expected, strict=True):
        assert len(a) == len(b) > 0
        np.testing.assert_array_equal(a.turns, b.turns)
        np.testing.assert_allclose(a.boxes, b.boxes, atol=0.05)
        np.testing.assert_allclose(a.scores, b.scores, atol=1e-4)


@pytest.mark.parametrize("by_size", [True, False])
def test_weights_fit_every_size_and_number_of_threads(by_size: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cpu_fusion, "SMALL_WEIGHT", 512 * 1024 if by_size else 0)
    conv = torch.nn.Conv2d(64, 64, 3, padding=1).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    fused = FusedConvolution(conv, torch.nn.LeakyReLU(0.1))
    draw = torch.Generator().manual_seed(5)
    sizes = [(4 + 3 * i, 60 - 2 * i) for i in range(cpu_fusion.PACKED_SIZES + 4)]
    threads = torch.get_num_threads()
    try:
        with torch.inference_mode():
            for count in (1, 2, 1):
                torch.set_num_threads(count)
                for size in (*sizes, sizes[0]):
                    x = torch.randn(1, 64, *size, generator=draw).to(memory_format=torch.channels_last)
                    plain = torch.nn.functional.leaky_relu(conv(x), 0.1)
                    torch.testing.assert_close(fused(x), plain, rtol=1e-4, atol=1e-4)
    finally:
        torch.set_num_threads(threads)
    assert len(fused._packed) <= cpu_fusion.PACKED_SIZES


def test_small_weights_are_packed_once_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Packing them at every call would take as long as leaving them in the wrong order."""
    packed: list[list[int]] = []
    pack, convolve = cpu_fusion._private_operators()

    def counted(weight: torch.Tensor, *rest: Any) -> torch.Tensor:
        packed.append(rest[-1])
        return pack(weight, *rest)

    monkeypatch.setattr(cpu_fusion, "_private_operators", lambda: (counted, convolve))
    fused = FusedConvolution(torch.nn.Conv2d(8, 16, 1), None)
    with torch.inference_mode():
        for size in ((5, 7), (5, 7), (9, 4), (5, 7)):
            fused(torch.zeros(1, 8, *size).to(memory_format=torch.channels_last))
    assert packed == [[1, 8, 5, 7], [1, 8, 9, 4]]


def test_other_precisions_are_left_as_they_are() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.ReLU()).to(torch.float64)
    fuse_for_cpu(network)
    assert isinstance(network[0], torch.nn.Conv2d)


def test_float32_is_taken_where_pytorch_does_not_tell_of_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", raising=False)

    def gone(*_: object) -> Any:
        raise AttributeError("no such operator")

    monkeypatch.setattr(type(torch.ops.mkldnn), "__getattr__", gone)
    assert not computes_in_bfloat16()
    assert choose_dtype(Precision.AUTO, torch.device("cpu")) is torch.float32


@pytest.mark.parametrize(
    ("machine", "can", "has"),
    [
        ("x86_64", {"avx512_bf16": True}, True),
        ("AMD64", {"amx_bf16": True}, True),
        ("x86_64", {"avx512_f": True, "avx512_bf16": False, "amx_bf16": False}, False),
        ("AMD64", {}, False),
        ("aarch64", {"bf16": True}, True),
    ],
)
def test_the_processor_is_asked_for_its_instructions(
    machine: str, can: dict[str, bool], has: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: can)
    monkeypatch.setattr("platform.machine", lambda: machine)
    assert has_bfloat16_instructions() is has


@pytest.mark.parametrize("flag", ["_is_avx512_bf16_supported", "_is_amx_tile_supported", None])
def test_an_older_pytorch_is_asked_in_its_own_way(flag: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda name=name: name == flag, raising=False)
    assert has_bfloat16_instructions() is (flag is not None)


def test_private_operators_of_pytorch_stand_in_one_module() -> None:
    private = re.compile(r"torch\._|torch\.ops\.|torch\.[a-z.]+\._")
    found = {path.name for path in DETECTION.rglob("*.py") if private.search(path.read_text("utf-8"))}
    assert found == {"cpu_fusion.py"}
