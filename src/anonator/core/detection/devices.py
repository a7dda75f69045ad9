"""What this machine can compute with: CUDA or the reason why not, threads, and the precision."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import cv2
import torch

from anonator.core.config import PRECISIONS, Device, Precision
from anonator.core.detection.cpu_fusion import computes_in_bfloat16
from anonator.core.detection.number_format import is_faster_in_bfloat16
from anonator.errors import DeviceError

log = logging.getLogger(__name__)

ResultT = TypeVar("ResultT")

OLDEST_GPU = (7, 0)
"""Compute capability from which float16 is fast (Volta)."""


def why_no_cuda() -> str:
    """Why CUDA cannot be used here, in words, or "" if it can."""
    if torch.version.cuda is None:
        return "this copy of PyTorch was built for CPUs only"
    with warnings.catch_warnings():
        # a driver that is too old is reported as a warning; here it is an answer like any other
        warnings.simplefilter("ignore")
        if not torch.cuda.is_available():
            return "no NVIDIA GPU with a working driver was found"
        capability = torch.cuda.get_device_capability()
        if capability < OLDEST_GPU or not _has_kernels(capability, torch.cuda.get_arch_list()):
            return f"PyTorch does not support this GPU (compute capability {capability[0]}.{capability[1]})"
        try:
            torch.zeros(1, device="cuda").add_(1).item()
        except RuntimeError as exc:
            log.warning("the GPU failed its trial: %s", exc)
            return "the GPU does not respond"
    return ""


def choose_device(wanted: Device) -> tuple[torch.device, str]:
    """Where to run, and the reason why not on CUDA: "" where it is used or was not asked for.

    Raises:
        DeviceError: CUDA was requested but isn't available.
    """
    reason = "" if wanted is Device.CPU else why_no_cuda()
    if wanted is Device.CUDA and reason:
        raise DeviceError(f"CUDA was requested, but {reason}. Choose the device auto or cpu.")
    return torch.device("cpu" if wanted is Device.CPU or reason else "cuda"), reason


def _has_kernels(capability: tuple[int, int], built_for: Iterable[str]) -> bool:
    """Whether a PyTorch that was built for these architectures (sm_86, compute_90 ...) runs on such a GPU.

    Machine code runs on the same major version from its minor one on; PTX on everything newer.
    """
    for name in built_for:
        match = re.fullmatch(r"(sm|compute)_(\d+)(\d)[af]?", name)
        if match is None:
            continue
        built = int(match[2]), int(match[3])
        if built <= capability and (match[1] == "compute" or built[0] == capability[0]):
            return True
    return False


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed for lack of memory, on the GPU or the computer."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    if isinstance(error, cv2.error):
        return error.code == cv2.Error.StsNoMem
    # pinned memory, cuDNN, cuBLAS and the CPU's allocator say it in words only
    words = ("out of memory", "alloc_failed", "can't allocate memory", "not enough memory")
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)


class Workers:
    """Threads in which torch computes, each with its own number of intra-op threads.

    One picture per single-threaded worker is faster than one picture on all threads: nothing waits at the
    barrier after each of the hundred layers, which takes ten times as long when another program
    (the encoder) holds one of the processors.
    """

    def __init__(self, count: int, threads_each: int) -> None:
        self.count, self.threads_each = count, threads_each
        self._pool = ThreadPoolExecutor(count, "anonator-detector", initializer=self._set_threads)

    def _set_threads(self) -> None:
        # the number is a thread's own; asking first makes torch set its default now and not later
        torch.get_num_threads()
        torch.set_num_threads(self.threads_each)

    def map(self, call: Callable[..., ResultT], *arguments: Iterable[Any]) -> list[ResultT]:
        """The results in order; the first exception is raised once all calls have ended."""
        futures = [self._pool.submit(call, *a) for a in zip(*arguments, strict=True)]
        errors = [error for error in (future.exception() for future in futures) if error is not None]
        if errors:
            raise errors[0]
        return [future.result() for future in futures]

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()


def choose_dtype(wanted: Precision, device: torch.device) -> torch.dtype:
    """The number format a network computes in on this device; the same on every run on one computer.

    Precision.AUTO takes float16 on a GPU and, on a CPU, bfloat16 where a trial, which is remembered, found it
    to be clearly faster.

    Args:
        wanted: what the settings ask for.
        device: where the network will run.

    Raises:
        DeviceError: the device cannot compute in what was asked for.
    """
    legal = PRECISIONS[Device(device.type)]
    if wanted not in legal:
        place = "a GPU" if device.type == "cuda" else "the CPU"
        raise DeviceError(
            f"The precision {wanted.value} was requested, but the network runs on {place}. "
            f"Choose one of {', '.join(each.value for each in legal)}, or another device."
        )
    if wanted is Precision.BFLOAT16 and not computes_in_bfloat16():
        raise DeviceError(
            "The precision bfloat16 was requested, but this processor does not support it. "
            "Choose the precision auto or float32."
        )
    if wanted is not Precision.AUTO:
        return {
            Precision.FLOAT32: torch.float32,
            Precision.FLOAT16: torch.float16,
            Precision.BFLOAT16: torch.bfloat16,
        }[wanted]
    if device.type == "cuda":
        return torch.float16
    return torch.bfloat16 if is_faster_in_bfloat16() else torch.float32
