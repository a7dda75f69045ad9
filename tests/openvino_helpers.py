"""A package openvino that is none: PyTorch computes its answers, and tests spoil them."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import torch
from detector_helpers import bundled_network

Answer = tuple[np.ndarray, np.ndarray]


class FakeOpenVino(ModuleType):
    """Put it into sys.modules; compiled, asked and cancelled tell what became of it."""

    def __init__(self, *devices: str) -> None:
        super().__init__("openvino")
        self.__version__ = "2026.4.1-22223-abcdef"
        self.devices = list(devices)
        self.opset13, self.PartialShape, self.Model = MagicMock(), MagicMock(), MagicMock()
        self.opset13.variadic_split.return_value.outputs.return_value = [MagicMock(), MagicMock()]
        self.network = bundled_network().eval()
        self.network.prepare()
        self.compiled: list[tuple[str, tuple[int, ...], dict[str, object]]] = []
        """Device, shape and options of every model."""
        self.asked: list[tuple[int, ...]] = []
        """Shape of every picture."""
        self.cancelled = 0
        self.precision: str | None = None
        """What it computes in, whatever it was asked for."""
        self.spoil: Callable[[np.ndarray, np.ndarray], Answer] = lambda *answer: answer
        """Changes its answers, or raises."""
        self.unready = 0
        """How often a pass isn't finished yet."""
        self.spoil_compiling: Callable[[], object] = lambda: None
        self.Core = lambda: SimpleNamespace(
            available_devices=self.devices,
            get_property=lambda *_: "Intel(R) Iris(R) Xe Graphics",
            compile_model=self._compile,
        )
        self.Model.return_value.clone = lambda: _Graph()

    def _compile(self, graph: _Graph, device: str, options: dict[str, object]) -> Any:
        self.spoil_compiling()
        self.compiled.append((device, graph.shape, options))
        precision = self.precision or str(options.get("INFERENCE_PRECISION_HINT", "f16"))
        kind = SimpleNamespace(get_type_name=lambda: precision)
        return SimpleNamespace(get_property=lambda _: kind, create_infer_request=lambda: _Request(self))


class _Graph:
    shape: tuple[int, ...] = ()

    def reshape(self, shape: list[int]) -> None:
        self.shape = tuple(shape)


class _Request:
    def __init__(self, openvino: FakeOpenVino) -> None:
        self._openvino = openvino

    @torch.inference_mode()
    def start_async(self, pictures: list[np.ndarray], *, share_inputs: bool) -> None:
        (picture,) = pictures
        self._openvino.asked.append(picture.shape)
        regressions, logits = self._openvino.network(torch.from_numpy(picture).permute(0, 3, 1, 2))
        self._answer = self._openvino.spoil(regressions.numpy(), logits.numpy())

    def wait_for(self, milliseconds: int) -> bool:
        self._openvino.unready -= 1
        return self._openvino.unready < 0

    def wait(self) -> None:
        """It has ended."""

    def cancel(self) -> None:
        self._openvino.cancelled += 1

    def get_output_tensor(self, output: int) -> Any:
        return SimpleNamespace(data=self._answer[output])
