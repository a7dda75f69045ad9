"""What the desk says about doubts and tracks."""

from __future__ import annotations

import pytest

from anonator.ui.review.desk import in_short, name_of
from anonator.ui.review.times import Times


@pytest.mark.parametrize(
    ("sentence", "short"),
    [
        ("A face was found only once.", "A face was found only once."),
        ("One; two.", "One; two."),
        ("One; two; three.", "One; two; three."),
        ("One; two; three; four.", "One; two; and 2 more reasons."),
    ],
)
def test_a_card_names_the_first_reasons_and_counts_the_rest(sentence: str, short: str) -> None:
    assert in_short(sentence) == short


def test_tracks_are_called_as_in_lists_for_other_programs() -> None:
    assert [name_of(3, "program"), name_of(-3, "person"), name_of(-4, "area")] == [
        "Face 3",
        "Cover 2",
        "Area 3",
    ]


def test_times_go_by_pts_and_never_by_rate() -> None:
    times = Times((0, 10, 11, 40), (1, 10))
    assert [times.index_of(pts) for pts in (-5, 0, 9, 10, 39, 99)] == [0, 0, 0, 1, 2, 3]
    assert times.index_at(1.04) == 1 and times.seconds(3) == 4.0 and times.length == 4.0
    assert times.span(1.0, 3.9) == (10, 11) and times.whole == (0, 40)
