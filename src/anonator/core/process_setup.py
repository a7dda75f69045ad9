"""Changes to the whole process, each in its own function, so that importing a module changes nothing."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from typing import Any

SWITCH_SECONDS = 0.001
"""A thread that holds Python's lock releases it after this long if the window is waiting for it. Python's own
value, 5 ms, adds up when several workers are waiting."""


def prepare() -> None:
    """Make this process ready for jobs; call it once per process, before the first video is opened.

    The terminal, the public API and the tests all begin with it. Calling it again is harmless.
    """
    keep_freed_memory()
    let_waiting_threads_sleep()
    prepare_ffmpeg()


def prepare_window() -> None:
    """Make this process ready for the window, without loading FFmpeg: that would delay the window."""
    keep_freed_memory()
    let_waiting_threads_sleep()
    sys.setswitchinterval(SWITCH_SECONDS)


def prepare_ffmpeg() -> None:
    """Keep FFmpeg's messages out of every log, as they may hold paths, and let PyAV take new side data."""
    import av  # not loaded with this module, which the window needs at its start
    from av.sidedata import sidedata

    av.logging.set_level(None)
    # A frame's side data can't be read at all while PyAV has no name for one of its kinds: EXIF data and the
    # views of spatial video made whole files unreadable.
    with contextlib.suppress(AttributeError, TypeError):
        sidedata.Type._missing_ = classmethod(_unknown_side_data)  # type: ignore[method-assign, assignment]


def _unknown_side_data(kind: type[Any], value: object) -> Any:
    """A stand-in for a kind of side data that FFmpeg knows and PyAV does not name yet."""
    member = object.__new__(kind)
    member._name_, member._value_ = f"UNKNOWN_{value}", value
    return member


def let_waiting_threads_sleep() -> None:
    """Where OMP_NUM_THREADS is set, let PyTorch's threads sleep while they wait for each other.

    Clusters often set it to 1, and the detector's own threads then spin after every layer while another
    program has their processor: a job of 12 small frames took 13 s of processor time on a busy machine, 1.2 s
    like this. It has an effect only before PyTorch is loaded.
    """
    if "OMP_NUM_THREADS" in os.environ:
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def keep_freed_memory() -> None:
    """Let glibc keep what a network frees for its next picture, in few arenas, instead of giving it back.

    Otherwise every layer's memory is mapped and cleared again. Measured on two cores at 1080p in HIPAA mode:
    12 % more frames per second and 4 % less peak memory. Other systems' allocators do so by themselves.
    """
    if not sys.platform.startswith("linux"):
        return
    trim_threshold, mmap_threshold, arena_max = -1, -3, -8  # from malloc.h
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(arena_max, 2)
        mallopt(mmap_threshold, 256 * 1024 * 1024)
        mallopt(trim_threshold, 512 * 1024 * 1024)


def give_back_freed_memory() -> None:
    """Give the system back what keep_freed_memory kept, between parts of a job that need other sizes."""
    if sys.platform.startswith("linux"):
        malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if malloc_trim is not None:
            malloc_trim(0)


def keep_awake() -> contextlib.AbstractContextManager[object]:
    """A context that keeps the computer from falling asleep, if the system supports that."""
    from wakepy import keep

    return keep.running(on_fail="pass")
