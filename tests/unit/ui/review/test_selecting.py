"""What is selected at a stop: one face, which can be seen there, and the others in turn."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from anonator.core.frames import Masks
from anonator.core.review.doubts import Doubt, Rank
from anonator.core.review.places import Kind, Place
from anonator.core.review.stops import Stop
from anonator.ui.review.assessment import CardStop, DoubtCard
from anonator.ui.review.desk import NOBODY, ReviewDesk
from anonator.ui.review.review_state import Covered, ReviewState, ReviewStore, TrackLine
from anonator.ui.review.selecting import next_one

SMALL, LARGE = (0.0, 0.0, 10.0, 10.0), (50.0, 0.0, 90.0, 40.0)


def place(track: int, box: tuple[float, float, float, float], chance: float = 0.8) -> Place:
    return Place(Kind.GAP, (0, 9), (0, 9), 5, box, track, chance)


def masks(*ids: int) -> Masks:
    """Those with larger ids are further to the left."""
    boxes = np.array([(100 - 10 * id, 0, 108 - 10 * id, 8) for id in ids], np.float32).reshape(-1, 4)
    return Masks(boxes, np.array(ids, np.int32))


def desk(stops: list[Stop], covered: Masks, visible: Masks | None = None) -> tuple[ReviewDesk, ReviewStore]:
    """A desk over a video of ten frames, all of which look the same."""
    doubt = Doubt(Rank.FIRST, Kind.GAP, (0, 9), tuple(stops), "Something.")
    halts = tuple(CardStop(number, stop.pts, stop) for number, stop in enumerate(stops, 1))
    session: Any = SimpleNamespace(
        analysis=SimpleNamespace(pts=tuple(range(10)), key=SimpleNamespace(time_base=(1, 1))),
        doubts=lambda: [DoubtCard(1, doubt, halts)],
        tracks=lambda: [],
        masks=lambda index: covered,
        left_visible=lambda index: masks() if visible is None else visible,
        undo_words="",
        redo_words="",
    )
    lines = tuple(TrackLine(id, f"Face {id}", 0, 9, 9, Covered.ALL) for id in range(6))
    store = ReviewStore(ReviewState("a video", tracks=lines, assessed=True))
    nobody: Any = SimpleNamespace(play_to=lambda begin, end: None)
    made = ReviewDesk(session, nobody, lambda: nobody, nobody, store, crop_side=1, thumbnail_side=1)
    made.walk._went = lambda: None  # the desk would draw everything anew
    made.walk._read()
    return made, store


def test_a_stop_selects_one_face_the_most_doubtful_that_is_seen_there() -> None:
    """A failure means that V leaves two people visible where one was meant, or one whom nobody sees."""
    stop = Stop(5, (place(1, SMALL), place(2, LARGE), place(3, LARGE, 0.9)))
    made, store = desk([stop], masks(1, 2))
    made.walk.next()
    assert store.state.selected == (2,)
    made, store = desk([stop], masks(4))
    store.change(selected=(4,))
    made.walk.next()
    assert store.state.selected == (), "none of its faces is covered on that frame"


def test_the_next_face_is_the_stop_s_and_then_the_others_from_left_to_right() -> None:
    made, store = desk([Stop(5, (place(1, SMALL), place(2, LARGE)))], masks(0, 1, 2, 4), masks(5))
    made.walk.next()
    order = [store.state.selected]
    for _ in range(5):
        made.next_face()
        order.append(store.state.selected)
    assert order == [(2,), (1,), (5,), (4,), (0,), (2,)]
    made.next_face(-1)
    assert store.state.selected == (0,)


def test_without_any_face_that_is_said() -> None:
    made, store = desk([], masks())
    made.next_face()
    assert (store.state.message, store.state.selected) == (NOBODY, ())


def test_the_first_or_last_one_comes_after_what_is_out_of_sight() -> None:
    assert [next_one([3, 4], selected, by) for selected in ((), (9,)) for by in (1, -1)] == [3, 4, 3, 4]
    assert next_one([3, 4], (4, 3), 1) == 4
