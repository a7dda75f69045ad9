"""Entry point: the window, or with --headless the same job in a terminal."""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import multiprocessing
import sys
from collections.abc import Callable, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NoReturn

from anonator import headless, logs
from anonator.core.config import (
    HIPAA_FIXED,
    HIPAA_STRICTER,
    Device,
    Encoder,
    Mode,
    Model,
    Performance,
    Settings,
    lock_takes,
    lock_words,
    parse_enum,
    require_lock_holds,
    word,
)
from anonator.core.config_file import UserConfig, default_path, load
from anonator.core.writing import leftovers
from anonator.errors import DisplayError, HipaaLockError, SettingsError


def main(argv: Sequence[str] | None = None) -> int:
    """Run the program.

    Args:
        argv: the command line without the program's name; None takes the process's own.

    Returns:
        The exit status: 0 done, 1 a job failed, 2 usage, 130 cancelled.
    """
    parser = build_parser()
    args = parser.parse_args(argv)
    logs.set_up(verbose=args.verbose)
    if args.self_test:
        if args.files:
            parser.error("--self-test takes no videos.")
        from anonator import selftest

        return selftest.main(as_json=args.json)
    leftovers.sweep()
    if args.headless or args.download_models:
        return _in_the_terminal(parser, args)
    settings_given = any(getattr(args, name) is not None for name in (*CHOSEN, "output", "output_dir"))
    if settings_given or args.standard or args.overwrite or args.json:
        parser.error("options of a job need --headless; the window has its own settings.")
    from anonator.ui.main_window import run
    from anonator.ui.work.worker import SWITCH_SECONDS

    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        return run(args.files, args.config)
    except DisplayError as exc:
        sys.stderr.write(f"{exc}\n")
        return headless.FAILED


def _in_the_terminal(parser: argparse.ArgumentParser, args: argparse.Namespace) -> int:
    try:
        settings = settings_from(args, load(args.config))
    except SettingsError as exc:
        parser.error(str(exc))
    if args.download_models and not args.files:
        return headless.download_models(args.model)
    if not args.files:
        parser.error("name at least one video.")
    if args.output and len(args.files) > 1:
        parser.error("-o names one output, but there are several videos; use --output-dir.")
    if args.output and args.output_dir:
        parser.error("give either -o or --output-dir.")
    if args.output and args.output.suffix.lower() != ".mp4":
        parser.error("the result is an MP4 file; give -o a name that ends in .mp4.")
    return headless.run(args, settings)


class _Parser(argparse.ArgumentParser):
    """Answers a wrong command line with its one sentence, not with a page of usage before it."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {message}\n{self.prog} --help lists all options.\n")


def build_parser() -> argparse.ArgumentParser:
    """The command line; defaults of None mean "as the mode has it"."""
    parser = _Parser(
        prog="anonator",
        allow_abbrev=False,  # a short form of --standard must not open the lock by mistake
        description="Takes the faces out of videos. Without --headless it opens the window.",
        epilog="HIPAA mode is on unless --standard is given: solid masks, no sound, fixed values. "
        "Under it, options can only make it stricter.",
    )
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="VIDEO",
        help="videos; without --headless they are loaded into the window",
    )
    parser.add_argument(
        "--version", action="version", version=f"Anonator {importlib.metadata.version('anonator')}"
    )
    parser.add_argument("--headless", action="store_true", help="do the job here, without a window")
    parser.add_argument(
        "--self-test",
        action="store_true",
        help="check whether this copy of the program works (--json: for scripts)",
    )
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        # argparse expands %, which a folder's name may hold
        help=f"start from the settings in this TOML file (default: {default_path()})".replace("%", "%%"),
    )
    where = parser.add_argument_group("output")
    where.add_argument(
        "--output-dir", type=Path, metavar="DIR", help="folder for the results (default: beside each video)"
    )
    where.add_argument("-o", "--output", type=Path, metavar="FILE", help="name of the result, for one video")
    where.add_argument("--overwrite", action="store_true", help="replace a result that is there already")
    _switch(where, "--neutral-name", "name the result at random, because file names identify people")
    _switch(where, "--report", "write an audit report beside the result (default: on in HIPAA mode)")
    _switch(where, "--hash-input", "put the input's SHA-256 into the report")
    where.add_argument("--json", action="store_true", help="one line of JSON per video on standard output")
    where.add_argument("--verbose", action="store_true", help="write the log to the terminal too")
    free = parser.add_argument_group("free in both modes")
    _choice(
        free, "--performance", Performance, "how much work is spent on each frame; HIPAA mode refuses maximum"
    )
    _choice(free, "--model", Model, "the network that looks for faces")
    _choice(free, "--device", Device, "where it runs")
    _choice(free, "--encoder", Encoder, "what writes the H.264 output")
    free.add_argument(
        "--crf",
        type=_number(int),
        metavar="N",
        help="quality of the output, 0 to 40, lower is better (default 17)",
    )
    free.add_argument("--weights", type=Path, metavar="PATH", help="a weights file or folder of your own")
    free.add_argument(
        "--download-models", action="store_true", help="fetch the chosen model's weights if they are missing"
    )
    locked = parser.add_argument_group("in HIPAA mode only where stricter")
    locked.add_argument(
        "--threshold",
        type=_number(float),
        metavar="F",
        help="score of a face, 0.5 to 0.9, in HIPAA mode 0.2 to 0.5 (default 0.5)",
    )
    locked.add_argument(
        "--mask-scale",
        type=_number(float),
        metavar="F",
        help="size of the mask in face sizes, 1 to 3, in HIPAA mode 1.5 to 3 (default 1.5)",
    )
    standard = parser.add_argument_group("only with --standard, which switches the HIPAA lock off")
    standard.add_argument("--standard", action="store_true", help="your own choice of everything below")
    _choice(standard, "--mode", Mode, "what is put over a face")
    _switch(standard, "--multi-pass", "also accept faces at 0.7 of the threshold (default: on)")
    _switch(
        standard,
        "--orientations",
        "also look for people lying down or upside down (default: off, in HIPAA mode on)",
    )
    _switch(standard, "--keep-audio", "keep the sound")
    standard.add_argument(
        "--damaged-frames-limit",
        type=_number(int),
        metavar="N",
        help="frames that may be replaced by black because they cannot be decoded (default 250)",
    )
    return parser


CHOSEN = (
    "performance", "model", "device", "encoder", "crf", "report", "neutral_name", "hash_input",
    "mode", "threshold", "mask_scale", "multi_pass", "orientations", "keep_audio", "damaged_frames_limit",
)  # fmt: skip
"""Options that are settings of the same name."""


def settings_from(args: argparse.Namespace, config: UserConfig | None = None) -> Settings:
    """The settings that a command line asks for.

    Args:
        args: the parsed command line.
        config: what the modes start from; None takes the program's own defaults.

    Raises:
        SettingsError: a value is out of range.
        HipaaLockError: an option is less strict than HIPAA mode, or than the configuration file made it.
    """
    config = config or UserConfig()
    given = {name: getattr(args, name) for name in CHOSEN if getattr(args, name) is not None}
    if args.standard:
        return dataclasses.replace(config.standard, **given)
    for name, value in given.items():
        if name == "damaged_frames_limit":
            raise HipaaLockError(
                "HIPAA mode ends a job at the first damaged frame; --damaged-frames-limit needs --standard."
            )
        if name in HIPAA_FIXED and not lock_takes(name, value, config.hipaa):
            allowed = f" It takes {lock_words(name, config.hipaa)}." if name in HIPAA_STRICTER else ""
            raise HipaaLockError(
                f"HIPAA mode does not allow {_written(name, value)}.{allowed} "
                "Leave it out, or switch the lock off with --standard."
            )
    settings = dataclasses.replace(config.hipaa, **given)
    require_lock_holds(settings)
    return settings


def _written(name: str, value: Any) -> str:
    """A setting as it is written on the command line."""
    flag = name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{flag}" if value else f"--no-{flag}"
    return f"--{flag} {word(value)}"


def _switch(group: Any, flag: str, text: str) -> None:
    group.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=text)


def _choice(group: Any, flag: str, kind: type[Enum], text: str) -> None:
    def parse(value: str) -> Enum:
        try:
            return parse_enum(kind, value)
        except SettingsError as exc:
            raise argparse.ArgumentTypeError(str(exc)) from exc

    values = "|".join(str(choice.value) for choice in kind)
    group.add_argument(flag, type=parse, metavar=values, help=text)


def _number(kind: Callable[[str], float]) -> Callable[[str], float]:
    def parse(value: str) -> float:
        try:
            # people whose keyboard has a comma there mean a decimal point
            return kind(value.replace(",", "."))
        except ValueError as exc:
            raise argparse.ArgumentTypeError(f'"{value}" is not a number.') from exc

    return parse


if __name__ == "__main__":
    # in the frozen program, a process that multiprocessing starts is this program again
    multiprocessing.freeze_support()
    sys.exit(main())
