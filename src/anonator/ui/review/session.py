"""The session: what people do in an open review, one method for each thing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

from anonator.core.review.edits import SECOND_LOOK, Edit, Operation, Span, own_id
from anonator.core.review.follow import Followed
from anonator.core.review.judged import by_place, finding_right, is_judged
from anonator.core.review.kept_sightings import Box
from anonator.errors import ReviewError
from anonator.ui.review.assessment import CardStop, DoubtCard
from anonator.ui.review.edit_log import made
from anonator.ui.review.open_review import OpenReview

NOTHING_THERE = "There is nothing to delete here."


class ReviewSession(OpenReview):
    """An open review that is changed.

    Every method that changes something raises ReviewError, with a sentence, where that isn't possible.
    """

    # --- what people do

    def cover(self, ids: Iterable[int], span: Span) -> None:
        """Cover tracks again where they were left visible."""
        self._act(*(made(Operation.COVER, id, span) for id in ids))

    def leave_visible(self, ids: Iterable[int], span: Span, reason: str = "") -> None:
        """Leave tracks visible for a while; in HIPAA mode with a reason."""
        self._act(*(made(Operation.LEAVE_VISIBLE, id, span, reason=reason) for id in ids))

    def draw(self, pts: int, box: Box) -> int:
        """Cover a place on one frame, until it has been followed; returns the new track's id."""
        edit = made(Operation.ADD, None, (pts, pts), ((pts, self._within(box)),))
        self._act(edit)
        return own_id(self.edits[-1].number)

    def move(self, id: int, pts: int, box: Box) -> int:
        """Put a cover elsewhere on one frame; returns the id of the track that is there now.

        What the program found keeps its own mask, since more black harms nobody: a new cover is drawn, which
        can be followed.
        """
        if not self.is_drawn(id):
            return self.draw(pts, box)
        edits = [made(Operation.KEYFRAME, id, boxes=((pts, self._within(box)),))]
        first, last = self._span_of(id)
        if not first <= pts <= last:
            edits.append(made(Operation.REACH, id, (min(first, pts), max(last, pts))))
        self._act(*edits)
        return id

    def placed(self, id: int) -> list[tuple[int, Box]]:
        """(PTS, box) of a drawn cover where a person put it, in order of time."""
        return self._log.placed(id)

    def took(self, id: int, followed: Followed) -> None:
        """Take where a drawn cover went; it's part of the action that drew or moved it last.

        Nothing happens where that action was undone meanwhile.
        """
        action = self._log.last_placing(id)
        if action is None or not followed.steps:
            return
        placed = dict(self.placed(id))
        boxes = tuple((step.pts, placed.get(step.pts, step.box)) for step in followed.steps)
        edits = [made(Operation.REACH, id, followed.span, boxes)]
        edits += [made(Operation.HELD, id, span) for span in followed.held]
        self._act(*edits, step=action)

    def area(self, span: Span, box: Box) -> int:
        """Cover a place of the picture for a while; returns its id."""
        self._act(made(Operation.AREA, None, span, ((span[0], self._within(box)),)))
        return own_id(self.edits[-1].number)

    def begins_here(self, id: int, pts: int, reason: str = "") -> None:
        """Let a track begin at this time; in HIPAA mode a found one needs a reason."""
        self._reach(id, (pts, self._span_of(id)[1]), reason)

    def ends_here(self, id: int, pts: int, reason: str = "") -> None:
        """Let a track end at this time; in HIPAA mode a found one needs a reason."""
        self._reach(id, (self._span_of(id)[0], pts), reason)

    def join(self, id: int, other: int) -> None:
        """Make one track of two."""
        self._act(replace(made(Operation.JOIN, id), other=other))

    def split(self, id: int, pts: int) -> int:
        """Make two tracks of one; returns the id of the one that begins at this time."""
        self._act(made(Operation.SPLIT, id, (pts, pts)))
        return own_id(self.edits[-1].number)

    def deletes_without_reason(self, id: int) -> bool:
        """Whether delete() takes something back that a person made; a found track would become visible."""
        return self.is_drawn(id) or not self.moves(id)

    def delete(self, id: int, pts: int) -> None:
        """Take away the smallest thing a person made here: a moved place before a cover, a cover, an area."""
        if not self.deletes_without_reason(id):
            raise ReviewError(NOTHING_THERE)
        about = self._log.about(id)
        keyframes = [edit for edit in about if edit.operation is Operation.KEYFRAME]
        moved = [edit for edit in keyframes if [place for place, _ in edit.boxes] == [pts]]
        if moved:
            action = moved[-1].step or moved[-1].number
            about = [edit for edit in about if (edit.step or edit.number) == action]
        if not about:
            raise ReviewError(NOTHING_THERE)
        self._act(*(made(Operation.UNDO, edit.number) for edit in reversed(about)))

    def right(self, card: DoubtCard, stop: CardStop) -> None:
        """Say that nothing is wrong at a stop; what a person judged once stays judged until it's undone.

        What was covered a moment ago isn't judged with it: without that cover it's a doubt again.
        """
        key, halt = self.analysis.key, stop.stop
        if not self.is_assessed:
            halt = replace(halt, places=tuple(p for p in halt.places if not self.hides(p, halt.pts)))
        if halt.places and not is_judged(halt, by_place(self.state.judged), key):
            self._log.act([finding_right(card.doubt.kind, halt, key)])
            self._tell()  # no cover has changed, so the doubts are what they were

    def saw(self, span: Span, how: str) -> None:
        """Note that a stretch was shown; no action of a person."""
        self._log.append(made(Operation.SEEN, None, span, reason=how))
        self._tell()

    def repaired(self, places: Iterable[tuple[Span, Box]]) -> None:
        """Take down what the second look covered while the file was made; it's the program's own edit."""
        for span, box in places:
            edit = made(Operation.ADD, None, span, ((span[0], box),), SECOND_LOOK)
            self._log.append(replace(edit, by_program=True))

    def sign(self, edit: Edit) -> None:
        """Take a signature; nothing can be changed after it. Only for Signing, which has made the file."""
        self._log.append(edit)
        self._changed()

    def undo(self) -> None:
        """Take the last action back, whole; without one, nothing happens."""
        self._change(self._log.undo)

    def redo(self) -> None:
        """Do again what was undone last; without anything, nothing happens."""
        self._change(self._log.redo)

    # --- inside

    def _act(self, *edits: Edit, step: int = 0) -> None:
        self._change(partial(self._log.act, edits, step))

    def _change(self, act: Callable[[], object]) -> None:
        """Change the log, and tell what follows from it, also if the disk was full halfway."""
        before = len(self.edits)
        try:
            act()
        finally:
            if len(self.edits) > before:
                self._changed()

    def _reach(self, id: int, span: Span, reason: str) -> None:
        if span[0] > span[1]:
            raise ReviewError("A track can't end before it begins.")
        if self.is_drawn(id):
            self._act(made(Operation.REACH, id, span))
        else:
            self._act(made(Operation.TRIM, id, span, reason=reason))

    def _within(self, box: Box) -> Box:
        """A box, cut at the picture's edges."""
        key = self.analysis.key
        x1, y1, x2, y2 = box
        return max(0.0, x1), max(0.0, y1), min(float(key.width), x2), min(float(key.height), y2)
