"""Measures face detection: the published detector, this one and ONNX Runtime, on the same frames in one run.

    uv run python benchmarks/detection.py [--frames 30] [--runs 3] [--output benchmarks/results]

It needs the development packages; the published detector also needs its weights, in --reference.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import shutil
import statistics
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import torch
import torchvision  # type: ignore[import-untyped]
from face_detection.base import scale_boxes
from face_detection.retinaface.prior_box import generate_prior_box
from retinaface.weights import WEIGHTS as ONNX_BYTES  # type: ignore[import-untyped]
from skimage import data
from tqdm import tqdm

from anonator.core import process_setup
from anonator.core.config import Device, Model
from anonator.core.detection.cpu_fusion import computes_in_bfloat16
from anonator.core.detection.detector import FaceDetector
from anonator.core.detection.devices import choose_device
from anonator.core.detection.inference import Inference
from anonator.core.detection.networks import RGB_MEANS, build_network, load_weights
from anonator.core.detection.preprocess import stage
from anonator.core.detection.threads import cpu_threads
from anonator.core.detection.weights import find
from anonator.core.frames import UInt8Array

SIZES = ((960, 540), (1280, 720), (1920, 1080))
BATCHES = (1, 2, 4, 8, 16)
REFERENCE = Path(__file__).parents[2] / "shared" / "weights" / "RetinaFace_mobilenet025.pth"
Stages = tuple[float, float, float]
"""Seconds of a frame's pre-processing, network and post-processing."""


def make_frames(count: int, size: tuple[int, int]) -> list[UInt8Array]:
    """Frames with faces from 25 to 200 pixels, each shifted a little against the one before."""
    face: Any = data.astronaut()  # type: ignore[no-untyped-call]
    width, height = size
    wall = np.tile(face, (-(-height // 512), -(-width // 512), 1))[:height, :width].copy()
    for i, side in enumerate((128, 256, 384)):
        small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
        wall[40 : 40 + side, 60 + 300 * i : 60 + 300 * i + side] = small[
            : height - 40, : width - 60 - 300 * i
        ]
    return [np.ascontiguousarray(np.roll(wall, 7 * i, axis=1)) for i in range(count)]


class Published:
    """face_detection's own detector, its stages called one by one."""

    name = "published detector, float32"

    def __init__(self, size: tuple[int, int], device: torch.device, *, half: bool = False) -> None:
        import face_detection

        self._detector = face_detection.build_detector(
            "RetinaNetMobileNetV1",
            confidence_threshold=0.35,
            nms_iou_threshold=0.3,
            device=device,
            max_resolution=max(size),
            fp16_inference=half,
            clip_boxes=True,
        )
        # its own priors overflow 16 bits at these sizes; they are cached, so they cost nothing later
        config, (width, height) = self._detector.cfg, size
        maps = [[-(-height // step), -(-width // step)] for step in config["steps"]]
        priors = generate_prior_box(maps, (height, width), config["steps"], config["min_sizes"])
        self._detector.prior_box_cache[torch.Size((height, width))] = torch.from_numpy(priors.reshape(-1, 4))
        self._size, self._device = size, device

    @torch.no_grad()
    def run(self, frames: list[UInt8Array]) -> Stages:
        begin = time.perf_counter()
        images = self._detector._pre_process(np.stack(frames), 1.0)
        wait(self._device)
        middle = time.perf_counter()
        answer = self._detector._detect(images)  # the network, and the decoding of every prior
        wait(self._device)
        after = time.perf_counter()
        boxes = [b.clamp(0, 1) for b in self._detector.filter_boxes(answer)]
        for b in boxes:
            scale_boxes(self._size[::-1], b).cpu().numpy()
        return middle - begin, after - middle, time.perf_counter() - after

    def close(self) -> None:
        """Nothing is held."""


class Ours:
    """FaceDetector, timed as a whole; its stages are measured on one frame and share out that time."""

    def __init__(self, size: tuple[int, int], device: torch.device, dtype: torch.dtype) -> None:
        network = build_network(Model.MOBILENET)
        load_weights(network, find(Model.MOBILENET).path)
        self._inference = Inference(network, device=device, dtype=dtype, score_floor=0.1)
        self._detector = FaceDetector(self._inference, max_resolution=max(size), batch_size=max(BATCHES))
        self._size, self._device = size, device
        self.name = f"Anonator, {str(dtype).removeprefix('torch.')}"

    def _share(self, frame: UInt8Array) -> Stages:
        """The stages of one frame alone, where nothing runs side by side."""
        begin = time.perf_counter()
        stage(frame, self._size, RGB_MEANS, target=np.empty_like(frame))
        before = time.perf_counter() - begin
        run, network = self._inference._run, 0.0

        def timed(batch: torch.Tensor) -> Any:
            nonlocal network
            wait(self._device)
            begin = time.perf_counter()
            result = run(batch)
            wait(self._device)
            network += time.perf_counter() - begin
            return result

        self._inference._run = timed  # type: ignore[method-assign]
        begin = time.perf_counter()
        self._detector.detect([frame])
        rest = max(time.perf_counter() - begin - before - network, 0.0)
        del self._inference._run
        return before, network, rest

    def run(self, frames: list[UInt8Array]) -> Stages:
        begin = time.perf_counter()
        self._detector.detect(frames)
        whole = time.perf_counter() - begin
        parts = self._share(frames[0])
        return cast(Stages, tuple(whole * part / sum(parts) for part in parts))

    def close(self) -> None:
        self._detector.close()


class OnnxRuntime:
    """The original graph of the bundled weights; its users decode and suppress by themselves."""

    name = "ONNX Runtime, float32 (no post-processing)"

    def __init__(self, size: tuple[int, int], device: torch.device) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = cpu_threads()
        self._session = onnxruntime.InferenceSession(ONNX_BYTES, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name
        self._mean = np.array([104, 117, 123], np.float32)

    def run(self, frames: list[UInt8Array]) -> Stages:
        times = [0.0, 0.0]
        for frame in frames:  # the graph takes one picture at a time
            begin = time.perf_counter()
            x = (frame[..., ::-1].astype(np.float32) - self._mean).transpose(2, 0, 1)[None]
            x = np.ascontiguousarray(x)
            middle = time.perf_counter()
            self._session.run(None, {self._input: x})
            times[0] += middle - begin
            times[1] += time.perf_counter() - middle
        return times[0], times[1], 0.0

    def close(self) -> None:
        """Nothing is held."""


def wait(device: torch.device) -> None:
    """Until the device has done what it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


@contextmanager
def reference_weights(path: Path) -> Iterator[None]:
    """Put the published weights where the published detector looks, for as long as this runs."""
    with tempfile.TemporaryDirectory() as folder:
        checkpoints = Path(folder) / "hub" / "checkpoints"
        checkpoints.mkdir(parents=True)
        shutil.copy(path, checkpoints / "RetinaFace_mobilenet025.pth")
        os.environ["TORCH_HOME"] = folder
        yield


def candidates(
    size: tuple[int, int], device: torch.device, *, published: bool
) -> list[Published | Ours | OnnxRuntime]:
    """What is compared at that size on that device."""
    found: list[Published | Ours | OnnxRuntime] = []
    if published:
        found.append(Published(size, device))
        if device.type == "cuda":
            found.append(Published(size, device, half=True))
            found[-1].name = "published detector, fp16"
    found.append(Ours(size, device, torch.float32))
    if device.type == "cuda":
        found.append(Ours(size, device, torch.float16))
    else:
        if computes_in_bfloat16():
            found.append(Ours(size, device, torch.bfloat16))
        found.append(OnnxRuntime(size, device))
    return found


def measure(
    runners: list[Published | Ours | OnnxRuntime], frames: list[UInt8Array], batch: int, runs: int
) -> list[tuple[float, Stages]]:
    """For each runner the median milliseconds of a frame, whole and by stage; taken in turn, so that all
    suffer alike from what else the machine does."""
    taken: list[list[Stages]] = [[] for _ in runners]
    starts = range(0, len(frames) - batch + 1, batch)
    for runner in runners:
        runner.run(frames[:batch])
    for _ in range(runs):
        for start in starts:
            for runner, times in zip(runners, taken, strict=True):
                times.append(runner.run(frames[start : start + batch]))
    results = []
    for times in taken:
        stages = [statistics.median(t[i] for t in times) * 1000 / batch for i in range(3)]
        whole = statistics.median(sum(t) for t in times) * 1000 / batch
        results.append((whole, (stages[0], stages[1], stages[2])))
    return results


def machine() -> str:
    """The processor in words."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        name = next(line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    gpu = f"; {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""
    return f"{name}, {os.cpu_count()} processors, {cpu_threads()} threads for the detector{gpu}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--frames", type=int, default=30, help="frames of each run (default 30)")
    parser.add_argument("--runs", type=int, default=1, help="runs over them (default 1)")
    parser.add_argument("--output", type=Path, help="folder for detection-<date>.md")
    parser.add_argument("--reference", type=Path, default=REFERENCE, help="weights of the published detector")
    arguments = parser.parse_args()
    process_setup.prepare()
    warnings.simplefilter("ignore")
    torch.set_num_threads(cpu_threads())

    gpu, reason = choose_device(Device.AUTO)
    where = [torch.device("cpu")] + ([gpu] if gpu.type == "cuda" else [])
    published = arguments.reference.is_file()
    today = datetime.date.today().isoformat()
    lines = [
        f"# Face detection, {today}",
        "",
        f"{machine()}.",
        f"Anonator {version('anonator')}, Python {platform.python_version()}, torch {torch.__version__}, "
        f"torchvision {torchvision.__version__}, ONNX Runtime {onnxruntime.__version__}, "
        f"OpenCV {cv2.__version__}.",
        f"RetinaFace MobileNet; milliseconds a frame, median of {arguments.runs} x {arguments.frames} "
        "frames, all in turn in one run.",
        "Detector's score floor 0.1 for Anonator, 0.35 for the published one. "
        + (f"No CUDA: {reason}." if reason else ""),
        "" if published else "The published detector is left out: its weights are not there.",
    ]
    with reference_weights(arguments.reference) if published else tempfile.TemporaryDirectory():
        for device in where:
            lines += [
                "",
                f"## {device.type.upper()}",
                "",
                "| size | batch | detector | whole | pre-processing | network | post-processing "
                "| times faster |",
                "|---|---|---|---|---|---|---|---|",
            ]
            for size in tqdm(SIZES, desc=device.type):
                frames = make_frames(max(arguments.frames, max(BATCHES)), size)
                for batch in BATCHES:
                    runners = candidates(size, device, published=published)
                    results = measure(runners, frames[: max(arguments.frames, batch)], batch, arguments.runs)
                    base = results[0][0] if published else None
                    for runner, (whole, stages) in zip(runners, results, strict=True):
                        faster = f"{base / whole:.1f}" if base else ""
                        lines.append(
                            f"| {size[0]}x{size[1]} | {batch} | {runner.name} | {whole:.1f} | "
                            + " | ".join(f"{s:.1f}" for s in stages)
                            + f" | {faster} |"
                        )
                        runner.close()
    text = "\n".join(lines) + "\n"
    print(text)
    if arguments.output is not None:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / f"detection-{today}.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
