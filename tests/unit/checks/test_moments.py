"""Out of everything that was followed, the report names the few moments that people should look at."""

from __future__ import annotations

from anonator.core.checks.moments import MOST, SUSPECTED_FIRST, Moment, Why, moments_worth_a_look
from anonator.core.frames import TrackSummary
from anonator.core.job import NearMiss


def seen(first: float, last: float, *gaps: tuple[float, float], sightings: int = 50) -> TrackSummary:
    return TrackSummary(first, last, sightings, len(gaps), 0.4, gaps)


def test_a_face_that_is_seen_all_along_is_not_worth_a_look() -> None:
    assert moments_worth_a_look([seen(0, 9)], 0.5) == ((), 0)


def test_gaps_that_are_close_together_are_one_moment() -> None:
    tracks = [seen(0, 9, (1.0, 1.5), (5.0, 6.0)), seen(0, 9, (1.2, 2.0), (2.4, 2.8))]
    assert moments_worth_a_look(tracks, 0.5) == (
        (Moment(1.0, 2.8, Why.BRIDGED, 3), Moment(5.0, 6.0, Why.BRIDGED)),
        0,
    )


def test_what_was_seen_once_and_never_surely_is_uncertain() -> None:
    tracks = [seen(3, 3.2, sightings=2), TrackSummary(5, 5, 1, 0, 0.9), seen(7, 8, sightings=3)]
    assert moments_worth_a_look(tracks, 0.5) == ((Moment(3, 3.2, Why.UNCERTAIN),), 0)


def test_of_many_the_longest_are_named_in_order_and_the_rest_is_counted() -> None:
    short = [seen(2 * n, 2 * n + 1, (2 * n, 2 * n + 0.4)) for n in range(20)]
    long = seen(50, 60, (50.0, 51.0))
    uncertain = seen(100, 105, sightings=2)
    told, left_out = moments_worth_a_look([uncertain, long, *short], 0.5)
    assert len(told) == MOST and left_out == 22 - MOST
    assert told[-1] == Moment(50.0, 51.0, Why.BRIDGED) and list(told) == sorted(told, key=lambda m: m.start)


def test_what_may_be_bare_comes_first_but_does_not_hide_the_rest() -> None:
    misses = [NearMiss(25 * n, n, n + 0.1 * n / 40, (0, 0, 9, 9), 0.6) for n in range(20)]
    bridged = seen(0, 90, (80.0, 81.0))
    told, left_out = moments_worth_a_look([bridged], 0.5, misses)
    assert [moment.why for moment in told].count(Why.SUSPECTED) == MOST - 1 and left_out == 21 - MOST
    assert told[-1] == Moment(80.0, 81.0, Why.BRIDGED)
    many = [seen(0, 90, (2.0 * n, 2.0 * n + 0.5)) for n in range(40)]
    told, _ = moments_worth_a_look(many, 0.5, misses)
    assert [moment.why for moment in told].count(Why.SUSPECTED) == SUSPECTED_FIRST
    together = [NearMiss(n, n / 25, n / 25, (0, 0, 9, 9), 0.6) for n in range(3)]
    assert moments_worth_a_look([], 0.5, together) == ((Moment(0, 2 / 25, Why.SUSPECTED, 3),), 0)
