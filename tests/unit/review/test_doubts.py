"""Doubts: each kind is found where it is, nothing covered is one, and planted leaks are among them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from unit.review.review_helpers import STEP
from unit.tracking.tracker_helpers import SURE, Found, looks

from anonator.core import boxes as box_ops
from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import NearMiss
from anonator.core.keeping import opinions
from anonator.core.reading.reader import VideoReader
from anonator.core.review.analysis import Analysis, Collector, FoundTrack
from anonator.core.review.doubts import LIGHT, PASSING_SECONDS, Doubt, Rank, doubts
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.judged import by_place, finding_right, is_judged
from anonator.core.review.kept_sightings import Box, Sightings
from anonator.core.review.places import BARE, Kind, Place
from anonator.core.review.shades import Shade
from anonator.core.review.tracks_file import encoded, read
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.schedule import look

PLACE = (500.0, 200.0, 560.0, 270.0)
SHADE = Shade(0, 120, 40)


def analysis(scene: Mapping[int, Sequence[Found]], frames: int = 100, cuts: Sequence[int] = (0,)) -> Analysis:
    """What the tracker makes of a scene of 1280x720 at 25 frames a second."""
    settings, taken = Settings(), Collector()
    stream = looks({k: list(v) for k, v in scene.items()}, frames=frames, every=1, cuts=cuts)
    for frame, _ in Tracker(settings).run(stream, taken.hear):
        taken.see(frame)
    made = taken.finished(settings, "", 1)
    key = dataclasses.replace(made.key, width=1280, height=720)
    return dataclasses.replace(made, key=key, shades=(SHADE,) * frames)


def face(*frames: int, score: float = SURE, turn: int = 0) -> dict[int, list[Found]]:
    return {i: [(PLACE, score, turn)] for i in frames}


def boxes(one: Doubt) -> list[Box | None]:
    return [place.box for place in one.places]


def kinds(found: Sequence[Doubt]) -> list[Kind]:
    return [each.kind for each in found]


def test_a_face_that_is_there_all_the_time_leaves_no_doubt() -> None:
    assert doubts(analysis(face(*range(100)))) == []


def test_a_face_between_two_cuts_leaves_none() -> None:
    assert doubts(analysis(face(*range(30, 60)), cuts=(0, 30, 60))) == []


def test_one_that_ends_inside_the_picture_does() -> None:
    (one,) = doubts(analysis(face(*range(60))))
    assert one.kind is Kind.BREAKS_OFF and one.span[0] == 59 * STEP and boxes(one) == [PLACE]
    assert one.rank is Rank.FIRST, "it is large, and was found again and again"
    assert one.sentence.startswith("A face begins or ends inside") and one.sentence.endswith(".")


def test_each_place_is_bare_on_one_of_the_stops() -> None:
    other = (100.0, 200.0, 160.0, 270.0)
    scene = {i: [(PLACE, SURE, 0)] for i in range(40)}
    for i in range(85):
        scene.setdefault(i, []).append((other, SURE, 0))
    kept = analysis(scene)
    (one,) = doubts(kept)
    assert boxes(one) == [PLACE, other] and len(one.stops) == 2
    masks = list(kept.masks())
    for place, stop in zip((PLACE, other), one.stops, strict=True):
        at = kept.pts.index(stop.pts)
        covered = box_ops.expand(masks[at].boxes, kept.settings.mask_scale)
        inside = box_ops.inside(np.array([place], np.float32), covered)
        assert at > 40 and (not inside.size or inside.max() < 0.5)


def test_one_that_moves_on_from_under_another_s_mask_does_too() -> None:
    """The place where a face was seen last may be covered by another one, and the face is elsewhere."""
    scene: dict[int, list[Found]] = {i: [((300 + 3 * i, 200, 340 + 3 * i, 250), SURE, 0)] for i in range(40)}
    for i in range(100):
        scene.setdefault(i, []).append(((355, 190, 435, 260), SURE, 0))
    found = doubts(analysis(scene))
    (place,) = [place for each in found for place in each.places if place.kind is Kind.BREAKS_OFF]
    assert place.box is not None and place.box[0] > 300 + 3 * 40 and place.track == 0


def test_one_that_leaves_at_the_edge_does_not() -> None:
    leaving = {i: [((1200 + i, 200, 1260 + i, 270), SURE, 0)] for i in range(20)}
    assert doubts(analysis(leaving)) == []


def test_one_that_moves_along_the_edge_and_is_lost_there_does() -> None:
    along = {i: [((300 + 4 * i, 660, 360 + 4 * i, 720), SURE, 0)] for i in range(20)}
    (place,) = doubts(analysis(along))[0].places
    assert place.kind is Kind.BREAKS_OFF and place.span[0] == 19 * STEP


@pytest.mark.parametrize("speed", [0, 3, 12, -12])
def test_what_is_marked_at_a_stop_holds_the_face_also_if_it_moves_fast(speed: int) -> None:
    """A failure means that people look where a face was a moment ago, and not where it is."""
    left = {i: 640 + speed * (i - 25) for i in range(10, 40)}
    scene = {i: [((x, 200, x + 60, 270), SURE, 0)] for i, x in left.items()}
    given = analysis(scene, frames=60)
    seen = [(stop, place) for each in doubts(given) for stop in each.stops for place in stop.places]
    assert len(seen) == 2
    for stop, place in seen:
        x = 670 + speed * (given.pts.index(stop.pts) - 25)
        assert place.where is not None and place.where[0] <= x <= place.where[2]
        assert place.window[0] <= stop.pts <= place.window[1]


def test_hints_of_a_moving_face_are_judged_where_their_place_shows_it() -> None:
    given = analysis({})
    way = [(100.0 + 9 * i, 50.0, 140.0 + 9 * i, 90.0) for i in range(12)]
    weak = [(i, box, 0.2 + 0.01 * i, False, False, False) for i, box in enumerate(way)]
    kept = dataclasses.replace(given, near_misses=Sightings(weak))
    for each in doubts(kept):
        for stop in each.stops:
            for place in stop.places:
                at = given.pts.index(stop.pts)
                assert place.box is not None and place.box[0] <= 120 + 9 * at <= place.box[2]


def test_weak_detections_that_nothing_covers_come_first() -> None:
    scene = face(*range(100))
    for i in range(40, 44):
        scene[i].append(((900, 400, 960, 470), 0.2, 0))
    scene[80].append((PLACE, 0.2, 0))  # covered already
    scene[90].append(((100, 400, 160, 470), 0.2, 0))  # too weak, and alone
    (one,) = doubts(analysis(scene))
    assert one.kind is Kind.NEAR_MISS and one.span == (40 * STEP, 43 * STEP)


def test_a_gap_and_a_single_sighting_are_doubts_and_a_short_flicker_is_not() -> None:
    assert kinds(doubts(analysis(face(*range(50), *range(60, 100))))) == [Kind.GAP]
    assert doubts(analysis(face(*range(50), *range(51, 100)))) == []
    assert kinds(doubts(analysis(face(50), cuts=(0, 50, 51)))) == [Kind.ONCE]


def test_what_begins_together_is_one_doubt_with_several_places() -> None:
    scene = face(*range(50), *range(60, 100))
    for i in (*range(70), *range(75, 100)):
        scene.setdefault(i, []).append(((900, 400, 960, 470), SURE, 0))
    (one,) = doubts(analysis(scene))
    assert len(one.places) == len(one.tracks) == 2
    assert one.sentence == "2 faces were not found for a while and covered where they must have been."


def test_what_a_person_covered_is_no_doubt_any_more() -> None:
    given = analysis(face(*range(60)))
    assert doubts(given, [Edit(1, Operation.AREA, None, (0, 100 * STEP), ((0, (480, 180, 580, 290)),))]) == []


def test_repairs_and_held_stretches_are_doubts() -> None:
    given = analysis(face(*range(200)), frames=200)
    drawn = ((0, PLACE),)
    edits = [
        Edit(1, Operation.ADD, None, (0, 30 * STEP), drawn, "second look", by_program=True),
        Edit(2, Operation.ADD, None, (0, 190 * STEP), drawn),
        Edit(3, Operation.HELD, -3, (150 * STEP, 160 * STEP)),
    ]
    assert kinds(doubts(given, edits)) == [Kind.REPAIR, Kind.HELD]


def test_where_following_a_drawn_cover_ended_is_one_also_at_the_picture_s_edge() -> None:
    """A failure means that a face that following lost is bare, and nobody is led there."""
    given = analysis({}, frames=100)
    edge = ((30 * STEP, (1225.0, 200.0, 1275.0, 260.0)),)
    (one,) = doubts(given, [Edit(1, Operation.ADD, None, (20 * STEP, 40 * STEP), ((30 * STEP, PLACE),))])
    assert [place.kind for place in one.places] == [Kind.BREAKS_OFF] * 2 and one.rank is Rank.FIRST
    assert [stop.pts for stop in one.stops] == [19 * STEP, 41 * STEP]
    (other,) = doubts(given, [Edit(1, Operation.ADD, None, (20 * STEP, 40 * STEP), edge)])
    assert [stop.pts for stop in other.stops] == [19 * STEP, 41 * STEP], "following may have led it there"
    whole = [Edit(1, Operation.ADD, None, (0, 99 * STEP), ((30 * STEP, PLACE),))]
    assert doubts(given, whole) == []


def test_movement_without_faces_and_dark_pictures_are_doubts() -> None:
    given = analysis({}, frames=200)
    shades = (Shade(60, 120, 40),) * 150 + (Shade(0, 10, 40),) * 50
    found = doubts(dataclasses.replace(given, shades=shades))
    assert kinds(found) == [Kind.NO_FACE, Kind.HARD_TO_SEE]
    assert found[1].span == (150 * STEP, 199 * STEP)
    assert doubts(given) == []


def test_the_large_and_likely_come_first_and_the_small_and_weak_last() -> None:
    """A failure means that people look at specks before they look at faces."""
    small, weak = (300.0, 100.0, 308.0, 109.0), (900.0, 400.0, 960.0, 470.0)
    scene: dict[int, list[Found]] = {i: [(small, SURE, 0)] for i in range(20)}
    for i in range(200, 260):
        scene[i] = [(PLACE, SURE, 0)]
    scene[100] = [(weak, 0.26, 0)]
    first, *later = doubts(analysis(scene, frames=400))
    assert (first.rank, boxes(first)[0]) == (Rank.FIRST, PLACE)
    assert later and all(each.rank is Rank.LATER for each in later)
    assert {box for each in later for box in boxes(each)} == {small, weak}


def test_a_near_miss_where_a_track_ends_makes_that_place_likelier_and_is_none_of_its_own() -> None:
    scene = {i: [(PLACE, 0.4, 0)] for i in range(3)}
    given = analysis(scene)
    (alone,) = doubts(given)
    end = alone.places[0].window[0] // STEP
    weak = Sightings([(i, PLACE, 0.2, False, False, False) for i in range(end, end + 3)])
    (one,) = doubts(dataclasses.replace(given, near_misses=weak))
    assert [place.kind for place in one.places] == [Kind.BREAKS_OFF]
    assert one.places[0].chance > alone.places[0].chance


def test_each_place_is_judged_at_one_stop_when_it_can_be_seen_or_was_just_seen() -> None:
    scene: dict[int, list[Found]] = {}
    rng = np.random.default_rng(7)
    for number in range(40):
        x, y, begin = *rng.integers(50, 600, 2).tolist(), int(rng.integers(0, 250))
        for i in range(begin, begin + int(rng.integers(1, 40))):
            size = 10 + number
            scene.setdefault(i, []).append(((2 * x, y, 2 * x + size, y + size), 0.4, 0))
    kept = analysis(scene, frames=300)
    found = doubts(kept)
    places = [place for each in found for place in each.places]
    assert len(places) > 20 and len(set(places)) == len(places)
    for each in found:
        for stop in each.stops:
            for place in stop.places:
                passes = place.weight < LIGHT and place.kind not in BARE
                late = PASSING_SECONDS * 25 * STEP if passes else 0
                assert place.window[0] <= stop.pts <= place.window[1] + late


def test_what_was_found_right_stays_right_when_a_drawn_cover_brings_something_new_there() -> None:
    """One drawn box in a crowd opened seven stops again that had been done."""
    given = analysis(face(*range(60)))
    (before,) = doubts(given)
    (stop,) = before.stops
    right = dataclasses.replace(finding_right(before.kind, stop, given.key), number=1)
    drawn = (10.0, 400.0, 70.0, 470.0)
    held = [
        right,
        Edit(2, Operation.ADD, None, (0, 99 * STEP), ((0, drawn),)),
        Edit(3, Operation.HELD, -3, (stop.pts - 5 * STEP, stop.pts + 5 * STEP)),
    ]
    judged = by_place(right.boxes)
    (after,) = doubts(given, held)
    done = [is_judged(each, judged, given.key) for each in after.stops]
    assert sorted(done) == [False, True]
    assert after.stops[done.index(True)] == stop
    assert [place.kind for place in after.stops[done.index(False)].places] == [Kind.HELD]


def test_weights_fall_with_size_but_never_of_what_was_covered_by_hand() -> None:
    large = Place(Kind.NEAR_MISS, (0, 1), (0, 1), 0, (0, 0, 48, 48), chance=0.8)
    small = dataclasses.replace(large, box=(0, 0, 12, 48))
    assert (large.weight, small.weight) == (0.8, 0.4)
    assert dataclasses.replace(small, kind=Kind.HELD, chance=1.0).weight == 1.0


CLIPS = Path(__file__).parents[4] / "shared" / "clips"


@cache
def of_clip(name: str, frames: int, detectors: DetectorCache) -> Analysis:
    settings, taken = Settings(), Collector()
    with VideoReader(CLIPS / name) as reader:
        stream = look(islice(reader, frames), detectors.get(settings), settings)
        for frame, _ in Tracker(settings).run(stream, taken.hear):
            taken.see(frame)
        return taken.finished(settings, "", reader.file_bytes)


def blanked(given: Analysis, track: FoundTrack, first: int, last: int) -> Analysis:
    """The same, with a track's sightings lost from one frame to another."""
    rows = track.sightings.rows
    kept = rows[(rows["frame"] < first) | (rows["frame"] > last)]
    tracks = [dataclasses.replace(t, sightings=Sightings(kept)) if t is track else t for t in given.tracks]
    return dataclasses.replace(given, tracks=tuple(tracks))


def planted(given: Sequence[Analysis], count: int, seed: int) -> tuple[int, list[str]]:
    """How many planted leaks are among the doubts, and those that are not."""
    rng = np.random.default_rng(seed)
    found, missed = 0, []
    for number in range(count):
        one = given[number % len(given)]
        length = int(rng.integers(1, 31))
        long = [t for t in one.tracks if len(t.sightings) > length + 10]
        track = long[rng.integers(len(long))]
        frames = track.sightings.rows["frame"]
        first = int(rng.choice(frames[5 : len(frames) - length - 4]))
        leak = blanked(one, track, first, first + length - 1)
        span = one.pts[first], one.pts[min(first + length, len(one.pts)) - 1]
        hit = any(
            place.track == track.id and place.span[0] <= span[1] and place.span[1] >= span[0]
            for each in doubts(leak)
            for place in each.places
        )
        found += hit
        missed += [] if hit else [f"{length} frames"]
    return found, missed


@pytest.mark.slow
def test_planted_leaks_are_among_few_doubts(detectors: DetectorCache, shared: Path) -> None:
    crowd = of_clip("night_crowd.mp4", 75, detectors)
    two = of_clip("two_faces_tilted.mp4", 56, detectors)
    found, missed = planted([crowd, two], 20, seed=1)
    assert found >= 19, missed
    assert len(doubts(crowd)) <= 40 * 3 / 60
    assert doubts(two) == []


def test_what_only_the_second_detector_saw_is_one_and_outlives_the_file(tmp_path: Path) -> None:
    elsewhere = (900.0, 300.0, 950.0, 370.0)
    misses = [NearMiss(70, 2.8, 2.8, elsewhere, 0.7), NearMiss(30, 1.2, 1.2, PLACE, 0.6)]
    made = dataclasses.replace(analysis(face(*range(100))), second_opinions=opinions(misses))
    file = tmp_path / "tracks"
    file.write_bytes(b"".join(encoded(made, ())))
    again = read(file, made.key).analysis
    assert again.second_opinions == made.second_opinions and len(again.second_opinions) == 2
    # the other place is covered, so only one is left to look at
    (one,) = doubts(again)
    assert one.kind is Kind.NEAR_MISS and boxes(one) == [elsewhere] and one.span[0] == 70 * STEP
