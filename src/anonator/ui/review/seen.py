"""What of the video was really shown to the reviewer, and what is left to see."""

from __future__ import annotations

import bisect
import time
from collections.abc import Callable, Sequence

import numpy as np

from anonator.core.review.edits import SHEET
from anonator.errors import ReviewError
from anonator.ui.review.session import ReviewSession

SLOW_ENOUGH = 4.0
"""Played faster than this, nothing counts as seen."""
SAVE_SECONDS = 3.0
"""What was seen is saved this often."""
APART_SECONDS = 0.5
"""On the sheet, each picture stands for so much of the video."""
ON_A_PAGE = 30
STOPPED = "stopped"


class Seen:
    """Takes down what is shown, frame by frame, and saves it as stretches."""

    def __init__(
        self,
        session: ReviewSession,
        clock: Callable[[], float] = time.monotonic,
        *,
        failed: Callable[[ReviewError], object],
    ) -> None:
        """Begin with what was seen before.

        Args:
            session: where it is saved.
            clock: tells seconds.
            failed: called if something can't be saved; that is tried again with what is seen next.
        """
        self._session, self._clock, self._failed = session, clock, failed
        self._pts = np.array(session.analysis.pts, np.int64)
        self._seen = np.zeros(len(self._pts), bool)
        self._sheet = np.zeros(len(self._pts), bool)
        """Frames that a picture of the sheet stood for."""
        for spans, frames in ((session.state.seen, self._seen), (session.state.on_sheet, self._sheet)):
            for first, last in spans:
                frames[np.searchsorted(self._pts, first) : np.searchsorted(self._pts, last, "right")] = True
        self._new: dict[str, np.ndarray] = {}
        """By how it was shown: which frames aren't saved yet."""
        self._saved = clock()

    @property
    def share(self) -> float:
        """How many of the frames were on the screen, 0..1."""
        return float(self._seen.mean()) if len(self._seen) else 1.0

    @property
    def share_on_sheet(self) -> float:
        """How many of the frames weren't, but a picture of the sheet stood for them, 0..1."""
        return float((self._sheet & ~self._seen).mean()) if len(self._seen) else 0.0

    def frames(self) -> np.ndarray:
        """(frames,) bool: whether each was seen, or looked through on the sheet."""
        return self._seen | self._sheet

    def shown(self, first: int, last: int, speed: float) -> None:
        """Take down that frames were on the screen.

        Args:
            first: frame.
            last: frame, included.
            speed: at which they were played; 0 means that one was stopped on.
        """
        if speed <= SLOW_ENOUGH:
            self._take(np.arange(first, last + 1), f"{speed:g}x" if speed else STOPPED)

    def on_sheet(self, indexes: Sequence[int]) -> None:
        """Take down that a page of the sheet was looked at: these frames, and what each stood for."""
        around = [self._around(index) for index in indexes]
        for index, (first, last) in zip(indexes, around, strict=True):
            self._take(np.arange(index, index + 1), STOPPED)
            self._take(np.arange(first, last + 1), SHEET)

    def next_unseen(self, pts: int) -> int | None:
        """The PTS of the first frame after this time that wasn't seen, from the beginning again after the
        end; None if all were."""
        unseen = np.flatnonzero(~self.frames())
        if not len(unseen):
            return None
        here = bisect.bisect_right(self._pts.tolist(), pts)
        at = int(np.searchsorted(unseen, here))
        return int(self._pts[unseen[at % len(unseen)]])

    def pages(self) -> list[list[int]]:
        """Frames of unseen stretches, or of the whole video once all was seen, APART_SECONDS from one
        another, on pages of ON_A_PAGE."""
        frames = self.frames()
        wanted = np.ones_like(frames) if frames.all() else ~frames
        chosen: list[int] = []
        for first, last in _stretches(wanted):
            begin = first
            while begin <= last:
                end = min(self._after(begin) - 1, last)
                chosen.append((begin + end) // 2)
                begin = end + 1
        return [chosen[at : at + ON_A_PAGE] for at in range(0, len(chosen), ON_A_PAGE)]

    def close(self) -> None:
        """Save what isn't yet."""
        self._save()

    def _after(self, index: int) -> int:
        """The first frame that is more than APART_SECONDS later."""
        numerator, denominator = self._session.analysis.key.time_base
        step = round(APART_SECONDS * denominator / numerator)
        return max(index + 1, int(np.searchsorted(self._pts, self._pts[index] + step)))

    def _around(self, index: int) -> tuple[int, int]:
        """The unseen frames around one that a picture of the sheet stands for."""
        numerator, denominator = self._session.analysis.key.time_base
        half = APART_SECONDS * denominator / numerator / 2
        first = last = index
        frames = self.frames()
        while first and not frames[first - 1] and self._pts[index] - self._pts[first - 1] <= half:
            first -= 1
        while (
            last + 1 < len(self._pts)
            and not frames[last + 1]
            and self._pts[last + 1] - self._pts[index] <= half
        ):
            last += 1
        return first, last

    def _take(self, frames: np.ndarray, how: str) -> None:
        known = self._seen | self._sheet if how == SHEET else self._seen
        new = frames[~known[frames]]
        if len(new):
            (self._sheet if how == SHEET else self._seen)[new] = True
            self._new.setdefault(how, np.zeros(len(self._seen), bool))[new] = True
        if self._clock() - self._saved >= SAVE_SECONDS:
            self._save()

    def _save(self) -> None:
        self._saved = self._clock()
        if self._session.state.signed:
            self._new.clear()
        try:
            for how, frames in self._new.items():
                for first, last in _stretches(frames):
                    self._session.saw((int(self._pts[first]), int(self._pts[last])), how)
                    frames[first : last + 1] = False
        except ReviewError as error:
            self._failed(error)
        else:
            self._new.clear()


def _stretches(frames: np.ndarray) -> list[tuple[int, int]]:
    """First and last of each run of True."""
    edges = np.diff(np.concatenate([[0], frames.astype(np.int8), [0]]))
    begins, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1) - 1
    return list(zip(begins.tolist(), ends.tolist(), strict=True))
