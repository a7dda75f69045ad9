"""Stretches that are worth a look as a whole: movement without any face, and pictures too hard to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from anonator.core.frames import Masks
from anonator.core.review.analysis import Analysis
from anonator.core.review.places import Kind

STILL_MOVING = 24
"""Change of luma from which a picture moves."""
ALONE_SECONDS = 5.0
"""So long may something move without any face."""
DARK, BLURRED = 25, 5
"""Below these, a picture is too dark or too blurred to find faces in it."""
HARD_SECONDS = 1.0


def whole_pictures(analysis: Analysis, masks: Sequence[Masks]) -> Iterator[tuple[Kind, int, int]]:
    """The kind, the first and the last frame of each such stretch.

    Args:
        analysis: of the video.
        masks: of every frame.
    """
    for first, last in _stretches([not len(each) for each in masks], ALONE_SECONDS, analysis):
        moving = [shade.moving >= STILL_MOVING for shade in analysis.shades[first : last + 1]]
        if sum(moving) * 5 >= len(moving) > 0:
            yield Kind.NO_FACE, first, last
    hard = [shade.light < DARK or shade.sharp < BLURRED for shade in analysis.shades]
    for first, last in _stretches(hard, HARD_SECONDS, analysis):
        yield Kind.HARD_TO_SEE, first, last


def _stretches(holds: Sequence[bool], seconds: float, analysis: Analysis) -> Iterator[tuple[int, int]]:
    """First and last frame of every stretch where something holds for longer than that."""
    longest = seconds * analysis.key.time_base[1] / analysis.key.time_base[0]
    begin = None
    for index, each in enumerate([*holds, False]):
        if each and begin is None:
            begin = index
        elif not each and begin is not None:
            if analysis.pts[index - 1] - analysis.pts[begin] > longest:
                yield begin, index - 1
            begin = None
