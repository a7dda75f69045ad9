"""Short names for PyAV's types."""

from __future__ import annotations

from typing import TypeAlias

import av
from av.stream import Stream

Packet: TypeAlias = "av.Packet[Stream]"
"""A packet of any stream; PyAV's own class takes no parameter while the program runs."""
