"""Edits: any sequence is possible or refused in a sentence, and undo restores exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.review.review_helpers import FRAMES, STEP, analysis, found
from unit.tracking.tracker_helpers import looks

from anonator.core.config import Settings
from anonator.core.frames import Masks
from anonator.core.review.corrected import Corrected
from anonator.core.review.edits import Edit, Operation, own_id
from anonator.core.review.reviewed import apply, done, start
from anonator.core.tracking.linking import Tracker
from anonator.errors import ReviewError

ANALYSIS = analysis()
WHOLE = (0, FRAMES * STEP)
BOX = (10.0, 20.0, 50.0, 60.0)
times = st.integers(0, FRAMES).map(lambda frame: frame * STEP)
spans = st.tuples(times, times)
places = st.lists(st.tuples(times, st.just(BOX)), max_size=2).map(tuple)


@st.composite
def attempts(draw: st.DrawFn) -> list[Edit]:
    count = draw(st.integers(0, 12))
    return [
        Edit(
            number,
            draw(st.sampled_from(Operation)),
            draw(st.integers(-13, 5)) if draw(st.booleans()) else draw(st.integers(0, 1)),
            draw(spans),
            draw(places),
            draw(st.sampled_from(["", "not a face"])),
            draw(st.integers(0, 3)),
        )
        for number in range(1, count + 1)
    ]


def legal(tried: list[Edit]) -> list[Edit]:
    """Those that are taken one after the other; each of the others is refused in a sentence."""
    kept: list[Edit] = []
    for edit in tried:
        try:
            apply([*kept, edit], ANALYSIS)
        except ReviewError as exc:
            assert str(exc).endswith(".")
        else:
            kept.append(edit)
    return kept


def masks(edits: list[Edit]) -> list[Masks]:
    corrected = Corrected(apply(edits, ANALYSIS))
    return [corrected.masks(pts, each) for pts, each in zip(ANALYSIS.pts, ANALYSIS.masks(), strict=True)]


@settings(deadline=None, max_examples=150)
@given(attempts())
def test_undoing_everything_restores_the_start_and_redoing_the_end(tried: list[Edit]) -> None:
    kept = legal([edit for edit in tried if edit.operation is not Operation.UNDO])
    end, number = apply(kept, ANALYSIS), len(tried)
    log, undos = list(kept), []
    for target in [edit.number for edit in reversed(kept)]:
        number += 1
        log.append(Edit(number, Operation.UNDO, target))
        undos.append(number)
        apply(log, ANALYSIS)
    assert apply(log, ANALYSIS) == start(ANALYSIS)
    for target in reversed(undos):
        number += 1
        log.append(Edit(number, Operation.UNDO, target))
    assert apply(log, ANALYSIS) == end


@settings(deadline=None, max_examples=100)
@given(attempts())
def test_any_sequence_with_undos_among_it_is_legal_or_refused(tried: list[Edit]) -> None:
    apply(legal(tried), ANALYSIS)


@settings(deadline=None, max_examples=100)
@given(attempts(), st.randoms())
def test_the_order_of_independent_edits_does_not_matter(tried: list[Edit], chance: object) -> None:
    independent = (Operation.ADD, Operation.AREA, Operation.SEEN, Operation.LEAVE_VISIBLE)
    kept = legal([e for e in tried if e.operation in independent and (e.target or 0) >= 0])
    shuffled = list(kept)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    state = start(ANALYSIS)
    for edit in shuffled:
        state = done(edit, state)
    assert state == apply(kept, ANALYSIS)


def test_without_edits_the_masks_are_those_of_the_first_run() -> None:
    stream = looks(found(), frames=FRAMES, every=3, cuts=(0, 30))
    first = [each for _, each in Tracker(Settings()).run(stream)]
    again = masks([])
    assert sum(map(len, first)) > 100
    for one, other in zip(first, again, strict=True):
        assert np.array_equal(one.boxes, other.boxes)
        assert np.array_equal(one.track_ids, other.track_ids)


def test_a_drawn_cover_is_black_in_exactly_its_frames() -> None:
    drawn = masks([Edit(1, Operation.ADD, None, (10 * STEP, 12 * STEP), ((11 * STEP, BOX),))])
    assert [i for i, m in enumerate(drawn) if own_id(1) in m.track_ids] == [10, 11, 12]


def test_an_undo_of_an_undo_is_a_redo() -> None:
    add = Edit(1, Operation.AREA, None, WHOLE, ((0, BOX),))
    log = [add, Edit(2, Operation.UNDO, 1), Edit(3, Operation.UNDO, 2)]
    assert apply(log, ANALYSIS) == apply([add], ANALYSIS)


@pytest.mark.parametrize("operation", [Operation.LEAVE_VISIBLE, Operation.TRIM])
def test_hipaa_mode_wants_a_reason_for_whatever_becomes_visible(operation: Operation) -> None:
    with pytest.raises(ReviewError, match="why"):
        apply([Edit(1, operation, 0, WHOLE)], ANALYSIS)
    apply([Edit(1, operation, 0, WHOLE, reason="not a face")], ANALYSIS)
    apply([Edit(1, operation, 0, WHOLE)], analysis(Settings.standard()))


def test_a_visible_track_takes_only_its_own_masks_away() -> None:
    visible = masks([Edit(1, Operation.LEAVE_VISIBLE, 0, WHOLE, reason="consent on file")])
    for before, after in zip(masks([]), visible, strict=True):
        assert after.track_ids.tolist() == [t for t in before.track_ids.tolist() if t != 0]


def test_after_the_signature_only_undoing_it_is_possible() -> None:
    sign = Edit(1, Operation.SIGN, reason="AB")
    with pytest.raises(ReviewError, match="signed"):
        apply([sign, Edit(2, Operation.SEEN, None, WHOLE)], ANALYSIS)
    apply([sign, Edit(2, Operation.UNDO, 1), Edit(3, Operation.SEEN, None, WHOLE)], ANALYSIS)


def test_near_misses_are_kept() -> None:
    assert [each.frame for each in ANALYSIS.near_misses] == [54]
