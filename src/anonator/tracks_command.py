"""anonator tracks: shows what a tracks file holds, and exchanges it with other programs."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from anonator import terminal
from anonator.core.clock_text import clock_text
from anonator.errors import AnonatorError, ReviewError

if TYPE_CHECKING:
    from anonator.core.review.analysis import Analysis
    from anonator.core.review.edits import Edit
    from anonator.core.review.tracks_file import Kept

COMMANDS = ("show", "export", "import")
DONE, FAILED = 0, 1


def is_meant(argv: Sequence[str]) -> bool:
    """Whether a command line is one of these, and not videos of such names."""
    return len(argv) > 1 and argv[0] == "tracks" and argv[1] in (*COMMANDS, "-h", "--help")


def main(argv: Sequence[str]) -> int:
    """Run one of the commands.

    Args:
        argv: the command line after "anonator tracks".

    Returns:
        The exit status.
    """
    args = _parser().parse_args(argv)
    try:
        run: Callable[[argparse.Namespace], None] = args.run
        run(args)
    except AnonatorError as exc:
        terminal.ERR.write(f"{exc}\n")
        return FAILED
    return DONE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="anonator tracks", allow_abbrev=False, description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    show = commands.add_parser("show", help="what was found, what was changed, and where to look first")
    show.set_defaults(run=_show)
    export = commands.add_parser("export", help="what is covered, for another program")
    export.set_defaults(run=_export)
    imported = commands.add_parser("import", help="add the rectangles of CVAT's video XML 1.1 as covers")
    imported.set_defaults(run=_import)
    for each in (show, export, imported):
        each.add_argument("file", type=Path, metavar="FILE", help="the tracks file")
    export.add_argument("target", type=Path, metavar="TARGET", help="a new file")
    export.add_argument(
        "--format",
        choices=("cvat", "mot", "list"),
        default="cvat",
        help="CVAT video XML 1.1, MOT CSV, or a redaction list as CSV (default: cvat)",
    )
    imported.add_argument("source", type=Path, metavar="XML", help="as CVAT exports it")
    return parser


def _read(path: Path) -> Kept:
    from anonator.core.review.tracks_file import read

    kept = read(path)
    if kept.problem:
        terminal.ERR.write(f"{kept.problem}\n")
    return kept


def _show(args: argparse.Namespace) -> None:
    from anonator.core.review.doubts import doubts
    from anonator.core.review.edits import standing
    from anonator.core.review.reviewed import apply

    kept = _read(args.file)
    analysis, key = kept.analysis, kept.analysis.key
    state = apply(kept.edits, analysis)
    seconds = key.time_base[0] / key.time_base[1]
    length = clock_text((analysis.pts[-1] - analysis.pts[0]) * seconds) if analysis.pts else "0:00"
    mode = "under the HIPAA lock" if analysis.settings.hipaa else "without the HIPAA lock"
    lines = [f"{key.frames:,} frames of {key.width}x{key.height}, {length}; found {mode}."]
    lines.append(f"{len(analysis.tracks):,} tracks, {len(analysis.near_misses):,} near-misses.")
    lines += [analysis.note] if analysis.note else []
    made = Counter(edit.operation.value for edit in standing(kept.edits))
    lines.append("Edits: " + (", ".join(f"{n} {what}" for what, n in sorted(made.items())) or "none") + ".")
    lines.append(f"Signed by {state.signed}." if state.signed else "Not signed.")
    found = doubts(analysis, kept.edits)
    lines.append(f"To check: {sum(len(each.stops) for each in found):,} stops")
    lines += [f"  {clock_text(each.span[0] * seconds, 1)}  {each.sentence}" for each in found]
    terminal.OUT.write("\n".join(line.rstrip() for line in lines) + "\n")


def _export(args: argparse.Namespace) -> None:
    from anonator.core.privacy import without_path
    from anonator.core.review.cvat import to_cvat
    from anonator.core.review.lists import to_mot, to_redaction_list

    kept = _read(args.file)
    makers: dict[str, Callable[[Analysis, Sequence[Edit]], Iterable[str]]] = {
        "cvat": to_cvat,
        "mot": to_mot,
        "list": to_redaction_list,
    }
    text = makers[args.format](kept.analysis, kept.edits)
    try:
        with open(args.target, "x", encoding="utf-8", newline="") as file:
            file.writelines(text)
    except OSError as exc:
        raise ReviewError(
            "The file could not be written: it exists already, or its folder cannot be written to."
        ) from without_path(exc)


def _import(args: argparse.Namespace) -> None:
    from anonator.core.privacy import without_path
    from anonator.core.review.cvat import from_cvat
    from anonator.core.review.tracks_file import TracksFile

    try:
        content = args.source.read_bytes()
    except OSError as exc:
        raise ReviewError("The XML file cannot be read.") from without_path(exc)
    with TracksFile(args.file) as file:
        number = file.edits[-1].number + 1 if file.edits else 1
        edits = from_cvat(content, file.analysis, number)
        for edit in edits:
            file.append(edit)
    terminal.OUT.write(f"{len(edits)} covers were added.\n")
