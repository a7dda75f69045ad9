"""Which number format is faster on this processor: tried once, and remembered for the next start.

Instructions for bfloat16 don't tell: on some processors they make the network twice as fast as in float32, on
others half as fast. Two runs of a job must not find different scores, so the answer is kept.
"""

from __future__ import annotations

import hashlib
import json
import logging
import platform
import threading
import time
from pathlib import Path

import platformdirs
import torch
from torch import __version__ as torch_version
from torch import nn

from anonator.core import durable_files
from anonator.core.detection.cpu_fusion import fuse_for_cpu, has_bfloat16_instructions

log = logging.getLogger(__name__)

REAL_DIFFERENCE = 0.9
"""bfloat16 is taken where it needs no more than this part of float32's time."""
ROUNDS = 7
"""Of each format in turn; the best counts, because other programs only ever make it slower."""
SHAPE = (1, 64, 68, 120)
"""Of features at a stride of 8, where most of the time goes, for a picture seen at 960x544."""
_known: dict[str, str] = {}
_lock = threading.Lock()


def is_faster_in_bfloat16() -> bool:
    """Whether the network runs clearly faster in bfloat16 than in float32 on this processor.

    A trial of a fraction of a second decides, once for each processor and version of PyTorch. Where its
    outcome cannot be kept, every start tries again.
    """
    if not has_bfloat16_instructions():
        return False
    key = _processor()
    with _lock:
        chosen = _known.get(key) or _kept().get(key)
        if chosen not in ("float32", "bfloat16"):
            chosen = _try()
            _keep({**_kept(), key: chosen})
        _known[key] = chosen
    return chosen == "bfloat16"


def remembered_in() -> Path:
    """The file that says which format each processor is faster in."""
    return platformdirs.user_state_path("Anonator", appauthor=False) / "number-formats.json"


def _processor() -> str:
    """What tells this processor and PyTorch from others; one home folder may serve several computers."""
    try:
        told = str(sorted(torch.cpu.get_capabilities().items()))
    except AttributeError:  # PyTorch before 2.10
        told = ""
    name = platform.processor()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        lines = cpuinfo.read_text("utf-8", "replace").split("\n\n")[0].splitlines()
        kept = ("vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU part")
        name += str([line for line in lines if line.startswith(kept)])
    return hashlib.sha256(f"{torch_version} {name} {told}".encode()).hexdigest()[:16]


def _kept() -> dict[str, str]:
    try:
        known = json.loads(remembered_in().read_bytes())
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in known.items()} if isinstance(known, dict) else {}


def _keep(known: dict[str, str]) -> None:
    path = remembered_in()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        durable_files.write(path, json.dumps(known).encode())
    except OSError as exc:
        log.warning("the faster number format can't be remembered (%s)", type(exc).__name__)


def _try() -> str:
    """Run layers like those of the network in both formats, and name the one to take."""
    outcome: list[str] = []
    # a thread of its own, as for the detector: the number of intra-op threads belongs to a thread
    thread = threading.Thread(target=lambda: outcome.append(_faster()), name="anonator-trial")
    thread.start()
    thread.join()
    return outcome[0] if outcome else "float32"


@torch.inference_mode()
def _faster() -> str:
    torch.get_num_threads()
    torch.set_num_threads(1)
    formats = (torch.float32, torch.bfloat16)
    layers = [_layers(dtype) for dtype in formats]
    shape = torch.full(SHAPE, 0.5)
    features = [shape.to(dtype=each, memory_format=torch.channels_last) for each in formats]
    best = [float("inf")] * len(formats)
    for _ in range(ROUNDS):
        for i, (network, picture) in enumerate(zip(layers, features, strict=True)):
            begin = time.perf_counter()
            network(picture)
            best[i] = min(best[i], time.perf_counter() - begin)
    chosen = "bfloat16" if best[1] <= REAL_DIFFERENCE * best[0] else "float32"
    milliseconds = [f"{1000 * each:.1f}" for each in best]
    log.info("float32 took %s ms and bfloat16 %s, so the network runs in %s", *milliseconds, chosen)
    return chosen


def _layers(dtype: torch.dtype) -> nn.Module:
    """One of each kind of layer that a light network is made of."""
    channels = SHAPE[1]
    layers = nn.Sequential(
        nn.Conv2d(channels, channels, 3, padding=1),
        nn.LeakyReLU(0.1),
        nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
        nn.LeakyReLU(0.1),
        nn.Conv2d(channels, channels, 1),
    )
    layers.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]
    fuse_for_cpu(layers)
    return layers.eval()
