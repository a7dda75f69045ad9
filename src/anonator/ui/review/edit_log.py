"""The log of a review: every edit, on the disk at once, and its actions as steps of undo."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import (
    REDONE,
    UNDONE,
    Edit,
    Operation,
    Span,
    own_id,
    standing_with_undos,
)
from anonator.core.review.kept_sightings import Box
from anonator.core.review.reviewed import Reviewed, after
from anonator.core.review.tracks_file import TracksFile
from anonator.ui.review.history import History


class EditLog:
    """An open tracks file, to which actions are appended, undone and done again.

    Every method that changes something raises ReviewError, with a sentence, where that isn't possible.
    """

    def __init__(self, tracks: Path) -> None:
        """Open it, and lock it against other programs.

        Raises:
            ReviewError: it can't be opened; see TracksFile.
        """
        self._file = TracksFile(tracks)
        self._history = History.of(self._file.edits)

    def close(self) -> None:
        """Unlock it; a signed one is compressed."""
        self._file.close()

    @property
    def analysis(self) -> Analysis:
        """What the first run found."""
        return self._file.analysis

    @property
    def edits(self) -> Sequence[Edit]:
        """All edits, in order, undone ones and undos among them."""
        return self._file.edits

    @property
    def state(self) -> Reviewed:
        """What follows from the edits."""
        return self._file.state

    @property
    def history(self) -> History:
        """What undo and redo would do."""
        return self._history

    def act(self, edits: Sequence[Edit], step: int = 0) -> None:
        """Append the edits of one action, if all of them are possible.

        Args:
            edits: their numbers don't matter.
            step: the action that they are part of; 0 is one of their own.
        """
        first = self._next_number()
        action = step or (first if len(edits) > 1 else 0)
        made = [replace(edit, number=first + i, step=action) for i, edit in enumerate(edits)]
        if all(edit.operation is not Operation.UNDO for edit in made):
            state = self.state
            for edit in made:
                state = after(edit, state, self.analysis)
        for edit in made:
            self.append(edit)

    def append(self, edit: Edit) -> int:
        """Append one edit, and return its number."""
        edit = replace(edit, number=self._next_number())
        self._file.append(edit)
        self._history.add(edit)
        return edit.number

    def undo(self) -> None:
        """Take the last action back, whole; without one, nothing happens."""
        if not self._history.done:
            return
        action = self._history.done[-1]
        self._turn(self._history.undoing(action, self.standing()), action, UNDONE)

    def redo(self) -> None:
        """Do again what was undone last; without anything, nothing happens."""
        if not self._history.undone:
            return
        action, stands = self._history.undone[-1], self.standing()
        undos = [
            edit.number for edit in self.edits
            if edit.step == action and edit.reason == UNDONE and edit.number in stands
        ]  # fmt: skip
        self._turn(undos[::-1], action, REDONE)

    def standing(self) -> set[int]:
        """Numbers of the edits that no other has undone, undos among them."""
        return {edit.number for edit in standing_with_undos(self.edits)}

    def about(self, id: int) -> list[Edit]:
        """A person's edits that made this track or changed it, and stand."""
        stands = self.standing()
        return [edit for edit in self.edits if edit.number in stands and _is_about(edit, id)]

    def placed(self, id: int) -> list[tuple[int, Box]]:
        """(PTS, box) of a drawn cover where a person put it, in order of time."""
        places: dict[int, Box] = {}
        for edit in self.about(id):
            if len(edit.boxes) == 1 and edit.operation in (Operation.ADD, Operation.KEYFRAME):
                places.update(edit.boxes)
        return sorted(places.items())

    def last_placing(self, id: int) -> int | None:
        """The action that drew or moved a cover last, if it stands."""
        about = self.about(id)
        if not about or about[0].number != own_id(id):  # the id of an id is the number
            return None
        last = [edit for edit in about if edit.operation in (Operation.ADD, Operation.KEYFRAME)][-1]
        return last.step or last.number

    def _turn(self, numbers: Sequence[int], action: int, how: str) -> None:
        for number in numbers:
            self.append(replace(made(Operation.UNDO, number, reason=how), step=action))

    def _next_number(self) -> int:
        return self.edits[-1].number + 1 if self.edits else 1


def made(
    operation: Operation,
    target: int | None = None,
    span: Span | None = None,
    boxes: tuple[tuple[int, Box], ...] = (),
    reason: str = "",
) -> Edit:
    """An edit that gets its number when it is appended."""
    return Edit(0, operation, target, span, boxes, reason)


def _is_about(edit: Edit, id: int) -> bool:
    """Whether a person's edit made this track, or changed it."""
    makes = edit.operation in (Operation.ADD, Operation.AREA) and own_id(edit.number) == id
    changes = edit.operation is not Operation.UNDO and edit.target == id
    return (makes or changes) and not edit.by_program
