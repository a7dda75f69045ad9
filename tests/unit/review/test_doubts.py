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
from anonator.core.review.doubts import Doubt, Kind, doubts
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.kept_sightings import Sightings
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


def kinds(found: Sequence[Doubt]) -> list[Kind]:
    return [each.kind for each in found]


def test_a_face_that_is_there_all_the_time_leaves_no_doubt() -> None:
    assert doubts(analysis(face(*range(100)))) == []


def test_a_face_between_two_cuts_leaves_none() -> None:
    assert doubts(analysis(face(*range(30, 60)), cuts=(0, 30, 60))) == []


def test_one_that_ends_inside_the_picture_does() -> None:
    (one,) = doubts(analysis(face(*range(60))))
    assert one.kind is Kind.BREAKS_OFF and one.span[0] == 59 * STEP and one.places == (PLACE,)
    assert one.sentence.startswith("A face begins or ends inside") and one.sentence.endswith(".")


def test_each_place_is_bare_on_one_of_the_stops() -> None:
    other = (100.0, 200.0, 160.0, 270.0)
    scene = {i: [(PLACE, SURE, 0)] for i in range(40)}
    for i in range(85):
        scene.setdefault(i, []).append((other, SURE, 0))
    kept = analysis(scene)
    (one,) = doubts(kept)
    assert set(one.places) == {PLACE, other} and len(one.stops) == 2
    masks = list(kept.masks())
    for place, stop in zip((PLACE, other), one.stops, strict=True):
        at = kept.pts.index(stop)
        covered = box_ops.expand(masks[at].boxes, kept.settings.mask_scale)
        inside = box_ops.inside(np.array([place], np.float32), covered)
        assert at > 40 and (not inside.size or inside.max() < 0.5)


def test_one_that_leaves_at_the_edge_does_not() -> None:
    leaving = {i: [((1200 + i, 200, 1260 + i, 270), SURE, 0)] for i in range(20)}
    assert doubts(analysis(leaving)) == []


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
    assert len(one.places) == len(one.tracks) == 2 and "(2 places)" in one.sentence


def test_what_a_person_covered_is_no_doubt_any_more() -> None:
    given = analysis(face(*range(60)))
    assert doubts(given, [Edit(1, Operation.AREA, None, (0, 100 * STEP), ((0, (480, 180, 580, 290)),))]) == []


def test_repairs_and_held_stretches_are_doubts() -> None:
    given = analysis(face(*range(100)))
    drawn = ((0, PLACE),)
    edits = [
        Edit(1, Operation.ADD, None, (0, 30 * STEP), drawn, "second look", by_program=True),
        Edit(2, Operation.ADD, None, (0, 90 * STEP), drawn),
        Edit(3, Operation.HELD, -3, (70 * STEP, 80 * STEP)),
    ]
    assert kinds(doubts(given, edits)) == [Kind.REPAIR, Kind.HELD]


def test_movement_without_faces_and_dark_pictures_are_doubts() -> None:
    given = analysis({}, frames=200)
    shades = (Shade(60, 120, 40),) * 150 + (Shade(0, 10, 40),) * 50
    found = doubts(dataclasses.replace(given, shades=shades))
    assert kinds(found) == [Kind.NO_FACE, Kind.HARD_TO_SEE]
    assert found[1].span == (150 * STEP, 199 * STEP)
    assert doubts(given) == []


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
            track.id in each.tracks and each.span[0] <= span[1] and each.span[1] >= span[0]
            for each in doubts(leak)
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
    assert one.kind is Kind.NEAR_MISS and one.places == (elsewhere,) and one.span[0] == 70 * STEP
