"""The report of a whole archive: a table for other programs, and a page for people, without any picture.

Both name the videos, so they are private like the plan.
"""

from __future__ import annotations

import csv
import datetime
import io
from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path

from anonator.archive import records
from anonator.archive.folder import Archive, write_private
from anonator.archive.records import Record, State
from anonator.archive.rows import Row, read_rows
from anonator.archive.status import Status, count
from anonator.core.clock_text import clock_text
from anonator.core.wording import NOT_COVERED

MOST_ON_THE_PAGE = 1000
"""Rows of each table on the page; the CSV file has all of them."""
HEADER = (
    "row", "video", "result", "state", "video_seconds", "work_seconds", "frames", "masked_frames", "tracks",
    "doubts", "near_misses", "black_frames", "machine", "finished_utc", "reviewed_by", "reviewed_utc",
    "error", "notes",
)  # fmt: skip
PRIVATE = (
    "This report names the videos, so it is protected health information (PHI) if they are. "
    "It holds no picture of anyone."
)
STYLE = """
body { font: 10pt/1.4 "Segoe UI", "Helvetica Neue", Arial, "Liberation Sans", sans-serif; color: #111;
  background: #fff; max-width: 240mm; margin: 0 auto; padding: 6mm; }
h1 { font-size: 16pt; } h2 { font-size: 12pt; margin: 6mm 0 1mm; border-bottom: 0.3mm solid #111; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: 0.3mm 4mm 0.3mm 0; overflow-wrap: anywhere; }
th { white-space: nowrap; } .n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.small { font-size: 8.5pt; color: #333; }
"""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Line = tuple[Row, Record]


def write_report(archive: Archive) -> tuple[Path, Path]:
    """Write both into the archive's private folder, in place of earlier ones.

    Returns:
        Where the table and the page are.

    Raises:
        ArchiveError: the archive can't be read or written to.
    """
    rows, known = read_rows(archive), records.read_all(archive)
    table, page = archive.private / "report.csv", archive.private / "report.html"
    write_private(table, "".join(_table(rows, known)).encode("utf-8", "surrogateescape"))
    write_private(page, "".join(_page(rows, known)).encode("utf-8", "backslashreplace"))
    return table, page


def _table(rows: Iterable[Row], known: dict[int, Record]) -> Iterator[str]:
    """The lines of the CSV file."""
    text = io.StringIO(newline="")
    lines = csv.writer(text)
    text.write("\ufeff")  # by which spreadsheets know UTF-8
    lines.writerow(HEADER)
    for row in rows:
        record = known.get(row.number)
        length = "" if row.seconds is None else f"{row.seconds:.3f}"
        told: tuple[object, ...] = (row.number, _safe(row.video), _safe(row.result))
        if record is None:
            lines.writerow((*told, "waiting", length))
            continue
        done = record.state is State.DONE
        counts = (record.frames, record.masked_frames, record.tracks) if done else ("", "", "")
        doubts = "" if record.doubts is None else record.doubts
        more = (record.near_misses, record.replaced_frames) if done else ("", "")
        lines.writerow(
            (
                *told, record.state.value, length, record.seconds if done else "", *counts, doubts, *more,
                record.machine, record.at, record.reviewed_by, record.reviewed_at, record.sentence,
                " ".join(record.notes),
            )
        )  # fmt: skip
    yield text.getvalue()


def _safe(name: str) -> str:
    """A name that no spreadsheet takes for a formula."""
    return f"'{name}" if name.startswith(_FORMULA) else name


def _page(rows: list[Row], known: dict[int, Record]) -> Iterator[str]:
    status = count(rows, known)
    lines = [(row, known[row.number]) for row in rows if row.number in known]
    done = [line for line in lines if line[1].state is State.DONE]
    unseen = [line for line in done if not line[1].reviewed_by]
    none = [line for line in unseen if not line[1].masked_frames]
    doubtful = sorted((line for line in unseen if line[1].doubts and line[1].masked_frames), key=_most_doubts)
    failed = [line for line in lines if line[1].state is State.FAILED]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield f"<title>Archive report</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<h1>Archive report</h1>\n"
    now = datetime.datetime.now(datetime.timezone.utc)
    yield f'<p class="small">{now:%Y-%m-%d %H:%M} UTC. {PRIVATE}</p>\n'
    yield "".join(f"<p>{escape(line)}</p>\n" for line in _summary(status))
    yield from _section("No face was found in these: look at them first", none, _found, FOUND)
    yield from _section("Most stops to check", doubtful, _found, FOUND)
    yield from _section("Failed", failed, _failure, ("Row", "Video", "Why"))
    yield f'<p class="small">{escape(NOT_COVERED)}</p>\n</body>\n</html>\n'


FOUND = ("Row", "Video", "Result", "Length", "Frames", "With masks", "Faces followed", "Stops")


def _summary(status: Status) -> list[str]:
    return [line for line in status.lines() if not line.startswith("  ")]


def _most_doubts(line: Line) -> int:
    return -(line[1].doubts or 0)


def _section(
    title: str, lines: list[Line], cells: Callable[[Line], tuple[object, ...]], header: tuple[str, ...]
) -> Iterator[str]:
    """A table with its heading; numbers are aligned to the right."""
    if not lines:
        return
    yield f"<h2>{escape(title)} ({len(lines):,})</h2>\n<table>\n<tr>"
    yield "".join(f"<th>{each}</th>" for each in header) + "</tr>\n"
    for line in lines[:MOST_ON_THE_PAGE]:
        yield "<tr>"
        for cell in cells(line):
            yield f'<td class="n">{cell:,}</td>' if isinstance(cell, int) else f"<td>{escape(str(cell))}</td>"
        yield "</tr>\n"
    yield "</table>\n"
    if len(lines) > MOST_ON_THE_PAGE:
        yield f"<p>{len(lines) - MOST_ON_THE_PAGE:,} more are in the CSV file next to this page.</p>\n"


def _found(line: Line) -> tuple[object, ...]:
    row, record = line
    length = "" if row.seconds is None else clock_text(row.seconds, 0)
    doubts = "not counted" if record.doubts is None else record.doubts
    counts = record.frames, record.masked_frames, record.tracks
    return (row.number, row.video, row.result, length, *counts, doubts)


def _failure(line: Line) -> tuple[object, ...]:
    return line[0].number, line[0].video, line[1].sentence
