"""Stops: the fewest frames on which a person sees everything that is worth a look."""

from __future__ import annotations

from collections.abc import Iterable


def stops(windows: Iterable[tuple[int, int]]) -> list[int]:
    """Frames, in order, so that at least one of them is in each window, and no fewer would do.

    Args:
        windows: (first, last) frame on which something can be seen, both included.
    """
    shared: list[tuple[int, int]] = []
    for first, last in sorted(windows, key=lambda window: (window[1], window[0])):
        if shared and first <= shared[-1][1]:
            shared[-1] = max(first, shared[-1][0]), shared[-1][1]
        else:
            shared.append((first, last))
    return [(first + last) // 2 for first, last in shared]
