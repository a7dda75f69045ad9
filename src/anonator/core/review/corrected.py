"""The masks of a frame after a person's edits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from anonator.core import boxes as box_ops
from anonator.core.frames import Float32Array, Masks
from anonator.core.review.analysis import Analysis
from anonator.core.review.edits import Span
from anonator.core.review.kept_sightings import Box
from anonator.core.review.reviewed import Piece, Reviewed

Int64Array = npt.NDArray[np.int64]
Float64Array = npt.NDArray[np.float64]

INSET = 0.01
"""Taken off each side of a drawn box, in pixels, so that rounding outwards does not reach the next ones."""


class Corrected:
    """Makes the masks of a frame from those of the analysis and what follows from the edits."""

    def __init__(self, state: Reviewed, mask_scale: float = 1.0) -> None:
        """Prepare the edits.

        Args:
            state: what follows from them.
            mask_scale: by which masks will be enlarged; what a person drew is covered exactly as drawn.
        """
        self._scale, self._of_program = mask_scale, state.of_program
        self._pieces: dict[int, list[Piece]] = {}
        for piece in sorted(state.pieces, key=lambda each: (each.source, each.span)):
            self._pieces.setdefault(piece.source, []).append(piece)
        self._visible: dict[int, list[Span]] = {}
        for id, span, _ in state.visible:
            self._visible.setdefault(id, []).append(span)
        # own ids fall: so this is the order in which they were drawn
        self._drawn = sorted(state.added, reverse=True)
        self._places = places_of(state.keyframes)
        self._moments: dict[int, list[tuple[int, Box]]] = {}
        for id in sorted(self._places.keys() - {id for id, _ in self._drawn}):
            times, sides = self._places[id]
            for pts, (x1, y1, x2, y2) in zip(times.tolist(), sides.T.tolist(), strict=True):
                self._moments.setdefault(pts, []).append((id, (x1, y1, x2, y2)))
        self._areas = sorted(state.areas, reverse=True)

    def masks(self, pts: int, found: Masks) -> Masks:
        """What must be covered at a moment.

        Args:
            pts: of the frame.
            found: what covering put on it.
        """
        ids: list[int] = []
        boxes: list[Sequence[float]] = []
        for source, box in zip(found.track_ids.tolist(), found.boxes.tolist(), strict=True):
            owner = self._owner(source, pts)
            if owner is not None:
                ids.append(owner)
                boxes.append(box)
        for id, (first, last) in self._drawn:
            if first <= pts <= last and not self._is_visible(id, pts):
                ids.append(id)
                boxes.append(self._place(id, pts))
        for id, box in self._moments.get(pts, ()):
            if not self._is_visible(id, pts):
                ids.append(id)
                boxes.append(self._exactly(box))
        for id, (first, last), box in self._areas:
            if first <= pts <= last:
                ids.append(id)
                boxes.append(self._exactly(box))
        return Masks(np.array(boxes, np.float32).reshape(-1, 4), np.array(ids, np.int32))

    def shown(self, pts: int, found: Masks) -> Float32Array:
        """(N, 4) the places that covering would cover and that stay visible by an edit."""
        places = self.left_visible(pts, found)
        own = {id for id, _ in self._drawn} - self._of_program
        kept = [box for id, box in zip(places.track_ids.tolist(), places.boxes, strict=True) if id not in own]
        return np.array(kept, np.float32).reshape(-1, 4)

    def left_visible(self, pts: int, found: Masks) -> Masks:
        """What would be covered at a moment but for an edit, drawn covers among it.

        Args:
            pts: of the frame.
            found: what covering put on it.
        """
        ids: list[int] = []
        boxes: list[Sequence[float]] = []
        for source, box in zip(found.track_ids.tolist(), found.boxes.tolist(), strict=True):
            if self._owner(source, pts) is None:
                within = (p.id for p in self._pieces.get(source, ()) if p.span[0] <= pts <= p.span[1])
                ids.append(next(within, source))
                boxes.append(box)
        for id, (first, last) in self._drawn:
            if first <= pts <= last and self._is_visible(id, pts):
                ids.append(id)
                boxes.append(self._place(id, pts))
        return Masks(np.array(boxes, np.float32).reshape(-1, 4), np.array(ids, np.int32))

    def _owner(self, source: int, pts: int) -> int | None:
        """The track that a found one belongs to at a moment, or None if it is not covered then."""
        for piece in self._pieces.get(source, ()):
            if piece.span[0] <= pts <= piece.span[1]:
                return None if self._is_visible(piece.id, pts) else piece.id
        return None

    def _is_visible(self, id: int, pts: int) -> bool:
        return any(first <= pts <= last for first, last in self._visible.get(id, ()))

    def _place(self, id: int, pts: int) -> Box:
        """Where a drawn cover is: on the line between its keyframes, and held before and after them."""
        times, sides = self._places[id]
        x1, y1, x2, y2 = (float(np.interp(pts, times, side)) for side in sides)
        return (x1, y1, x2, y2) if id in self._of_program else self._exactly((x1, y1, x2, y2))

    def _exactly(self, box: Box) -> Box:
        """What becomes that box once the masks are enlarged."""
        inner = np.array([box], np.float32) + np.array([INSET, INSET, -INSET, -INSET], np.float32)
        x1, y1, x2, y2 = box_ops.expand(inner, 1 / self._scale)[0].tolist()
        return x1, y1, x2, y2


def masks_after(analysis: Analysis, state: Reviewed, found: Iterable[Masks]) -> list[Masks]:
    """The masks of every frame after edits, not yet enlarged.

    Args:
        analysis: of the video.
        state: what follows from the edits.
        found: the masks of every frame as they were found.
    """
    corrected = Corrected(state, analysis.settings.mask_scale)
    return [corrected.masks(pts, each) for pts, each in zip(analysis.pts, found, strict=True)]


@lru_cache(maxsize=4)
def places_of(keyframes: frozenset[tuple[int, int, Box]]) -> dict[int, tuple[Int64Array, Float64Array]]:
    """By track: when its keyframes are, in order, and (4, N) where; made once for many states.

    Args:
        keyframes: (id, PTS, box).
    """
    rows = sorted(keyframes)
    ids = np.array([id for id, _, _ in rows], np.int64)
    times = np.array([pts for _, pts, _ in rows], np.int64)
    boxes = np.array([box for _, _, box in rows], float).reshape(-1, 4).T
    begins = [0, *(np.flatnonzero(np.diff(ids)) + 1).tolist(), len(ids)]
    return {
        int(ids[first]): (times[first:end], boxes[:, first:end])
        for first, end in pairwise(begins)
        if end > first
    }
