"""How many threads look for faces."""

from __future__ import annotations

import os


def cpu_threads() -> int:
    """Threads for the detector: all of two processors, three quarters of more; the encoder needs the rest."""
    affinity = getattr(os, "sched_getaffinity", None)  # not on Windows
    count = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return max(count - count // 4, 1) if count > 2 else count
