"""Edits: what a person decided about an analysis, one thing each, and what follows from all of them.

Edits are only ever appended: undo is an edit that names another, and redo undoes the undo. Masks of found
tracks come from covering alone; edits take some away, and add others. So without edits nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from anonator.core.review.analysis import Analysis, Box
from anonator.errors import ReviewError

Span = tuple[int, int]
"""First and last PTS, both included."""


class Operation(Enum):
    """What an edit does."""

    COVER = "cover"
    LEAVE_VISIBLE = "leave_visible"
    KEYFRAME = "keyframe"
    ADD = "add"
    AREA = "area"
    TRIM = "trim"
    JOIN = "join"
    SPLIT = "split"
    SEEN = "seen"
    SIGN = "sign"
    UNDO = "undo"


UNCOVERING = (Operation.LEAVE_VISIBLE, Operation.TRIM)
"""What takes masks away; under the HIPAA lock it needs a reason."""
WITHOUT_TARGET = (Operation.ADD, Operation.AREA, Operation.SEEN, Operation.SIGN)
NEEDS_BOX = (Operation.KEYFRAME, Operation.ADD, Operation.AREA)
NEEDS_SPAN = (
    Operation.COVER, Operation.LEAVE_VISIBLE, Operation.ADD, Operation.AREA, Operation.TRIM,
    Operation.SPLIT, Operation.SEEN,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that a person decided."""

    number: int
    """From 1, rising."""
    operation: Operation
    target: int | None = None
    """A track's id; of undo, an edit's number."""
    span: Span | None = None
    """From when to when; split: where the second part begins, as both."""
    boxes: tuple[tuple[int, Box], ...] = ()
    """(PTS, place), in order."""
    reason: str = ""
    """Why something stays visible; of sign, the reviewer's initials."""
    other: int | None = None
    """join: the track that becomes part of the target."""


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
    signed: str = ""

    @property
    def ids(self) -> set[int]:
        """All tracks that an edit may name."""
        return {p.id for p in self.pieces} | {id for id, _ in self.added}


def own_id(number: int) -> int:
    """The id of the track that an edit makes; found ones are 0 and more, and -1 is a repair's."""
    return -1 - number


def apply(edits: Sequence[Edit], analysis: Analysis) -> Reviewed:
    """What follows from edits, in their order.

    Raises:
        ReviewError: one of them is not possible, in a sentence.
    """
    state = start(analysis)
    for edit in standing(edits):
        _require_legal(edit, state, analysis)
        state = done(edit, state)
    return state


def start(analysis: Analysis) -> Reviewed:
    """The state before any edit."""
    whole = (-math.inf, math.inf)
    return Reviewed(frozenset(Piece(track.id, track.id, whole) for track in analysis.tracks))


def standing(edits: Sequence[Edit]) -> list[Edit]:
    """The edits that no later one has undone.

    Raises:
        ReviewError: an undo names what is not there, or what was undone already.
    """
    by_number: dict[int, Edit] = {}
    undone: set[int] = set()
    signatures: list[int] = []
    last = 0
    for edit in edits:
        if edit.number <= last:
            raise ReviewError("Two edits have the same number or are out of order.")
        if edit.operation is Operation.UNDO:
            if edit.target not in by_number:
                raise ReviewError("There is no such edit to undo.")
            if edit.target in undone:
                raise ReviewError("This edit is already undone.")
            signed = [n for n in signatures if n not in undone]
            if signed and edit.target not in signed:
                raise ReviewError("The review is signed. Undo the signature first.")
            _toggle(edit.target, by_number, undone)
        by_number[edit.number] = edit
        last = edit.number
        if edit.operation is Operation.SIGN:
            signatures.append(edit.number)
    return [e for n, e in by_number.items() if n not in undone and e.operation is not Operation.UNDO]


def _toggle(number: int, by_number: dict[int, Edit], undone: set[int]) -> None:
    """Undo an edit; where it is itself an undo, what it undid stands again."""
    undone.add(number)
    edit = by_number[number]
    if edit.operation is Operation.UNDO and edit.target is not None:
        _restore(edit.target, by_number, undone)


def _restore(number: int, by_number: dict[int, Edit], undone: set[int]) -> None:
    undone.discard(number)
    edit = by_number[number]
    if edit.operation is Operation.UNDO and edit.target is not None:
        _toggle(edit.target, by_number, undone)


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
    if sorted(set(times)) != times:
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
    if kind is Operation.SIGN and not edit.reason.strip():
        raise ReviewError("Type your initials to sign.")
    if kind in (Operation.SPLIT, Operation.TRIM, Operation.JOIN):
        drawn = {id for id, _ in state.added}
        if edit.target in drawn or edit.other in drawn:
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
        return replace(state, added=state.added | {(id, (begin, end))}, keyframes=keys)
    if edit.operation is Operation.AREA:
        area = (own_id(edit.number), (begin, end), edit.boxes[0][1])
        return replace(state, areas=state.areas | {area})
    if edit.operation is Operation.SEEN:
        return replace(state, seen=state.seen | {(begin, end)})
    if edit.operation is Operation.SIGN:
        return replace(state, signed=edit.reason)
    if edit.operation is Operation.TRIM:
        parts = {_within(p, begin, end) if p.id == id else p for p in state.pieces}
        return replace(state, pieces=frozenset(parts))
    if edit.operation is Operation.SPLIT:
        return _split(state, id, own_id(edit.number), begin)
    return _renamed(state, edit.other, id)


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
