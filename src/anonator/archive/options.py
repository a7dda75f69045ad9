"""The options of anonator archive, and how their values are read."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from anonator.archive.rows import Shard
from anonator.archive.run import DONE, EARLY, FAILED, INTERRUPTED, NOTHING, WRONG
from anonator.command_line import Parser, add_settings
from anonator.core.config import Device
from anonator.core.setting import word

DESCRIPTION = """Thousands of videos, on this computer, on a Dask cluster or as a job array of Slurm.

A plan says what is to be done, and the archive's folder what has been done; every command can be repeated.
"""
STATUSES = (
    f"Exit status: {DONE} done, {FAILED} some failed, {WRONG} wrong use or somebody else is at work, "
    f"{NOTHING} nothing to do, {EARLY} stopped early, {INTERRUPTED} Ctrl+C."
)
QUEUES = ("slurm", "pbs", "lsf", "sge")

Command = Callable[[argparse.Namespace], int]
"""Does what a parsed command line asks for, and returns the exit status."""


def parser_of(do: Mapping[str, Command]) -> argparse.ArgumentParser:
    """The parser; what it parses has the command's function as "do".

    Args:
        do: the function of each command, by its name.
    """
    parser = Parser(prog="anonator archive", allow_abbrev=False, description=DESCRIPTION, epilog=STATUSES)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, what: str, more: str = "") -> argparse.ArgumentParser:
        told = f"{what[0].upper()}{what[1:]}. {more}".strip()
        made = commands.add_parser(name, help=what, description=told, epilog=STATUSES, allow_abbrev=False)
        made.add_argument("--verbose", action="store_true", help="also write the log to the terminal")
        made.set_defaults(do=do[name])
        return made

    plan = command(
        "plan",
        "find videos, read their headers, and name their results",
        "Nothing is decoded yet. Planning again adds new videos and leaves the others as they are.",
    )
    plan.add_argument("inputs", nargs="+", type=Path, metavar="INPUT", help="videos, or folders of them")
    plan.add_argument("--out", type=Path, required=True, metavar="DIR", help="the archive's folder")
    plan.add_argument(
        "--names",
        choices=("keep", "neutral"),
        help="keep names and folders, or give results random names (default: keep)",
    )
    plan.add_argument(
        "--tracks",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="keep what is found, to count doubts and to correct results later (default: on)",
    )
    add_settings(plan)

    run = command(
        "run",
        "do what is neither done nor failed",
        "It goes on wherever an earlier run stopped, however that ended.",
    )
    engine = run.add_argument_group("who works; without these, this process does, one video at a time")
    engine.add_argument("--workers", type=_count, metavar="N", help="N processes on this computer, by Dask")
    engine.add_argument(
        "--scheduler",
        type=_address,
        metavar="ADDRESS",
        help="a running Dask scheduler, tcp://HOST:PORT or tls://HOST:PORT",
    )
    engine.add_argument(
        "--jobqueue",
        choices=QUEUES,
        help="with --workers: N jobs of a batch system, by dask-jobqueue and its own configuration file",
    )
    engine.add_argument("--shard", type=_shard, metavar="K/N", help="only every Nth row, from the Kth")
    for part in ("ca-file", "cert", "key"):
        engine.add_argument(
            f"--tls-{part}", type=Path, metavar="FILE", help="for --scheduler, as `dask worker` takes it"
        )
    engine.add_argument(
        "--resources",
        type=_resources,
        metavar="NAME=N",
        help="for --scheduler: what each video needs of a worker, such as GPU=1",
    )
    run.add_argument("--limit", type=_duration, metavar="H:MM", help="stop after so long, between two videos "
                     "if their lengths allow")  # fmt: skip
    devices = "|".join(word(each) for each in Device)
    run.add_argument("--device", metavar=devices, help="instead of the planned one")
    run.add_argument("--weights", type=Path, metavar="PATH", help="your own weights file, or its folder")
    run.add_argument(
        "--take-over",
        action="store_true",
        help="set aside a run on another computer that isn't running any more",
    )

    status = command("status", "count what is done, failed and waiting, and the doubts")
    status.add_argument("--json", action="store_true", help="as JSON")
    status.add_argument("--watch", action="store_true", help="again and again, until nothing is left")

    retry = command("retry", "let rows wait again, for the next run")
    which = retry.add_mutually_exclusive_group(required=True)
    which.add_argument("--failed", action="store_true", help="those that failed")
    which.add_argument(
        "--changed", action="store_true", help="those whose videos have changed; their results are replaced"
    )

    command(
        "report",
        "write a table (CSV) and a page (HTML) into the archive's private folder",
        "Videos in which no face was found come first, then those with most doubts.",
    )

    slurm = command("slurm", "write a job array script for Slurm")
    slurm.add_argument("--time", type=_duration, required=True, metavar="H:MM:SS", help="of each task")
    slurm.add_argument("--tasks", type=_count, default=10, metavar="N", help="of the array (default: 10)")
    slurm.add_argument("--gpus", type=_count, metavar="N", help="of each task")
    slurm.add_argument("--cpus", type=_count, default=4, metavar="N", help="of each task (default: 4)")
    slurm.add_argument("--mem", default="8G", metavar="SIZE", help="of each task (default: 8G)")
    slurm.add_argument("--partition", metavar="NAME", help="where to run")
    slurm.add_argument("--container", metavar="IMAGE", help="run in this image, by Apptainer")
    for each in (run, status, retry, slurm):
        each.add_argument("dir", type=Path, metavar="DIR", help="the archive's folder")
    commands.choices["report"].add_argument("dir", type=Path, metavar="DIR", help="the archive's folder")
    return parser


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,5}", text):
        raise argparse.ArgumentTypeError(f'"{text}" is not a number from 1 on.')
    return int(text)


def _shard(text: str) -> Shard:
    parts = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not parts or not 1 <= int(parts[1]) <= int(parts[2]):
        raise argparse.ArgumentTypeError(f'"{text}" is not a share such as 3/8.')
    return Shard(int(parts[1]), int(parts[2]))


def _address(text: str) -> str:
    if not re.fullmatch(r"(tcp|tls)://[^/\s]+:\d{1,5}", text):
        raise argparse.ArgumentTypeError(f'"{text}" is not an address such as tcp://HOST:8786.')
    return text


def _duration(text: str) -> float:
    """Seconds of H:MM or H:MM:SS."""
    parts = re.fullmatch(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d))?", text)
    seconds = 3600 * int(parts[1]) + 60 * int(parts[2]) + int(parts[3] or 0) if parts else 0
    if not seconds:
        raise argparse.ArgumentTypeError(f'"{text}" is not a time such as 4:00.')
    return float(seconds)


def _resources(text: str) -> dict[str, float]:
    parts = re.fullmatch(r"(\w+)=(\d+(?:\.\d+)?)", text)
    if not parts:
        raise argparse.ArgumentTypeError(f'"{text}" is not a resource such as GPU=1.')
    return {parts[1]: float(parts[2])}
