"""Loads torch and what else the engine needs, so that the window goes on meanwhile."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

logger = logging.getLogger(__name__)

alone = threading.Lock()
"""Held while libraries are mapped. The system's loader lets in one thread at a time, so an import of compiled
modules that waits for it, with Python's lock in its hands, would stop the window as well: hold this first."""
TORCH_LIBRARIES = ("libtorch_global_deps.so", "libtorch_python.so")


@contextlib.contextmanager
def smoothly() -> Iterator[None]:
    """Import and load inside of this, in a worker.

    Two things held up the window for a quarter of a second and more: Python's collector, which walked again
    and again through the hundreds of thousands of new objects, and the system's loader, which maps torch's
    libraries while Python waits. So the collector rests, and what was loaded is exempt from it for good.
    Nothing is done where torch is there already: what comes then is small.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        with alone:
            map_torch()
        yield
    finally:
        gc.freeze()
        gc.enable()


def map_torch() -> None:
    """Map torch's libraries into memory, where an import would do it while it holds Python's lock.

    Calling the system's loader through ctypes lets the other threads go on. Windows does it in this way
    anyway, since torch itself loads its libraries so there. If it fails, the import says why.
    """
    if sys.platform != "linux":
        return
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.argtypes, dlopen.restype = (ctypes.c_char_p, ctypes.c_int), ctypes.c_void_p
    for name in TORCH_LIBRARIES:
        path = Path(spec.origin).parent / "lib" / name
        flags = os.RTLD_NOW | (os.RTLD_GLOBAL if name == TORCH_LIBRARIES[0] else os.RTLD_LOCAL)
        if not path.is_file() or not dlopen(os.fsencode(path), flags):
            logger.debug("torch's libraries were not mapped beforehand")
            return
