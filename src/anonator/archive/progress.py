"""What a run tells while it works, without names, because logs of clusters are read by others."""

from __future__ import annotations

import time
from collections import Counter

from tqdm import tqdm

from anonator import terminal
from anonator.archive.records import Record, State
from anonator.archive.rows import Row
from anonator.terminal_progress import LINE_SECONDS

LOOK = "{desc}: {percentage:3.0f} %|{bar}| {elapsed}, about {remaining} left"


class RunProgress:
    """Counts rows as they end, and shows how far all of them are: a bar, or a line now and then."""

    def __init__(self, rows: list[Row]) -> None:
        """Show that nothing is done yet.

        Args:
            rows: all that the run is to do.
        """
        self.ends = Counter[State]()
        self._weights = {row.number: row.weight for row in rows}
        self._whole = 0.0
        self._told = time.monotonic()
        total = sum(self._weights.values()) or 1.0
        self._bar = tqdm(total=total, bar_format=LOOK, file=terminal.ERR, disable=None, leave=False)
        self._describe()

    def within(self, row: Row, share: float) -> None:
        """One row has got that far, 0..1."""
        if not self._bar.disable:
            self._bar.update(self._whole + share * row.weight - self._bar.n)

    def ended(self, record: Record) -> None:
        """A row is done or has failed."""
        self.ends[record.state] += 1
        self._whole += self._weights.get(record.number, 0.0)
        if record.state is State.FAILED:
            self.tell(f"Row {record.number} failed. {record.sentence}")
        if self._bar.disable and time.monotonic() - self._told >= LINE_SECONDS:
            self._told = time.monotonic()
            self.tell(f"{self}, {100 * self._whole / self._bar.total:.0f} %")
        elif not self._bar.disable:
            self._describe()
            self._bar.update(self._whole - self._bar.n)

    def tell(self, line: str) -> None:
        """Write a line above the bar."""
        with tqdm.external_write_mode(file=terminal.ERR):
            terminal.ERR.write(f"{line}\n")

    def close(self) -> None:
        """Take the bar away."""
        self._bar.close()

    def __str__(self) -> str:
        """How many have ended, such as "37 of 1,000 videos, 1 failed"."""
        count, failed = sum(self.ends.values()), self.ends[State.FAILED]
        text = f"{count:,} of {len(self._weights):,} video{'' if len(self._weights) == 1 else 's'}"
        return text + (f", {failed:,} failed" if failed else "")

    def _describe(self) -> None:
        self._bar.set_description_str(str(self), refresh=False)
