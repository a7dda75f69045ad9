"""What follows from edits: which tracks there are, what a person drew, and what stays visible.

Masks of found tracks come from covering alone; edits take some away, and add others. So without edits
nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import (
    NEEDS_BOX,
    NEEDS_SPAN,
    SHEET,
    UNCOVERING,
    WITHOUT_TARGET,
    Edit,
    Operation,
    Span,
    own_id,
    standing,
)  # fmt: skip
from anonator.core.review.kept_sightings import Box
from anonator.errors import ReviewError


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a found track, and the track that it now belongs to."""

    id: int
    source: int
    span: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What follows from all edits; equal states are equal."""

    pieces: frozenset[Piece]
    added: frozenset[tuple[int, Span]] = frozenset()
    """(id, span) of covers that a person drew."""
    keyframes: frozenset[tuple[int, int, Box]] = frozenset()
    """(id, PTS, box) of drawn covers, and of places added to found tracks."""
    areas: frozenset[tuple[int, Span, Box]] = frozenset()
    visible: frozenset[tuple[int, Span, str]] = frozenset()
    seen: frozenset[Span] = frozenset()
    """All frames of these were on the screen."""
    on_sheet: frozenset[Span] = frozenset()
    """Of these, a picture each half second was."""
    right: frozenset[tuple[str, Span]] = frozenset()
    """(kind, span) of stops at which a person found nothing wrong."""
    judged: frozenset[tuple[int, Box]] = frozenset()
    """(PTS, place) of all that was to be judged there."""
    held: frozenset[tuple[int, Span]] = frozenset()
    """(id, span) of drawn covers where they could not be followed."""
    of_program: frozenset[int] = frozenset()
    """Ids of drawn covers that the second look made."""
    signed: str = ""

    @property
    def ids(self) -> set[int]:
        """All tracks that an edit may name."""
        return {p.id for p in self.pieces} | {id for id, _ in self.added}


def apply(edits: Sequence[Edit], analysis: Analysis) -> Reviewed:
    """What follows from edits, in their order.

    Raises:
        ReviewError: one of them is not possible, in a sentence.
    """
    state = start(analysis)
    for edit in standing(edits):
        state = after(edit, state, analysis)
    return state


def after(edit: Edit, state: Reviewed, analysis: Analysis) -> Reviewed:
    """The state after one more edit that undoes none.

    Raises:
        ReviewError: it is not possible, in a sentence.
    """
    _require_legal(edit, state, analysis)
    return done(edit, state)


def start(analysis: Analysis) -> Reviewed:
    """The state before any edit."""
    whole = (-math.inf, math.inf)
    return Reviewed(frozenset(Piece(track.id, track.id, whole) for track in analysis.tracks))


def _require_legal(edit: Edit, state: Reviewed, analysis: Analysis) -> None:
    kind = edit.operation
    if state.signed:
        raise ReviewError("The review is signed. Undo the signature first.")
    if kind not in WITHOUT_TARGET and edit.target not in state.ids:
        raise ReviewError("There is no such track any more.")
    if kind in NEEDS_SPAN and (edit.span is None or edit.span[0] > edit.span[1]):
        raise ReviewError("An edit must say from when to when it holds, and end no earlier than it begins.")
    if kind in NEEDS_BOX and not edit.boxes:
        raise ReviewError("Draw the place first.")
    times = [pts for pts, _ in edit.boxes]
    if (sorted(times) if kind is Operation.RIGHT else sorted(set(times))) != times:
        raise ReviewError("Places must come in the order of their times, one at a time.")
    for _, (x1, y1, x2, y2) in edit.boxes:
        if not (x1 < x2 and y1 < y2 and all(map(math.isfinite, (x1, y1, x2, y2)))):
            raise ReviewError("A place must be wider and higher than nothing.")
    if kind in UNCOVERING and analysis.settings.hipaa and not edit.reason.strip():
        raise ReviewError("In HIPAA mode, say why this may stay visible.")
    if kind is Operation.JOIN and (edit.other == edit.target or edit.other not in state.ids):
        raise ReviewError("Two different tracks are needed to join them.")
    if kind is Operation.JOIN and {edit.target, edit.other} & {id for id, _, _ in state.visible}:
        # what one of them left visible would take the other's masks of that time away
        raise ReviewError("One of these tracks is left visible. Cover it before you join them.")
    drawn = {id for id, _ in state.added}
    if kind is Operation.REACH and (edit.target not in drawn or edit.target in state.of_program):
        raise ReviewError("Only a cover that a person drew can begin or end elsewhere.")
    if kind is Operation.SIGN and not edit.reason.strip():
        raise ReviewError("Type your initials to sign.")
    if kind in (Operation.SPLIT, Operation.TRIM, Operation.JOIN) and {edit.target, edit.other} & drawn:
        raise ReviewError("A drawn cover cannot be cut or joined. Undo it, and draw it anew.")


def done(edit: Edit, state: Reviewed) -> Reviewed:
    """The state after one legal edit."""
    id = -1 if edit.target is None else edit.target
    begin, end = edit.span or (0, 0)
    if edit.operation is Operation.COVER:
        kept = {part for each in state.visible for part in _without(each, id, begin, end)}
        return replace(state, visible=frozenset(kept))
    if edit.operation is Operation.LEAVE_VISIBLE:
        return replace(state, visible=state.visible | {(id, (begin, end), edit.reason)})
    if edit.operation is Operation.KEYFRAME:
        new = {pts for pts, _ in edit.boxes}
        old = {each for each in state.keyframes if each[0] != id or each[1] not in new}
        return replace(state, keyframes=frozenset(old | {(id, pts, box) for pts, box in edit.boxes}))
    if edit.operation is Operation.ADD:
        id = own_id(edit.number)
        keys = state.keyframes | {(id, pts, box) for pts, box in edit.boxes}
        repaired = state.of_program | ({id} if edit.by_program else set())
        added = state.added | {(id, (begin, end))}
        return replace(state, added=added, keyframes=keys, of_program=repaired)
    if edit.operation is Operation.AREA:
        area = (own_id(edit.number), (begin, end), edit.boxes[0][1])
        return replace(state, areas=state.areas | {area})
    if edit.operation is Operation.HELD:
        return replace(state, held=state.held | {(id, (begin, end))})
    if edit.operation is Operation.SEEN:
        if edit.reason == SHEET:
            return replace(state, on_sheet=state.on_sheet | {(begin, end)})
        return replace(state, seen=state.seen | {(begin, end)})
    if edit.operation is Operation.RIGHT:
        judged = state.judged | set(edit.boxes)
        return replace(state, right=state.right | {(edit.reason, (begin, end))}, judged=judged)
    if edit.operation is Operation.REACH:
        return _reaching(state, edit, id)
    if edit.operation is Operation.SIGN:
        return replace(state, signed=edit.reason)
    if edit.operation is Operation.TRIM:
        parts = {_within(p, begin, end) if p.id == id else p for p in state.pieces}
        return replace(state, pieces=frozenset(parts))
    if edit.operation is Operation.SPLIT:
        return _split(state, id, own_id(edit.number), begin)
    return _renamed(state, edit.other, id)


def _reaching(state: Reviewed, edit: Edit, id: int) -> Reviewed:
    """A drawn cover with another stretch, and with new places where the edit has some."""
    new = {pts for pts, _ in edit.boxes}
    kept = {each for each in state.keyframes if each[0] != id or each[1] not in new}
    added = {each for each in state.added if each[0] != id}
    if edit.span is not None:
        added.add((id, edit.span))
    places = {(id, pts, box) for pts, box in edit.boxes}
    return replace(state, added=frozenset(added), keyframes=frozenset(kept | places))


def _without(each: tuple[int, Span, str], id: int, begin: int, end: int) -> Iterator[tuple[int, Span, str]]:
    """What of a visible stretch is left after a cover."""
    track, (first, last), reason = each
    if track != id or end < first or begin > last:
        yield each
        return
    if first < begin:
        yield track, (first, begin - 1), reason
    if last > end:
        yield track, (end + 1, last), reason


def _within(piece: Piece, begin: float, end: float) -> Piece:
    return replace(piece, span=(max(piece.span[0], begin), min(piece.span[1], end)))


def _split(state: Reviewed, id: int, new: int, at: int) -> Reviewed:
    pieces: set[Piece] = set()
    for piece in state.pieces:
        if piece.id == id:
            pieces |= {_within(piece, -math.inf, at - 1), replace(_within(piece, at, math.inf), id=new)}
        else:
            pieces.add(piece)
    visible: set[tuple[int, Span, str]] = set()
    for track, (first, last), reason in state.visible:
        if track == id and last >= at:
            visible.add((new, (max(first, at), last), reason))
            if first < at:
                visible.add((id, (first, at - 1), reason))
        else:
            visible.add((track, (first, last), reason))
    keys = frozenset((new if t == id and pts >= at else t, pts, box) for t, pts, box in state.keyframes)
    return replace(state, pieces=frozenset(pieces), visible=frozenset(visible), keyframes=keys)


def _renamed(state: Reviewed, old: int | None, new: int) -> Reviewed:
    """One track joined to another; neither is left visible anywhere."""
    return replace(
        state,
        pieces=frozenset(replace(p, id=new) if p.id == old else p for p in state.pieces),
        keyframes=frozenset((new if t == old else t, pts, box) for t, pts, box in state.keyframes),
    )
