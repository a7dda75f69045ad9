"""Where results go: which names are taken, and the next free one."""

from __future__ import annotations

import itertools
from collections.abc import Collection
from pathlib import Path

from anonator.core.config import Settings
from anonator.core.processor import default_target, report_target, result_target


def is_taken(target: Path, settings: Settings) -> bool:
    """Whether a result of that name, or the report that belongs to it, is there already."""
    return target.exists() or (settings.report and report_target(target).exists())


def has_result(source: Path, folder: Path | None, settings: Settings) -> bool:
    """Whether a job would meet an older result of the same video; random names never do."""
    return not settings.neutral_name and is_taken(default_target(source, folder), settings)


def free_target(
    source: Path,
    folder: Path | None,
    settings: Settings,
    *,
    may_replace: bool,
    just_made: Collection[Path | None],
) -> tuple[Path, bool]:
    """The result's path and whether it may replace a file: numbered where a result has that name.

    Args:
        source: the video.
        folder: where results go; None is beside the video.
        settings: of the job.
        may_replace: whether the user wants an older result replaced.
        just_made: results of this queue, which are never replaced.
    """
    target = result_target(source, folder, settings)
    if may_replace and target not in just_made:
        return target, True
    numbered = (target.with_name(f"{target.stem}_{n}{target.suffix}") for n in itertools.count(2))
    free = (path for path in itertools.chain((target,), numbered) if not is_taken(path, settings))
    return next(free), False
