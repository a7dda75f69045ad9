"""Everything that the review shows; no widgets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from PIL import Image


class Covered(Enum):
    """How much of a track is covered."""

    ALL = "covered"
    PARTLY = "partly"
    NOTHING = "visible"


@dataclass(frozen=True, slots=True)
class StopLine:
    """A frame to look at."""

    number: int
    """Among all stops of the review, from 1."""
    index: int
    """The frame."""
    is_done: bool = False
    """Somebody said that all is right there."""


@dataclass(frozen=True, slots=True)
class Card:
    """A doubt, as its card shows it."""

    number: int
    """What the session calls it."""
    seconds: float
    sentence: str
    stops: tuple[StopLine, ...] = ()
    places: int = 0
    """How many are to be judged at its stops."""
    crop: Image.Image | None = field(default=None, compare=False)
    """Cut out of the original, in memory; None until it was read."""
    has_crop: bool = False

    @property
    def is_done(self) -> bool:
        """Whether somebody said that all of it is right."""
        return all(stop.is_done for stop in self.stops)


@dataclass(frozen=True, slots=True)
class TrackLine:
    """A track, as the list shows it."""

    id: int
    name: str
    begin: float
    """Seconds."""
    end: float
    sightings: int
    """How often it was found; 0 for what a person drew."""
    covered: Covered
    reasons: tuple[str, ...] = ()
    """Why parts of it stay visible."""
    colour: str = ""
    """Of its outline in the picture, as Tk writes it."""
    crop: Image.Image | None = field(default=None, compare=False)
    has_crop: bool = False


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture of the sheet."""

    index: int
    """Of the frame."""
    seconds: float
    picture: Image.Image | None = field(default=None, compare=False)
    """As it will be in the finished file."""
    has_picture: bool = False
    size: tuple[int, int] = (0, 0)
    """Of the picture, so that one of another size is a change."""


@dataclass(frozen=True, slots=True)
class SheetPage:
    """A page of the sheet."""

    number: int
    """From 0."""
    pages: int
    cells: tuple[Cell, ...]
    chosen: int = 0
    """The place of the cell that Enter opens."""
    shape: tuple[int, int] = (16, 9)
    """Width and height of the video's frames, of which only the ratio counts."""


@dataclass(frozen=True, slots=True)
class ReviewState:
    """The whole state of an open review. Read it from here, never from a widget."""

    name: str = ""
    """Of the video; shown, never logged."""
    hipaa: bool = True
    frames: int = 0
    length: float = 0.0
    """Seconds from the first frame to the last one."""
    index: int = 0
    """The frame that is shown, or about to be."""
    seconds: float = 0.0
    """Its time."""
    speed: float = 0.0
    """How fast it plays; below 0 backwards, 0 while it stands still."""
    ready: bool = False
    """Whether the masks are known, so that there's something to judge."""
    assessed: bool = False
    """Whether the places to check are known."""
    cards: tuple[Card, ...] = ()
    card: int | None = None
    """The number of the chosen card."""
    stop: int | None = None
    """The number of the chosen stop, which is one of its."""
    tracks: tuple[TrackLine, ...] = ()
    selected: tuple[int, ...] = ()
    """Ids of the selected tracks, the last one the strongest."""
    share_seen: float = 0.0
    """Of the frames that were on the screen."""
    share_on_sheet: float = 0.0
    """Of those that weren't, but a picture of the sheet stood for them."""
    unseen_seconds: float = 0.0
    """Of the rest."""
    undo: str = ""
    """What undo would undo, in words; "" if there's nothing."""
    redo: str = ""
    following: int = 0
    """How many drawn covers are still being followed."""
    drawing_area: bool = False
    """Whether the next drag draws a fixed area."""
    sheet: SheetPage | None = None
    message: str = ""
    """A sentence above the picture."""
    hint: bool = False
    """Whether the first-time hint is shown."""
    signed: str = ""
    """Initials of who signed."""

    @property
    def stops(self) -> tuple[StopLine, ...]:
        """All stops, in the order in which N goes through them."""
        return tuple(stop for card in self.cards for stop in card.stops)

    @property
    def open_stops(self) -> int:
        """At how many stops nobody has said yet that all is right."""
        return sum(not stop.is_done for stop in self.stops)

    @property
    def stop_words(self) -> str:
        """Which stop is chosen, "Stop 3 of 17"; "" if none is."""
        return "" if self.stop is None else f"Stop {self.stop} of {len(self.stops)}"


class ReviewStore:
    """Holds the current state of a review, and tells its followers about each change; all in one thread."""

    def __init__(self, state: ReviewState) -> None:
        self.state = state
        self._followers: list[Callable[[ReviewState], object]] = []

    def follow(self, told: Callable[[ReviewState], object]) -> None:
        """Call this with the current state, and with every later one."""
        self._followers.append(told)
        told(self.state)

    def change(self, **values: Any) -> None:
        """Replace some fields of the state; followers hear only about real changes."""
        after = replace(self.state, **values)
        if after != self.state:
            self.state = after
            for told in tuple(self._followers):
                told(self.state)

    def stop(self) -> None:
        """Tell nobody any more."""
        self._followers.clear()
