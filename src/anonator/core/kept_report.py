"""Reads the audit report of a finished file, as far as it still tells of that file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from anonator.core.windows_files import reachable

SCHEMA = "anonator-report"
LARGEST_REPORT = 64 * 1024 * 1024
"""A larger file isn't a report."""


def read(report: Path, result_bytes: int) -> dict[str, Any]:
    """What a report holds; nothing if it isn't there, is no report, or tells of another file.

    Args:
        report: the JSON file.
        result_bytes: length of the finished file; one that was replaced or cut since has another.
    """
    path = reachable(report)
    try:
        if path.stat().st_size > LARGEST_REPORT:
            return {}
        said = json.loads(path.read_bytes())
        if said["schema"] == SCHEMA and said["output"]["bytes"] == result_bytes:
            return dict(said)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        pass
    return {}
