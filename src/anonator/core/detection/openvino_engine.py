"""OpenVINO as another engine for the small network, on Intel's GPUs and on CPUs.

Each size of picture has a model of its own, and is used only after it has answered the known picture of that
size as PyTorch does. Whatever goes wrong, PyTorch looks at that picture, and at all that follow.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from anonator.core.config import CPU_BATCH_LIMIT, Device, Model
from anonator.core.detection.known_answer import disagreement, known_picture
from anonator.core.detection.networks import RGB_MEANS, FaceNetwork, RetinaFaceNetwork
from anonator.core.detection.openvino_graph import build_graph
from anonator.core.detection.openvino_package import PLACES, has, import_openvino
from anonator.core.detection.threads import cpu_threads
from anonator.core.frames import Float32Array
from anonator.errors import DeviceError, JobCancelled

log = logging.getLogger(__name__)

MODELS_KEPT = 16
"""Sizes whose models are kept; a job has ten at most."""
HALVINGS = 2
"""Pictures are also looked at this often halved."""
PAUSE = 20
"""Milliseconds between two questions whether a pass may go on."""
PRECISIONS = {"f32": "float32", "f16": "float16", "bf16": "bfloat16"}

NOT_INSTALLED = (
    'The device {} needs OpenVINO, which isn\'t installed. Install it with pip install "anonator[openvino]" '
    "(the ready-made program doesn't include it), or choose the device auto or cpu."
)
NO_GPU = (
    "The device intel-gpu was requested, but OpenVINO finds no Intel GPU with a working driver. Choose the "
    "device auto or cpu."
)
OTHER_MODEL = (
    f"OpenVINO runs only the model {Model.MOBILENET.value}. Choose that model, or the device auto or cpu."
)
LEFT = "{}; PyTorch looks for faces on the CPU instead, beginning with the picture at hand."
FAILED = "OpenVINO failed on this computer"
WRONG = "OpenVINO computes something else on this computer than PyTorch"
LEFT_LINE = "CPU, float32; OpenVINO could not be used"


class EngineFailedError(RuntimeError):
    """OpenVINO failed; the message is a sentence for people who need to know that PyTorch takes its place."""

    def __init__(self, message: str, leave: Callable[[], None]) -> None:
        super().__init__(message)
        self.leave = leave
        """Call it once people are told: from then on, PyTorch answers."""


class WrongAnswerError(RuntimeError):
    """OpenVINO's answer is not what it must be."""


class OpenVinoNetwork(FaceNetwork):
    """A network that OpenVINO runs, until it fails; PyTorch runs it for all sizes that are not expected."""

    light = True

    def __init__(
        self, network: FaceNetwork, device: Device, *, exact: bool, threads: int | None = None
    ) -> None:
        """Take over a network with loaded weights.

        Args:
            network: the small one, not yet prepared.
            device: INTEL_GPU or OPENVINO_CPU.
            exact: compute in float32; if not, a GPU takes what suits it.
            threads: of the CPU; None leaves some to the encoder.

        Raises:
            DeviceError: it is another network.
        """
        super().__init__(network)
        if not (isinstance(network, RetinaFaceNetwork) and network.light):
            raise DeviceError(OTHER_MODEL)
        self._device, self._threads = device, cpu_threads() if threads is None else max(1, threads)
        self._exact = exact or device is Device.OPENVINO_CPU  # bfloat16 makes it slower there
        self._pause = nn.Identity()
        self._lock = threading.Lock()
        self._expected: frozenset[tuple[int, int]] = frozenset()
        self._models: dict[tuple[int, int, int], _CompiledModel] = {}
        self._known: dict[tuple[int, int], tuple[Float32Array, Float32Array]] = {}
        self._engine: _Engine | None = None
        self._failed: Exception | None = None
        self.device_line = LEFT_LINE
        """Where it runs, in words; complete once it has run."""

    @property
    def pauses(self) -> tuple[nn.Module, ...]:
        return (self._pause,)

    def prepare(self) -> None:
        """As FaceNetwork does, and make OpenVINO's model; a failure waits until it is to run.

        Raises:
            DeviceError: OpenVINO isn't installed, or there is no such device.
        """
        if self.prepared:
            return
        network = cast(RetinaFaceNetwork, self.net)
        network.prepare()
        self.prepared = True
        try:
            self._engine = _Engine(network, self._device, exact=self._exact)
            self.device_line = self._engine.line
        except DeviceError:
            raise
        except Exception as exc:
            if isinstance(exc, ModuleNotFoundError) and exc.name == "openvino":
                raise DeviceError(NOT_INSTALLED.format(self._device.value)) from exc
            self._failed = exc

    def expect(self, size: tuple[int, int]) -> None:
        w, h = size
        sizes = {(h >> k, w >> k) for k in range(HALVINGS + 1)}
        self._expected = frozenset(sizes | {(width, height) for height, width in sizes})

    def priors(self, height: int, width: int) -> Tensor:
        return cast(FaceNetwork, self.net).priors(height, width)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """As FaceNetwork.

        Raises:
            EngineFailedError: OpenVINO failed, now or before, and was not left yet.
        """
        engine, failed = self._engine, self._failed
        if (engine is None and failed is None) or (x.shape[2], x.shape[3]) not in self._expected:
            return cast(tuple[Tensor, Tensor], self.net(x))
        if engine is not None and failed is None:
            try:
                return self._ask(engine, x)
            except JobCancelled:
                raise
            except Exception as exc:
                failed = self._failed = exc
        log.warning("OpenVINO failed: %s", failed)
        why = WRONG if isinstance(failed, WrongAnswerError) else FAILED
        raise EngineFailedError(LEFT.format(why), self._leave) from failed

    def _leave(self) -> None:
        self._engine = self._failed = None
        self.device_line = LEFT_LINE
        self._models.clear()
        self._known.clear()

    def _ask(self, engine: _Engine, x: Tensor) -> tuple[Tensor, Tensor]:
        # a worker's own number: pictures side by side have fewer threads each than a picture alone
        threads = torch.get_num_threads()
        key = x.shape[2], x.shape[3], threads
        model = self._models.get(key)
        if model is None:
            with self._lock:
                model = self._models.get(key) or self._make_model(engine, *key)
        return model.run(x, self._pause)

    def _make_model(self, engine: _Engine, height: int, width: int, threads: int) -> _CompiledModel:
        streams = max(1, min(self._threads // threads, CPU_BATCH_LIMIT))
        model = engine.compile(height, width, threads, streams)
        picture = torch.from_numpy(known_picture(width, height)) - torch.tensor(RGB_MEANS)
        x = picture[None].permute(0, 3, 1, 2)
        expected = self._known.get((height, width))
        if expected is None:
            if len(self._known) >= MODELS_KEPT:
                del self._known[next(iter(self._known))]
            # once for all threads: each in which PyTorch computes keeps memory for it
            expected = self._known[height, width] = _arrays(self.net(x))
        wrong = disagreement(_arrays(model.run(x, self._pause)), expected, exact=self._exact)
        if wrong:
            raise WrongAnswerError(f"the answer to the known picture of {width}x{height} is wrong: {wrong}")
        if len(self._models) >= MODELS_KEPT:
            del self._models[next(iter(self._models))]
        self._models[height, width, threads] = model
        self.device_line = f"{engine.line}, {model.precision}"
        return model


def _arrays(answer: tuple[Tensor, Tensor]) -> tuple[Float32Array, Float32Array]:
    """(P, 4) regressions and (P,) logits of the only picture."""
    regressions, logits = answer
    return regressions[0].numpy(), logits[0].numpy()


class _Engine:
    """OpenVINO on one device, with the network for pictures of any size."""

    def __init__(self, network: RetinaFaceNetwork, device: Device, *, exact: bool) -> None:
        openvino = import_openvino()
        self._core = openvino.Core()
        self._place, self._exact = PLACES[device], exact
        if not has(self._core, device):
            raise DeviceError(NO_GPU)
        name = "CPU" if device is Device.OPENVINO_CPU else self._core.get_property("GPU", "FULL_DEVICE_NAME")
        self.line = f"{name} with OpenVINO {str(openvino.__version__).split('-')[0]}"
        self._graph = build_graph(network, openvino)

    def compile(self, height: int, width: int, threads: int, streams: int) -> _CompiledModel:
        """A model for pictures of one size, so many side by side on so many threads each."""
        graph = self._graph.clone()
        graph.reshape([1, height, width, 3])
        options: dict[str, object] = {"NUM_STREAMS": streams}
        if self._exact:
            options["INFERENCE_PRECISION_HINT"] = "f32"  # the default is float16 or bfloat16
        if self._place == "CPU":
            # threads that are tied to processors would wait there for the encoder
            options |= {"INFERENCE_NUM_THREADS": threads * streams, "ENABLE_CPU_PINNING": False}
        model = _CompiledModel(self._core.compile_model(graph, self._place, options))
        if self._exact and model.precision != "float32":
            raise RuntimeError(f"it computes in {model.precision} and not in float32")
        return model


class _CompiledModel:
    """A model for one size; several threads may run it at once."""

    def __init__(self, model: Any) -> None:
        self._model, self._idle = model, list[Any]()
        name = str(model.get_property("INFERENCE_PRECISION_HINT").get_type_name())
        self.precision = PRECISIONS.get(name, name)

    def run(self, x: Tensor, may_go_on: Callable[[Tensor], object]) -> tuple[Tensor, Tensor]:
        """The network's answer to (1, 3, H, W) float32.

        Args:
            x: the picture.
            may_go_on: called now and then; if it raises, the pass ends there.

        Raises:
            WrongAnswerError: the answer is not finite.
        """
        may_go_on(x)
        try:
            request = self._idle.pop()
        except IndexError:
            request = self._model.create_infer_request()
        request.start_async([np.ascontiguousarray(x.permute(0, 2, 3, 1).numpy())], share_inputs=True)
        try:
            while not request.wait_for(PAUSE):
                may_go_on(x)
            request.wait()  # raises what went wrong
        except BaseException:
            # x must stay until nobody reads it any more
            with contextlib.suppress(Exception):
                request.cancel()
                request.wait()
            raise
        regressions, logits = (self._copied(request, i) for i in range(2))
        self._idle.append(request)
        if not (torch.isfinite(regressions).all() and torch.isfinite(logits).all()):
            raise WrongAnswerError("an answer is not finite")
        return regressions, logits

    @staticmethod
    def _copied(request: Any, output: int) -> Tensor:
        values: Float32Array = np.array(request.get_output_tensor(output).data, np.float32)
        return torch.from_numpy(values)
