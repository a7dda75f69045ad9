"""The plan's rows: one for each video, in a CSV file that people and other programs can read."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from anonator.archive.folder import About, Archive, write_private
from anonator.core.file_faults import reason
from anonator.core.windows_files import reachable
from anonator.errors import ArchiveError

HEADER = ("number", "folder", "video", "bytes", "modified", "seconds", "key", "settings", "result")
DAMAGED = "The archive's plan.csv is damaged in line {}. Restore it, or plan into a new folder."


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """One video of an archive."""

    number: int
    """From 1; it never changes."""
    folder: int
    """Which of the archive's folders the video is in, from 0."""
    video: str
    """Path of the video in that folder, with forward slashes."""
    bytes: int
    """Size of the file."""
    modified: int
    """Nanoseconds: when the file was last written to."""
    seconds: float | None
    """Length that the file's header promises; None if it promises none, or can't be read."""
    key: str
    """Tells whether the file is still the same; see header.key_of."""
    settings: str
    """Id of the settings it is done with."""
    result: str
    """Path of the result in the results' folder, with forward slashes."""

    def __repr__(self) -> str:
        """Without names, because engines log what they are given."""
        return f"row {self.number}"

    @property
    def weight(self) -> float:
        """How long it takes, as far as a plan can tell: the longest come first."""
        return float(self.bytes) if self.seconds is None else self.seconds * 1e6

    def source(self, about: About) -> Path:
        """Where the video is."""
        return Path(about.folders[self.folder], self.video)

    def target(self, archive: Archive) -> Path:
        """Where its result belongs."""
        return archive.results / self.result


@dataclass(frozen=True, slots=True)
class Shard:
    """Every nth row, beginning with the kth: a share that needs no talk with those who do the others."""

    part: int
    """From 1."""
    parts: int

    def of(self, rows: Iterable[Row]) -> list[Row]:
        """The rows of this share."""
        return [row for row in rows if row.number % self.parts == self.part % self.parts]


def read_rows(archive: Archive) -> list[Row]:
    """The plan, in order.

    Raises:
        ArchiveError: it can't be read, or isn't what `plan` wrote.
    """
    try:
        with reachable(archive.plan_file).open(
            encoding="utf-8-sig", errors="surrogateescape", newline=""
        ) as file:
            lines = csv.reader(file)
            if tuple(next(lines, ())) != HEADER:
                raise ArchiveError(DAMAGED.format(1))
            rows = []
            for number, folder, video, size, modified, seconds, key, settings, result in lines:
                rows.append(
                    Row(
                        int(number), int(folder), video, int(size), int(modified),
                        float(seconds) if seconds else None, key, settings, result,
                    )
                )  # fmt: skip
            return rows
    except FileNotFoundError:
        return []
    except OSError as exc:
        raise ArchiveError(f"The archive's plan can't be read: {reason(exc, archive.plan_file)}.") from None
    except (ValueError, csv.Error) as exc:
        raise ArchiveError(DAMAGED.format(lines.line_num)) from exc


def write_rows(archive: Archive, rows: Sequence[Row]) -> None:
    """Write the plan anew, in one step.

    Raises:
        ArchiveError: it can't be written.
    """
    text = io.StringIO(newline="")
    text.write("\ufeff")  # by which spreadsheets know UTF-8
    lines = csv.writer(text)
    lines.writerow(HEADER)
    lines.writerows(
        (
            row.number, row.folder, row.video, row.bytes, row.modified,
            "" if row.seconds is None else f"{row.seconds:.3f}", row.key, row.settings, row.result,
        )
        for row in rows
    )  # fmt: skip
    write_private(archive.plan_file, text.getvalue().encode("utf-8", "surrogateescape"))
