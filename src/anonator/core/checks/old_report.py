"""Removes the report of a result that was replaced by one without, so that none tells of another file."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from anonator.core.checks.report_page import TITLE
from anonator.core.kept_report import SCHEMA
from anonator.core.windows_files import reachable

log = logging.getLogger(__name__)

MARKS = (f'"schema": "{SCHEMA}"'.encode(), f"<title>{TITLE}</title>".encode())
"""What the beginning of a report or of its page holds, and of no other file."""
BEGINNING = 2000
KEPT = "The audit report of the replaced result could not be removed. It is not this one's, so delete it."


def remove(papers: Iterable[Path]) -> bool:
    """Remove those that are reports or pages; another file of that name is left alone.

    Returns:
        False if one of them is still there.
    """
    gone = True
    for paper in map(reachable, papers):
        try:
            with paper.open("rb") as file:
                beginning = file.read(BEGINNING)
            if any(mark in beginning for mark in MARKS):
                paper.unlink()
        except FileNotFoundError:
            continue
        except OSError as exc:
            log.warning("an old report could not be removed (%s)", type(exc).__name__)
            gone = False
    return gone
