"""The package openvino: whether it is here, what it runs on, and imported so that it reports nothing."""

from __future__ import annotations

import importlib
import logging
import sys
from importlib.util import find_spec
from typing import Any, cast

from anonator.core.config import Device

log = logging.getLogger(__name__)

PLACES = {Device.INTEL_GPU: "GPU", Device.OPENVINO_CPU: "CPU"}
"""OpenVINO's names for the devices on which it runs."""


def import_openvino() -> Any:
    """The package openvino, without the part of it that reports its use over the network.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    reporter = "openvino_telemetry"
    if reporter in sys.modules or "openvino" in sys.modules:
        return importlib.import_module("openvino")
    sys.modules[reporter] = cast(Any, None)  # importing it fails, and openvino goes on with a dummy
    try:
        return importlib.import_module("openvino")
    finally:
        del sys.modules[reporter]


def has(core: Any, device: Device) -> bool:
    """Whether OpenVINO finds such a device."""
    return any(name.split(".")[0] == PLACES[device] for name in core.available_devices)


def usable_devices() -> tuple[Device, ...]:
    """The devices on which OpenVINO could run here; none where it isn't installed or can't be loaded."""
    if "openvino" not in sys.modules and find_spec("openvino") is None:
        return ()
    try:
        core = import_openvino().Core()
        return tuple(device for device in PLACES if has(core, device))
    except Exception as exc:  # whatever is wrong with it, it is of no use
        log.warning("OpenVINO cannot be loaded: %s", exc)
        return ()
