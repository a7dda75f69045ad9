"""What a job is: an input, the name of its output, and the settings."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from anonator.core.config import Settings

SUFFIX = "_anonymized"
RESULT_NAME = re.compile(rf"(?P<stem>.*){SUFFIX}(_\d+)?\.mp4$", re.IGNORECASE | re.DOTALL)
"""Names that results get, numbered if they were taken, with the stem of the video."""
REPORT_SUFFIX = "_report.json"
NOT_COVERED = (
    "Only faces are covered. Name tags, screens and papers stay visible, and voices stay if sound is kept."
)
"""What people must look after themselves, said where they start a job and in its report."""


@dataclass(frozen=True, slots=True)
class Job:
    """One video to be anonymized."""

    source: Path
    """The input; it is only ever read."""
    target: Path
    """The output's final name."""
    settings: Settings
    """How to do it."""
    overwrite: bool = False
    """Whether an existing target, and the report next to it, may be replaced."""

    @property
    def report_target(self) -> Path:
        """The audit report's final name."""
        return report_target(self.target)


def default_target(source: Path, folder: Path | None = None) -> Path:
    """<name>_anonymized.mp4 next to the source, or in that folder."""
    return (folder or source.parent) / f"{source.stem}{SUFFIX}.mp4"


def result_target(source: Path, folder: Path | None, settings: Settings) -> Path:
    """The output's name according to the settings: based on the source's, or random with neutral_name.

    A random name is different at every call.
    """
    if settings.neutral_name:
        return (folder or source.parent) / f"{secrets.token_hex(4)}{SUFFIX}.mp4"
    return default_target(source, folder)


def report_target(target: Path) -> Path:
    """The name of the report that belongs to an output."""
    return target.with_name(target.stem + REPORT_SUFFIX)
