"""Loads torch and whatever else the engine needs without freezing the window."""

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
"""Hold this while libraries are mapped. The system's loader admits one thread at a time, so an import of
compiled modules that waits for it while holding Python's lock would freeze the window."""
TORCH_LIBRARIES = ("libtorch_global_deps.so", "libtorch_python.so")


@contextlib.contextmanager
def smoothly() -> Iterator[None]:
    """Import and load inside this context, in a worker.

    Two things used to freeze the window for a quarter of a second or more: Python's garbage collector, which
    kept walking through hundreds of thousands of new objects, and the system's loader, which maps torch's
    libraries while Python waits. So the collector is paused, and it skips what was loaded from then on. If
    torch is already loaded, nothing is done, because the rest is small.
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
    """Map torch's libraries into memory first, since an import would do it while holding Python's lock.

    Calling the system's loader through ctypes lets the other threads run. On Windows, torch already loads
    its libraries this way. If mapping fails, the import will say why.
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
            logger.debug("torch's libraries weren't mapped beforehand")
            return
