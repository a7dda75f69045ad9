"""What undo and redo would do: actions of a person, found again in the log of edits."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from anonator.core.review.edits import REDONE, UNDONE, Edit, Operation

NO_ACTION = (Operation.SEEN, Operation.SIGN)
"""What people don't do on purpose, or take back in another way."""


@dataclass(slots=True)
class History:
    """The actions that can be undone, and those that can be redone, by the number of their first edit."""

    done: list[int] = field(default_factory=list)
    undone: list[int] = field(default_factory=list)
    _edits: dict[int, Edit] = field(default_factory=dict)
    _of: dict[int, list[int]] = field(default_factory=dict)
    """Numbers of an action's edits, in order."""

    @classmethod
    def of(cls, edits: Iterable[Edit]) -> History:
        """The history that a log of edits tells."""
        history = cls()
        for edit in edits:
            history.add(edit)
        return history

    def add(self, edit: Edit) -> None:
        """Take the next edit of the log."""
        self._edits[edit.number] = edit
        if edit.by_program or edit.operation in NO_ACTION:
            return
        if edit.operation is Operation.UNDO and edit.reason in (UNDONE, REDONE):
            self._turn(edit)
            return
        if edit.operation is Operation.UNDO and self._edits[edit.target or 0].operation is Operation.SIGN:
            return
        action = edit.step or edit.number
        if action not in self._of:
            self.done.append(action)
            self.undone.clear()
        self._of.setdefault(action, []).append(edit.number)

    def _turn(self, edit: Edit) -> None:
        """One edit of an undone or redone action; the first one moves the action."""
        of, to = (self.done, self.undone) if edit.reason == UNDONE else (self.undone, self.done)
        action = edit.step
        if action in of:
            of.remove(action)
            to.append(action)

    def edit(self, number: int) -> Edit:
        """The edit with this number."""
        return self._edits[number]

    def undoing(self, action: int, standing: Collection[int]) -> list[int]:
        """Numbers of the edits to undo, in this order, so that an action is undone.

        Args:
            action: the number of its first edit.
            standing: numbers of the edits, undos included, that no other has undone.
        """
        own = set(self._of.get(action, ()))
        wanted = [number for number in reversed(self._of.get(action, ())) if number in standing]
        return [
            number
            for number in wanted
            # what the action took back of its own stays taken back
            if self._edits[number].operation is not Operation.UNDO or self._edits[number].target not in own
        ]

    def words(self, action: int) -> str:
        """What an action did, as it stands after "Undo"."""
        first = self._edits[self._of[action][0]]
        return WORDS.get(first.operation, "the last change")

    def place(self, action: int) -> int | None:
        """The PTS of the frame on which a person did it; None if it is about a stretch or a whole track."""
        first = self._edits[self._of[action][0]]
        if first.operation is Operation.RIGHT and first.span is not None:
            return first.span[0]
        one = first.operation in (Operation.ADD, Operation.KEYFRAME) and len(first.boxes) == 1
        return first.boxes[0][0] if one else None

    @property
    def undo_words(self) -> str:
        """What would be undone next, or ""."""
        return self.words(self.done[-1]) if self.done else ""

    @property
    def redo_words(self) -> str:
        """What would be done again next, or ""."""
        return self.words(self.undone[-1]) if self.undone else ""

    @property
    def undo_place(self) -> int | None:
        """When in the video that was done; None if it has no one place."""
        return self.place(self.done[-1]) if self.done else None

    @property
    def redo_place(self) -> int | None:
        """When in the video that would be done again."""
        return self.place(self.undone[-1]) if self.undone else None


WORDS = {
    Operation.COVER: "covering",
    Operation.LEAVE_VISIBLE: "leaving visible",
    Operation.KEYFRAME: "moving a cover",
    Operation.ADD: "drawing a cover",
    Operation.AREA: "drawing a fixed area",
    Operation.TRIM: "a new beginning or end",
    Operation.REACH: "a new beginning or end",
    Operation.JOIN: "joining two tracks",
    Operation.SPLIT: "splitting a track",
    Operation.RIGHT: '"right as it is"',
    Operation.UNDO: "deleting",
}
