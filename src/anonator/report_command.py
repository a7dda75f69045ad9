"""`anonator report FILE.json`: makes the page of an audit report again, from the report's JSON file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anonator import terminal
from anonator.core.checks import report_page
from anonator.core.file_faults import reason
from anonator.core.windows_files import reachable, told_by_windows
from anonator.core.writing.partial_file import TemporaryFile, output_error
from anonator.errors import InputError, OutputError, OutputExistsError

DONE, FAILED = 0, 1
LARGEST_BYTES = 20_000_000
"""A report is a few pages long; something larger is another file, or a device that never ends."""


def main(argv: Sequence[str]) -> int:
    """Make the page next to the report, and say where it is.

    Args:
        argv: the command line behind the command's name.

    Returns:
        The exit status: 0 done, 1 failed, 2 usage.
    """
    parser = argparse.ArgumentParser(
        prog="anonator report",
        allow_abbrev=False,
        description="Makes the page (HTML) of an audit report again, next to the report's JSON file.",
    )
    parser.add_argument("file", type=Path, metavar="FILE.json", help="the audit report")
    parser.add_argument("--overwrite", action="store_true", help="replace a page that already exists")
    args = parser.parse_args(argv)
    try:
        page = make_page(args.file, overwrite=args.overwrite)
    except (InputError, OutputError) as exc:
        way_out = " --overwrite replaces it." if isinstance(exc, OutputExistsError) else ""
        terminal.ERR.write(f"anonator report: {exc}{way_out}\n")
        return FAILED
    terminal.OUT.write(f"{page}\n")
    return DONE


def make_page(file: Path, *, overwrite: bool = False) -> Path:
    """Make the page of a report, under a temporary name until it's complete.

    Args:
        file: the report's JSON file; the page gets its name, ending in .html.
        overwrite: whether an existing page may be replaced.

    Returns:
        Where the page is.

    Raises:
        InputError: the file can't be read, or isn't a report of this version.
        OutputError: the page can't be written.
    """
    try:
        content = report_page.to_html(_facts(file))
    except ValueError as exc:
        raise InputError(str(exc)) from exc
    target = file.with_suffix(".html")
    if target == file:
        raise OutputError("The page would replace the report itself. Give the report's JSON file.")
    paper = TemporaryFile(target.parent, ".partial.html")
    try:
        paper.write(content.encode())
        paper.close()
        paper.publish(target, overwrite)
    except OSError as exc:
        raise output_error(exc) from exc
    finally:
        paper.remove()
    return target


def _facts(file: Path) -> dict[str, Any]:
    try:
        with told_by_windows(), reachable(file).open("rb") as opened:
            content = opened.read(LARGEST_BYTES + 1)
    except OSError as exc:
        raise InputError(f"The report cannot be read: {reason(exc, file)}.") from exc
    try:
        facts = json.loads(content) if len(content) <= LARGEST_BYTES else None
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        raise InputError(report_page.NO_REPORT)
    return facts
