"""Finds the results that earlier runs made, and what is known about them; slow, so call it in a worker."""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterable, Sequence
from itertools import count
from pathlib import Path

from anonator.core import kept_report
from anonator.core.config import Settings
from anonator.core.job import RESULT_NAME, page_target, report_target
from anonator.core.reading.containers import VIDEO_SUFFIXES
from anonator.core.result_names import plan
from anonator.core.wording import NOBODY_YET
from anonator.errors import AnonatorError
from anonator.ui.state.job import ResultFile
from anonator.ui.work.thumbnails import video_module

MOST_WARNINGS = 20
SAME_LENGTH_SECONDS = 0.5
"""A result lasts as long as its video, but for this."""


def look_into(path: Path, report_folder: Path | None = None) -> ResultFile | None:
    """What its report or the file alone tells about a finished video; None if it isn't there.

    Args:
        path: the finished video.
        report_folder: where reports are saved now; earlier ones may also be next to their results.
    """
    try:
        status = path.stat()
    except OSError:
        return None
    changed = datetime.datetime.fromtimestamp(status.st_mtime).astimezone()
    for folder in dict.fromkeys((report_folder, None)):
        report = report_target(path, folder)
        said = kept_report.read(report, status.st_size)
        with contextlib.suppress(ValueError, KeyError, TypeError):
            made = datetime.datetime.fromisoformat(said["times"]["finished"]).astimezone()
            page = page_target(path, folder)
            shown = page if _tells_of(page, said["output"]["sha256"]) else report
            return ResultFile(path, shown, bool(said["settings"]["hipaa"]), made, *_told(said))
    return ResultFile(path, made=changed)


def _told(report: dict[str, object]) -> tuple[str | None, tuple[str, ...]]:
    """Who signed a result, and what people must know about it."""
    by, warnings = report.get("reviewed_by"), report.get("warnings")
    signed = None if not isinstance(by, str) else "" if by == NOBODY_YET else by
    kept = [each for each in warnings if isinstance(each, str)] if isinstance(warnings, list) else []
    return signed, tuple(kept[:MOST_WARNINGS])


def _tells_of(page: Path, sha256: str) -> bool:
    """Whether a page is that of the result with this digest, and not left over from another."""
    try:
        return page.stat().st_size < kept_report.LARGEST_REPORT and sha256 in page.read_text("utf-8")
    except (OSError, ValueError):
        return False


def find(
    source: Path, folder: Path | None, report_folder: Path | None, namesakes: Sequence[Path]
) -> ResultFile | None:
    """The newest result of a video, where a run would save it.

    Args:
        source: the video.
        folder: where results are saved; None means next to each video.
        report_folder: where reports are saved; None means next to each result.
        namesakes: the videos of the queue whose results would have the same name, in their order, source
            among them. Each then has the one that a run would give it.
    """
    names = plan(namesakes, folder, Settings(), report_folder=report_folder)
    target = next(name.target for name in names if name.source == source)
    candidates = [target]
    if len(namesakes) == 1:
        numbered = (target.with_name(f"{target.stem}_{number}{target.suffix}") for number in count(2))
        for other in numbered:
            if not os.path.lexists(other):
                break
            candidates.append(other)
    found = [result for path in candidates if (result := look_into(path, report_folder)) is not None]
    found = [result for result in found if _lasts_as_long(source, result.path)]
    return max(found, key=lambda result: (result.made is not None, result.made), default=None)


def original_of(result: Path, known: Iterable[Path]) -> Path | None:
    """The video that a result was made from, by its name: one that is known, or one next to it."""
    match = RESULT_NAME.match(result.name)
    if match is None:
        return None
    stem = match["stem"]
    for path in known:
        if path.stem == stem and path != result:
            return path
    try:
        beside = sorted(path for path in result.parent.iterdir() if path.stem == stem)
    except OSError:
        return None
    return next((path for path in beside if path.suffix.lower() in VIDEO_SUFFIXES), None)


def _lasts_as_long(source: Path, result: Path) -> bool:
    """Whether one may have been made from the other: another patient's may have the same name."""
    try:
        lengths = [video_module().probe(path).duration_seconds for path in (source, result)]
    except AnonatorError:
        return False
    return None in lengths or abs(float(lengths[0]) - float(lengths[1])) <= SAME_LENGTH_SECONDS
