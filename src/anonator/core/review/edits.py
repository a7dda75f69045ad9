"""Edits: what a person decided about an analysis, one thing each.

Edits are only ever appended: undo is an edit that names another, and redo undoes the undo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from anonator.core.review.kept_sightings import Box
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
    REACH = "reach"
    """From when to when a drawn cover holds, and where it is then: what following it found, or a new end."""
    HELD = "held"
    """Not a decision: a drawn cover could not be followed there, and was held where it was."""
    SEEN = "seen"
    RIGHT = "right"
    """A person stopped where a doubt is and found that nothing is wrong there; boxes are what was judged."""
    SIGN = "sign"
    UNDO = "undo"


UNCOVERING = (Operation.LEAVE_VISIBLE, Operation.TRIM)
"""What takes masks away; under the HIPAA lock it needs a reason."""
WITHOUT_TARGET = (Operation.ADD, Operation.AREA, Operation.SEEN, Operation.RIGHT, Operation.SIGN)
NEEDS_BOX = (Operation.KEYFRAME, Operation.ADD, Operation.AREA)
NEEDS_SPAN = (
    Operation.COVER, Operation.LEAVE_VISIBLE, Operation.ADD, Operation.AREA, Operation.TRIM,
    Operation.SPLIT, Operation.SEEN, Operation.HELD, Operation.REACH, Operation.RIGHT,
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
    """(PTS, place), in order; only right has several at the same time."""
    reason: str = ""
    """Why something stays visible; of sign, the reviewer's initials; of seen, how it was shown; of right, the
    kind of doubt; of undo, UNDONE or REDONE where a person pressed that."""
    other: int | None = None
    """join: the track that becomes part of the target."""
    at: str = ""
    """Of sign: when, as ISO 8601 has it."""
    step: int = 0
    """Number of the first edit of the action that it's part of: they are undone together; 0 is an action of
    its own."""
    by_program: bool = False
    """The second look made it; its boxes are of faces, enlarged by the mask scale as found ones are."""


SECOND_LOOK = "second look"
"""Why the program itself covered more."""
SHEET = "sheet"
"""How a stretch was seen of which only a picture each half second was on the screen."""
UNDONE, REDONE = "undone", "redone"
OUT_OF_ORDER = "Two edits have the same number or are out of order."


def own_id(number: int) -> int:
    """The id of the track that an edit makes; found ones are 0 and more, and -1 is a repair's."""
    return -1 - number


def standing(edits: Sequence[Edit]) -> list[Edit]:
    """The edits that no later one has undone, without the undos.

    Raises:
        ReviewError: an undo names what is not there, or what was undone already.
    """
    return [edit for edit in standing_with_undos(edits) if edit.operation is not Operation.UNDO]


def standing_with_undos(edits: Sequence[Edit]) -> list[Edit]:
    """The edits that no later one has undone, the undos among them.

    Raises:
        ReviewError: as standing.
    """
    by_number: dict[int, Edit] = {}
    undone: set[int] = set()
    signatures: list[int] = []
    last = 0
    for edit in edits:
        if edit.number <= last:
            raise ReviewError(OUT_OF_ORDER)
        if edit.operation is Operation.UNDO:
            if edit.target not in by_number:
                raise ReviewError("There is no such edit to undo.")
            if by_number[edit.target].by_program:
                raise ReviewError(
                    "The second look saw a face there. Leave it visible, with a reason, instead."
                )
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
    return [edit for number, edit in by_number.items() if number not in undone]


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
