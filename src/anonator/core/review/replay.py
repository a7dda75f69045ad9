"""Replay: what follows from edits, without going over all of them again where only the last ones changed."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import Edit, Operation, standing
from anonator.core.review.reviewed import Reviewed, after, start

MOST_KEPT = 64
"""States before so many of the last decisions are kept; undoing older ones takes longer."""


class Replay:
    """Keeps the states before the last decisions."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._kept: deque[tuple[list[int], Reviewed]] = deque(maxlen=MOST_KEPT)
        """(numbers of the edits that stood, what followed from them)."""

    def of(self, edits: Sequence[Edit]) -> Reviewed:
        """What follows from edits, in their order; as apply.

        Raises:
            ReviewError: one of them is not possible, in a sentence.
        """
        stand = standing(edits)
        numbers = [edit.number for edit in stand]
        same = [each for each in self._kept if numbers[: len(each[0])] == each[0]]
        begun, state = max(same, key=lambda each: len(each[0]), default=([], start(self._analysis)))
        for at in range(len(begun), len(stand)):
            self._keep(stand[at], numbers[:at], state)
            state = after(stand[at], state, self._analysis)
        return state

    def after(self, edit: Edit, state: Reviewed, edits: Sequence[Edit]) -> Reviewed:
        """The state after one more edit that undoes none.

        Args:
            edit: the new one.
            state: what follows from those before it.
            edits: those before it.

        Raises:
            ReviewError: it is not possible, in a sentence.
        """
        if edit.operation is not Operation.SEEN:
            self._keep(edit, [each.number for each in standing(edits)], state)
        return after(edit, state, self._analysis)

    def _keep(self, edit: Edit, before: list[int], state: Reviewed) -> None:
        # nobody undoes that something was seen, and there are thousands of those
        if edit.operation is not Operation.SEEN and all(before != kept for kept, _ in self._kept):
            self._kept.append((before, state))
