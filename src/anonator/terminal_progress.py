"""Progress for people at a terminal: a bar where there is one, or else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from anonator import terminal
from anonator.core.clock_text import clock_text
from anonator.core.job import Progress

LINE_SECONDS = 10.0
"""How often a pipe or a file gets a line."""
BEAT_SECONDS = 1.0
"""How often a bar is drawn even if nothing has moved, so that its clock runs."""
STEPS = 1000
"""Of the bar; it shows the whole job, its checks included."""
LOOK = "{desc}: {percentage:3.0f} %|{bar}| {elapsed}{postfix}"


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
        self._quiet = quiet
        self._told = self._drawn = time.monotonic()
        if not quiet:
            self._tell(f"Video {number} of {count}: {label}")
        self._bar = tqdm(
            desc=label,
            total=STEPS,
            bar_format=LOOK,
            file=terminal.ERR,
            disable=quiet or None,
            leave=False,
        )

    def show(self, progress: Progress) -> None:
        """Take the progress of the job."""
        now = time.monotonic()
        if not self._bar.disable:
            self._bar.set_postfix_str(", ".join(_details(progress)), refresh=False)
            self._bar.update(int(STEPS * progress.done) - self._bar.n)
        elif not self._quiet and now - self._told >= LINE_SECONDS:
            self._told = now
            self._tell(f"  {', '.join((f'{int(100 * progress.done)} %', *_details(progress)))}")

    def beat(self) -> None:
        """Draw the bar again if it hasn't moved for a while; call it every now and then."""
        if not self._bar.disable and time.monotonic() - self._drawn >= BEAT_SECONDS:
            self._drawn = time.monotonic()
            self._bar.refresh()

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

    def _tell(self, line: str) -> None:
        terminal.ERR.write(f"{line}\n")


def _details(progress: Progress) -> list[str]:
    """What follows the percentage, such as "checking", "12.3 frames per second", "about 1:20 left"."""
    left, about = progress.remaining_seconds, "at least" if progress.at_least else "about"
    told = [
        progress.stage.word,
        f"{progress.fps:.1f} frames per second" if progress.fps else "",
        "" if left is None else f"{about} {clock_text(left, 0)} left",
    ]
    return [part for part in told if part]
