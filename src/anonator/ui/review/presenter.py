"""Draws the state of a review: every part of the screen shows it, and nothing is read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from anonator.ui.review.marks import Mark, Tick
from anonator.ui.review.review_state import ReviewState
from anonator.ui.review.screen import Screen
from anonator.ui.review.times import Times

if TYPE_CHECKING:
    from anonator.ui.review.film import Shown
    from anonator.ui.review.seen import Seen
    from anonator.ui.review.session import ReviewSession

NEAR_SECONDS = 0.5
"""A frame so far from a stop still belongs to it: people look at what was just before."""
DOUBT = -(10**9)
"""In place of a track's id: corners where a doubt wants somebody to look."""


class ReviewPresenter:
    """Gives each part of the screen what it shows; parts that haven't changed aren't redrawn."""

    def __init__(
        self,
        screen: Screen,
        session: ReviewSession,
        seen: Seen,
        times: Times,
        state: Callable[[], ReviewState],
    ) -> None:
        """Set it up.

        Args:
            screen: with the parts.
            session: the open review, for what is too large for the state.
            seen: what was shown so far.
            times: of the frames.
            state: tells the current state.
        """
        self._screen, self._session, self._seen, self._times = screen, session, seen, times
        self._state = state
        self._drawn: ReviewState | None = None
        self._version = -1
        self._counts: np.ndarray | None = None
        self._shown: int | None = None
        """The frame that is on the screen."""

    def draw(self, state: ReviewState) -> None:
        """Show the state."""
        screen, drawn = self._screen, self._drawn
        self._drawn = state
        screen.head.draw(state)
        screen.transport.draw(state)
        screen.notice.show(state.message)
        (screen.hint.grid if state.hint else screen.hint.grid_remove)()
        screen.show_sheet(state.sheet is not None)
        screen.sheet.draw(state.sheet, state.share_seen)
        screen.to_check.draw(state.cards, state.card, state.stop, ready=state.assessed)
        screen.stop_sign.show(_sign(state))
        screen.tracks.draw(state.tracks, state.selected)
        if drawn is None or drawn.index != state.index:
            screen.lanes.show_position(state.index)
        if drawn is None or drawn.drawing_area != state.drawing_area:
            screen.picture.draw_area(state.drawing_area)
        if drawn is None or (drawn.cards, drawn.stop) != (state.cards, state.stop):
            screen.lanes.show_doubts(_ticks(state))
        if drawn is None or _seen(drawn) != _seen(state):
            screen.lanes.show_seen(stretches(self._seen.frames()))
        if state.ready and (self._version != self._session.version or drawn is None or not drawn.ready):
            self._version = self._session.version
            self._mark()
        elif drawn is None or (drawn.selected, drawn.stop) != (state.selected, state.stop):
            self._mark()
        counts = self._session.counts()
        if counts is not self._counts:
            self._counts = counts
            screen.lanes.show_counts(counts)

    def show(self, shown: Shown) -> None:
        """Show a frame, with its marks."""
        key = self._session.analysis.key
        self._shown = shown.index
        self._screen.picture.show(shown.picture, (key.width, key.height), self._marks(shown.index))

    def _mark(self) -> None:
        if self._shown is not None:
            self._screen.picture.mark(self._marks(self._shown))

    def _marks(self, index: int) -> list[Mark]:
        """What is drawn over a frame."""
        state = self._state()
        if not state.ready:
            return []
        session, selected = self._session, set(state.selected)
        held = session.held(index)
        covered, visible = session.masks(index), session.left_visible(index)
        marks = [
            Mark(id, (x1, y1, x2, y2), id in selected, id in held, moves=session.moves(id))
            for id, (x1, y1, x2, y2) in zip(covered.track_ids.tolist(), covered.boxes.tolist(), strict=True)
        ]
        for id, (x1, y1, x2, y2) in zip(visible.track_ids.tolist(), visible.boxes.tolist(), strict=True):
            marks.append(Mark(id, (x1, y1, x2, y2), id in selected, visible=True, moves=False))
        stop = self._session.stop(state.stop)
        places = () if stop is None else session.marked(stop, index)
        wanted = (Mark(DOUBT, place, visible=True, moves=False, wanted=True) for place in places)
        return [*marks, *wanted]


def _ticks(state: ReviewState) -> list[Tick]:
    """All stops on the slider."""
    return [
        Tick(stop.index, card.sentence, stop.is_done, stop.number == state.stop)
        for card in state.cards
        for stop in card.stops
    ]


def _seen(state: ReviewState) -> tuple[float, float]:
    return state.share_seen, state.share_on_sheet


def _sign(state: ReviewState) -> str:
    """What is said over the picture about the chosen stop."""
    chosen = next((stop for stop in state.stops if stop.number == state.stop), None)
    if chosen is None:
        return ""
    if state.speed and state.index < chosen.index:
        return f"To stop {chosen.number} of {len(state.stops)}\N{HORIZONTAL ELLIPSIS}"
    seconds = next((card.seconds for card in state.cards if card.number == state.card), state.seconds)
    if not state.speed and abs(state.seconds - seconds) > NEAR_SECONDS:
        return f"Away from stop {chosen.number}"
    return state.stop_words + (" \N{CHECK MARK}" if chosen.is_done else "")


def stretches(frames: np.ndarray) -> list[tuple[int, int]]:
    """First and last index of each run of True."""
    edges = np.diff(np.concatenate([[0], frames.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))
