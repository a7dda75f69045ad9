"""The session: every action is one step of undo, and everything is there again after a restart."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.review.review_helpers import FRAMES, STEP, analysis

from anonator.core.config import Settings
from anonator.core.review import tracks_file
from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.follow import Followed, Step
from anonator.core.review.places import BARE
from anonator.core.review.reviewed import apply
from anonator.core.review.tracks_file import TracksFile
from anonator.errors import ReviewError
from anonator.ui.review.review_state import Covered
from anonator.ui.review.session import ReviewSession


def large(kept: Analysis) -> Analysis:
    """The same in pictures that hold all of its faces."""
    return replace(kept, key=replace(kept.key, width=1280, height=720))


ANALYSIS = large(analysis())
STANDARD = large(analysis(Settings.standard()))
BOX = (600.0, 300.0, 660.0, 380.0)
END = ANALYSIS.pts[-1]


def opened(folder: Path, kept: Analysis = ANALYSIS) -> ReviewSession:
    path = folder / "a.tracks"
    if not path.exists():
        tracks_file.create(kept, path)
    session = ReviewSession(folder / "visit.mp4", path)
    session.prepared(session.prepare()())
    return session


@pytest.fixture
def session(tmp_path: Path) -> ReviewSession:
    return opened(tmp_path)


def drawn(session: ReviewSession, index: int) -> list[tuple[float, ...]]:
    return [tuple(box) for box in session.masks(index).boxes.round(1).tolist()]


def went(first: int, last: int, held: tuple[int, ...] = ()) -> Followed:
    """A cover that moves by a pixel a frame."""
    x1, y1, x2, y2 = BOX
    steps = (Step(i * STEP, (x1 + i, y1, x2 + i, y2), i in held) for i in range(first, last + 1))
    return Followed(tuple(steps))


def test_masks_are_what_will_be_black(session: ReviewSession) -> None:
    masks = session.masks(20)
    assert len(masks) == 2 and set(masks.track_ids.tolist()) == {0, 1}
    # faces 40 and 30 pixels wide, 1.5 times as large; one of them moves
    widths = sorted((masks.boxes[:, 2] - masks.boxes[:, 0]).tolist())
    assert widths == pytest.approx([45, 66], abs=1)


def test_a_drawn_cover_is_followed_and_undone_in_one_step(session: ReviewSession) -> None:
    before = session.state
    id = session.draw(20 * STEP, BOX)
    assert BOX in drawn(session, 20) and BOX not in drawn(session, 21)
    session.took(id, went(15, 30, held=(28, 29)))
    assert (621.0, 300.0, 681.0, 380.0) in drawn(session, 21)
    assert BOX in drawn(session, 20), "where a person put it, it stays"
    assert session.held(28) == {id} and session.held(27) == set()
    assert session.undo_words == "drawing a cover"
    session.undo()
    assert session.state == before and session.undo_words == ""
    session.redo()
    assert (621.0, 300.0, 681.0, 380.0) in drawn(session, 21) and session.held(28) == {id}
    assert session.redo_words == ""


def test_what_was_followed_is_dropped_if_its_cover_was_undone_meanwhile(session: ReviewSession) -> None:
    id = session.draw(20 * STEP, BOX)
    session.undo()
    before = session.state
    session.took(id, went(15, 30))
    assert session.state == before and session.redo_words == "drawing a cover"


def test_a_moved_cover_is_followed_again_and_undone_alone(session: ReviewSession) -> None:
    id = session.draw(20 * STEP, BOX)
    session.took(id, went(15, 30))
    other = (610.0, 310.0, 670.0, 390.0)
    assert session.move(id, 25 * STEP, other) == id
    assert session.placed(id) == [(20 * STEP, BOX), (25 * STEP, other)]
    session.took(id, went(15, 40))
    assert other in drawn(session, 25) and (640.0, 300.0, 700.0, 380.0) in drawn(session, 40)
    session.undo()
    assert session.placed(id) == [(20 * STEP, BOX)]
    assert (625.0, 300.0, 685.0, 380.0) in drawn(session, 25) and not drawn_at(session, id, 40)


def test_moving_what_the_program_found_draws_a_cover_beside_it(session: ReviewSession) -> None:
    id = session.move(0, 20 * STEP, BOX)
    assert id < 0 and len(session.masks(20)) == 3


def test_leaving_visible_asks_for_a_reason_under_the_lock_and_covering_does_not(
    session: ReviewSession, tmp_path: Path
) -> None:
    whole = (0, END)
    with pytest.raises(ReviewError, match="say why"):
        session.leave_visible([0], whole)
    assert session.undo_words == ""
    session.leave_visible([0, 1], whole, "consent on file")
    assert not len(session.masks(20)) and set(session.left_visible(20).track_ids.tolist()) == {0, 1}
    rows = {row.id: row for row in session.tracks()}
    assert rows[0].covered is Covered.NOTHING and rows[0].reasons == ("consent on file",)
    session.cover([0], (20 * STEP, 20 * STEP))
    assert session.masks(20).track_ids.tolist() == [0]
    assert {row.id: row.covered for row in session.tracks()}[0] is Covered.PARTLY
    session.undo()
    session.undo()
    assert len(session.masks(20)) == 2
    (tmp_path / "standard").mkdir()
    free = opened(tmp_path / "standard", STANDARD)
    free.leave_visible([0], whole)
    assert free.masks(20).track_ids.tolist() == [1]


def test_an_action_of_which_a_part_is_refused_leaves_nothing(session: ReviewSession) -> None:
    before = session.state
    with pytest.raises(ReviewError, match="no such track"):
        session.cover([0, 77], (0, END))
    assert session.state == before


def test_a_drawn_cover_begins_and_ends_where_people_say_without_a_reason(session: ReviewSession) -> None:
    id = session.draw(20 * STEP, BOX)
    session.took(id, went(10, 30))
    session.begins_here(id, 15 * STEP)
    session.ends_here(id, 25 * STEP)
    assert [bool(drawn_at(session, id, i)) for i in (14, 15, 25, 26)] == [False, True, True, False]
    with pytest.raises(ReviewError, match="say why"):
        session.ends_here(0, 20 * STEP)
    session.ends_here(0, 20 * STEP, "not a face")
    assert drawn_at(session, 0, 20) and not drawn_at(session, 0, 21)


def drawn_at(session: ReviewSession, id: int, index: int) -> bool:
    return id in session.masks(index).track_ids.tolist()


def test_delete_takes_the_smallest_thing_and_can_be_undone(session: ReviewSession) -> None:
    id = session.draw(20 * STEP, BOX)
    session.took(id, went(10, 30))
    session.move(id, 25 * STEP, (0.0, 0.0, 50.0, 50.0))
    session.delete(id, 25 * STEP)
    assert (625.0, 300.0, 685.0, 380.0) in drawn(session, 25), "the moved place goes first"
    session.delete(id, 25 * STEP)
    assert not drawn_at(session, id, 25) and session.undo_words == "deleting"
    session.undo()
    assert (625.0, 300.0, 685.0, 380.0) in drawn(session, 25)
    area = session.area((0, END), (0.0, 0.0, 80.0, 40.0))
    assert drawn_at(session, area, 50)
    session.delete(area, 50 * STEP)
    assert not drawn_at(session, area, 50)
    with pytest.raises(ReviewError, match="nothing to delete"):
        session.delete(0, 20 * STEP)


def test_a_doubt_that_is_right_stays_so(session: ReviewSession, tmp_path: Path) -> None:
    assert not session.is_assessed
    session.assessed(session.assessor()())
    assert session.is_assessed and session.counts()[20] == 2 and session.counts().shape == (FRAMES,)
    cards = session.doubts()
    assert cards and not any(card.is_done for card in cards)
    for stop in cards[0].stops:
        assert not session.doubts()[0].is_done
        session.right(cards[0], stop)
        session.right(cards[0], stop)
    assert session.doubts()[0].is_done and session.undo_words == '"right as it is"'
    session.close()
    again = opened(tmp_path)
    again.assessed(again.assessor()())
    assert [card.is_done for card in again.doubts()] == [True] + [False] * (len(cards) - 1)
    assert sum(edit.operation is Operation.RIGHT for edit in again.edits) == len(cards[0].stops)
    assert again.undo_pts == cards[0].stops[-1].stop.pts
    again.undo()
    assert not any(card.is_done for card in again.doubts())
    again.redo()
    assert again.doubts()[0].is_done


def test_what_was_covered_a_moment_ago_is_not_judged_with_the_rest(session: ReviewSession) -> None:
    """A failure means that a face whose cover is deleted again is never asked about any more."""
    session.assessed(session.assessor()())
    card, stop, place = next(
        (card, stop, place)
        for card in session.doubts() for stop in card.stops for place in stop.stop.places
        if place.box is not None and place.kind in BARE
    )  # fmt: skip
    x1, y1, x2, y2 = place.box or BOX
    id = session.draw(stop.stop.pts, (x1 - 5, y1 - 5, x2 + 5, y2 + 5))
    session.right(card, stop)
    assert not any(box == place.box for _, box in session.state.judged)
    session.delete(id, stop.stop.pts)
    session.assessed(session.assessor()())
    again = [p for card in session.doubts() for s in card.stops if not s.is_done for p in s.stop.places]
    assert place in again


def test_seen_stretches_are_no_steps(session: ReviewSession) -> None:
    session.draw(20 * STEP, BOX)
    session.saw((0, 10 * STEP), "1x")
    assert session.undo_words == "drawing a cover"
    session.undo()
    assert session.state.seen == {(0, 10 * STEP)}


def test_listeners_hear_of_changes(session: ReviewSession) -> None:
    heard: list[int] = []
    session.listen(lambda: heard.append(session.version))
    session.draw(20 * STEP, BOX)
    assert heard == [session.version]


ACTIONS: list[Callable[[ReviewSession, int], object]] = [
    lambda s, i: s.draw(i * STEP, BOX),
    lambda s, i: s.took(s.draw(i * STEP, BOX), went(max(0, i - 5), min(FRAMES - 1, i + 5), held=(i + 1,))),
    lambda s, i: s.move(latest(s), i * STEP, (10.0, 10.0, 50.0 + i, 60.0)),
    lambda s, i: s.leave_visible([0, 1], (i * STEP, END), "consent on file"),
    lambda s, i: s.cover([0], (0, i * STEP)),
    lambda s, i: s.ends_here(latest(s), i * STEP, "not a face"),
    lambda s, i: s.begins_here(latest(s), i * STEP, "not a face"),
    lambda s, i: s.area((0, i * STEP), BOX),
    lambda s, i: s.split(0, i * STEP),
    lambda s, i: s.join(0, 1),
    lambda s, i: s.delete(latest(s), i * STEP),
    lambda s, i: s.saw((0, i * STEP), "2x"),
]


def latest(session: ReviewSession) -> int:
    return min([row.id for row in session.tracks()], default=0)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, len(ACTIONS) - 1), st.integers(0, FRAMES - 1)), max_size=10))
def test_undoing_everything_is_the_start_and_redoing_is_the_end(
    tmp_path_factory: pytest.TempPathFactory, actions: list[tuple[int, int]]
) -> None:
    folder = tmp_path_factory.mktemp("review")
    session = opened(folder)
    states = [plain(session)]
    for which, index in actions:
        steps = len(session._log.history.done)
        try:
            ACTIONS[which](session, index)
        except ReviewError as exc:
            assert str(exc).endswith(".") and plain(session) == states[-1]
        if len(session._log.history.done) > steps:
            states.append(plain(session))
        else:
            states[-1] = plain(session)
    session.close()
    session = opened(folder)  # undo goes on after a restart
    for state in reversed(states[:-1]):
        session.undo()
        assert plain(session) == state
    assert session.undo_words == ""
    for state in states[1:]:
        session.redo()
        assert plain(session) == state
    assert apply(session.edits, session.analysis) == session.state
    session.close()


def plain(session: ReviewSession) -> object:
    """What follows from the edits, without what was seen."""
    state = session.state
    return (state.pieces, state.added, state.keyframes, state.areas, state.visible, state.held)


def test_a_killed_program_loses_nothing(tmp_path: Path) -> None:
    path = tracks_file.create(ANALYSIS, tmp_path / "a.tracks")
    code = (
        "import sys, os; from pathlib import Path\n"
        "from anonator.ui.review.session import ReviewSession\n"
        "s = ReviewSession(Path('visit.mp4'), Path(sys.argv[1]))\n"
        "for i in range(20): s.draw(i * 3600, (1.0, 2.0, 30.0, 40.0))\n"
        "os.kill(os.getpid(), 9) if os.name == 'posix' else os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False, env=dict(os.environ))
    session = ReviewSession(tmp_path / "visit.mp4", path)
    assert sum(edit.operation is Operation.ADD for edit in session.edits) == 20
    for _ in range(20):
        session.undo()
    assert not session.state.added and np.array_equal(session.undo_words, "")


def test_half_an_action_that_a_full_disk_let_through_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was on the screen was not what the log held."""
    session = opened(tmp_path)
    ids = [row.id for row in session.tracks()][:2]
    whole = session.analysis.pts[0], session.analysis.pts[-1]
    append, written = TracksFile.append, list[Edit]()

    def nearly_full(file: TracksFile, edit: Edit) -> None:
        if written:
            raise ReviewError("The edit could not be saved. Is the disk full?")
        append(file, edit)
        written.append(edit)

    monkeypatch.setattr(TracksFile, "append", nearly_full)
    version = session.version
    with pytest.raises(ReviewError, match="disk"):
        session.leave_visible(ids, whole, "consent on file")
    assert session.version == version + 1
    shown = {id for index in range(FRAMES) for id in session.masks(index).track_ids.tolist()}
    assert ids[0] not in shown and ids[1] in shown
    with pytest.raises(ReviewError, match="disk"):
        session.leave_visible(ids[1:], whole, "consent on file")
    assert session.version == version + 1, "nothing has changed"
    monkeypatch.undo()
    session.undo()
    assert ids[0] in {id for index in range(FRAMES) for id in session.masks(index).track_ids.tolist()}
    session.close()
