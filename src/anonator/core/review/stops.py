"""Stops: the fewest frames on which a person sees everything that is worth a look."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from anonator.core.review.places import Place


@dataclass(frozen=True, slots=True)
class Stop:
    """A frame to look at."""

    pts: int
    places: tuple[Place, ...]
    """What is judged there; all of it could be seen on that frame, or just before it."""


def stops(windows: Sequence[tuple[int, int]], best: Sequence[int] | None = None) -> list[int]:
    """Frames, in order, so that at least one of them is in each window, and no fewer would do.

    Args:
        windows: (first, last) frame on which something can be seen, both included.
        best: the frame of each window on which it is seen best; None is the middle.
    """
    wanted = best if best is not None else [(first + last) // 2 for first, last in windows]
    shared: list[tuple[int, int, list[int]]] = []
    for (first, last), frame in sorted(zip(windows, wanted, strict=True), key=lambda each: each[0][::-1]):
        if shared and first <= shared[-1][1]:
            begin, end, frames = shared[-1]
            shared[-1] = max(first, begin), end, [*frames, frame]
        else:
            shared.append((first, last, [frame]))
    return [min(max(sorted(frames)[len(frames) // 2], first), last) for first, last, frames in shared]
