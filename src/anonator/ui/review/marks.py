"""What is drawn over a picture under review: small values, from the session to the picture."""

from __future__ import annotations

from dataclasses import dataclass

Box = tuple[float, float, float, float]
"""x1, y1, x2, y2 in pixels of the video's frames, half-open."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One place on a frame: covered, or left visible by an edit."""

    id: int
    """Of the track; decides the colour."""
    box: Box
    """What is black, enlarged and cut at the edges; or the place that stays visible."""
    selected: bool = False
    """Drawn strongly; only a single selected one that moves can be moved."""
    held: bool = False
    """Hatched: it couldn't be followed there."""
    visible: bool = False
    """Dashed, and not black."""
    moves: bool = True
    """Whether it can be moved and resized; fixed areas can't."""
    wanted: bool = False
    """A place to look at, and no cover: drawn so that it can't be taken for one."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A stop on the slider."""

    index: int
    """Its frame."""
    words: str
    """Why it's worth a look; shown when the mouse is on it."""
    is_done: bool = False
    """A person has judged it."""
    chosen: bool = False
    """It's the chosen one."""
