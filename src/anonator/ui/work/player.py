"""Plays a video for the window: pictures at their times, as many as the computer manages."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from anonator.core.frames import Frame, UInt8Array
from anonator.ui.work.thumbnails import video_module

MOST_PER_SECOND = 15.0
"""Pictures; more would only make the window slower."""
LATE_SECONDS, LOST_SECONDS = 0.04, 0.5
"""A picture that is late is left out. One that is lost isn't caught up with: playing goes on from there,
slower than in real time."""
LONGEST_GAP_SECONDS = 0.4
"""Of the video, without any picture."""
SAME_MOMENT = 0.002
"""Seconds by which the times of a video and its result may differ."""


@dataclass(frozen=True, slots=True, eq=False)
class Played:
    """One moment of a video that is being played."""

    original: UInt8Array
    anonymized: UInt8Array | None
    """None without a result."""
    seconds: float


def play(
    source: Path,
    result: Path | None,
    seconds: float,
    side: int,
    show: Callable[[Played], None],
    stopped: threading.Event,
) -> None:
    """Show the pictures of a video, and those of its result, from a position until the end or until stopped.

    Args:
        source: the video.
        result: made from it; None plays the video alone.
        seconds: where to begin.
        side: long side of the pictures, in pixels.
        show: takes each picture, in this thread.
        stopped: ends it.

    Raises:
        InputError: one of the files is gone or can't be read.
    """
    video = video_module()
    from anonator.core.pictures import rgb

    pace = _Pace(stopped)
    with ExitStack() as files:
        canvas = after = None
        if result is not None:
            made = files.enter_context(video.VideoReader(result))
            canvas, after = made.info.canvas, made.frames_from(seconds)
        reader = files.enter_context(video.VideoReader(source, canvas=canvas))
        later: Frame | None = None

        def picture(frame: Frame) -> UInt8Array:
            return np.asarray(rgb.to_rgb_within(frame, side), np.uint8)

        for frame in reader.frames_from(seconds):
            if stopped.is_set():
                return
            now = float(frame.seconds)
            if now < seconds - SAME_MOMENT:
                continue
            while after is not None and (later is None or float(later.seconds) < now - SAME_MOMENT):
                later = next(after, None)
                if later is None:  # the result ends here
                    return
            if pace.is_due(now):
                show(Played(picture(frame), None if later is None else picture(later), now))


class _Pace:
    """Waits for each picture's time."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._begin = 0.0
        """The clock's time at second 0 of the video."""
        self._last: float | None = None

    def is_due(self, seconds: float) -> bool:
        """Wait until it is time for this picture; False leaves it out."""
        clock = time.monotonic()
        if self._last is None:
            self._begin = clock - seconds
        self._begin = max(self._begin, clock - seconds - LOST_SECONDS)
        gap = 1.0 if self._last is None else seconds - self._last
        late = clock - self._begin - seconds
        if gap < 1 / MOST_PER_SECOND or (late > LATE_SECONDS and gap < LONGEST_GAP_SECONDS):
            return False
        self._last = seconds
        return not self._stopped.wait(max(0.0, -late))
