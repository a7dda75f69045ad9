"""Time stamps: kept where they can be, mended where not."""

from __future__ import annotations

from fractions import Fraction

import pytest

from anonator.core.clock_text import clock_text
from anonator.core.reading.timestamps import Clock


@pytest.mark.parametrize(
    ("stamps", "wanted", "note"),
    [
        ([0, 40, 80], [0, 40, 80], None),
        ([33, 66, 100], [33, 66, 100], None),
        ([0, None, 80, None], [0, 40, 80, 120], "missing"),
        ([None, None], [0, 40], "missing"),
        ([0, 40, 40, 80], [0, 40, 41, 80], "repeated"),
        ([0, 40, 39, 80], [0, 40, 41, 80], "repeated"),
        ([5000, 5040, 0, 40], [5000, 5040, 5080, 5120], "jump back"),
        ([0, 40, 80, 0, 40, 80, 0], [0, 40, 80, 120, 160, 200, 240], "jump back"),
        ([0, 0, 40], [0, 1, 40], "repeated"),
        ([-80, -40, 0], [0, 40, 80], "below zero"),
        ([0, 7_000_000, 7_000_040], [0, 7_000_000, 7_000_040], None),
    ],
)
def test_stamps_are_kept_where_they_can_be_and_mended_where_not(
    stamps: list[int | None], wanted: list[int], note: str | None
) -> None:
    clock = Clock(Fraction(1, 1000), Fraction(25), stamps[0])
    assert [clock.next(stamp) for stamp in stamps] == wanted
    notes = " ".join(clock.notes())
    assert (note in notes) if note else notes == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00.00"), (5.123, "0:05.12"), (59.999, "1:00.00"), (3723.4, "1:02:03.40"), (-1, "0:00.00")],
)
def test_times_are_written_for_people(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text
