"""Places worth a look: what they are, and how much they are worth it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from anonator.core.review.edits import Span
from anonator.core.review.kept_sightings import Box

LARGE = 24
"""Pixels of the shorter side from which people recognise a face well."""


class Kind(Enum):
    """Why a place is worth a look; the most likely leaks come first."""

    NEAR_MISS = "a faint hint of a face, and nothing covers it"
    BREAKS_OFF = "a face begins or ends inside the picture, and nothing covers its place before or after"
    REPAIR = "the second look found a face here that had not been covered"
    GAP = "a face was not found for a while and covered where it must have been"
    ONCE = "a face was found only once"
    TURNED = "a face was found only in a turned picture"
    HELD = "a drawn cover could not be followed, and stays where it was"
    NO_FACE = "something moves, but no face was found for more than 5 seconds"
    HARD_TO_SEE = "the picture is too dark or too blurred to find faces in it"


ORDER = {kind: place for place, kind in enumerate(Kind)}
BARE = (Kind.NEAR_MISS, Kind.BREAKS_OFF)
"""Kinds of places that are a doubt only as long as nothing covers them."""
CHANCE = {
    Kind.REPAIR: 1.0, Kind.HELD: 1.0, Kind.NO_FACE: 0.6, Kind.HARD_TO_SEE: 0.6, Kind.TURNED: 0.3,
    Kind.ONCE: 0.25,
}  # fmt: skip
"""How likely a bare face is at places of a kind that doesn't say more; 1 is to be looked at in any case."""
SECOND_OPINION = 0.7
"""The same for what only a second detector saw."""


@dataclass(frozen=True, slots=True)
class Place:
    """One thing about one face, or about the whole picture."""

    kind: Kind
    span: Span
    """First and last PTS of what it is about."""
    window: Span
    """First and last PTS at which there is something to see."""
    best: int
    """PTS at which it is most likely seen."""
    box: Box | None = None
    """Where; None is the whole picture."""
    track: int | None = None
    chance: float = 1.0
    """How likely a bare face is there, 0..1; a rule of thumb."""
    around: Box | None = None
    """Where to look, if that is more than the box: where the face may have moved to meanwhile."""

    @property
    def where(self) -> Box | None:
        """Where to look; None is the whole picture."""
        return self.around or self.box

    @property
    def weight(self) -> float:
        """How much it is worth a look, 0..1: the chance, less for small faces, which few would recognise."""
        if self.box is None or self.chance >= 1:
            return self.chance
        x1, y1, x2, y2 = self.box
        return self.chance * min(1.0, min(x2 - x1, y2 - y1) / LARGE)
