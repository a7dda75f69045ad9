"""Decodes what the review asks for: single frames, playing at any speed both ways, and what may come next."""

from __future__ import annotations

import bisect
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from anonator.core.frames import Frame, UInt8Array
from anonator.errors import AnonatorError, InputError
from anonator.ui.review.reel import Kept, Reel

if TYPE_CHECKING:
    from anonator.core.reading.frame_access import FrameAccess

NEAR = 24
"""A frame so little further on is reached by decoding on, not by seeking."""
BEFORE = 6
"""So many frames before the wanted one are kept, too, if no seek is needed for them: the first steps back."""
MOST_PER_SECOND, LEAST_PER_SECOND = 30.0, 20.0
"""Pictures shown while playing: more would only slow the window down; fewer if decoding is too slow."""
LATE_SECONDS, LOST_SECONDS = 0.04, 0.5
"""A picture that is late may be left out. What is lost isn't caught up with: playing takes longer."""
AHEAD, LOW, CHUNK = 8, 3, 2
"""Parts of the cache: decoded ahead; the least that lies behind; and what is decoded there if it's less."""
SKIM_SPEED = 4.0
"""From here on, frames that no other one depends on are left out."""
SHORT_SECONDS = 0.012
"""Too short to decode another frame while waiting for the next one's time."""
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

    def publish(self, wish: Wish, index: int, picture: UInt8Array, before: int) -> None:
        """Hand over a picture; the frame shown before it, or -1."""

    def answered(self, wish: Wish) -> None:
        """The frame is there, or playing has come to its end."""


class Projector:
    """Serves one wish after the other; everything happens in the film's thread."""

    def __init__(
        self, open_video: Callable[[], FrameAccess], seconds: Sequence[float], desk: Desk, cache_bytes: int
    ) -> None:
        """Set it up; the video is opened at the first wish.

        Args:
            open_video: opens it.
            seconds: time of every frame.
            desk: of the film.
            cache_bytes: of decoded frames to keep.
        """
        self._open, self._seconds, self._desk = open_video, seconds, desk
        self._kept, self._cache_bytes = Kept(cache_bytes), cache_bytes
        self._access: FrameAccess | None = None
        self._reels: list[Reel] = []
        self._room = 8
        """So many frames can be kept."""
        self._filling = range(0)
        """What the second reel decodes."""

    def serve(self, wish: Wish) -> None:
        """Do what is wished, then decode ahead, until another wish comes.

        Raises:
            AnonatorError: the video can't be read there.
        """
        backwards = wish.speed < 0 or (wish.speed == 0 and wish.index < self._kept.centre)
        if wish.speed > 0:
            self._play_on(wish)
        elif wish.speed < 0:
            self._play_back(wish)
        else:
            self._show(wish, wish.index, -1)
        if self._desk.is_over(wish):
            return
        self._desk.answered(wish)
        while not self._desk.is_over(wish):
            try:
                first, second = (self._behind, self._ahead) if backwards else (self._ahead, self._behind)
                idle = not (first() or second() or self._expect())
            except AnonatorError:  # nobody has asked for it; told to who does
                idle = True
            if idle:
                self._desk.wait(wish, None)

    def close(self) -> None:
        """Close the files."""
        for reel in self._reels:
            reel.close()
        self._reels, self._access = [], None
        self._kept.clear()

    # --- single frames

    def _show(self, wish: Wish, index: int, before: int) -> None:
        frame = self._fetch(wish, index)
        if frame is not None:
            self._desk.publish(wish, index, _picture(frame, wish.side), before)

    def _fetch(self, wish: Wish, index: int) -> Frame | None:
        """A frame, or None if it isn't wanted any more."""
        self._kept.centre = index
        reel = self._front
        while not self._desk.is_over(wish):
            frame = self._kept.get(index)
            if frame is not None:
                return frame
            if reel.at is None or reel.skims or not 0 <= index - reel.at <= NEAR:
                reel.wind(index, before=BEFORE)
            self._take(reel)
            if reel.at is None and index not in self._kept:
                raise InputError(ENDED)
        return None

    # --- playing

    def _play_on(self, wish: Wish) -> None:
        reel, desk = self._front, self._desk
        index, shown, last = wish.index, -1, -1.0
        begin: float | None = None
        while index < len(self._seconds) and not desk.is_over(wish):
            frame = self._kept.get(index)
            if frame is None:
                if reel.at is None or not 0 <= index - reel.at <= NEAR:
                    reel.wind(index)
                frame = self._take(reel)
                if frame is None and reel.at is None:
                    break
                if frame is None or frame.index < index:
                    continue
            self._kept.centre, index = frame.index, frame.index + 1
            at, now = self._seconds[frame.index] / wish.speed, time.monotonic()
            begin = now - at if begin is None else max(begin, now - at - LOST_SECONDS)
            due = begin + at
            late = now - due
            reel.skims = late > LATE_SECONDS or wish.speed >= SKIM_SPEED
            least = 1 / LEAST_PER_SECOND if late > LATE_SECONDS else 0.9 / MOST_PER_SECOND
            if max(due, now) - last < least:
                continue
            picture = _picture(frame, wish.side)
            self._wait_ahead(wish, due)
            if desk.is_over(wish):
                return
            desk.publish(wish, frame.index, picture, shown)
            shown, last = frame.index, max(due, time.monotonic())
        end = len(self._seconds) - 1
        if shown != end and not desk.is_over(wish):
            self._show(wish, end, shown)

    def _wait_ahead(self, wish: Wish, due: float) -> None:
        """Decode ahead until a time."""
        while (left := due - time.monotonic()) > 0 and not self._desk.is_over(wish):
            reel, here = self._front, self._kept.centre
            if left > SHORT_SECONDS and reel.at is not None and 0 < reel.at - here <= self._room // AHEAD:
                self._take(reel)
            else:
                self._desk.wait(wish, left)

    def _play_back(self, wish: Wish) -> None:
        desk, speed = self._desk, -wish.speed
        self._show(wish, wish.index, -1)
        shown, last = wish.index, time.monotonic()
        begin = last + self._seconds[shown] / speed
        """The clock's time at second 0 of the video."""
        while shown > 0 and not desk.is_over(wish):
            due = max(begin - self._seconds[shown - 1] / speed, last + 1 / MOST_PER_SECOND)
            while (left := due - time.monotonic()) > 0 and not desk.is_over(wish):
                if left < SHORT_SECONDS or speed >= SKIM_SPEED or not self._behind():
                    desk.wait(wish, left)
            now = bisect.bisect_left(self._seconds, (begin - time.monotonic()) * speed)
            wanted = min(now, shown - 1)
            least = wanted if speed < SKIM_SPEED else max(0, wanted - NEAR)
            index = self._kept.nearest_before(wanted, least)
            if index is None:
                self._fill(wish, wanted, skims=speed >= SKIM_SPEED)
                begin = time.monotonic() + self._seconds[wanted] / speed
                index = self._kept.nearest_before(wanted, least)
            frame = self._fetch(wish, wanted if index is None else index)
            if frame is None:
                return
            self._kept.centre = frame.index
            desk.publish(wish, frame.index, _picture(frame, wish.side), shown)
            shown, last = frame.index, time.monotonic()

    def _fill(self, wish: Wish, index: int, *, skims: bool) -> None:
        """Decode a frame and those before it."""
        reel = self._back
        if not (reel.at is not None and reel.at <= index in self._filling and reel.skims == skims):
            self._filling = range(max(0, index - self._room // CHUNK), index + 1)
            reel.wind(self._filling.start, skims=skims)
        self._kept.centre = index
        while reel.at is not None and reel.at <= index and not self._desk.is_over(wish):
            self._take(reel)

    # --- what may come next

    def _ahead(self) -> bool:
        """Decode a little of what follows; False if there's enough."""
        here = self._kept.centre
        missing = self._kept.first_after(here + 1)
        if missing >= len(self._seconds) or missing - here > max(1, self._room // AHEAD):
            return False
        reel = self._front
        if reel.at is None or reel.skims or not 0 <= missing - reel.at <= NEAR:
            reel.wind(missing)
        self._take(reel)
        return True

    def _behind(self) -> bool:
        """Decode a little of what comes before; False if there's enough."""
        here = self._kept.centre
        first = self._kept.last_before(here)
        reel = self._back
        if first in range(1, here + 1) and here - first < max(1, self._room // LOW):
            if not (reel.at is not None and reel.at < first <= self._filling.stop):
                self._filling = range(max(0, first - max(1, self._room // CHUNK)), first)
                reel.wind(self._filling.start)
            self._take(reel)
            return True
        if reel.at is not None and reel.at in self._filling and self._filling.stop == first:
            self._take(reel)
            return True
        return False

    def _expect(self) -> bool:
        """Decode a little of what was said to come; False if there's nothing to do."""
        self._kept.pinned = tuple(self._desk.expected())[: max(1, self._room // 8)]
        for index in self._kept.pinned:
            if index not in self._kept:
                if self._filling != range(index, index + 1) or self._back.at != index:
                    self._filling = range(index, index + 1)
                    self._back.wind(index)
                self._take(self._back)
                return True
        return False

    # --- the reels

    def _take(self, reel: Reel) -> Frame | None:
        """Decode a little, and keep the frame that this completes."""
        frame = reel.step()
        if frame is not None:
            self._kept.add(frame)
            self._room = max(4, self._cache_bytes // frame.nbytes)
        return frame

    @property
    def _front(self) -> Reel:
        """The one that reads on from where people look."""
        if self._access is None:
            self._access = self._open()
            self._reels.append(Reel(self._access))
        return self._reels[0]

    @property
    def _back(self) -> Reel:
        """The one for everything else."""
        front = self._front
        if len(self._reels) < 2 and self._access is not None:
            self._reels.append(Reel(self._access.twin()))
        return self._reels[1] if len(self._reels) > 1 else front


def _picture(frame: Frame, side: int) -> UInt8Array:
    from anonator.core.pictures.rgb import to_rgb_within

    return np.asarray(to_rgb_within(frame, side), np.uint8)
