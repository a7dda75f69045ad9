"""Replay: whatever is undone, and in whatever order, it gives what applying all edits gives."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.review.review_helpers import STEP, analysis

from anonator.core.review import replay, reviewed
from anonator.core.review.edits import Edit, Operation, own_id
from anonator.core.review.replay import Replay
from anonator.core.review.reviewed import Reviewed, apply
from anonator.errors import ReviewError

ANALYSIS = analysis()
BOX = (600.0, 300.0, 660.0, 380.0)
CHOICES = st.lists(st.tuples(st.sampled_from(["add", "visible", "seen", "move", "undo"]), st.integers(0, 30)))


def edit(number: int, what: str, which: int, edits: list[Edit]) -> Edit:
    span = which * STEP, (which + 5) * STEP
    drawn = [own_id(each.number) for each in edits if each.operation is Operation.ADD]
    if what == "undo" and edits:
        return Edit(number, Operation.UNDO, edits[which % len(edits)].number)
    if what == "visible":
        return Edit(number, Operation.LEAVE_VISIBLE, which % 2, span, reason="not a face")
    if what == "move" and drawn:
        return Edit(number, Operation.KEYFRAME, drawn[which % len(drawn)], boxes=((which * STEP, BOX),))
    if what == "add":
        return Edit(number, Operation.ADD, None, span, ((span[0], BOX),))
    return Edit(number, Operation.SEEN, None, span, reason="1x")


def outcome(of: Replay, edits: list[Edit]) -> Reviewed | str:
    try:
        return of.of(edits)
    except ReviewError as error:
        return str(error)


@pytest.mark.parametrize("kept", [1, 64])
@settings(max_examples=60, deadline=None)
@given(choices=CHOICES)
def test_it_is_the_same_as_applying_all(kept: int, choices: list[tuple[str, int]]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "MOST_KEPT", kept)
        quick, edits = Replay(ANALYSIS), list[Edit]()
        for number, (what, which) in enumerate(choices, 1):
            new = edit(number, what, which, edits)
            state = outcome(quick, [*edits, new])
            assert state == outcome(Replay(ANALYSIS), [*edits, new])
            if isinstance(state, Reviewed):
                if new.operation is not Operation.UNDO:
                    assert quick.after(new, apply(edits, ANALYSIS), edits) == state
                edits.append(new)
                assert state == apply(edits, ANALYSIS)


def test_undoing_the_last_decisions_goes_over_nothing_before_them(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = [Edit(n, Operation.SEEN, None, (n * STEP, n * STEP)) for n in range(1, 101)]
    add = Edit(101, Operation.ADD, None, (0, STEP), ((0, BOX),))
    quick = Replay(ANALYSIS)
    before = quick.of(seen)
    quick.after(add, before, seen)
    done: list[Edit] = []
    monkeypatch.setattr(reviewed, "done", lambda each, state: done.append(each) or state)
    assert quick.of([*seen, add, Edit(102, Operation.UNDO, 101)]) is before
    assert done == []
