"""Holds what is installed against requirements/build.txt, and PyTorch against the wanted flavour."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import Version

FILE = Path(__file__).resolve().parents[1] / "requirements" / "build.txt"
CUDA_PARTS = ("cuda-", "nvidia-", "triton")
"""Packages that the pinned PyTorch for CUDA asks for."""


class BuildError(Exception):
    """The program cannot be built; the text says why and what to do."""


def read(text: str) -> list[Requirement]:
    """The requirements of a compiled file that count on this computer."""
    lines = (line.split("#")[0].rstrip() for line in text.splitlines())
    whole = "\n".join(lines).replace("\\\n", " ").splitlines()
    pins = [Requirement(re.sub(r"--hash=\S+", "", line).strip()) for line in whole if line.strip()]
    return [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]


def pinned_version(pin: Requirement) -> str:
    """The one version that a pin allows."""
    return next(iter(pin.specifier)).version


def installed_version(name: str) -> str | None:
    """The version of an installed package, or None."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def differences(pins: Iterable[Requirement], installed: Callable[[str], str | None]) -> list[str]:
    """Sentences about pins that are not met; the "+cu126" of a version does not count.

    A PyTorch from another place than the pinned one brings its own CUDA or none, so the pins of
    NVIDIA's packages are not asked of it.

    Args:
        pins: of this computer.
        installed: gives a package's version or None.
    """
    foreign = "+" in (installed("torch") or "")
    found = []
    for pin in pins:
        if foreign and pin.name.startswith(CUDA_PARTS):
            continue
        version, wanted = installed(pin.name), pinned_version(pin)
        if version is None:
            found.append(f"{pin.name} {wanted} is missing")
        elif Version(version).public != Version(wanted).public:
            found.append(f"{pin.name} is {version} instead of {wanted}")
    return found


def compare(pins: Iterable[Requirement], *, go_on: bool) -> list[str]:
    """Hold what is installed against the pins; sentences for the person who builds.

    Raises:
        BuildError: it differs, and go_on is False.
    """
    found = differences(pins, installed_version)
    if found and not go_on:
        raise BuildError(
            "what is installed is not what this program is built from: " + "; ".join(found) + ". "
            "Run: uv pip install --require-hashes --no-deps -r requirements/build.txt, "
            "and then: uv run --no-sync python build.py. Or go on with --allow-other-versions."
        )
    for name in ("torch", "torchvision"):
        if "+" in (version := installed_version(name) or ""):
            found.append(f"{name} {version} is not from the place of the pins, so its hash is not theirs")
    return found


def torch_cuda() -> str:
    """The version of CUDA that the installed PyTorch was built for, or "".

    Raises:
        BuildError: it cannot be imported.
    """
    code = "import torch; print(torch.version.cuda or '')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        raise BuildError("PyTorch cannot be imported. Run: uv sync")
    return done.stdout.strip()


def flavour_of(cuda: str, wanted: str | None) -> str:
    """The flavour, "cpu" or "cuda", that the installed PyTorch gives.

    Args:
        cuda: what torch_cuda says.
        wanted: the flavour that it must be, or None.

    Raises:
        BuildError: the other one is wanted.
    """
    if wanted == "cuda" and not cuda:
        raise BuildError(
            "--cuda needs a PyTorch for CUDA, and the installed one is for CPUs only. "
            "Run: uv pip install torch torchvision --torch-backend=auto (cu126 instead of auto on a computer "
            "without a GPU), and then: uv run --no-sync python build.py --cuda."
        )
    if wanted == "cpu" and cuda:
        raise BuildError(
            f"--cpu needs a PyTorch without CUDA, and the installed one is for CUDA {cuda}. "
            "Run: uv pip install torch torchvision --torch-backend=cpu, "
            "and then: uv run --no-sync python build.py --cpu."
        )
    return "cuda" if cuda else "cpu"


def exchange_torch(backend: str, pins: Iterable[Requirement]) -> None:
    """Let uv install the pinned PyTorch from the place that holds that backend's; no hash is known there.

    Raises:
        BuildError: there is no uv, or it found nothing.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise BuildError("--torch-backend needs uv on the PATH. Install uv, or PyTorch yourself.")
    wanted = [f"{pin.name}=={pinned_version(pin)}" for pin in pins if pin.name in ("torch", "torchvision")]
    again = [f"--reinstall-package={pin.split('==')[0]}" for pin in wanted]
    command = [
        uv,
        "pip",
        "install",
        "--python",
        sys.executable,
        f"--torch-backend={backend}",
        *again,
        *wanted,
    ]
    if subprocess.run(command, check=False).returncode:
        raise BuildError(f"uv found no {' and '.join(wanted)} for {backend}; its message is above.")
