"""What a finding of the second detector amounts to: it must not be that detector alone that says so."""

from __future__ import annotations

import numpy as np
import pytest

from anonator.core.checks import findings
from anonator.core.checks.evidence import Evidence
from anonator.core.checks.findings import Finding, Sighting, Verdict, continued

NOWHERE = np.zeros((0, 4), np.float32)


def box(x: float = 0) -> np.ndarray:
    return np.array([x, 0, x + 40, 50], np.float32)


def finding(
    *frames: tuple[float, float, float] | float, before: bool = False, after: bool = False, rate: float = 25
) -> Finding:
    """One over successive frames: (score, first, second), or the score alone where nobody looked."""
    made = Finding(covered_before=before, covered_after=after)
    for index, each in enumerate(frames):
        score, *told = each if isinstance(each, tuple) else (each,)
        evidence = Evidence(told[0], told[1], NOWHERE) if told else None
        made.sightings.append(Sighting(index, index / rate, box(index), score, evidence))
    return made


@pytest.mark.parametrize(
    "seen",
    [
        finding((0.9, 0.0, 0.85)),  # the second detector is sure of it, near and far
        finding((0.55, 0.6, 0.5)),  # both see it well
        finding(*[(0.35, 0.4, 0.35)] * 3),  # both see it, again and again
        finding((0.35, 0.4, 0.35), before=True),  # both see it, at the end of a mask
        finding((0.25, 0.0, 0.4), before=True, after=True),  # a hole in a mask
        finding((0.25, 0.15, 0.0), before=True, after=True),
        finding((0.55, 0.0, 0.0), before=True, after=True),
        finding(*[(0.65, 0.0, 0.5)] * 6),  # the second alone, for long
    ],
)
def test_what_is_covered_in_another_attempt(seen: Finding) -> None:
    assert seen.verdict() is Verdict.FACE


@pytest.mark.parametrize(
    "seen",
    [
        finding((0.9, 0.0, 0.4)),  # sure of it only beside a mask
        finding((0.7, 0.0, 0.7)),  # agrees with itself
        finding(*[(0.55, 0.1, 0.55)] * 20),  # and goes on to
        finding(*[(0.65, 0.0, 0.5)] * 4),  # not for long
        finding(*[(0.65, 0.0, 0.5)] * 6, rate=250),
        finding((0.35, 0.4, 0.35), (0.35, 0.4, 0.35)),  # both see it, but seldom
        finding((0.25, 0.0, 0.0), (0.5, 0.0, 0.0), before=True),  # left behind by a mask
        finding(*[(0.5, 0.05, 0.2)] * 20, before=True, after=True),  # two masks, and something between
    ],
)
def test_what_people_are_told_to_look_at(seen: Finding) -> None:
    assert seen.verdict() is Verdict.NEAR_MISS


@pytest.mark.parametrize(
    "seen",
    [
        finding((0.45, 0.0, 0.3)),
        finding((0.3, 0.3, 0.0), 0.25, (0.3, 0.2, 0.0)),
        finding(0.25, before=True, after=True),  # the face that is there in the input is covered
        finding((0.25, 0.05, 0.2), before=True, after=True),
    ],
)
def test_what_nobody_needs_to_know(seen: Finding) -> None:
    assert seen.verdict() is Verdict.NOTHING


def test_the_input_is_looked_at_where_it_can_matter_and_not_for_ever() -> None:
    fresh, at_a_mask = Finding(), Finding(covered_before=True)
    assert not fresh.needs_evidence(7, 0.25) and at_a_mask.needs_evidence(7, 0.25)
    assert fresh.needs_evidence(7, 0.3) and not at_a_mask.needs_evidence(7, 0.15)
    fresh.judged = findings.ENOUGH
    assert [index for index in range(12) if fresh.needs_evidence(index, 0.9)] == [0, 5, 10]


def test_each_box_continues_the_finding_that_it_overlaps_most() -> None:
    left, right = (Finding([Sighting(0, 0.0, box(x), 0.5, None)]) for x in (0, 50))
    boxes = np.stack([box(45), box(8), box(200), box(52)])
    assert continued([left, right], boxes) == [None, left, None, right]
    assert continued([], boxes) == [None] * 4 and continued([left], NOWHERE) == []


def test_a_near_miss_tells_when_and_where() -> None:
    seen = finding((0.3, 0.0, 0.0), (0.6, 0.0, 0.0), (0.4, 0.0, 0.0))
    miss = seen.near_miss()
    assert (miss.frame, miss.start_seconds, miss.end_seconds, miss.score) == (1, 0, 0.08, 0.6)
    assert miss.box == (1, 0, 41, 50)


def test_a_face_that_moves_is_covered_on_its_way_and_one_that_stands_once_in_a_while() -> None:
    still = Finding([Sighting(i, i / 25, box(), 0.9, None) for i in range(30)])
    assert [each.index for each in still.places()] == [0, 13, 26, 29]
    walking = Finding([Sighting(i, i / 25, box(5.0 * i), 0.9, None) for i in range(7)])
    assert [each.index for each in walking.places()] == [0, 3, 6]
    assert [each.index for each in Finding(still.sightings[:1]).places()] == [0]


def test_new_places_are_those_since_the_last_time() -> None:
    seen = [Sighting(i, i / 25, box(5.0 * i), 0.9, None) for i in range(9)]
    walking, indexes = Finding(), list[int]()
    for each in seen:
        walking.sightings.append(each)
        indexes += [place.index for place in walking.new_places()]
    assert indexes == [0, 3, 6] and list(walking.new_places()) == []
    late = Finding(list(seen))
    assert [place.index for place in late.new_places()] == [0, 3, 6]


@pytest.mark.parametrize(
    "seen",
    [
        finding((0.21, 0.06, 0.0), before=True, after=True),
        finding((0.77, 0.0, 0.76)),
        finding(*[(0.27, 0.31, 0.26)] * 3),
        finding(*[(0.56, 0.0, 0.4)] * 6),
    ],
)
def test_with_a_margin_a_little_less_is_enough(seen: Finding) -> None:
    assert seen.verdict() is not Verdict.FACE
    seen.margin = 0.05
    assert seen.verdict() is Verdict.FACE
    (part,) = seen.parts_left(lambda place, seconds: False, 1 / 25)
    assert part.margin == seen.margin


def test_with_a_margin_weaker_sightings_are_looked_up() -> None:
    assert not finding(before=True).needs_evidence(0, 0.17) and not finding().needs_evidence(0, 0.27)
    for seen, score in ((finding(before=True), 0.17), (finding(), 0.27)):
        seen.margin = 0.05
        assert seen.needs_evidence(0, score) and not seen.needs_evidence(0, score - 0.05)


# --- beside more covers


def test_what_is_left_beside_more_covers_is_judged_as_a_hole_in_a_mask() -> None:
    weak = finding(*[(0.31, 0.11, 0.0)] * 20)
    assert weak.verdict() is Verdict.NOTHING

    def covered(place: np.ndarray, seconds: float) -> bool:
        return seconds < 5 / 25 or seconds > 8 / 25

    (part,) = weak.parts_left(covered, 1 / 25)
    assert [each.index for each in part.sightings] == [5, 6, 7, 8]
    assert part.covered_before and part.covered_after and part.judged == 4
    assert part.verdict() is Verdict.FACE


@pytest.mark.parametrize(("begins", "ends"), [(4, 30), (-9, 3)])
def test_a_part_that_reaches_an_end_has_only_that_ends_own_neighbour(begins: int, ends: int) -> None:
    def covered(place: np.ndarray, seconds: float) -> bool:
        return begins <= round(seconds * 25) < ends

    (alone,) = finding(*[0.3] * 8).parts_left(covered, 1 / 25)
    assert (alone.covered_before, alone.covered_after) == (ends == 3, begins == 4)
    (between,) = finding(*[0.3] * 8, before=True, after=True).parts_left(covered, 1 / 25)
    assert between.covered_before and between.covered_after


def test_where_no_cover_is_near_nothing_changes() -> None:
    seen = finding(0.3, 0.4, 0.3, after=True)
    (same,) = seen.parts_left(lambda place, seconds: False, 1 / 25)
    assert same.sightings == seen.sightings
    assert (same.covered_before, same.covered_after) == (False, True)
    assert list(seen.parts_left(lambda place, seconds: True, 1 / 25)) == []
