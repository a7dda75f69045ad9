"""Events for tests that drive the program, written only where ANONATOR_UI_EVENTS names a file."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

VARIABLE = "ANONATOR_UI_EVENTS"


class EventLog:
    """Appends one JSON line an event to a file, or does nothing."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    @classmethod
    def from_environment(cls) -> EventLog:
        """The log that the environment asks for."""
        name = os.environ.get(VARIABLE)
        return cls(Path(name) if name else None)

    def write(self, event: str, **fields: Any) -> None:
        """Append an event, with the seconds of a clock that all processes share."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8", errors="surrogateescape") as file:
                file.write(json.dumps({"ev": event, "t": time.monotonic(), **fields}) + "\n")
