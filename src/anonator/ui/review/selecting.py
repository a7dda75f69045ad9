"""Which face is selected at a stop, and which one the key for the next face selects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from anonator.core.frames import Masks
from anonator.core.review.places import Place


def doubtful(places: Iterable[Place], here: Collection[int]) -> tuple[int, ...]:
    """The tracks of some places that can be seen on a frame, the most doubtful first.

    Args:
        places: of a stop.
        here: tracks that are covered or left visible on the frame.
    """
    by_weight = sorted(places, key=lambda place: -place.weight)
    ids = dict.fromkeys(place.track for place in by_weight)
    return tuple(id for id in ids if id is not None and id in here)


def in_turn(there: Iterable[Masks], first: Sequence[int]) -> list[int]:
    """All tracks of a frame: some first, and then the others from left to right.

    Args:
        there: what is covered on it, and what is left visible.
        first: those that come first, if they are there.
    """
    left: dict[int, float] = {}
    for masks in there:
        left.update(zip(masks.track_ids.tolist(), masks.boxes[:, 0].tolist(), strict=True))
    chosen = [id for id in first if id in left]
    return [*chosen, *sorted((id for id in left if id not in chosen), key=lambda id: (left[id], id))]


def next_one(order: Sequence[int], selected: Sequence[int], by: int) -> int | None:
    """The track after the selected one, or before it; None if there's none at all.

    Args:
        order: of the frame's tracks.
        selected: the selected tracks; the last one counts.
        by: 1 for the next one, -1 for the one before.
    """
    if not order:
        return None
    if not selected or selected[-1] not in order:
        return order[0 if by > 0 else -1]
    return order[(order.index(selected[-1]) + by) % len(order)]
