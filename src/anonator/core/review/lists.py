"""Lists of what is covered: frame by frame as MOT has it, and stretch by stretch for people and records."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from anonator.core.review.analysis import Analysis
from anonator.core.review.covered import covered, stretches
from anonator.core.review.edits import Edit
from anonator.core.review.reviewed import apply

HEADER = ("from_seconds", "to_seconds", "what", "state", "reason", "by")
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be computed by a spreadsheet."""


def to_mot(analysis: Analysis, edits: Sequence[Edit]) -> Iterator[str]:
    """Lines of MOT CSV: frame and id from 1, left, top, width, height, confidence, three unused fields."""
    numbers: dict[int, int] = {}
    for index, places in enumerate(covered(analysis, edits), 1):
        for id, (x1, y1, x2, y2) in places.items():
            number = numbers.setdefault(id, len(numbers) + 1)
            yield f"{index},{number},{x1:.2f},{y1:.2f},{x2 - x1:.2f},{y2 - y1:.2f},1,-1,-1,-1\n"


def to_redaction_list(analysis: Analysis, edits: Sequence[Edit]) -> str:
    """What is covered or left visible, from when to when, why, and by whom, as CSV."""
    state = apply(edits, analysis)
    frames: dict[int, list[int]] = {}
    for index, places in enumerate(covered(analysis, edits)):
        for id in places:
            frames.setdefault(id, []).append(index)
    reasons = {-1 - edit.number: edit.reason for edit in edits}
    areas = {id for id, _, _ in state.areas}
    rows: list[tuple[int, int, str, str, str, str]] = []
    for id, indexes in frames.items():
        drawn = id < 0 and id in ({each for each, _ in state.added} | areas)
        what = f"area {-1 - id}" if id in areas else f"cover {-1 - id}" if drawn else f"face {id}"
        by = "person" if drawn and id not in state.of_program else "program"
        for first, last in stretches(indexes):
            begin, end = analysis.pts[first], analysis.pts[last]
            rows.append((begin, end, what, "covered", reasons.get(id, "") if drawn else "", by))
    for id, (begin, end), reason in state.visible:
        rows.append(
            (begin, end, f"face {id}" if id >= 0 else f"cover {-1 - id}", "visible", reason, "person")
        )
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    numerator, denominator = analysis.key.time_base
    for begin, end, what, how, reason, by in sorted(rows):
        times = (f"{pts * numerator / denominator:.3f}" for pts in (begin, end))
        writer.writerow((*times, what, how, f"'{reason}" if reason.startswith(FORMULA) else reason, by))
    return text.getvalue()
