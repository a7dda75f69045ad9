"""What both benchmarks share: the modes by name, the machine in words, and tables."""

from __future__ import annotations

import datetime
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

import av

from anonator.core.config import Mode, Performance, Settings

CLIPS = Path(__file__).resolve().parents[2] / "shared" / "clips"
"""Where the reference clips are, next to a checkout."""

STAGES = ("reading", "detection", "tracking", "masking", "writing", "checks")
"""Whose time a job tells; the checks are those of all attempts."""

MODES: dict[str, Callable[[], Settings]] = {
    "hipaa-original": lambda: Settings(performance=Performance.ORIGINAL),
    "hipaa-quality": lambda: Settings(performance=Performance.QUALITY),
    "hipaa-balanced": lambda: Settings(performance=Performance.BALANCED),
    "original": lambda: Settings.standard(performance=Performance.ORIGINAL),
    "quality": lambda: Settings.standard(performance=Performance.QUALITY),
    "balanced": lambda: Settings.standard(performance=Performance.BALANCED),
    "maximum": lambda: Settings.standard(performance=Performance.MAXIMUM),
}
"""Settings of every mode that the window offers, by the names that tables use."""


def settings_of(mode: str, mask: Mode = Mode.SOLID) -> Settings:
    """The settings of a mode; HIPAA's only with solid masks.

    Raises:
        SystemExit: there is no such mode, or HIPAA is asked for with another mask.
    """
    if mode not in MODES:
        raise SystemExit(f"{mode!r} is no mode; choose from: {', '.join(MODES)}")
    settings = MODES[mode]()
    if mask is Mode.SOLID:
        return settings
    if settings.hipaa:
        raise SystemExit("HIPAA mode has solid masks only; choose standard modes with --modes.")
    return Settings.standard(performance=settings.performance, mode=mask)


def processor_name() -> str:
    """The processor in words, as far as the system tells."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """Logical processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def where_and_when() -> str:
    """Date and machine, for the line above a table."""
    today = datetime.datetime.now().astimezone().date().isoformat()
    busy = f", load before {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    return (
        f"{today}, {processor_name()}, {cores()} cores{busy}, {platform.system()}, "
        f"Python {platform.python_version()}, PyAV {av.__version__}"
    )


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """A markdown table: the first columns, as many as left says, to the left, all others to the right."""
    lines = [head, [*["---"] * left, *["---:"] * (len(head) - left)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
