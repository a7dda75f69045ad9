"""Progress for people at a terminal: a bar where there is one, or else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from anonator.core.clock_text import clock_text
from anonator.core.frames import Progress, Stage

LINE_SECONDS = 10.0
"""How often a pipe or a file gets a line."""
BEAT_SECONDS = 1.0
"""How often a bar is drawn even if nothing has moved, so that its clock runs."""


def labels(sources: Iterable[Path]) -> dict[Path, str]:
    """What to call each video: its name, or the path as it was given if several have that name."""
    listed = list(dict.fromkeys(sources))
    names = [source.name.casefold() for source in listed]
    return {s: s.name if names.count(s.name.casefold()) == 1 else str(s) for s in listed}


class VideoProgress:
    """Shows how far one video is; begins with a line at once, before anything slow."""

    def __init__(self, label: str, number: int, count: int, *, quiet: bool) -> None:
        """Say which video begins.

        Args:
            label: what to call it.
            number: its place in the run, from 1.
            count: how many videos there are.
            quiet: show nothing.
        """
        self._label, self._quiet = label, quiet
        self._stage = Stage.WORKING
        self._told = self._drawn = time.monotonic()
        if not quiet:
            self._tell(f"Video {number} of {count}: {label}")
        self._bar = tqdm(unit=" frames", desc=label, file=sys.stderr, disable=quiet or None, leave=False)

    def show(self, progress: Progress) -> None:
        """Take the progress of the job."""
        if progress.stage is not self._stage:
            self._stage = progress.stage
            self._bar.reset()  # each stage counts from 0
            described = ", ".join(filter(None, (self._label, self._stage.word)))
            self._bar.set_description(described, refresh=False)
        self._bar.total = progress.total
        self._bar.update(progress.frame - self._bar.n)
        now = time.monotonic()
        if self._bar.disable and not self._quiet and now - self._told >= LINE_SECONDS:
            self._told = now
            self._tell(_words(progress))

    def beat(self) -> None:
        """Draw the bar again if it has stood still; call it every now and then."""
        if not self._bar.disable and time.monotonic() - self._drawn >= BEAT_SECONDS:
            self._drawn = time.monotonic()
            self._bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

    def _tell(self, line: str) -> None:
        # a console with another alphabet must not end the run
        encoding = sys.stderr.encoding or "utf-8"
        sys.stderr.write(f"{line}\n".encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()


def _words(progress: Progress) -> str:
    """Such as "  checking: 42 % (120 of 285 frames), about 1:20 left"."""
    begin = f"  {progress.stage.word}: " if progress.stage.word else "  "
    if not progress.total:
        return f"{begin}{progress.frame:,} frames"
    percent = min(100, 100 * progress.frame // progress.total)
    left = progress.remaining_seconds
    remaining = "" if left is None else f", about {clock_text(left, 0)} left"
    return f"{begin}{percent} % ({progress.frame:,} of {progress.total:,} frames){remaining}"
