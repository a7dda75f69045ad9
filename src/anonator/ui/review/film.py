"""The pictures of a video under review: decoded ahead in a thread, each exactly the one asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.core.frames import UInt8Array
from anonator.core.review.analysis import Analysis
from anonator.errors import JobCancelled
from anonator.ui.review.projector import Projector, Wish
from anonator.ui.review.proxies import Proxies
from anonator.ui.review.running import serve
from anonator.ui.review.stills import open_frames
from anonator.ui.work.worker import step_back

if TYPE_CHECKING:
    from anonator.core.reading.frame_access import FrameAccess

CACHE_BYTES, PROXY_BYTES = 256 * 1024 * 1024, 160 * 1024 * 1024
"""Of decoded frames that are kept, at most, and of small copies."""
PRIORITY = 4
"""Nice value of decoding: after the window, before following and small pictures."""
GRACE_SECONDS = 0.25
"""A frame that was asked for this short a while ago is still shown before a newer one, so that something is
seen while somebody drags along the slider."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """A decoded frame, ready to be drawn."""

    index: int
    """In the analysis; its PTS is analysis.pts[index], compared after decoding."""
    picture: UInt8Array
    """(H, W, 3) RGB with square pixels, no larger than was asked for."""
    speed: float = 0.0
    """At which it is being played; below 0 backwards, 0 if it was asked for by itself."""
    before: int = -1
    """The frame that was shown before it while playing; what lies between was played, too. -1 for none."""
    is_proxy: bool = False
    """Whether it's a small copy, and the frame itself follows."""


class Film:
    """Decodes one video in its own thread "anonator-film"; made, asked and closed in the window's thread.

    Nothing here waits for decoding. Pictures are fetched with take(), which the window calls every few
    milliseconds (Playing does). The newest wish replaces the ones before it.
    """

    def __init__(self, video: Path, analysis: Analysis, cache_bytes: int = CACHE_BYTES) -> None:
        """Start the thread; the file is opened there.

        Args:
            video: the original.
            analysis: of that video; says which frames there are, and when.
            cache_bytes: of decoded frames to keep.
        """
        self._video, self._a, self._cache_bytes = video, analysis, cache_bytes
        self._proxies = Proxies(len(analysis.pts), PROXY_BYTES)
        self._change = threading.Condition()
        self._wish: Wish | None = None
        self._since = 0.0
        self._next: Wish | None = None
        self._is_answered = True
        self._is_copied = False
        """A copy of the frame that was asked for has been shown."""
        self._expected: tuple[int, ...] = ()
        self._news: Shown | Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="anonator-film", daemon=True)
        self._thread.start()

    def want(self, index: int, side: int) -> None:
        """Ask for one frame; this ends playing.

        Args:
            index: of the frame in the analysis.
            side: long side of the picture in pixels, at most; a smaller video is not enlarged.
        """
        self._ask(Wish(index, side))

    def play(self, index: int, speed: float, side: int) -> None:
        """Play from a frame to the end, or to the beginning, at the times of the video.

        Frames that the computer is too slow for aren't shown; if it is much too slow, playing takes longer.

        Args:
            index: of the first frame.
            speed: 1 is the video's own; below 0 backwards.
            side: as in want.
        """
        self._ask(Wish(index, side, speed))

    def expect(self, indexes: Sequence[int]) -> None:
        """Say which frames will probably be asked for next, the likeliest first.

        They are decoded when there's time.
        """
        with self._change:
            self._expected = tuple(indexes)
            self._change.notify()

    @property
    def copied(self) -> float:
        """The share of the video of which there are small copies, so that any place is there at once."""
        return self._proxies.share

    def quickest(self, first: int, last: int) -> int:
        """The frame of a stretch, both ends included, that is soonest on the screen, or the middle one."""
        found = self._proxies.near(first, last)
        return (first + last) // 2 if found is None else found

    def take(self) -> Shown | None:
        """The newest picture that has not been taken yet, or None.

        Raises:
            AnonatorError: the video can't be read there; told once, and asking again tries again.
        """
        with self._change:
            news, self._news = self._news, None
        if isinstance(news, Exception):
            raise news
        return news

    @property
    def is_busy(self) -> bool:
        """Whether a picture that was asked for is still missing, or it plays."""
        with self._change:
            return self._next is not None or not self._is_answered or self._news is not None

    def close(self) -> None:
        """End the thread and close the file; returns when both have happened. Safe to call twice."""
        with self._change:
            self._closing = True
            self._change.notify()
        self._thread.join()

    def _ask(self, wish: Wish) -> None:
        if not 0 <= wish.index < len(self._a.pts):
            raise IndexError(f"there is no frame {wish.index}")
        with self._change:
            self._next = wish
            self._change.notify()

    # --- in the thread

    def _run(self) -> None:
        step_back(PRIORITY)
        projector = Projector(self._open, self._seconds(), self, self._cache_bytes, self._proxies)
        try:
            while (wish := self._next_wish()) is not None:
                try:
                    serve(projector, wish)
                except Exception as error:  # given to the window, which shows and logs it
                    with self._change:
                        self._news, self._is_answered = error, True
                    self.wait(wish, None)
        finally:
            projector.close()

    def _open(self) -> FrameAccess:
        return open_frames(self._video, self._a, self._stop_if_closing)

    def _stop_if_closing(self) -> None:
        if self._closing:
            raise JobCancelled()

    def _seconds(self) -> list[float]:
        numerator, denominator = self._a.key.time_base
        return [pts * numerator / denominator for pts in self._a.pts]

    def _next_wish(self) -> Wish | None:
        """The next wish, once there is one; None ends the thread."""
        with self._change:
            self._change.wait_for(lambda: self._closing or self._next is not None)
            if self._closing:
                return None
            self._wish, self._next = self._next, None
            self._is_answered, self._is_copied, self._since = False, False, time.monotonic()
            return self._wish

    def is_over(self, wish: Wish) -> bool:
        """Whether another wish has replaced it."""
        with self._change:
            if self._closing or self._next is None:
                return self._closing
            is_drag = wish.speed == self._next.speed == 0 and not (self._is_answered or self._is_copied)
            return not is_drag or time.monotonic() - self._since > GRACE_SECONDS

    def wait(self, wish: Wish, seconds: float | None) -> None:
        """Wait so long, or until another wish or expectation comes."""
        with self._change:
            if not (self._closing or self._next is not None):
                self._change.wait(seconds)

    def expected(self) -> Sequence[int]:
        """Frames that will probably be asked for."""
        with self._change:
            return self._expected

    def publish(
        self, wish: Wish, index: int, picture: UInt8Array, before: int, *, is_proxy: bool = False
    ) -> None:
        """Hand over a picture."""
        with self._change:
            old = self._news
            if isinstance(old, Shown) and before >= 0 and old.index == before:
                before = old.before if old.before >= 0 else before  # that one was never seen
            self._news, self._is_copied = Shown(index, picture, wish.speed, before, is_proxy), is_proxy

    def answered(self, wish: Wish) -> None:
        """The frame is there, or playing has come to its end."""
        with self._change:
            if wish is self._wish:
                self._is_answered = True
