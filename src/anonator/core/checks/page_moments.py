"""Which moments the report's page names as worth a look, and in which words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from anonator.core.checks.moments import Why
from anonator.core.clock_text import clock_text

Facts = Mapping[str, Any]

REASONS = {
    Why.SUSPECTED.value: (
        "The second detector saw something uncovered that may be a face.",
        "The second detector saw something uncovered that may be a face, {} times.",
    ),
    Why.BRIDGED.value: (
        "A face was not detected for a while, and stayed covered where it was expected.",
        "Faces were not detected for a while, {} times, and stayed covered where they were expected.",
    ),
    Why.UNCERTAIN.value: (
        "Something was covered that could hardly be recognized as a face.",
        "{} things were covered that could hardly be recognized as faces.",
    ),
}
"""Why a moment is worth a look, for one and for several."""
REPAIRED = (
    "The search missed a face here; a check found it, and it was covered.",
    "The search missed faces here, {} times; a check found them, and they were covered.",
)
"""The same for what the second look found."""
REPAIRED_TOGETHER_SECONDS = 1.0
"""Repairs closer than this are one moment: each covers more widely for a second before and after."""
ROWS = 8
"""More moments would not fit on the page, nor be looked at."""


def moments_of(facts: Facts) -> tuple[list[tuple[str, str]], int]:
    """The moments that the page names, in order of time, and how many more there are.

    Args:
        facts: what the report's JSON file holds.

    Returns:
        When and why of each, as text.
    """
    found = [(start, end, _for(count, REPAIRED)) for start, end, count in _repairs(facts["repaired"])]
    found += [
        (each["start_seconds"], each["end_seconds"], _for(each["count"], REASONS[each["why"]]))
        for each in sorted(facts["moments"], key=_least_important_last)
    ]
    shown = sorted(found[:ROWS], key=lambda each: (each[0], each[1]))
    left_out = facts["moments_left_out"] + len(found) - len(shown)
    return [(_span(start, end), why) for start, end, why in shown], left_out


def _least_important_last(moment: Facts) -> tuple[int, float]:
    """In the order of the reasons, and long moments before short ones."""
    return list(Why).index(Why(moment["why"])), moment["start_seconds"] - moment["end_seconds"]


def _repairs(repaired: Iterable[Facts]) -> list[tuple[float, float, int]]:
    """Begin, end and number of the faces that the search missed, those close together as one."""
    joined: list[tuple[float, float, int]] = []
    for seconds in sorted(face["seconds"] for face in repaired):
        if joined and seconds - joined[-1][1] <= REPAIRED_TOGETHER_SECONDS:
            start, _, count = joined.pop()
            joined.append((start, seconds, count + 1))
        else:
            joined.append((seconds, seconds, 1))
    return joined


def _for(count: int, sentences: tuple[str, str]) -> str:
    one, several = sentences
    return one if count == 1 else several.format(f"{count:,}")


def _span(start: float, end: float) -> str:
    first, last = clock_text(start, 1), clock_text(end, 1)
    return first if first == last else f"{first} to {last}"
