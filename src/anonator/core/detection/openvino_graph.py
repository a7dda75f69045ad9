"""The small network as an OpenVINO model, made of PyTorch's weights in memory.

OpenVINO's own converter isn't used: it traces PyTorch's modules, which takes longer and changes with both,
and it belongs to the part of OpenVINO that reports its use. The known answer tells whether both compute the
same.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from torch import Tensor, nn

from anonator.core.detection.networks import RetinaFaceNetwork


def build_graph(network: RetinaFaceNetwork, openvino: Any) -> Any:
    """An openvino.Model of a prepared network with the MobileNet body, whose layers must not be fused yet.

    Its input is (1, H, W, 3) float32 RGB, means subtracted, of any size; its outputs are (1, P, 4)
    regressions and (1, P) logits, as RetinaFaceNetwork.forward gives them.
    """
    return _Builder(openvino).build(network)


class _Builder:
    def __init__(self, openvino: Any) -> None:
        self._openvino, self._ops = openvino, openvino.opset13

    def build(self, network: RetinaFaceNetwork) -> Any:
        ops, net = self._ops, cast(Any, network.net)
        picture = ops.parameter(self._openvino.PartialShape([1, -1, -1, 3]), np.float32)
        x, stages = ops.transpose(picture, self._ints(0, 3, 1, 2)), []
        for stage in (net.body.stage1, net.body.stage2, net.body.stage3):
            x = self._layer(x, stage)
            stages.append(x)
        fpn = net.fpn
        outputs = zip(stages, (fpn.output1, fpn.output2, fpn.output3), strict=True)
        fine, middle, coarse = (self._layer(stage, output) for stage, output in outputs)
        middle = self._layer(ops.add(middle, self._enlarged(coarse, middle)), fpn.merge2)
        fine = self._layer(ops.add(fine, self._enlarged(middle, fine)), fpn.merge1)
        answers = [
            self._answers(level, ssh, cast(nn.Conv2d, head))
            for level, ssh, head in zip(
                (fine, middle, coarse), (net.ssh1, net.ssh2, net.ssh3), network.heads, strict=True
            )
        ]
        regressions, logits = (ops.concat(list(each), 1) for each in zip(*answers, strict=True))
        return self._openvino.Model([regressions, logits], [picture], "faces")

    def _answers(self, level: Any, ssh: Any, head: nn.Conv2d) -> tuple[Any, Any]:
        """(1, P, 4) regressions and (1, P) logits of a level."""
        ops, layer = self._ops, self._layer
        inner = layer(level, ssh.conv5X5_1)
        branches = [
            layer(level, ssh.conv3X3),
            layer(inner, ssh.conv5X5_2),
            layer(layer(inner, ssh.conv7X7_2), ssh.conv7x7_3),
        ]
        answers = ops.transpose(layer(ops.concat(branches, 1), head), self._ints(0, 2, 3, 1))
        anchors = head.out_channels // 5
        split = ops.variadic_split(answers, self._ints(3), self._ints(4 * anchors, anchors))
        shapes = self._ints(1, -1, 4), self._ints(1, -1)
        regressions, logits = (
            ops.reshape(output, shape, special_zero=False)
            for output, shape in zip(split.outputs(), shapes, strict=True)
        )
        return regressions, logits

    def _layer(self, x: Any, layer: nn.Module) -> Any:
        ops = self._ops
        if isinstance(layer, nn.Sequential):
            for each in layer:
                x = self._layer(x, each)
            return x
        if isinstance(layer, nn.Conv2d):
            return self._convolution(x, layer)
        if isinstance(layer, nn.LeakyReLU):
            return ops.prelu(x, ops.constant(np.array([layer.negative_slope], np.float32)))
        if isinstance(layer, nn.ReLU):
            return ops.relu(x)
        if isinstance(layer, nn.Identity):
            return x
        raise TypeError(f"a {type(layer).__name__} has no counterpart here")

    def _convolution(self, x: Any, layer: nn.Conv2d) -> Any:
        ops, weight = self._ops, layer.weight
        padding = [int(each) for each in layer.padding]
        geometry = list(layer.stride), padding, padding, list(layer.dilation)
        if layer.groups > 1:
            grouped = weight.reshape(layer.groups, -1, *weight.shape[1:])
            x = ops.group_convolution(x, self._numbers(grouped), *geometry)
        else:
            x = ops.convolution(x, self._numbers(weight), *geometry)
        return x if layer.bias is None else ops.add(x, self._numbers(layer.bias.reshape(1, -1, 1, 1)))

    def _enlarged(self, x: Any, to: Any) -> Any:
        """The features x at the height and width of others, as PyTorch's mode "nearest" does it."""
        ops = self._ops
        size = ops.gather(ops.shape_of(to), self._ints(2, 3), ops.constant(np.array(0, np.int64)))
        return ops.interpolate(
            x,
            size,
            "nearest",
            "sizes",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
            axes=np.array([2, 3]),
        )

    def _ints(self, *values: int) -> Any:
        return self._ops.constant(np.array(values, np.int64))

    def _numbers(self, values: Tensor) -> Any:
        return self._ops.constant(np.ascontiguousarray(values.detach().numpy(), np.float32))
