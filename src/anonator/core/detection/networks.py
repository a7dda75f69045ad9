"""The three face networks: built, loaded strictly, made ready for inference."""

from __future__ import annotations

import math
import pickle
import warnings
from pathlib import Path
from typing import Any, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from anonator.core.config import Model
from anonator.core.detection.cpu_fusion import fold_batch_norms, take_rgb
from anonator.core.detection.mobilenet import MIN_SIZES, STEPS, MobileRetinaFace
from anonator.errors import WeightsInvalidError

RGB_MEANS = (123.0, 117.0, 104.0)
"""Channel means that all three networks were trained with, in RGB order, for pixels of 0..255."""
VARIANCES = (0.1, 0.2)
"""Scale of the regressed offsets and of the regressed log sizes."""


class FaceNetwork(nn.Module):
    """A face network: pictures in, box regressions and face logits for every prior out."""

    light = False
    """True where a picture takes so little that several are computed side by side on a CPU."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net = net
        self.prepared = False

    def prepare(self) -> None:
        """Fold the loaded weights for inference and turn the input from BGR to RGB; once is enough."""
        if not self.prepared:
            fold_batch_norms(self.net)
            take_rgb(self.net)
            self._merge_heads()
            self.prepared = True

    def _merge_heads(self) -> None:
        """Merge layers that see the same features; here there are none."""

    @property
    def pauses(self) -> tuple[nn.Module, ...]:
        """Modules that compute nothing, and are called where the network can be interrupted."""
        return ()

    def expect(self, size: tuple[int, int]) -> None:
        """Hear the width and height of the pictures to come, which may also be halved and turned."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Run the network, which must have been prepared.

        Args:
            x: (N, 3, H, W) floating, RGB, means subtracted.

        Returns:
            (N, P, 4) regressions and (N, P) logits, face minus background: their sigmoid is the
            softmax of the two classes.
        """
        raise NotImplementedError

    def priors(self, height: int, width: int) -> Tensor:
        """(P, 4) float32 priors of a picture of that size: centre x, centre y, width, height in 0..1."""
        raise NotImplementedError


class RetinaFaceNetwork(FaceNetwork):
    """RetinaFace without its landmark heads, which nothing here needs."""

    def __init__(self, net: nn.Module, steps: list[int], min_sizes: list[list[int]]) -> None:
        """Take the layers, as their weights are saved.

        Args:
            net: body, fpn, ssh1 to ssh3, ClassHead, BboxHead and LandmarkHead.
            steps: pixels from one prior to the next, on each level.
            min_sizes: sides of the priors, in pixels, on each level.
        """
        super().__init__(net)
        self.light = isinstance(net, MobileRetinaFace)
        self.steps, self.min_sizes = steps, min_sizes
        self.heads = nn.ModuleList()

    def _merge_heads(self) -> None:
        """One convolution a level gives boxes and, for each anchor, the face's logit minus the other's."""
        net = cast(Any, self.net)
        for box_head, class_head in zip(net.BboxHead, net.ClassHead, strict=True):
            box, cls = box_head.conv1x1, class_head.conv1x1
            merged = nn.Conv2d(box.in_channels, box.out_channels + cls.out_channels // 2, 1)
            with torch.no_grad():
                merged.weight.copy_(torch.cat([box.weight, cls.weight[1::2] - cls.weight[0::2]]))
                merged.bias.copy_(torch.cat([box.bias, cls.bias[1::2] - cls.bias[0::2]]))  # type: ignore[union-attr]
            self.heads.append(merged.eval())
        del net.BboxHead, net.ClassHead, net.LandmarkHead
        for ssh in (net.ssh1, net.ssh2, net.ssh3):
            for branch in (ssh.conv3X3, ssh.conv5X5_2, ssh.conv7x7_3):
                branch.append(nn.ReLU(inplace=True))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        net = cast(Any, self.net)
        levels = net.fpn(net.body(x))
        regressions, logits = [], []
        for ssh, head, level in zip((net.ssh1, net.ssh2, net.ssh3), self.heads, levels, strict=True):
            # the ReLU that follows in the published module is the last layer of each branch here
            inner = ssh.conv5X5_1(level)
            branches = [ssh.conv3X3(level), ssh.conv5X5_2(inner), ssh.conv7x7_3(ssh.conv7X7_2(inner))]
            answers = head(torch.cat(branches, dim=1)).permute(0, 2, 3, 1)
            anchors = answers.shape[3] // 5
            regressions.append(answers[..., : 4 * anchors].reshape(len(x), -1, 4))
            logits.append(answers[..., 4 * anchors :].reshape(len(x), -1))
        return torch.cat(regressions, dim=1), torch.cat(logits, dim=1)

    def priors(self, height: int, width: int) -> Tensor:
        levels = []
        for step, sides in zip(self.steps, self.min_sizes, strict=True):
            shape = (math.ceil(height / step), math.ceil(width / step))
            levels.append(
                _grid_priors(shape, (height / step, width / step), [(s, s) for s in sides], height, width)
            )
        return torch.cat(levels)


class DsfdNetwork(FaceNetwork):
    """DSFD with its priors and decoding taken out of the network."""

    ASPECT = math.sqrt(1.5)

    def __init__(self) -> None:
        from face_detection.dsfd.config import resnet152_model_config
        from face_detection.dsfd.face_ssd import SSD

        super().__init__(SSD(resnet152_model_config))
        self.steps: list[int] = resnet152_model_config["steps"]
        self.min_sizes: list[int] = resnet152_model_config["min_sizes"]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        net = cast(Any, self.net)
        c3 = net.layer1(x)
        c4 = net.layer2(c3)
        c5 = net.layer3(c4)
        c6 = net.layer4(c5)
        c7 = net.layer5(c6)
        c8 = net.layer6(c7)
        p5 = net._upsample_product(net.latlayer3(c6), net.smooth3(c5))
        p4 = net._upsample_product(net.latlayer2(p5), net.smooth2(c4))
        p3 = net._upsample_product(net.latlayer1(p4), net.smooth1(c3))
        sources = [
            net.cpm3_3(p3),
            net.cpm4_3(p4),
            net.cpm5_3(p5),
            net.cpm7(c6),
            net.cpm6_2(c7),
            net.cpm7_2(c8),
        ]
        regressions, logits = [], []
        for level, (source, loc, conf) in enumerate(zip(sources, net.loc, net.conf, strict=True)):
            # the first four channels are the first anchor; the others belong to training
            regressions.append(loc(source)[:, :4].permute(0, 2, 3, 1).flatten(1, 2))
            scores = net.mio_module(conf(source), level)
            logits.append((scores[:, 1] - scores[:, 0]).flatten(1))
        return torch.cat(regressions, dim=1), torch.cat(logits, dim=1)

    def priors(self, height: int, width: int) -> Tensor:
        levels = []
        rows, columns = height, width
        # the strides of the backbone: conv1 and the pool make one quarter, every later stage a half
        rows, columns = _halve(_halve(rows)), _halve(_halve(columns))
        for step, side in zip(self.steps, self.min_sizes, strict=True):
            shape = [(side / self.ASPECT, side * self.ASPECT)]
            levels.append(_grid_priors((rows, columns), (height / step, width / step), shape, height, width))
            rows, columns = _halve(rows), _halve(columns)
        return torch.cat(levels).clamp_(0, 1)


def _halve(n: int) -> int:
    """Length of an axis after a 3x3 convolution or pool of stride 2 and padding 1."""
    return (n - 1) // 2 + 1


def _grid_priors(
    shape: tuple[int, int],
    cells: tuple[float, float],
    sides: list[tuple[float, float]],
    height: int,
    width: int,
) -> Tensor:
    """(rows * columns * len(sides), 4) priors of a level, row by row; sides are (width, height) in pixels."""
    rows, columns = shape
    # float64 until the end, as the published loops have it
    cy = (torch.arange(rows, dtype=torch.float64) + 0.5) / cells[0]
    cx = (torch.arange(columns, dtype=torch.float64) + 0.5) / cells[1]
    grid = torch.empty(rows, columns, len(sides), 4, dtype=torch.float64)
    grid[..., 0] = cx[None, :, None]
    grid[..., 1] = cy[:, None, None]
    for i, (w, h) in enumerate(sides):
        grid[:, :, i, 2] = w / width
        grid[:, :, i, 3] = h / height
    return grid.reshape(-1, 4).float()


def decode(regressions: Tensor, priors: Tensor) -> Tensor:
    """Turn regressions into boxes.

    Args:
        regressions: (..., 4) float32.
        priors: (..., 4) centre x, centre y, width, height in 0..1.

    Returns:
        (..., 4) xyxy in 0..1, not clipped.

    Source: SSD (Liu et al. 2016), eq. 2, with the variances of its Caffe implementation.
    """
    centre = priors[..., :2] + regressions[..., :2] * VARIANCES[0] * priors[..., 2:]
    half = priors[..., 2:] * torch.exp(regressions[..., 2:] * VARIANCES[1]) / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def build_network(model: Model) -> FaceNetwork:
    """A network of that kind in evaluation mode; load_weights must fill in its weights."""
    # on the meta device nothing is allocated or filled with random numbers, which takes seconds
    with warnings.catch_warnings(), torch.device("meta"):
        # face_detection builds its backbones with an argument that torchvision renamed
        warnings.filterwarnings("ignore", category=UserWarning, module="torchvision")
        return _empty_network(model).eval()


def _empty_network(model: Model) -> FaceNetwork:
    if model is Model.MOBILENET:
        return RetinaFaceNetwork(MobileRetinaFace(), STEPS, MIN_SIZES)
    if model is Model.RESNET50:
        from face_detection.retinaface.config import cfg_re50
        from face_detection.retinaface.models.retinaface import RetinaFace

        return RetinaFaceNetwork(RetinaFace(cfg_re50), cfg_re50["steps"], cfg_re50["min_sizes"])
    if model is Model.DSFD:
        return DsfdNetwork()
    # nothing else: mypy says "missing return statement" here about a model that has no network


def load_weights(network: FaceNetwork, path: Path) -> None:
    """Fill a network from a weights file, every key and shape matching; no code in the file is run.

    Raises:
        WeightsInvalidError: the file is damaged, holds code, or belongs to another network.
    """
    advice = "Delete it and download it again, or choose another file."
    try:
        if path.suffix == ".safetensors":
            state: Any = load_file(path)
        else:
            with warnings.catch_warnings():
                # remarks about old or unusual files, which either load or do not
                warnings.simplefilter("ignore")
                state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        SafetensorError,
        pickle.UnpicklingError,
        RuntimeError,
        EOFError,
        ValueError,
        OSError,
        KeyError,
    ) as exc:
        raise WeightsInvalidError(
            f"The weights file is damaged, or contains more than weights. {advice}"
        ) from exc
    if isinstance(state, dict) and isinstance(state.get("state_dict"), dict):
        state = state["state_dict"]
    if not isinstance(state, dict) or not all(isinstance(v, Tensor) for v in state.values()):
        raise WeightsInvalidError(f"The weights file does not contain a network's weights. {advice}")
    # networks trained on several GPUs have this prefix
    state = {key.removeprefix("module."): value for key, value in state.items()}
    if not any(key.endswith("running_mean") for key in state):
        fold_batch_norms(network.net)  # as in the file, which holds what is left when they are folded
    expected = network.net.state_dict()
    for key, value in state.items():
        if key in expected and value.is_floating_point() != expected[key].is_floating_point():
            raise WeightsInvalidError(f"The weights file contains numbers of the wrong type. {advice}")
        if value.is_floating_point():
            state[key] = value.float()
    try:
        network.net.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as exc:
        raise WeightsInvalidError(f"The weights file belongs to another network. {advice}") from exc
    network.requires_grad_(False)
