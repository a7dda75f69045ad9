"""RetinaFace on MobileNetV1: the layers of the bundled network, under the names that its weights have.

face_detection has them too, but it takes torchvision along, which takes longer to import than all the rest
of a short job. ResNet50 and DSFD are still its own.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

STEPS = [8, 16, 32]
"""Pixels from one prior to the next, on each level."""
MIN_SIZES = [[16, 32], [64, 128], [256, 512]]
"""Sides of the priors, in pixels, on each level."""
SLOPE = 0.1
"""Of every leaky ReLU, for values below 0."""
CHANNELS = 64
"""Of every level."""
ANCHORS = 2
"""Priors at every place."""


def _convolution(inputs: int, outputs: int, *, size: int = 3, stride: int = 1, groups: int = 1) -> list[Any]:
    convolution = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return [convolution, nn.BatchNorm2d(outputs)]


def _activation() -> nn.Module:
    return nn.LeakyReLU(SLOPE, inplace=True)


def _active(inputs: int, outputs: int, *, size: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(*_convolution(inputs, outputs, size=size, stride=stride), _activation())


def _linear(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(*_convolution(inputs, outputs))


def _separable(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """A convolution of each channel by itself, and one that mixes them."""
    return nn.Sequential(
        *_convolution(inputs, inputs, stride=stride, groups=inputs),
        _activation(),
        *_convolution(inputs, outputs, size=1),
        _activation(),
    )


class Body(nn.Module):
    """MobileNetV1 at a quarter of its width.

    Source: MobileNets (Howard et al. 2017), with the stages of Pytorch_Retinaface.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = nn.Sequential(
            _active(3, 8, stride=2),
            _separable(8, 16),
            _separable(16, 32, stride=2),
            _separable(32, 32),
            _separable(32, 64, stride=2),
            _separable(64, 64),
        )
        self.stage2 = nn.Sequential(_separable(64, 128, stride=2), *(_separable(128, 128) for _ in range(5)))
        self.stage3 = nn.Sequential(_separable(128, 256, stride=2), _separable(256, 256))

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) in, the features of the three stages out."""
        first = self.stage1(x)
        second = self.stage2(first)
        return [first, second, self.stage3(second)]


class Pyramid(nn.Module):
    """Gives every level what the coarser ones know.

    Source: Feature Pyramid Networks (Lin et al. 2017).
    """

    def __init__(self) -> None:
        super().__init__()
        self.output1 = _active(64, CHANNELS, size=1)
        self.output2 = _active(128, CHANNELS, size=1)
        self.output3 = _active(256, CHANNELS, size=1)
        self.merge1 = _active(CHANNELS, CHANNELS)
        self.merge2 = _active(CHANNELS, CHANNELS)

    def forward(self, stages: list[Tensor]) -> list[Tensor]:
        """The features of three stages in, those of three levels out, finest first."""
        fine, middle, coarse = (
            output(stage)
            for output, stage in zip((self.output1, self.output2, self.output3), stages, strict=True)
        )
        middle = self.merge2(middle + functional.interpolate(coarse, middle.shape[2:], mode="nearest"))
        fine = self.merge1(fine + functional.interpolate(middle, fine.shape[2:], mode="nearest"))
        return [fine, middle, coarse]


class Context(nn.Module):
    """Looks at the surroundings of a place through three sizes of window.

    Source: SSH (Najibi et al. 2017).
    """

    def __init__(self) -> None:
        super().__init__()
        quarter = CHANNELS // 4
        self.conv3X3 = _linear(CHANNELS, CHANNELS // 2)
        self.conv5X5_1 = _active(CHANNELS, quarter)
        self.conv5X5_2 = _linear(quarter, quarter)
        self.conv7X7_2 = _active(quarter, quarter)
        self.conv7x7_3 = _linear(quarter, quarter)


class Head(nn.Module):
    """Gives numbers for every prior of a level."""

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.conv1x1 = nn.Conv2d(CHANNELS, ANCHORS * numbers, 1)


class MobileRetinaFace(nn.Module):
    """The whole network, as its weights are saved; RetinaFaceNetwork runs it.

    Source: RetinaFace (Deng et al. 2020), in the form of Pytorch_Retinaface.
    """

    def __init__(self) -> None:
        super().__init__()
        self.body, self.fpn = Body(), Pyramid()
        self.ssh1, self.ssh2, self.ssh3 = Context(), Context(), Context()
        self.ClassHead = nn.ModuleList(Head(2) for _ in STEPS)
        self.BboxHead = nn.ModuleList(Head(4) for _ in STEPS)
        self.LandmarkHead = nn.ModuleList(Head(10) for _ in STEPS)
