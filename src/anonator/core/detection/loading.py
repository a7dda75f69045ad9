"""From settings to a detector that is ready: device, weights, number format."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from anonator.core.config import Device, Precision, Settings
from anonator.core.detection.detector import FaceDetector
from anonator.core.detection.devices import choose_device, choose_dtype
from anonator.core.detection.inference import Inference
from anonator.core.detection.known_answer import known_picture
from anonator.core.detection.networks import build_network, load_weights
from anonator.core.detection.openvino_engine import OpenVinoNetwork
from anonator.core.detection.openvino_package import PLACES
from anonator.core.detection.weights import find

log = logging.getLogger(__name__)

TRIAL = 96, 64
"""Width and height of the first picture that OpenVINO looks at."""


def load_detector(
    settings: Settings, weights: Path | None = None, *, threads: int | None = None
) -> FaceDetector:
    """Load the chosen model onto the chosen device.

    Args:
        settings: of the job.
        weights: a weights file or folder to use instead of the known places.
        threads: of the CPU; None leaves some to the encoder.

    Raises:
        WeightsMissingError, WeightsInvalidError: the model's weights; no other model is used instead.
        DeviceError: CUDA or OpenVINO was requested but isn't available, or the device lacks the precision.
    """
    openvino = settings.device in PLACES
    device, reason = choose_device(Device.CPU if openvino else settings.device)
    network = build_network(settings.model)
    file = find(settings.model, weights)
    load_weights(network, file.path)
    # PyTorch gives the known answers to OpenVINO, and takes its place if that fails
    dtype = choose_dtype(Precision.FLOAT32 if openvino else settings.precision, device)
    if openvino:
        exact = settings.hipaa or settings.precision is Precision.FLOAT32
        network = OpenVinoNetwork(network, settings.device, exact=exact, threads=threads)
    on_gpu = device.type == "cuda"
    name = torch.cuda.get_device_name() if on_gpu else "CPU"
    line = f"{name}, {str(dtype).removeprefix('torch.')}" + (f"; no CUDA because {reason}" if reason else "")
    detector = FaceDetector(
        Inference(
            network,
            device=device,
            dtype=dtype,
            score_floor=settings.tracking.continue_threshold,
            threads=threads,
        ),
        max_resolution=settings.preset.max_resolution,
        batch_size=settings.preset.batch_size if on_gpu else None,
        nms_threshold=settings.nms_threshold,
        device_line=line,
        name=settings.model.value,
        weights=file,
    )
    if isinstance(network, OpenVinoNetwork):
        detector.detect([known_picture(*TRIAL)])
        detector.device_line = network.device_line
    log.info("detector %s on %s, batch %d", settings.model.value, detector.device_line, detector.batch_size)
    return detector
