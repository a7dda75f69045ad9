"""What people change in a review: covers, places, areas, what stays visible; and back again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from anonator.errors import ReviewError
from anonator.ui.review.asking import Asking
from anonator.ui.review.desk import ReviewDesk
from anonator.ui.review.reason_dialog import Answer, Scope
from anonator.ui.review.review_state import Covered, ReviewStore, TrackLine
from anonator.ui.state import text

if TYPE_CHECKING:
    from anonator.ui.review.following import Following
    from anonator.ui.review.session import ReviewSession

Box = tuple[float, float, float, float]
SELECT_FIRST = "Select a face first: click it in the picture or in the list, or press M."
SELECT_TWO = "Select two tracks to join them: click the second one with Ctrl held."
MOST_FRAMES = 1500
"""To each side are looked through for where a track's stretch ends."""


class Editing:
    """Carries out what keys, buttons and the mouse ask for; whatever isn't possible is said in a sentence."""

    def __init__(
        self,
        session: ReviewSession,
        following: Following,
        desk: ReviewDesk,
        store: ReviewStore,
        asking: Asking,
        *,
        changed: Callable[[], object],
    ) -> None:
        """Set it up.

        Args:
            session: the open review.
            following: follows what was drawn.
            desk: knows where in the video the review is.
            store: holds what is shown.
            asking: asks for scopes and reasons.
            changed: called after each change.
        """
        self._session, self._following, self._desk = session, following, desk
        self._store, self._asking, self._changed = store, asking, changed

    # --- covers

    def draw(self, box: Box) -> None:
        """Cover what is in a box from now on, and follow it both ways; or make it a fixed area."""
        if self._store.state.drawing_area:
            self._store.change(drawing_area=False)
            self._draw_area(box)
            return
        pts = self._pts

        def add() -> None:
            self._follow(self._session.draw(pts, box))

        self._try(add)

    def move(self, id: int, box: Box) -> None:
        """Put a cover somewhere else on this frame; between such places it is followed again."""
        pts = self._pts

        def put() -> None:
            self._follow(self._session.move(id, pts, box))

        self._try(put)

    def _follow(self, id: int) -> None:
        self._following.follow(id)
        self._store.change(selected=(id,))

    def turn_area(self) -> None:
        """Let the next drag draw a fixed area, or not after all."""
        self._store.change(drawing_area=not self._store.state.drawing_area)

    def _draw_area(self, box: Box) -> None:
        state = self._store.state
        answer = self._asking.area((state.seconds, self._desk.times.seconds(len(self._desk.times) - 1)))
        if answer is not None:
            self._try(lambda: self._session.area(self._span(answer), box))

    # --- visible or covered

    def turn(self) -> None:
        """Leave the selected tracks visible, or cover them again."""
        lines = self._selected
        if not lines:
            self._store.change(message=SELECT_FIRST)
            return
        ids = tuple(line.id for line in lines)
        again = all(
            self._session.is_visible(line.id, self._pts) or line.covered is Covered.NOTHING for line in lines
        )
        stretch = self._stretch(ids[-1], visible=again)
        what = lines[0].name if len(lines) == 1 else f"these {len(lines)} tracks"
        if again:
            answer = self._asking.cover(what, stretch)
        else:
            answer = self._asking.visible(what, stretch, needs_reason=self._session.needs_reason())
        if answer is None:
            return
        span, reason = self._span(answer), answer.reason
        if again:
            self._try(lambda: self._session.cover(ids, span))
        else:
            self._try(lambda: self._session.leave_visible(ids, span, reason))

    def begins_here(self) -> None:
        """The selected face begins on this frame."""
        self._cut_off(begins=True)

    def ends_here(self) -> None:
        """The selected face ends on this frame."""
        self._cut_off(begins=False)

    def _cut_off(self, *, begins: bool) -> None:
        line = self._one
        if line is None:
            return
        reason: str | None = ""
        if self._session.needs_reason() and not self._session.is_drawn(line.id):
            reason = self._asking.cut_off(line.name, begins=begins)
        if reason is not None:
            pts, why, act = self._pts, reason, self._session.ends_here
            if begins:
                act = self._session.begins_here
            self._try(lambda: act(line.id, pts, why))

    # --- tracks

    def join(self) -> None:
        """Make one track of the two that are selected."""
        lines = self._selected
        if len(lines) != 2:
            self._store.change(message=SELECT_TWO)
            return
        first, second = sorted(lines, key=lambda line: line.begin)
        self._try(lambda: self._session.join(first.id, second.id))

    def split(self) -> None:
        """Cut the selected track in two at this frame."""
        line = self._one
        if line is not None:
            self._try(lambda: self._session.split(line.id, self._pts))

    def delete(self) -> None:
        """Take back the smallest thing about the selected track."""
        line = self._one
        if line is None:
            return
        if self._session.deletes_without_reason(line.id):
            self._try(lambda: self._session.delete(line.id, self._pts))
        else:
            self.turn()  # what was found can only be left visible, for as long as people say

    # --- back and forth

    def undo(self) -> None:
        """Undo the last thing that was done."""
        words, pts = self._session.undo_words, self._session.undo_pts
        self._try(self._session.undo, f"Undone: {words}{self._at(pts)}." if words else "")
        self._show(pts)

    def redo(self) -> None:
        """Do again what was undone last."""
        words, pts = self._session.redo_words, self._session.redo_pts
        self._try(self._session.redo, f"Done again: {words}{self._at(pts)}." if words else "")
        self._show(pts)

    def _at(self, pts: int | None) -> str:
        return "" if pts is None else f" at {text.moment(self._desk.times.seconds_of(pts))}"

    def _show(self, pts: int | None) -> None:
        """Go where something was undone or done again, unless that is in sight."""
        if pts is not None and pts != self._pts:
            self._desk.go(self._desk.times.index_of(pts))

    # --- inside

    def _try(self, act: Callable[[], object], said: str = "") -> None:
        """Do something and say so; if it isn't possible, say why."""
        try:
            act()
            self._store.change(message=said)
        except ReviewError as error:
            self._store.change(message=str(error))
        self._changed()

    @property
    def _pts(self) -> int:
        return self._desk.times.pts(self._store.state.index)

    @property
    def _selected(self) -> list[TrackLine]:
        lines = {line.id: line for line in self._store.state.tracks}
        return [lines[id] for id in self._store.state.selected if id in lines]

    @property
    def _one(self) -> TrackLine | None:
        """The selected track, the last of several; without one, say so."""
        if not self._selected:
            self._store.change(message=SELECT_FIRST)
            return None
        return self._selected[-1]

    def _span(self, answer: Answer) -> tuple[int, int]:
        times = self._desk.times
        first, last = times.whole
        if answer.scope is Scope.WHOLE:
            return first, last
        if answer.scope is Scope.ONWARDS:
            return self._pts, last
        return times.span(*answer.stretch)

    def _stretch(self, id: int, *, visible: bool) -> tuple[float, float]:
        """For how long around this frame a track is covered, or visible, without a break; in seconds."""
        session, times, now = self._session, self._desk.times, self._store.state.index

        def same(index: int) -> bool:
            if visible:
                return session.is_visible(id, times.pts(index))
            return bool((session.masks(index).track_ids == id).any())

        if not same(now):
            line = next(line for line in self._selected if line.id == id)
            return line.begin, line.end
        first = last = now
        while first > max(0, now - MOST_FRAMES) and same(first - 1):
            first -= 1
        while last < min(len(times) - 1, now + MOST_FRAMES) and same(last + 1):
            last += 1
        return times.seconds(first), times.seconds(last)
