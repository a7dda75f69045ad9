"""The masks of a frame after a person's edits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from anonator.core.frames import Masks
from anonator.core.review.analysis import Box
from anonator.core.review.edits import Piece, Reviewed


class Corrected:
    """Makes the masks of a frame from those of the analysis and what follows from the edits."""

    def __init__(self, state: Reviewed) -> None:
        self._state = state
        self._pieces: dict[int, list[Piece]] = {}
        for piece in state.pieces:
            self._pieces.setdefault(piece.source, []).append(piece)

    def masks(self, pts: int, found: Masks) -> Masks:
        """What must be covered at a moment.

        Args:
            pts: of the frame.
            found: what covering put on it.
        """
        state = self._state
        ids: list[int] = []
        boxes: list[Sequence[float]] = []
        hidden = {t for t, (first, last), _ in state.visible if first <= pts <= last}
        for source, box in zip(found.track_ids.tolist(), found.boxes.tolist(), strict=True):
            piece = next((p for p in self._pieces[source] if p.span[0] <= pts <= p.span[1]), None)
            if piece is not None and piece.id not in hidden:
                ids.append(piece.id)
                boxes.append(box)
        drawn = dict(state.added)
        for id, (first, last) in sorted(drawn.items()):
            if first <= pts <= last and id not in hidden:
                ids.append(id)
                boxes.append(self._place(id, pts))
        for id, moment, box in sorted(state.keyframes):
            if id not in drawn and moment == pts and id not in hidden:
                ids.append(id)
                boxes.append(box)
        for id, (first, last), box in sorted(state.areas):
            if first <= pts <= last:
                ids.append(id)
                boxes.append(box)
        return Masks(np.array(boxes, np.float32).reshape(-1, 4), np.array(ids, np.int32))

    def _place(self, id: int, pts: int) -> Box:
        """Where a drawn cover is: on the line between its keyframes, and held before and after them."""
        keys = sorted((at, box) for track, at, box in self._state.keyframes if track == id)
        times = [at for at, _ in keys]
        x1, y1, x2, y2 = (float(np.interp(pts, times, [box[i] for _, box in keys])) for i in range(4))
        return x1, y1, x2, y2
