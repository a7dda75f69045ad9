"""Decodes single frames for the review, and what may come next."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from anonator.core.frames import Frame, UInt8Array
from anonator.errors import AnonatorError, InputError
from anonator.ui.review.proxies import Proxies
from anonator.ui.review.reel import Stock

if TYPE_CHECKING:
    from anonator.core.reading.frame_access import FrameAccess

NEAR = 24
"""A frame so little further on is reached by decoding on, not by seeking."""
BEFORE = 6
"""So many frames before the wanted one are kept, too, if no seek is needed for them: the first steps back."""
FEW = 4
"""Frames that are decoded before anybody could have looked at a copy."""
AHEAD, LOW, CHUNK = 8, 3, 2
"""Parts of the cache: decoded ahead; the least that lies behind; and what is decoded there if it's less."""
PROXY_SIDE = 960
"""Long side of the copies of frames, in pixels, at most."""
ENDED = "The video can't be read to its end. It may have been changed or cut off since it was analyzed."


@dataclass(frozen=True, slots=True, eq=False)
class Wish:
    """What the review wants to see."""

    index: int
    side: int
    """Long side of pictures, in pixels."""
    speed: float = 0.0
    """0 for a single frame; below 0 backwards."""


class Desk(Protocol):
    """Where wishes come from and pictures go to."""

    def is_over(self, wish: Wish) -> bool:
        """Whether another wish has replaced it."""

    def wait(self, wish: Wish, seconds: float | None) -> None:
        """Wait so long, or until another wish comes."""

    def expected(self) -> Sequence[int]:
        """Frames that will probably be asked for."""

    def publish(
        self, wish: Wish, index: int, picture: UInt8Array, before: int, *, is_proxy: bool = False
    ) -> None:
        """Hand over a picture.

        Args:
            wish: that it serves.
            index: of the frame.
            picture: (H, W, 3) RGB.
            before: the frame shown before it while playing, or -1.
            is_proxy: whether it's a small copy, and the frame itself is still to come.
        """

    def answered(self, wish: Wish) -> None:
        """The frame is there, or playing has come to its end."""


class Projector:
    """Has the frames of one video; everything happens in the film's thread."""

    def __init__(
        self,
        open_video: Callable[[], FrameAccess],
        seconds: Sequence[float],
        desk: Desk,
        cache_bytes: int,
        proxies: Proxies,
    ) -> None:
        """Set it up; the video is opened at the first wish.

        Args:
            open_video: opens it.
            seconds: time of every frame.
            desk: of the film.
            cache_bytes: of decoded frames to keep.
            proxies: filled when there's time.
        """
        self.seconds, self.desk, self.proxies = seconds, desk, proxies
        self.stock = Stock(open_video, cache_bytes)
        self._filling = range(0)
        """What the second reel decodes."""
        self._is_gone_through = False

    def look_ahead(self, wish: Wish, *, backwards: bool) -> bool:
        """Decode a little of what may be asked for next; False if there's nothing to do.

        Args:
            wish: that has been served.
            backwards: people go back, so what lies before comes first.
        """
        try:
            first, second = (self.behind, self._ahead) if backwards else (self._ahead, self.behind)
            return first() or second() or self._expect() or self._go_through(wish)
        except AnonatorError:  # nobody has asked for it; told to who does
            return False

    def close(self) -> None:
        """Close the files."""
        self.stock.close()

    # --- single frames

    def show(self, wish: Wish, index: int, before: int) -> None:
        """Fetch a frame and hand it over, unless it isn't wanted any more."""
        frame = self.fetch(wish, index)
        if frame is not None:
            self.desk.publish(wish, index, picture_of(frame, wish.side), before)

    def fetch(self, wish: Wish, index: int) -> Frame | None:
        """A frame, or None if it isn't wanted any more."""
        kept = self.stock.kept
        kept.centre = index
        reel = self.stock.front
        while not self.desk.is_over(wish):
            frame = kept.get(index)
            if frame is not None:
                return frame
            if reel.at is None or reel.skims or not 0 <= index - reel.at <= NEAR:
                reel.wind(index, before=BEFORE)
            self.stock.take(reel)
            if reel.at is None and index not in kept:
                raise InputError(ENDED)
        return None

    def show_proxy(self, wish: Wish) -> None:
        """Hand over the copy of the frame that is wished for, if there's one and the frame isn't here."""
        at = self.stock.front.at
        if wish.index in self.stock.kept or (at is not None and 0 <= wish.index - at < FEW):
            return
        picture = self.proxies.picture(wish.index, wish.side)
        if picture is not None:
            self.desk.publish(wish, wish.index, picture, -1, is_proxy=True)

    # --- what may come next

    def fill(self, wish: Wish, index: int, *, skims: bool) -> None:
        """Decode a frame and those before it."""
        reel = self.stock.back
        if not (reel.at is not None and reel.at <= index in self._filling and reel.skims == skims):
            self._filling = range(max(0, index - self.stock.room // CHUNK), index + 1)
            reel.wind(self._filling.start, skims=skims)
        self.stock.kept.centre = index
        while reel.at is not None and reel.at <= index and not self.desk.is_over(wish):
            self.stock.take(reel)

    def behind(self) -> bool:
        """Decode a little of what comes before; False if there's enough."""
        here, room = self.stock.kept.centre, self.stock.room
        first = self.stock.kept.last_before(here)
        reel = self.stock.back
        if first in range(1, here + 1) and here - first < max(1, room // LOW):
            if not (reel.at is not None and reel.at < first <= self._filling.stop):
                self._filling = range(max(0, first - max(1, room // CHUNK)), first)
                reel.wind(self._filling.start)
            self.stock.take(reel)
            return True
        if reel.at is not None and reel.at in self._filling and self._filling.stop == first:
            self.stock.take(reel)
            return True
        return False

    def _ahead(self) -> bool:
        """Decode a little of what follows; False if there's enough."""
        here = self.stock.kept.centre
        missing = self.stock.kept.first_after(here + 1)
        if missing >= len(self.seconds) or missing - here > max(1, self.stock.room // AHEAD):
            return False
        reel = self.stock.front
        if reel.at is None or reel.skims or not 0 <= missing - reel.at <= NEAR:
            reel.wind(missing)
        self.stock.take(reel)
        return True

    def _expect(self) -> bool:
        """Decode a little of what was said to come; False if there's nothing to do."""
        kept, reel = self.stock.kept, self.stock.back
        kept.pinned = tuple(self.desk.expected())[: max(1, self.stock.room // 8)]
        for index in kept.pinned:
            if index not in kept:
                if self._filling != range(index, index + 1) or reel.at != index:
                    self._filling = range(index, index + 1)
                    reel.wind(index)
                self.stock.take(reel)
                return True
        return False

    def _go_through(self, wish: Wish) -> bool:
        """Copy a little more of the video; False if all of it has been copied."""
        if self._is_gone_through:
            return False
        reel, begin = self.stock.through, time.monotonic()
        if reel.at is None:
            reel.wind(0)
        reel.skims = self.proxies.stride > 1
        try:
            frame = reel.step()
        except AnonatorError:
            self._is_gone_through = True
            raise
        if frame is not None:
            if self.proxies.wants(frame.index):
                self.proxies.add(frame.index, picture_of(frame, min(wish.side, PROXY_SIDE)), _size(frame))
            # nobody waits for it, and somebody may wait for a cover that is being followed
            self.desk.wait(wish, time.monotonic() - begin)
        self._is_gone_through = reel.at is None
        return True


def picture_of(frame: Frame, side: int) -> UInt8Array:
    """The frame as RGB with square pixels, its long side within a limit: (H, W, 3)."""
    from anonator.core.pictures.rgb import to_rgb_within

    return np.asarray(to_rgb_within(frame, side), np.uint8)


def _size(frame: Frame) -> tuple[int, int]:
    """Width and height of the frame's picture with square pixels, all its detail kept."""
    from anonator.core.pictures.rgb import square_size

    return square_size(frame.width, frame.height, frame.sar, max(frame.width, frame.height) ** 2)
