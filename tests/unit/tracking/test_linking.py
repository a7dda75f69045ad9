"""Two-sided tracking on synthetic scenes with known truth, and on random ones for what must always hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from unit.tracking.tracker_helpers import (
    FPS,
    SURE,
    Box,
    Face,
    Found,
    Scene,
    covers,
    drawn,
    look_frames,
    looks,
    tiny_frame,
    track,
)

from anonator.core.anonymizer import anonymize, covered_pixels
from anonator.core.config import Settings
from anonator.core.frames import Detections, Look, Masks
from anonator.core.tracking import linking as tracker_module
from anonator.core.tracking.covering import cover
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.sightings import Moment
from anonator.core.tracking_settings import TrackingSettings

EXTEND = round(0.25 * FPS)
"""Frames that a mask stays before the first and after the last sighting."""
BRIDGE = FPS
"""Frames of the longest gap that is bridged."""
BOX = (100.0, 100.0, 140.0, 140.0)


def frames_between(first: int, last: int) -> frozenset[int]:
    return frozenset(range(first, last + 1))


SCENES = [
    Scene("one face stands still", (Face(0, 59, (100, 100)),)),
    Scene("one face walks", (Face(0, 59, (50, 80), (6, 1)),)),
    Scene("one face runs", (Face(5, 44, (20, 100), (12, 0)),), every=(1, 3)),
    Scene(
        "two faces cross, one behind the other for a while",
        (
            Face(0, 59, (100, 100), (6, 0)),
            Face(0, 59, (454, 110), (-6, 0), missed=frames_between(26, 33)),
        ),
    ),
    Scene("two faces side by side", (Face(0, 59, (100, 100), (2, 0)), Face(0, 59, (145, 100), (2, 0)))),
    Scene("a face enters between two detection frames", (Face(22, 59, (200, 100), (4, 0)),)),
    Scene("a face leaves between two detection frames", (Face(0, 38, (200, 100), (4, 0)),)),
    Scene("a face is there for seven frames", (Face(24, 30, (200, 100), (4, 0)),)),
    Scene(
        "a cut: one face before, another after it",
        (Face(0, 22, (100, 100), (5, 0)), Face(23, 59, (400, 150), (-5, 0))),
        cuts=(0, 23),
    ),
    Scene("a cut: a face only before it", (Face(0, 22, (100, 100)),), cuts=(0, 23)),
    Scene("a cut: a face only after it", (Face(23, 59, (100, 100)),), cuts=(0, 23)),
    Scene(
        "a cut: the other face is where the first one was",
        (Face(0, 22, (100, 100)), Face(23, 59, (110, 100))),
        cuts=(0, 23),
    ),
    Scene(
        "three cuts in five frames",
        (Face(30, 30, (100, 100)), Face(31, 32, (300, 100)), Face(35, 59, (500, 100))),
        cuts=(0, 30, 31, 33),
    ),
    Scene("one frame missed", (Face(0, 59, (100, 100), (6, 0), missed=frozenset({20})),)),
    Scene("five frames missed", (Face(0, 59, (100, 100), (6, 0), missed=frames_between(28, 32)),)),
    Scene("0.8 s missed", (Face(0, 59, (100, 100), (3, 0), missed=frames_between(20, 39)),)),
    Scene(
        "every other one missed",
        (Face(0, 59, (50, 80), (6, 1), missed=frozenset(range(1, 60, 2))),),
        every=(1,),
    ),
    Scene(
        "a face jumps 400 px from one frame to the next",
        (Face(0, 29, (100, 100)), Face(30, 59, (500, 100))),
    ),
    Scene(
        "gone for longer than is bridged, 75 empty frames",
        (Face(0, 20, (100, 100)), Face(96, 119, (100, 100))),
        frames=120,
    ),
    Scene("a face in the last frame only", (Face(59, 59, (100, 100)),)),
    Scene("a face in the first frame only", (Face(0, 0, (100, 100)),)),
    Scene("a face in the corner", (Face(0, 59, (0, 0)),)),
    Scene("nobody", ()),
    Scene("one frame", (Face(0, 0, (100, 100)),), frames=1),
    Scene("two frames", (Face(0, 1, (100, 100), (10, 0)),), frames=2),
]
CASES = [pytest.param(s, every, id=f"{s.name}, every {every}") for s in SCENES for every in s.every]


@pytest.mark.parametrize(("scene", "every"), CASES)
def test_every_face_is_covered_in_every_frame(scene: Scene, every: int) -> None:
    masks = track(scene.found(), frames=scene.frames, every=every, cuts=scene.cuts)
    leaks = [
        i
        for i in range(scene.frames)
        for face in scene.faces
        if face.present(i) and face_was_looked_at(scene, face, every) and not covers(masks[i], face.at(i))
    ]
    assert not leaks, f"a face is uncovered in frames {leaks}"


@pytest.mark.parametrize(("scene", "every"), CASES)
def test_nothing_is_covered_where_no_face_is_near_in_time_and_place(scene: Scene, every: int) -> None:
    masks = track(scene.found(), frames=scene.frames, every=every, cuts=scene.cuts)
    reach = max(EXTEND, every) + every
    for i in range(scene.frames):
        allowed = [
            face.at(j)
            for face in scene.faces
            for j in range(i - reach, i + reach + 1)
            if face.first in scene.scene_of(i) and face.first - reach <= i <= face.last + reach
        ]
        strayed = drawn(masks[i].boxes) & ~drawn(np.array(allowed).reshape(-1, 4))
        assert strayed.mean() < 0.002, f"frame {i}: {int(strayed.sum())} pixels are masked far from any face"


def face_was_looked_at(scene: Scene, face: Face, every: int) -> bool:
    """A face that comes and goes between two detection frames is known to nobody."""
    wanted = look_frames(scene.frames, every, scene.cuts)
    return any(face.present(i) and i not in face.missed for i in wanted)


# --- gaps, flickers and jumps ---------------------------------------------------------------------


def test_a_gap_longer_than_is_bridged_is_only_extended_into() -> None:
    face = Face(0, 119, (100, 100), missed=frames_between(21, 79))
    masks = track(Scene("", (face,), frames=120).found(), frames=120)
    full = [i for i, m in enumerate(masks) if len(m)]
    assert full == [*range(0, 21 + EXTEND), *range(80 - EXTEND, 120)]


def test_a_gap_of_just_the_bridged_length_is_bridged() -> None:
    face = Face(0, 119, (100, 100), missed=frames_between(21, 20 + BRIDGE - 1))
    masks = track(Scene("", (face,), frames=120).found(), frames=120)
    assert all(covers(m, BOX) for m in masks)


@pytest.mark.parametrize("every", [1, 3, 5])
def test_a_flicker_of_false_positives_expires(every: int) -> None:
    """Boxes that never expire would leave the rest of the video masked."""
    found: dict[int, list[Found]] = {15: [(BOX, SURE, 0)], 30: [((600, 50, 640, 90), 0.6, 0)]}
    masks = track(found, frames=110, every=every)
    stay = max(EXTEND, every)
    assert {i for i, m in enumerate(masks) if len(m)} <= {
        i for i in range(110) if abs(i - 15) <= stay or abs(i - 30) <= stay
    }
    assert not any(len(m) for m in masks[35 + stay :]), "75 empty frames must stay empty"
    assert len(masks[15]) and len(masks[30])


@pytest.mark.parametrize("every", [1, 3, 5])
def test_a_jump_of_400_pixels_draws_no_mask_across_the_picture(every: int) -> None:
    before, after = Face(0, 29, (100, 100)), Face(30, 59, (500, 100))
    masks = track(Scene("", (before, after)).found(), frames=60, every=every)
    between = drawn([(150, 0, 490, 300)])
    assert not any((drawn(m.boxes) & between).any() for m in masks)


@pytest.mark.parametrize("first_seen", [0, 5])
def test_a_face_seen_at_only_one_of_two_detection_frames_covers_all_frames_between(first_seen: int) -> None:
    found: dict[int, list[Found]] = {first_seen: [(BOX, SURE, 0)]}
    masks = track(found, frames=6, every=5)
    assert all(covers(m, BOX) for m in masks[1:5])


def test_a_fast_face_between_two_detection_frames_covers_the_whole_way() -> None:
    """Where nobody looked the face may have been anywhere between its two places."""
    settings = Settings.standard(tracking=TrackingSettings(link_distance=2.0))
    found: dict[int, list[Found]] = {
        0: [((100, 100, 160, 160), SURE, 0)],
        5: [((165, 100, 225, 160), SURE, 0)],
    }
    masks = track(found, frames=6, every=5, settings=settings)
    assert all(covers(m, (100, 100, 225, 160)) for m in masks[1:5])


@pytest.mark.parametrize("every", [1, 3, 5])
def test_a_face_that_runs_more_than_its_size_between_looks_is_covered(every: int) -> None:
    """25 px a frame is three sizes between every fifth frame; how far is followed is a setting."""
    settings = Settings.standard(tracking=TrackingSettings(link_distance=3.5))
    face = Face(5, 44, (20, 100), (25, 0))
    masks = track(Scene("", (face,)).found(), frames=60, every=every, settings=settings)
    assert all(covers(masks[i], face.at(i)) for i in range(5, 45))


def test_a_face_that_enters_fast_is_expected_where_it_came_from() -> None:
    face = Face(0, 59, (1, 100), (10, 0), missed=frames_between(0, 5))
    masks = track(Scene("", (face,)).found(), frames=60)
    assert all(covers(masks[i], face.at(i)) for i in range(60))


def test_a_hidden_face_is_covered_where_another_one_passes_before_it() -> None:
    """The one that is seen must not take the hidden one's track away."""
    hidden = Face(0, 59, (300, 100), missed=frames_between(24, 36))
    passing = Face(0, 59, (0, 105), (10, 0))
    masks = track(Scene("", (hidden, passing)).found(), frames=60)
    assert all(covers(m, hidden.at(0)) for m in masks)


def test_an_overlapping_box_is_the_same_face_before_a_near_one_is() -> None:
    """Linking as many as possible would move the standing face to its left and to its right at once."""
    found: dict[int, list[Found]] = {
        0: [((100, 100, 140, 140), SURE, 0), ((58, 100, 98, 140), SURE, 0)],
        1: [((100, 100, 140, 140), SURE, 0), ((142, 100, 182, 140), SURE, 0)],
    }
    tracker = Tracker(Settings())
    track(found, frames=2, tracker=tracker)
    assert sorted(s.sightings for s in tracker.summaries) == [1, 1, 2]


# --- which detections count -----------------------------------------------------------------------


def test_a_weak_detection_continues_a_track() -> None:
    face = Face(0, 59, (100, 100), (4, 0))
    found = {i: [(face.at(i), SURE if i < 10 else 0.12, 0)] for i in range(60)}
    masks = track(found, frames=60)
    assert all(covers(m, face.at(i)) for i, m in enumerate(masks))


@pytest.mark.parametrize("score", [0.1, 0.2, 0.34])
def test_weak_detections_never_start_a_track(score: float) -> None:
    masks = track({i: [(BOX, score, 0)] for i in range(60)}, frames=60)
    assert not any(len(m) for m in masks)


def test_a_weak_detection_elsewhere_does_not_pull_a_track_away() -> None:
    found: dict[int, list[Found]] = {i: [(BOX, SURE, 0)] for i in range(10)}
    found |= {i: [((150, 100, 190, 140), 0.3, 0)] for i in range(10, 60)}
    masks = track(found, frames=60)
    assert all(covers(m, BOX) for m in masks[: 10 + EXTEND])
    assert not any(len(m) for m in masks[10 + EXTEND :])


def test_a_strong_detection_chooses_before_a_weak_one() -> None:
    """Both overlap the track; the weak one, though nearer, must not leave the strong one to start anew."""
    found: dict[int, list[Found]] = {
        0: [(BOX, SURE, 0)],
        1: [(BOX, 0.2, 0), ((110, 100, 150, 140), SURE, 0)],
        2: [((120, 100, 160, 140), SURE, 0)],
    }
    tracker = Tracker(Settings())
    track(found, frames=3, tracker=tracker)
    (summary,) = tracker.summaries
    assert summary.sightings == 3
    assert summary.lowest_score == pytest.approx(SURE)


@pytest.mark.parametrize(
    ("multi_pass", "score", "starts"),
    [(True, 0.35, True), (True, 0.349, False), (False, 0.5, True), (False, 0.499, False)],
)
def test_the_lowest_pass_decides_what_starts_a_track(multi_pass: bool, score: float, starts: bool) -> None:
    settings = Settings.standard(multi_pass=multi_pass)
    masks = track({10: [(BOX, score, 0)]}, frames=20, settings=settings)
    assert bool(len(masks[10])) is starts


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_doubtful_turned_detection_alone_covers_nothing(turns: int) -> None:
    masks = track({10: [(BOX, 0.4, turns)]}, frames=60)
    assert not any(len(m) for m in masks)


def test_a_doubtful_turned_detection_counts_from_the_beginning_once_it_is_seen_again() -> None:
    masks = track({10: [(BOX, 0.4, 1)], 20: [((104, 100, 144, 140), 0.4, 1)]}, frames=60)
    assert all(covers(masks[i], BOX) for i in range(10 - EXTEND, 11))
    assert all(len(masks[i]) for i in range(10, 20 + EXTEND + 1))
    assert not any(len(m) for m in masks[21 + EXTEND :])


def test_a_sure_turned_detection_counts_at_once() -> None:
    masks = track({10: [(BOX, 0.5, 2)]}, frames=60)
    assert [i for i, m in enumerate(masks) if len(m)] == [*range(10 - EXTEND, 11 + EXTEND)]


def test_an_upright_detection_confirms_a_doubtful_one() -> None:
    masks = track({10: [(BOX, 0.4, 1)], 11: [(BOX, SURE, 0)]}, frames=60)
    assert covers(masks[10], BOX)


LARGE = (100.0, 100.0, 200.0, 200.0)
"""The network sees tiny_frame's pictures twice as large, so these are 200 of its pixels."""


def turned(*frames: int, score: float = 0.45, box: Box = LARGE) -> dict[int, list[Found]]:
    return {i: [(box, score, 1)] for i in frames}


def looked_at_turned(found: dict[int, list[Found]], frames: int = 60) -> list[Masks]:
    return track(found, frames=frames, turned_every=5)


def test_a_large_turned_face_of_a_middling_score_must_be_seen_a_third_time() -> None:
    assert not any(len(m) for m in looked_at_turned(turned(20, 25)))
    masks = looked_at_turned(turned(20, 25, 30))
    assert all(covers(masks[i], LARGE) for i in range(20 - EXTEND, 30 + EXTEND + 1))
    assert not any(len(m) for m in [*masks[: 15 - EXTEND], *masks[36 + EXTEND :]])


def test_a_look_that_did_not_see_it_may_lie_between() -> None:
    masks = looked_at_turned(turned(20, 25, 35))
    assert all(covers(masks[i], LARGE) for i in range(20 - EXTEND, 35 + EXTEND + 1))


@pytest.mark.parametrize(
    "found",
    [
        turned(20, 25, box=(100, 100, 163, 163)),  # not large
        turned(20) | turned(25, score=0.5),
        turned(20) | {22: [(LARGE, 0.4, 0)]},  # upright
        turned(20, score=0.5),
        turned(20, score=0.5) | turned(25),
    ],
)
def test_any_other_face_must_not(found: dict[int, list[Found]]) -> None:
    box = found[20][0][0]
    masks = looked_at_turned(found)
    assert all(covers(masks[i], box) for i in range(20 - EXTEND, 21 + EXTEND))


def test_twice_is_enough_where_no_look_speaks_against_a_large_turned_face() -> None:
    """Before a scene and after it there are no looks, and a short one has no third."""
    assert all(covers(m, LARGE) for m in looked_at_turned(turned(0, 5))[:6])
    masks = track(turned(25, 30) | {32: [((0, 0, 20, 20), SURE, 0)]}, frames=40, turned_every=5, cuts=(0, 33))
    assert all(covers(masks[i], LARGE) for i in range(25 - EXTEND, 33))
    assert all(covers(m, LARGE) for m in looked_at_turned(turned(50, 55), frames=58)[50 - EXTEND :])
    # as for any other face, once is not
    assert not any(len(m) for m in looked_at_turned(turned(55), frames=58))


def test_twice_is_enough_where_a_third_look_would_come_too_late() -> None:
    times = [Fraction(i, 10) for i in range(60)]
    masks = track(turned(20, 25), frames=60, turned_every=5, times=times)
    assert all(covers(masks[i], LARGE) for i in range(20, 26))


def test_what_ends_a_scene_unsure_is_summed_up_as_it_is_covered() -> None:
    for found, tracks in ((turned(50, 55), 1), (turned(20, 25), 0), (turned(20, 25, 30), 1)):
        tracker = Tracker(Settings())
        track(found, frames=58, turned_every=5, tracker=tracker)
        assert len(tracker.summaries) == tracks


def test_a_large_doubtful_track_waits_for_less_than_a_gap_may_last() -> None:
    """A large turned face is easy to see: weak sightings nearly a second apart are none."""
    late, large = 10 + round(0.76 * FPS), (100.0, 100.0, 170.0, 170.0)
    masks = track({10: [(BOX, 0.4, 1)], late: [(BOX, 0.4, 1)]}, frames=60)
    assert all(covers(m, BOX) for m in masks[10 : late + 1])
    masks = track({10: [(large, 0.4, 1)], late: [(large, 0.4, 1)]}, frames=60)
    assert not any(len(m) for m in masks)


def test_stricter_times_never_drop_a_small_doubtful_track() -> None:
    found: dict[int, list[Found]] = {30: [(BOX, 0.45, 1)], 42: [(BOX, 0.45, 1)]}
    settings = Settings(tracking=TrackingSettings(extend_seconds=1.0))
    masks = track(found, frames=90, settings=settings)
    # what had to leave before the second sighting is gone
    assert all(covers(m, BOX) for m in masks[43 - FPS : 42 + FPS])


@pytest.mark.parametrize("decoy", [0.12, 0.4])
def test_an_upright_look_does_not_lead_a_turned_face_s_track_away(decoy: float) -> None:
    """It can't see the face; something else near it, or its hair, must not be taken for it."""
    face = Face(10, 49, (700, 100), (-10, 0), turns=1)
    found = Scene("", (face,)).found()
    x, y, *_ = face.at(25)
    for i in (26, 27, 28):
        found[i] = [*found[i], ((x + 5, y, x + 45, y + 40), decoy, 0)]
    masks = track(found, frames=60, turned_every=5)
    assert all(covers(masks[i], face.at(i)) for i in range(20, 40))
    # what is seen surely is another matter
    found = {20: [(BOX, SURE, 1)], 21: [((110, 100, 150, 140), 0.5, 0)]}
    assert {int(i) for m in track(found, frames=30, turned_every=5) for i in m.track_ids} == {0}


@pytest.mark.parametrize("seen", [8, 16, 24])
def test_a_turned_face_is_covered_up_to_the_neighbouring_turned_looks(seen: int) -> None:
    """The upright looks between two turned ones could not have seen it, so their silence says nothing."""
    masks = track({seen: [(BOX, SURE, 1)]}, frames=60, turned_every=8)
    assert all(covers(masks[i], BOX) for i in range(seen - 7, seen + 8))
    assert not any(len(m) for m in [*masks[: seen - 8], *masks[seen + 9 :]])


def test_a_turned_face_is_covered_back_to_the_turned_look_before_it_however_long_that_is() -> None:
    """At one frame a second three frames are longer than any gap that is waited for."""
    times = [Fraction(i) for i in range(20)]
    masks = track({6: [(BOX, SURE, 1)]}, frames=20, turned_every=3, times=times)
    assert [i for i, m in enumerate(masks) if len(m)] == [4, 5, 6, 7, 8]


def test_a_turned_face_that_moves_is_covered_between_turned_looks() -> None:
    face = Face(0, 59, (100, 100), (5, 2), turns=3, score=0.45)
    masks = track(Scene("", (face,)).found(), frames=60, turned_every=3)
    assert all(covers(m, face.at(i)) for i, m in enumerate(masks[:58]))


# --- time -----------------------------------------------------------------------------------------


def test_variable_frame_rate_interpolates_by_time_not_by_number() -> None:
    """Frames 1 to 4 come late between two detection frames: half way in number is not half way in time."""
    times = [Fraction(t, 100) for t in (0, 30, 32, 34, 36, 40)]
    found: dict[int, list[Found]] = {
        0: [((100, 100, 140, 140), SURE, 0)],
        5: [((120, 100, 160, 140), SURE, 0)],
    }
    masks = track(found, frames=6, every=5, times=times)
    for i, t in enumerate(times):
        x = 100 + 20 * float(t / times[-1])
        assert covers(masks[i], (x, 100, x + 40, 140)), f"at {float(t)} s"


def test_gaps_are_measured_in_seconds() -> None:
    """Ten frames a second apart are a long gap; the same ten frames 20 ms apart are not."""
    found: dict[int, list[Found]] = {i: [(BOX, SURE, 0)] for i in (*range(5), *range(15, 20))}
    slow = track(found, frames=20, times=[Fraction(i) for i in range(20)])
    fast = track(found, frames=20, times=[Fraction(i, 50) for i in range(20)])
    assert [i for i, m in enumerate(slow) if not len(m)] == [*range(5, 15)]
    assert all(len(m) for m in fast)


@pytest.mark.parametrize("every", [1, 3, 5])
def test_a_few_frames_per_second_are_tracked_as_well(every: int) -> None:
    """At 2 fps detection frames are further apart than the longest gap, yet nothing lies between them."""
    face = Face(0, 30, (50, 100), (7, 0))
    tracker = Tracker(Settings())
    times = [Fraction(i, 2) for i in range(31)]
    masks = track(Scene("", (face,), frames=31).found(), frames=31, every=every, times=times, tracker=tracker)
    assert all(covers(m, face.at(i)) for i, m in enumerate(masks))


def test_a_doubtful_face_is_believed_at_a_few_frames_per_second() -> None:
    times = [Fraction(3 * i) for i in range(10)]
    masks = track({i: [(BOX, 0.4, 1)] for i in range(10)}, frames=10, times=times)
    assert all(covers(m, BOX) for m in masks)


@pytest.mark.parametrize(
    ("bridge", "extend"), [(0.0, 0.0), (0.0, 0.41), (0.2, 2.01), (2.0, 0.0), (1.0, 4.99)]
)
def test_bridging_and_extending_are_set_independently(bridge: float, extend: float) -> None:
    settings = Settings.standard(tracking=TrackingSettings(bridge_seconds=bridge, extend_seconds=extend))
    masks = track({100: [(BOX, SURE, 0)]}, frames=250, settings=settings)
    frames = int(extend * FPS)
    assert [i for i, m in enumerate(masks) if len(m)] == [
        *range(max(0, 100 - frames), min(250, 101 + frames))
    ]


# --- what the tracker remembers and says ----------------------------------------------------------


def test_the_look_ahead_is_bounded_by_the_longer_of_bridge_and_extension() -> None:
    waiting = deepest_window(looks({}, frames=200, every=3), Tracker(Settings()))
    assert waiting <= BRIDGE + 3 + 1


@pytest.mark.parametrize("limit", [2, 5, 12])
def test_no_more_frames_wait_than_memory_allows(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(tracker_module, "LOOKAHEAD_BYTES", limit * tiny_frame(0).nbytes)
    face = Face(0, 199, (100, 100), missed=frames_between(50, 60))
    waiting = deepest_window(looks(Scene("", (face,), frames=200).found(), frames=200), Tracker(Settings()))
    assert waiting <= limit + 1


@pytest.mark.parametrize("limit", [2, 5, 12])
@pytest.mark.parametrize("every", [1, 3])
def test_frames_handed_on_early_stay_covered_while_a_face_is_missed(
    monkeypatch: pytest.MonkeyPatch, limit: int, every: int
) -> None:
    monkeypatch.setattr(tracker_module, "LOOKAHEAD_BYTES", limit * tiny_frame(0).nbytes)
    face = Face(0, 99, (100, 100), missed=frames_between(50, 65))
    masks = track(Scene("", (face,), frames=100).found(), frames=100, every=every)
    assert all(covers(m, face.at(0)) for m in masks)


def deepest_window(stream: Iterator[Look], tracker: Tracker) -> int:
    """The most frames that were taken in and not yet handed on."""
    taken = given = deepest = 0

    def counted() -> Iterator[Look]:
        nonlocal taken, deepest
        for look in stream:
            deepest = max(deepest, taken - given)
            taken += 1
            yield look

    for _ in tracker.run(counted()):
        given += 1
    assert taken == given
    return deepest


def test_one_face_is_one_track_and_its_summary_says_what_happened() -> None:
    face = Face(10, 49, (100, 100), (4, 0), missed=frames_between(20, 24))
    tracker = Tracker(Settings())
    masks = track(Scene("", (face,)).found(), frames=60, tracker=tracker)
    assert {int(i) for m in masks for i in m.track_ids} == {0}
    (summary,) = tracker.summaries
    assert summary.first_seconds == pytest.approx(10 / FPS)
    assert summary.last_seconds == pytest.approx(49 / FPS)
    assert (summary.sightings, summary.gaps_bridged) == (35, 1)
    assert summary.lowest_score == pytest.approx(SURE)


def test_a_track_tells_when_its_longer_gaps_were() -> None:
    missed = frames_between(15, 17) | frames_between(20, 32)
    tracker = Tracker(Settings())
    track(Scene("", (Face(0, 49, (100, 100), (0, 0), missed=missed),)).found(), frames=60, tracker=tracker)
    (summary,) = tracker.summaries
    assert summary.gaps_bridged == 2
    assert summary.long_gaps == (pytest.approx((19 / FPS, 33 / FPS)),)


@pytest.mark.parametrize("every", [1, 3, 5])
def test_crossing_faces_are_two_tracks(every: int) -> None:
    tracker = Tracker(Settings())
    faces = (Face(0, 59, (100, 60), (6, 1)), Face(0, 59, (454, 120), (-6, -1)))
    masks = track(Scene("", faces).found(), frames=60, every=every, tracker=tracker)
    assert len(tracker.summaries) == 2
    for i in (0, 59):
        left, right = (masks[i].boxes[:, 0].argmin(), masks[i].boxes[:, 0].argmax())
        ids = masks[i].track_ids
        assert ids[left] != ids[right]
    first = {int(t) for t, box in zip(masks[0].track_ids, masks[0].boxes, strict=True) if box[0] < 280}
    last = {int(t) for t, box in zip(masks[59].track_ids, masks[59].boxes, strict=True) if box[0] > 280}
    assert first == last, "the face from the left is the one that ends on the right"


def test_a_cut_ends_the_tracks_before_it() -> None:
    tracker = Tracker(Settings())
    masks = track({i: [(BOX, SURE, 0)] for i in range(40)}, frames=40, cuts=(0, 20), tracker=tracker)
    assert [s.last_seconds for s in tracker.summaries] == [pytest.approx(19 / FPS), pytest.approx(39 / FPS)]
    assert not {int(i) for m in masks[:20] for i in m.track_ids} & {
        int(i) for m in masks[20:] for i in m.track_ids
    }


def test_an_unbelieved_track_is_not_in_the_summary() -> None:
    tracker = Tracker(Settings())
    track({10: [(BOX, 0.4, 1)]}, frames=60, tracker=tracker)
    assert tracker.summaries == []


def test_no_frames_give_no_masks() -> None:
    assert list(Tracker(Settings()).run(iter(()))) == []


# --- what must always hold ------------------------------------------------------------------------


def random_scene(rng: np.random.Generator, frames: int, size: int) -> dict[int, list[Found]]:
    """Boxes of any size, anywhere, also beyond the edge and one pixel wide, with any score and turn."""
    found: dict[int, list[Found]] = {}
    for i in range(frames):
        rows: list[Found] = []
        for _ in range(int(rng.integers(0, 4))):
            x, y = rng.uniform(-8, size, 2)
            w, h = rng.choice([1.0, 4.5, 12.0, 30.0], 2)
            # scores lie on the thresholds as well as between them
            score = float(rng.choice([0.1, 0.2, 0.3499, 0.35, 0.4, 0.5, 0.9]))
            turn = int(rng.choice([0, 0, 1, 2, 3]))
            rows.append(((float(x), float(y), float(x + w), float(y + h)), score, turn))
        found[i] = rows
    return found


@pytest.mark.parametrize("seed", range(40))
def test_every_pixel_of_every_detection_at_the_threshold_is_masked_in_its_own_frame(
    monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    frames, size = int(rng.integers(1, 60)), 64
    every, turned_every = int(rng.choice([1, 2, 3, 5])), int(rng.choice([1, 3]))
    cuts = sorted({0, *rng.integers(0, frames, int(rng.integers(0, 3))).tolist()})
    steps = rng.choice([1, 4, 4, 40, 300], frames)
    times = [Fraction(int(t), 100) for t in np.cumsum(steps)]
    if rng.random() < 0.4:
        monkeypatch.setattr(
            tracker_module, "LOOKAHEAD_BYTES", int(rng.integers(1, 12)) * tiny_frame(0).nbytes
        )
    settings = Settings() if rng.random() < 0.5 else Settings.standard(multi_pass=bool(rng.random() < 0.5))
    found = random_scene(rng, frames, size)
    given = list(looks(found, frames=frames, every=every, cuts=cuts, turned_every=turned_every, times=times))
    out = list(Tracker(settings).run(iter(given)))
    assert [frame.index for frame, _ in out] == list(range(frames))
    for (frame, masks), look in zip(out, given, strict=True):
        assert_masked(frame, masks, look, settings)


def assert_masked(frame: object, masks: Masks, look: Look, settings: Settings) -> None:
    """The finished picture is black wherever a detection reaches that counts by itself."""
    if look.detections is None:
        return
    anonymize(look.frame, masks, Settings.standard(mask_scale=1.0))
    luma = look.frame.planes()[0]
    found = look.detections
    for box, score, turns in zip(found.boxes, found.scores, found.turns, strict=True):
        if score >= np.float32(settings.lowest_threshold if turns == 0 else settings.threshold):
            for x1, y1, x2, y2 in covered_pixels(box[None], 1.0, look.frame.width, look.frame.height):
                assert (luma[y1:y2, x1:x2] == 16).all(), f"frame {look.frame.index}: {box} at {score} is open"


# --- looks in half size


def with_light(face: Face, frames: int, *, seen_in_light: bool = False) -> list[Look]:
    """Every second look is in half size only; whether the face is seen there, too."""
    found = Scene("", (face,)).found()
    out = []
    for look in looks(found, frames=frames):
        light = look.frame.index % 2 == 1 and look.frame.index < frames - 1
        seen = look.detections if seen_in_light or not light else Detections.empty()
        out.append(replace(look, detections=seen, light=light, turned=not light))
    return out


@pytest.mark.parametrize("seen_in_light", [False, True])
def test_what_half_the_size_does_not_show_is_no_gap(seen_in_light: bool) -> None:
    face = Face(10, 49, (100, 100), (4, 0), missed=frames_between(20, 24))
    tracker = Tracker(Settings())
    out = list(tracker.run(with_light(face, 60, seen_in_light=seen_in_light)))
    assert [frame.index for frame, _ in out] == list(range(60))
    for frame, masks in out:
        if 10 <= frame.index <= 49:
            assert covers(masks, face.at(frame.index))
    (summary,) = tracker.summaries
    assert summary.gaps_bridged == 1, "only where it was missed in full size"
    assert summary.sightings == (35 if seen_in_light else 17)


def test_a_face_too_fast_to_overlap_is_covered_between_looks_in_full_size() -> None:
    """Where it was at the look in half size isn't known: all between its two places is covered."""
    face = Face(10, 30, (50, 100), (25, 0))
    out = list(Tracker(Settings()).run(with_light(face, 40)))
    for index in range(10, 31):
        assert covers(out[index][1], face.at(index))


def test_masks_made_again_from_what_was_heard_are_the_same_with_light_looks() -> None:
    face = Face(10, 49, (100, 100), (7, 0), missed=frames_between(20, 24))
    heard: list[Moment] = []
    out = [masks for _, masks in Tracker(Settings()).run(with_light(face, 60), heard.append)]
    again = list(cover(heard, Settings()))
    assert [m.boxes.tolist() for m in again] == [m.boxes.tolist() for m in out]
    assert [each.index for each in heard if not each.looked] == list(range(1, 59, 2))
