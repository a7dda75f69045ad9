"""Covers the faces in your videos, offline, on your own computer.

    import anonator

    result = anonator.anonymize("visit.mp4")
    print(result.target, result.masked_frames)

This is the whole public interface. Importing it is quick: torch and FFmpeg are loaded when a job starts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = [
    "Detections",
    "Detector",
    "Device",
    "Encoder",
    "JobResult",
    "Mode",
    "Model",
    "Performance",
    "Preview",
    "Progress",
    "Settings",
    "Stage",
    "TrackingSettings",
    "__version__",
    "anonymize",
    "errors",
]

if TYPE_CHECKING:
    from anonator import errors
    from anonator.api import anonymize
    from anonator.core.config import (
        Device,
        Encoder,
        Mode,
        Model,
        Performance,
        Settings,
    )
    from anonator.core.detection.detector_protocol import Detector
    from anonator.core.frames import Detections
    from anonator.core.job import JobResult, Preview, Progress, Stage
    from anonator.core.tracking_settings import TrackingSettings

    __version__: str
else:
    # hidden from type checkers, which would believe that every name is here
    _MODULES = {
        "Detections": "anonator.core.frames",
        "Detector": "anonator.core.detection.detector_protocol",
        "Device": "anonator.core.config",
        "Encoder": "anonator.core.config",
        "JobResult": "anonator.core.job",
        "Mode": "anonator.core.config",
        "Model": "anonator.core.config",
        "Performance": "anonator.core.config",
        "Preview": "anonator.core.job",
        "Progress": "anonator.core.job",
        "Settings": "anonator.core.config",
        "Stage": "anonator.core.job",
        "TrackingSettings": "anonator.core.tracking_settings",
        "anonymize": "anonator.api",
    }

    def __getattr__(name):
        """Load a public name at its first use."""
        import importlib

        if name == "errors":
            return importlib.import_module("anonator.errors")
        if name == "__version__":
            import importlib.metadata

            value = importlib.metadata.version("anonator")
        elif name in _MODULES:
            value = getattr(importlib.import_module(_MODULES[name]), name)
        else:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        globals()[name] = value
        return value

    def __dir__():
        """Everything public, also what isn't loaded yet."""
        return sorted({*globals(), *__all__})
