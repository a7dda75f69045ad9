"""Networks with random weights, detectors made of them, labelled pictures, and how recall is counted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from anonator.core import boxes as box_ops
from anonator.core.config import Model
from anonator.core.detection.detector import FaceDetector
from anonator.core.detection.inference import Inference
from anonator.core.detection.mobilenet import MIN_SIZES, STEPS
from anonator.core.detection.networks import FaceNetwork, RetinaFaceNetwork, build_network, load_weights
from anonator.core.detection.weights import find
from anonator.core.frames import Detections

CPU = torch.device("cpu")


def random_network(model: Model, seed: int = 1) -> FaceNetwork:
    """A network whose activations stay near one through all its layers, not yet prepared."""
    network = build_network(model)
    draw = torch.Generator().manual_seed(seed)
    state = {}
    for name, value in network.net.state_dict().items():
        shape = value.shape
        if not value.is_floating_point():
            state[name] = torch.zeros(shape, dtype=value.dtype)
        elif len(shape) > 1:
            fan_in = shape[1:].numel()
            # the products of DSFD's pyramid and the sums of the residual blocks would grow without end
            gain = 0.5 if "latlayer" in name or "smooth" in name else 1.4
            state[name] = torch.randn(shape, generator=draw) * gain / fan_in**0.5
        elif name.endswith("running_var"):
            state[name] = torch.rand(shape, generator=draw) + 0.5
        elif name.endswith(("bn3.weight", "downsample.1.weight")):
            state[name] = torch.rand(shape, generator=draw) * 0.2
        elif name.endswith(".weight"):
            state[name] = torch.rand(shape, generator=draw) * 0.5 + 0.5
        else:
            state[name] = torch.randn(shape, generator=draw) * 0.1
    network.net.load_state_dict(state, assign=True)
    return network.requires_grad_(False)


def bundled_network() -> FaceNetwork:
    """RetinaFace MobileNet with the weights of the package, not yet prepared."""
    network = build_network(Model.MOBILENET)
    load_weights(network, find(Model.MOBILENET).path)
    return network


class FaultyNetwork(RetinaFaceNetwork):
    """The bundled network, whose forward pass goes through fault first."""

    def __init__(
        self, fault: Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
    ) -> None:
        super().__init__(bundled_network().net, STEPS, MIN_SIZES)
        self.eval()
        self.fault = fault

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.fault(*super().forward(x))


OF_INFERENCE = ("device", "dtype", "score_floor", "threads", "means", "interpolation")


def make_detector(network: FaceNetwork | None = None, **changes: object) -> FaceDetector:
    """A detector on the CPU in float32, of the bundled network unless another is given."""
    options: dict[str, Any] = {
        **{"device": CPU, "dtype": torch.float32, "score_floor": 0.1, "threads": 2, "max_resolution": 640},
        **changes,
    }
    placed = {name: options.pop(name) for name in OF_INFERENCE if name in options}
    return FaceDetector(Inference(network or bundled_network(), **placed), **options)


@dataclass(frozen=True)
class LabelledPicture:
    """A picture of WIDER FACE."""

    rgb: np.ndarray
    boxes: np.ndarray
    """(N, 4) all labelled faces, xyxy."""
    scored: np.ndarray
    """(M, 4) those that the "hard" set scores and that are 20 pixels high or more."""


@lru_cache
def labelled_pictures(folder: Path) -> tuple[LabelledPicture, ...]:
    """The pictures in a folder with labels.json."""
    pictures = []
    for name, labels in json.loads((folder / "labels.json").read_text()).items():
        rgb = cv2.imread(str(folder / name), cv2.IMREAD_COLOR_RGB)
        assert rgb is not None, "a labelled picture is missing"
        boxes = np.array(labels["boxes_xyxy"], np.float32)
        scored = boxes[labels["scored"]]
        pictures.append(LabelledPicture(rgb, boxes, scored[scored[:, 3] - scored[:, 1] >= 20]))
    return tuple(pictures)


def turned(picture: LabelledPicture, k: int) -> LabelledPicture:
    """The picture and its boxes turned by k quarter turns counter-clockwise."""
    height, width = picture.rgb.shape[:2]
    sides = (height, width) if k % 2 else (width, height)
    # turning back by the rest of the full turn is turning on
    boxes, scored = (box_ops.turn_back(b, 4 - k, *sides) for b in (picture.boxes, picture.scored))
    return LabelledPicture(np.ascontiguousarray(np.rot90(picture.rgb, k)), boxes, scored)


def covered(
    faces: np.ndarray, found: np.ndarray, shape: tuple[int, ...], mask_scale: float = 1.5
) -> np.ndarray:
    """(N,) whether the masks hide each face: 90 % or more of the pixels of the central 70 % of its box.

    This is the definition of recall here: what counts for an anonymizer is that nothing of the face shows,
    whether by one box or by two. It is how shared/tools/leak_meter.py counts a finished video.
    """
    hidden = np.zeros(shape[:2], bool)
    for x1, y1, x2, y2 in box_ops.to_pixels(box_ops.expand(found, mask_scale), shape[1], shape[0]):
        hidden[y1:y2, x1:x2] = True
    centres = np.round(box_ops.clip(box_ops.expand(faces, 0.7), shape[1], shape[0])).astype(int)
    return np.array([hidden[y1:y2, x1:x2].mean() >= 0.9 for x1, y1, x2, y2 in centres], bool)


def recall_and_precision(
    detector: FaceDetector,
    pictures: tuple[LabelledPicture, ...],
    turns: tuple[int, ...] = (0,),
    threshold: float = 0.35,
) -> tuple[float, float]:
    """Part of the scored faces that is covered; part of the boxes found that is a labelled face (IoU 0.3)."""
    hidden, right = [], []
    for picture in pictures:
        found = above(detector.detect([picture.rgb], turns)[0], threshold)
        hidden.append(covered(picture.scored, found.boxes, picture.rgb.shape))
        right.append(box_ops.iou(found.boxes, picture.boxes).max(axis=1, initial=0) >= 0.3)
    return float(np.concatenate(hidden).mean()), float(np.concatenate(right).mean())


def above(faces: Detections, threshold: float) -> Detections:
    """The detections of that score or a higher one."""
    return faces.select(faces.scores >= threshold)


class Greedy:
    """Asks the allocator for more than there is, until it has been refused so many times."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __call__(self, *answer: torch.Tensor) -> Any:
        if self.times > 0:
            self.times -= 1
            torch.empty(1 << 60, device=answer[0].device)
        return answer
