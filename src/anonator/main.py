"""Entry point: picks the window, the job in a terminal, or the self-test."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
from collections.abc import Sequence
from pathlib import Path

from anonator import headless, logs, terminal, tracks_command
from anonator.command_line import build_parser, says_something_of_a_job, settings_from
from anonator.core import process_setup
from anonator.core.config import Settings
from anonator.core.config_file import load
from anonator.core.reading.folders import videos_in
from anonator.core.windows_files import reachable
from anonator.core.writing import leftovers
from anonator.errors import DisplayError, ReviewError, SettingsError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        argv: the command line without the program's name; None takes the process's own.

    Returns:
        The exit status: 0 done, 1 a job failed, 2 usage, 130 cancelled.
    """
    terminal.prepare()
    given = sys.argv[1:] if argv is None else list(argv)
    if tracks_command.is_meant(given):
        logs.set_up(verbose=False)
        return tracks_command.main(given[1:])
    if given[:1] == ["archive"]:  # a folder of that name opens in the window
        from anonator.archive import command

        if command.is_meant(given):
            return command.main(given[1:])
    if given[:1] == ["report"]:  # a video of that name is ./report
        from anonator import report_command

        return report_command.main(given[1:])
    parser = build_parser()
    args = parser.parse_args(given)
    logs.set_up(verbose=args.verbose)
    if args.self_test:
        if args.files:
            parser.error("--self-test takes no videos.")
        from anonator import selftest

        return selftest.main(as_json=args.json)
    leftovers.sweep()
    if args.headless or args.download_models:
        return _in_the_terminal(parser, args)
    if says_something_of_a_job(args):
        parser.error("these options need --headless; the window has its own settings.")
    from anonator.ui.main_window import run

    process_setup.prepare_window()
    try:
        return run(args.files, args.config)
    except DisplayError as exc:
        terminal.ERR.write(f"{exc}\n")
        return headless.FAILED


def _in_the_terminal(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    try:
        config = load(args.config)
        settings = settings_from(args, config, _found(args.from_tracks))
    except (SettingsError, ReviewError) as exc:
        parser.error(str(exc))
    args.files = _videos(parser, args.files)
    if args.key_file and not settings.neutral_name:
        parser.error("--key-file goes with --neutral-name; other results carry their video's name.")
    if args.download_models and not args.files:
        return headless.download_models(args.model)
    if not args.files:
        parser.error("give at least one video.")
    if args.output and len(args.files) > 1:
        parser.error("-o names one result, but there are several videos; use --output-dir instead.")
    if (args.tracks or args.from_tracks) and len(args.files) > 1:
        parser.error("--tracks and --from-tracks are for one video, but there are several.")
    if args.tracks and args.from_tracks:
        parser.error("give either --tracks or --from-tracks: what is made from tracks finds no new ones.")
    if args.output and args.output_dir:
        parser.error("give either -o or --output-dir.")
    if args.output and args.output.suffix.lower() != ".mp4":
        parser.error("the result is an MP4 file; give -o a name that ends in .mp4.")
    if args.report_dir and not settings.report:
        parser.error("--report-dir is for audit reports; add --report to write one.")
    process_setup.prepare()
    return headless.run(args, settings, args.report_dir or config.report_folder)


def _found(tracks: Path | None) -> Settings | None:
    """The settings with which kept tracks were found."""
    if tracks is None:
        return None
    from anonator.core.review.tracks_file import read

    return read(tracks).analysis.settings


def _videos(parser: argparse.ArgumentParser, given: Sequence[Path]) -> list[Path]:
    """The videos that were named, and those in the folders that were named."""
    videos, results = list[Path](), 0
    for path in given:
        inside, own = videos_in(path) if reachable(path).is_dir() else ([path], [])
        if not inside:
            parser.error(f"there are no videos in {path}.")
        videos += inside
        results += len(own)
    if results:
        were = "file that Anonator made was" if results == 1 else "files that Anonator made were"
        terminal.ERR.write(f"{results} {were} skipped.\n")
    return videos


if __name__ == "__main__":
    # in the frozen program, a process that multiprocessing starts is this program again
    multiprocessing.freeze_support()
    sys.exit(main())
