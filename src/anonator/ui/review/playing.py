"""Moves through the video under review: plays, steps and jumps, and says what was on the screen."""

from __future__ import annotations

import bisect
import tkinter as tk
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anonator.ui.review.film import Film, Shown

SPEEDS = (1.0, 2.0, 4.0, 8.0)
PUMP_MS = 6
"""So often the film is asked for pictures while it has some to deliver."""
TICK = 1e-6
"""Seconds that count as none."""


@dataclass(frozen=True, slots=True)
class PlayingActions:
    """What the review does with what comes."""

    show: Callable[[Shown], object]
    """Draw this frame, with its marks, now."""
    moved: Callable[[int, float], object]
    """Another frame was asked for, or another speed: (index, speed); for clock, slider and buttons."""
    seen: Callable[[int, int, float], object]
    """(first, last, speed): these frames, both included, have just been on the screen, played at that speed
    (always > 0, also backwards), or the one frame was stopped on (0). Called after show."""
    failed: Callable[[Exception], object]
    """The video can't be read there."""


class Playing:
    """Keeps the position; asks the film, and passes on what it delivers."""

    def __init__(
        self,
        root: tk.Misc,
        film: Film,
        times: Sequence[float],
        side: Callable[[], int],
        actions: PlayingActions,
    ) -> None:
        """Set it up, and ask for the first frame.

        Args:
            root: for its clock.
            film: of the video; closed by close().
            times: of each frame, in seconds, rising.
            side: tells how large pictures should be (Picture.side).
            actions: what to call.
        """
        self._root, self._film, self._side, self._actions = root, film, side, actions
        self._times = list(times)
        self._index, self._speed = 0, 0.0
        self._end: int | None = None
        """Where playing stops, if not at the end of the video."""
        self._on_screen: int | None = None
        self._holds = False
        """Nothing but the frame that is asked for may be drawn."""
        self._timer: str | None = None
        self._closed = False
        film.want(0, side())
        self._pump()

    @property
    def index(self) -> int:
        """The frame that was asked for, or that is shown while playing."""
        return self._index

    @property
    def speed(self) -> float:
        """0 while it stands still, below 0 backwards."""
        return self._speed

    # --- what people ask for

    def go(self, index: int) -> None:
        """Stop, and show this frame; beyond the ends, the first or the last one."""
        if self._closed:
            return
        self._end, self._speed, self._holds = None, 0.0, False
        self._index = min(max(0, index), len(self._times) - 1)
        self._film.want(self._index, self._side())
        self._actions.moved(self._index, 0.0)
        self._pump()

    def go_near(self, first: int, last: int) -> None:
        """Stop, and show the frame of a stretch, both ends included, that is there soonest."""
        self.go(self._film.quickest(first, last))

    def step(self, frames: int) -> None:
        """Stop, and go on by so many frames, or back."""
        self.go(self._index + frames)

    def skip(self, seconds: float) -> None:
        """Stop, and go to the frame that is shown so much later, or earlier; at least one frame."""
        wanted = self._times[self._index] + seconds
        if seconds > 0:
            self.go(max(self._index + 1, bisect.bisect_left(self._times, wanted - TICK)))
        else:
            self.go(min(self._index - 1, bisect.bisect_right(self._times, wanted + TICK) - 1))

    def toggle(self) -> None:
        """Play at 1x, or stop; from the last frame, from the beginning."""
        if self._speed:
            self.stop()
        else:
            self._play(0 if self._index == len(self._times) - 1 else self._index, SPEEDS[0])

    def forward(self) -> None:
        """Play (L); again: twice as fast, up to 8x."""
        if self._index < len(self._times) - 1:
            self._play(self._index, self._faster(self._speed))

    def back(self) -> None:
        """Play backwards (J); again: twice as fast, up to 8x."""
        if self._index > 0:
            self._play(self._index, -self._faster(-self._speed))

    def stop(self) -> None:
        """Stop on the frame that is shown (K)."""
        if self._speed:
            self.go(self._index)

    def hold(self) -> None:
        """Stay on the frame that is on the screen, also if another one is on its way: a drag is about it."""
        if self._on_screen is not None and (self._speed or self._on_screen != self._index):
            self.go(self._on_screen)
            self._holds = True

    def play_to(self, begin: int, end: int) -> None:
        """Play from one frame to a later one at 1x, and stop exactly there (N)."""
        if begin >= end:
            self.go(end)
        else:
            self._play(begin, SPEEDS[0], end)

    def refresh(self) -> None:
        """Ask for the frame again, because pictures of another size are wanted."""
        if self._closed:
            return
        if self._speed:
            self._film.play(self._index, self._speed, self._side())
        else:
            self._film.want(self._index, self._side())
        self._pump()

    def close(self) -> None:
        """Stop, and close the film."""
        self._closed = True
        if self._timer is not None:
            self._root.after_cancel(self._timer)
            self._timer = None
        self._film.close()

    # --- inside

    def _faster(self, speed: float) -> float:
        return next((each for each in SPEEDS if each > speed), SPEEDS[-1]) if speed > 0 else SPEEDS[0]

    def _play(self, index: int, speed: float, end: int | None = None) -> None:
        if self._closed:
            return
        self._index, self._speed, self._end, self._holds = index, speed, end, False
        self._film.play(index, speed, self._side())
        self._actions.moved(index, speed)
        self._pump()

    def _pump(self) -> None:
        if self._timer is None and not self._closed:
            self._timer = self._root.after(PUMP_MS, self._look)

    def _look(self) -> None:
        """Pass on what the film has; called again as long as something is to come."""
        self._timer = None
        try:
            shown = self._film.take()
        except Exception as error:  # for whoever shows and logs it
            self._speed, self._end = 0.0, None
            self._actions.moved(self._index, 0.0)
            self._actions.failed(error)
        else:
            if shown is not None:
                self._came(shown)
        if self._film.is_busy:
            self._pump()

    def _came(self, shown: Shown) -> None:
        if not shown.speed:
            if self._holds and shown.index != self._index:
                return
            self._on_screen = shown.index
            self._actions.show(shown)
            if not self._speed and shown.index == self._index and not shown.is_proxy:
                self._actions.seen(shown.index, shown.index, 0.0)
            return
        if shown.speed != self._speed:  # it was played before something else was asked for
            return
        end = self._end
        if end is not None and shown.index >= end:  # perhaps it was left out, but it is stopped on exactly
            if 0 <= shown.before < end - 1:
                self._actions.seen(shown.before + 1, end - 1, abs(shown.speed))
            self.go(end)
            return
        self._index = self._on_screen = shown.index
        self._actions.show(shown)
        first, last = sorted((shown.index, shown.index if shown.before < 0 else shown.before))
        self._actions.moved(shown.index, shown.speed)
        self._actions.seen(first, last, abs(shown.speed))
        if shown.index == (len(self._times) - 1 if shown.speed > 0 else 0):
            self._speed = 0.0
            self._actions.moved(shown.index, 0.0)
