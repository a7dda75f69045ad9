"""The number format: tried once on a processor that may be faster in bfloat16, and then remembered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from anonator.core.config import Precision
from anonator.core.detection import number_format
from anonator.core.detection.devices import choose_dtype
from anonator.core.detection.number_format import is_faster_in_bfloat16


@pytest.fixture(autouse=True)
def trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Nothing is known yet, and the processor has the instructions; what a trial finds, and how many ran."""
    left: list[str] = []
    monkeypatch.setattr(number_format, "_known", {})
    monkeypatch.setattr(number_format, "has_bfloat16_instructions", lambda: True)
    monkeypatch.setattr(number_format, "remembered_in", lambda: tmp_path / "cache" / "formats.json")
    monkeypatch.setattr(number_format, "_try", lambda: left.pop(0))
    return left


def start_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_format, "_known", {})


@pytest.mark.parametrize("faster", ["bfloat16", "float32"])
def test_one_trial_decides_for_this_start_and_all_others(
    faster: str, trials: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    trials += [faster]
    for _ in range(2):
        assert choose_dtype(Precision.AUTO, torch.device("cpu")) is getattr(torch, faster)
    start_again(monkeypatch)
    assert is_faster_in_bfloat16() is (faster == "bfloat16")


def test_another_processor_has_its_own_trial(trials: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    trials += ["bfloat16", "float32"]
    assert is_faster_in_bfloat16()
    start_again(monkeypatch)
    monkeypatch.setattr(number_format, "_processor", lambda: "another")
    assert not is_faster_in_bfloat16()
    assert set(json.loads(number_format.remembered_in().read_text("utf-8")).values()) == {
        "bfloat16",
        "float32",
    }


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"[1]", b'{"a": ', None])
def test_a_spoiled_or_impossible_memory_means_another_trial(
    content: bytes | None, trials: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trials += ["bfloat16", "float32"]
    if content is None:  # there is a file where the folder should be
        (tmp_path / "cache").write_bytes(b"")
    else:
        (tmp_path / "cache").mkdir()
        number_format.remembered_in().write_bytes(content)
    assert is_faster_in_bfloat16()
    start_again(monkeypatch)
    assert is_faster_in_bfloat16() is (content is not None)


def test_without_the_instructions_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(number_format, "has_bfloat16_instructions", lambda: False)
    assert not is_faster_in_bfloat16()
    assert not number_format.remembered_in().exists()


@pytest.mark.parametrize(
    ("milliseconds", "chosen"), [((20, 10), "bfloat16"), ((20, 19), "float32"), ((20, 40), "float32")]
)
def test_only_a_real_difference_speaks_for_bfloat16(
    milliseconds: tuple[int, int], chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]

    def layers(dtype: torch.dtype) -> torch.nn.Module:
        class Slow(torch.nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                assert x.dtype is dtype
                now[0] += milliseconds[dtype is torch.bfloat16] / 1000
                return x

        return Slow()

    monkeypatch.setattr(number_format, "_layers", layers)
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    assert number_format._faster() == chosen


def test_the_trial_runs_the_fused_layers_of_this_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert number_format._try() in ("bfloat16", "float32")
    x = torch.full(number_format.SHAPE, 0.5).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        assert number_format._layers(torch.float32)(x).shape == number_format.SHAPE
