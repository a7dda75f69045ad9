"""The networks compute what face_detection's compute, prepared or fused, and take weights only, not code."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from detector_helpers import bundled_network, random_network
from face_detection.dsfd.utils import PriorBox as DsfdPriorBox
from face_detection.retinaface.config import cfg_mnet
from face_detection.retinaface.models.retinaface import RetinaFace
from face_detection.retinaface.prior_box import generate_prior_box
from safetensors.torch import save_file
from torch import nn

from anonator.core.config import Model
from anonator.core.detection.cpu_fusion import FusedConvolution, fold_batch_norms, fuse_for_cpu, take_rgb
from anonator.core.detection.mobilenet import MobileRetinaFace
from anonator.core.detection.networks import (
    DsfdNetwork,
    FaceNetwork,
    RetinaFaceNetwork,
    build_network,
    decode,
    load_weights,
)
from anonator.core.detection.weights import find
from anonator.errors import WeightsInvalidError

SIZES = {Model.MOBILENET: (160, 224), Model.RESNET50: (96, 130), Model.DSFD: (70, 97)}
"""Height and width of the random pictures: odd ones too, where rounding shows."""


def published_module(network: FaceNetwork) -> nn.Module:
    """face_detection's own module with this network's weights."""
    if not isinstance(network.net, MobileRetinaFace):
        return network.net
    published: nn.Module = RetinaFace(cfg_mnet).eval()
    state = network.net.state_dict()
    if not any(key.endswith("running_mean") for key in state):
        fold_batch_norms(published)
    published.load_state_dict(state, strict=True)
    return published


def published_answer(network: FaceNetwork, bgr: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (N, P, 4) and scores (N, P) of face_detection's own module, decoding and priors."""
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if isinstance(network, DsfdNetwork):
            rows = network.net(bgr, 0.5, 0.3)
            return rows[..., :4], rows[..., 4]
        regressions, scores, _ = published_module(network)(bgr)
        height, width = bgr.shape[2:]
        return decode(regressions, network.priors(height, width)), scores[..., 1]


def our_answer(network: FaceNetwork, rgb: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.inference_mode():
        regressions, logits = network(rgb.to(memory_format=torch.channels_last))
        return decode(regressions, network.priors(*rgb.shape[2:])), logits.sigmoid()


@pytest.mark.parametrize(
    "model", [pytest.param(m, marks=[pytest.mark.slow] * (m is Model.DSFD)) for m in Model]
)
def test_same_answer_as_the_published_network(model: Model) -> None:
    assert model in SIZES, f"give {model} a size in SIZES, and its published module in published_answer"
    network = random_network(model)
    bgr = torch.randn(2, 3, *SIZES[model], generator=torch.Generator().manual_seed(2)) * 2
    expected_boxes, expected_scores = published_answer(network, bgr)
    # a network that answers the same everywhere would make the comparison worthless
    assert expected_scores.std() > 0.01 and torch.isfinite(expected_boxes).all()

    network.prepare()
    network.to(memory_format=torch.channels_last)
    plain = our_answer(network, bgr.flip(1))
    fuse_for_cpu(network)
    assert any(isinstance(m, FusedConvolution) for m in network.modules())
    for boxes, scores in (plain, our_answer(network, bgr.flip(1))):
        assert (boxes - expected_boxes).abs().max() < 1e-4
        assert (scores - expected_scores).abs().max() < 1e-4


def test_bundled_weights_give_the_published_answer_on_a_face(astronaut: np.ndarray) -> None:
    network = bundled_network()
    rgb = torch.from_numpy(astronaut).permute(2, 0, 1)[None].float() - torch.tensor([123.0, 117, 104]).view(
        3, 1, 1
    )
    _, expected = published_answer(copy.deepcopy(network), rgb.flip(1))
    network.prepare()
    fuse_for_cpu(network)
    _, scores = our_answer(network, rgb)
    assert expected.max() > 0.99
    assert (scores - expected).abs().max() < 1e-4


def test_preparing_twice_changes_nothing() -> None:
    network = random_network(Model.MOBILENET)
    x = torch.randn(1, 3, 64, 64)
    network.prepare()
    once = network(x)
    network.prepare()
    for a, b in zip(once, network(x), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


@pytest.mark.parametrize("size", [(64, 64), (67, 101), (33, 250)])
@pytest.mark.parametrize("model", [Model.MOBILENET, Model.RESNET50])
def test_retinaface_priors_are_the_published_ones(model: Model, size: tuple[int, int]) -> None:
    network = build_network(model)
    assert isinstance(network, RetinaFaceNetwork)
    # whole Python numbers, because the 16-bit ones of the published class overflow
    maps = [[-(-size[0] // step), -(-size[1] // step)] for step in network.steps]
    expected = generate_prior_box(maps, size, network.steps, network.min_sizes).reshape(-1, 4)
    np.testing.assert_allclose(network.priors(*size).numpy(), expected, rtol=0, atol=1e-6)


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("size", [(64, 64), (65, 97), (127, 40)])
def test_dsfd_priors_are_the_published_ones(size: tuple[int, int]) -> None:
    # on the meta device only shapes are computed
    network = build_network(Model.DSFD)
    levels: list[tuple[int, int]] = []
    for head in network.net.loc:  # type: ignore[union-attr]
        head.register_forward_hook(lambda _m, inputs, _out: levels.append(tuple(inputs[0].shape[2:])))
    with torch.inference_mode():
        network.net(torch.zeros(1, 3, *size, device="meta"), 0.5, 0.3)
    expected = DsfdPriorBox(network.net.cfg, list(size), levels).forward()
    np.testing.assert_allclose(network.priors(*size).numpy(), expected.numpy(), rtol=0, atol=1e-6)


def test_priors_of_a_large_picture_do_not_overflow() -> None:
    """The published detector ends in "negative dimensions" from 2048x1374 on."""
    priors = build_network(Model.MOBILENET).priors(8192, 8192)
    assert len(priors) == 2 * (1024**2 + 512**2 + 256**2)
    assert priors.min() > 0 and priors[:, :2].max() < 1


def test_folding_keeps_the_answer() -> None:
    torch.manual_seed(3)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU()).eval()
    norm = layers[1]
    assert isinstance(norm, nn.BatchNorm2d) and norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.uniform_(-1, 1)
    norm.running_var.uniform_(0.5, 2)
    x = torch.randn(1, 3, 20, 20)
    expected = layers(x)
    fold_batch_norms(layers)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in layers)
    torch.testing.assert_close(layers(x), expected, rtol=1e-4, atol=1e-5)


def test_taking_rgb_is_turning_the_channels_round() -> None:
    torch.manual_seed(4)
    layers = nn.Sequential(nn.Conv2d(3, 8, 3)).eval().requires_grad_(False)
    x = torch.randn(1, 3, 20, 20)
    expected = layers(x)
    take_rgb(layers)
    torch.testing.assert_close(layers(x.flip(1)), expected, rtol=1e-4, atol=1e-5)


# --- loading ------------------------------------------------------------------------------------


@pytest.fixture
def state() -> dict[str, torch.Tensor]:
    return dict(random_network(Model.MOBILENET).net.state_dict())


def refused(path: Path, match: str, model: Model = Model.MOBILENET) -> None:
    with pytest.raises(WeightsInvalidError, match=match) as caught:
        load_weights(build_network(model), path)
    assert str(path) not in str(caught.value)


@pytest.mark.parametrize("wrap", ["plain", "state_dict", "module"])
def test_loads_what_training_programs_write(
    state: dict[str, torch.Tensor], tmp_path: Path, wrap: str
) -> None:
    path = tmp_path / "weights.pth"
    saved: object = state
    if wrap == "state_dict":
        saved = {"state_dict": state}
    elif wrap == "module":
        saved = {
            f"module.{key}": value.half() if value.is_floating_point() else value
            for key, value in state.items()
        }
    torch.save(saved, path)
    network = build_network(Model.MOBILENET)
    load_weights(network, path)
    for key, value in network.net.state_dict().items():
        assert value.dtype == state[key].dtype and value.device.type == "cpu"
        torch.testing.assert_close(value, state[key], rtol=2e-3, atol=1e-3)


class Exploit:
    """Runs a command when it is unpickled."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_code_in_the_file_is_not_run(state: dict[str, torch.Tensor], tmp_path: Path, writer: str) -> None:
    """A failure would mean that a weights file from anywhere can do anything on the user's computer."""
    path, target = tmp_path / "weights.pth", tmp_path / "was-run"
    content = {**state, "extra": Exploit(target)}
    if writer == "torch":
        torch.save(content, path)
    else:
        path.write_bytes(pickle.dumps(content))
    refused(path, "damaged, or contains more than weights")
    assert not target.exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("part", [0.0, 0.001, 0.5, 0.999])
def test_truncated_file_is_refused(
    state: dict[str, torch.Tensor], tmp_path: Path, suffix: str, part: float
) -> None:
    path = tmp_path / f"weights{suffix}"
    if suffix == ".pth":
        torch.save(state, path)
    else:
        save_file({key: value.contiguous() for key, value in state.items()}, path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * part)])
    refused(path, "damaged")


def test_other_networks_weights_are_refused(tmp_path: Path) -> None:
    refused(find(Model.MOBILENET).path, "belongs to another network", Model.RESNET50)
    refused(find(Model.MOBILENET).path, "belongs to another network", Model.DSFD)


@pytest.mark.parametrize("fault", ["missing", "extra", "shape"])
def test_keys_and_shapes_must_all_match(state: dict[str, torch.Tensor], tmp_path: Path, fault: str) -> None:
    name = next(key for key, value in state.items() if value.dim() == 4)
    if fault == "missing":
        del state[name]
    elif fault == "extra":
        state["fourth_head.weight"] = torch.zeros(3)
    else:
        state[name] = state[name][:1]
    torch.save(state, tmp_path / "weights.pth")
    refused(tmp_path / "weights.pth", "belongs to another network")


def test_numbers_of_another_kind_are_refused(state: dict[str, torch.Tensor], tmp_path: Path) -> None:
    name = next(key for key, value in state.items() if value.dim() == 4)
    state[name] = state[name].to(torch.int32)
    torch.save(state, tmp_path / "weights.pth")
    refused(tmp_path / "weights.pth", "numbers of the wrong type")


@pytest.mark.parametrize("content", [[1, 2], {"epoch": 3}, torch.zeros(3)], ids=["list", "number", "tensor"])
def test_what_is_no_state_dict_is_refused(tmp_path: Path, content: object) -> None:
    torch.save(content, tmp_path / "weights.pth")
    refused(tmp_path / "weights.pth", "does not contain a network's weights")


@pytest.mark.slow
def test_the_bundled_network_loads_without_what_takes_seconds_to_import() -> None:
    code = (
        "import sys; from anonator.core.config import Settings; "
        "from anonator.core.detection.loading import load_detector; "
        "load_detector(Settings(device='cpu')).close(); "
        "print([m for m in ('torchvision', 'face_detection', 'torch._dynamo', 'sympy') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert run.stdout.strip() == "[]"
