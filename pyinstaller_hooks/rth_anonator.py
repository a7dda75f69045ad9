"""Runs in the frozen program before all else: streams that exist, sharp windows, children left alone."""

import os
import sys

# a windowed program has no streams, and libraries write to them without asking
for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
    if getattr(sys, name) is None:
        setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115

if sys.platform == "win32":
    import ctypes

    # before the first window of any kind, even the message box of a failed start; 1: the system's scaling
    try:
        ctypes.windll.shcore.SetProcessDpiAwareness(1)
    except (AttributeError, OSError):
        ctypes.windll.user32.SetProcessDPIAware()

if sys.platform == "linux":
    # the programs that are started to show a folder or a video must find their own libraries, not these
    before = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    os.environ.pop("LD_LIBRARY_PATH", None)
    if before:
        os.environ["LD_LIBRARY_PATH"] = before
