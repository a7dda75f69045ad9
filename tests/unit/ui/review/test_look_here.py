"""The mark on a place to look at: one for each face, however many doubts there are about it."""

from __future__ import annotations

from anonator.ui.review.look_here import as_one
from anonator.ui.review.marks import Box

FACE: Box = (100, 100, 200, 200)


def test_places_on_one_face_get_one_mark_around_both() -> None:
    assert as_one([FACE, (120, 90, 180, 180)]) == [(100, 90, 200, 200)]
    assert as_one([(120, 90, 180, 180), FACE, (140, 120, 260, 210)]) == [(100, 90, 260, 210)]


def test_neighbours_keep_their_own_marks() -> None:
    beside: Box = (190, 100, 290, 200)
    assert sorted(as_one([FACE, beside])) == [FACE, beside]
    assert as_one([]) == []
