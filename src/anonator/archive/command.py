"""anonator archive: thousands of videos, on this computer, on a Dask cluster or as a job array of Slurm.

A plan says what is to be done, and the archive's folder what has been done; every command can be repeated.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from anonator import logs, terminal
from anonator.archive.folder import open_archive
from anonator.archive.lock import Busy
from anonator.archive.rows import Shard
from anonator.archive.run import DONE, EARLY, FAILED, INTERRUPTED, NOTHING, WRONG, Engine, Order
from anonator.command_line import Parser, add_settings, settings_from
from anonator.core.config import Device
from anonator.core.config_file import load
from anonator.core.setting import parse_enum, word
from anonator.core.windows_files import reachable
from anonator.errors import AnonatorError, SettingsError

COMMANDS = ("plan", "run", "status", "retry", "report", "slurm")
STATUSES = (
    f"Exit status: {DONE} done, {FAILED} some failed, {WRONG} wrong use or somebody else is at work, "
    f"{NOTHING} nothing to do, {EARLY} stopped early, {INTERRUPTED} Ctrl+C."
)
QUEUES = ("slurm", "pbs", "lsf", "sge")
WATCH_SECONDS = 5.0


def is_meant(argv: Sequence[str]) -> bool:
    """Whether a command line is one of these, and not videos of such names."""
    return len(argv) > 1 and argv[0] == "archive" and argv[1] in (*COMMANDS, "-h", "--help")


def main(argv: Sequence[str]) -> int:
    """Run one of the commands.

    Args:
        argv: the command line after "anonator archive".

    Returns:
        The exit status; STATUSES describes it.
    """
    parser = _parser()
    args = parser.parse_args(argv)
    logs.set_up(verbose=args.verbose)
    try:
        do: Callable[[argparse.Namespace], int] = args.do
        return do(args)
    except (Busy, SettingsError) as exc:
        terminal.ERR.write(f"anonator archive: {exc}\n")
        return WRONG
    except AnonatorError as exc:
        terminal.ERR.write(f"anonator archive: {exc}\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="anonator archive", allow_abbrev=False, description=__doc__, epilog=STATUSES)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, what: str, do: Callable[[argparse.Namespace], int], more: str = ""
    ) -> argparse.ArgumentParser:
        told = f"{what[0].upper()}{what[1:]}. {more}".strip()
        made = commands.add_parser(name, help=what, description=told, epilog=STATUSES, allow_abbrev=False)
        made.add_argument("--verbose", action="store_true", help="also write the log to the terminal")
        made.set_defaults(do=do)
        return made

    plan = command(
        "plan",
        "find videos, read their headers, and name their results",
        _plan,
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
        _run,
        "It goes on wherever an earlier run stopped, however that ended.",
    )
    engine = run.add_argument_group("who works; without these, this process does, one video at a time")
    engine.add_argument("--workers", type=_count, metavar="N", help="N processes on this computer, by Dask")
    engine.add_argument("--scheduler", metavar="ADDRESS", help="a running Dask scheduler, tcp:// or tls://")
    engine.add_argument(
        "--jobqueue",
        choices=QUEUES,
        help="with --workers: N jobs of a batch system, by dask-jobqueue and its own configuration file",
    )
    engine.add_argument("--shard", type=_shard, metavar="K/N", help="only every Nth row, from the Kth")
    for part in ("ca-file", "cert", "key"):
        engine.add_argument(
            f"--tls-{part}", type=Path, metavar="FILE", help="for --scheduler, as `dask scheduler` takes it"
        )
    engine.add_argument(
        "--resources",
        type=_resources,
        metavar="NAME=N",
        help="what each video needs of a Dask worker, such as GPU=1",
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

    status = command("status", "count what is done, failed and waiting, and the doubts", _status)
    status.add_argument("--json", action="store_true", help="as JSON")
    status.add_argument("--watch", action="store_true", help="again and again, until nothing is left")

    retry = command("retry", "let rows wait again, for the next run", _retry)
    which = retry.add_mutually_exclusive_group(required=True)
    which.add_argument("--failed", action="store_true", help="those that failed")
    which.add_argument(
        "--changed", action="store_true", help="those whose videos have changed; their results are replaced"
    )

    command(
        "report",
        "write a table (CSV) and a page (HTML) into the archive's private folder",
        _report,
        "Videos in which no face was found come first, then those with most doubts.",
    )

    slurm = command("slurm", "write a job array script for Slurm", _slurm)
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


def _plan(args: argparse.Namespace) -> int:
    from anonator.archive.plan import plan

    missing = [path for path in args.inputs if not reachable(path).exists()]
    if missing:
        terminal.ERR.write(f"anonator archive plan: there is no {missing[0]}.\n")
        return WRONG
    settings = settings_from(args, load(args.config))
    if args.names is not None:
        settings = replace(settings, neutral_name=args.names == "neutral")
    with tqdm(desc="Reading headers", unit="", file=terminal.ERR, disable=None, leave=False) as bar:

        def tell(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        planned = plan(args.inputs, args.out, settings, keep_tracks=args.tracks, tell=tell)
    said = [f"{planned.rows:,} videos are planned, {planned.added:,} of them new."]
    if planned.changed:
        said.append(
            f"{planned.changed:,} have changed since; `anonator archive retry --changed` does them anew."
        )
    if planned.unreadable:
        said.append(f"{planned.unreadable:,} can't be read; their rows will fail and say why.")
    if planned.alike:
        said.append(f"{planned.alike:,} are the same file as another one, so they are done only once.")
    if planned.results:
        said.append(f"{planned.results:,} results of Anonator were skipped.")
    said.append(f"The plan names the videos, so keep it private: {planned.archive.plan_file}")
    terminal.OUT.write("\n".join(said) + "\n")
    return DONE if planned.added else NOTHING


def _run(args: argparse.Namespace) -> int:
    from anonator.archive.run import run

    by_dask = args.workers is not None or args.scheduler is not None
    if args.workers is not None and args.scheduler is not None:
        raise SettingsError("give either --workers or --scheduler.")
    if args.jobqueue and args.workers is None:
        raise SettingsError("--jobqueue needs --workers, the number of jobs.")
    if by_dask and args.shard:
        raise SettingsError("--shard is for runs that don't know of each other; Dask shares the rows itself.")
    tls = {
        name: str(path)
        for name, path in (
            ("tls_ca_file", args.tls_ca_file), ("tls_client_cert", args.tls_cert),
            ("tls_client_key", args.tls_key),
        )
        if path is not None
    }  # fmt: skip
    if (tls or args.resources) and not by_dask:
        raise SettingsError("--tls-... and --resources go with --scheduler or --workers.")
    engine = Engine(
        workers=args.workers,
        scheduler=args.scheduler,
        queue=args.jobqueue,
        resources=args.resources,
        tls=tls or None,
    )
    order = Order(
        shard=args.shard,
        limit=args.limit,
        device=None if args.device is None else parse_enum(Device, args.device),
        weights=args.weights,
        take_over=args.take_over,
        engine=engine if by_dask else None,
    )
    return run(args.dir, order)


def _status(args: argparse.Namespace) -> int:
    from anonator.archive.status import status_of

    archive, _ = open_archive(args.dir)
    while True:
        status = status_of(archive)
        if args.json:
            terminal.OUT.write(json.dumps(status.to_json()) + "\n")
        else:
            terminal.OUT.write("\n".join(status.lines()) + "\n")
        if not args.watch or not status.begun + status.waiting:
            return DONE
        time.sleep(WATCH_SECONDS)


def _retry(args: argparse.Namespace) -> int:
    from anonator.archive.retry import retry_changed, retry_failed

    archive, about = open_archive(args.dir)
    count = retry_failed(archive) if args.failed else retry_changed(archive, about)
    terminal.OUT.write(f"{count:,} video{' waits' if count == 1 else 's wait'} again.\n")
    return DONE if count else NOTHING


def _report(args: argparse.Namespace) -> int:
    from anonator.archive.report import PRIVATE, write_report

    archive, _ = open_archive(args.dir)
    table, page = write_report(archive)
    terminal.OUT.write(f"{page}\n{table}\n{PRIVATE}\n")
    return DONE


def _slurm(args: argparse.Namespace) -> int:
    from anonator.archive.slurm import Request, write_script

    archive, about = open_archive(args.dir)
    request = Request(
        seconds=int(args.time),
        tasks=args.tasks,
        cpus=args.cpus,
        memory=args.mem,
        gpus=args.gpus or 0,
        partition=args.partition or "",
        container=args.container or "",
    )
    script = write_script(archive, request, about.folders)
    terminal.OUT.write(f"{script}\nHand it in with: sbatch {script}\n")
    return DONE


def _count(text: str) -> int:
    if not re.fullmatch(r"[1-9]\d{0,5}", text):
        raise argparse.ArgumentTypeError(f'"{text}" is not a number from 1 on.')
    return int(text)


def _shard(text: str) -> Shard:
    parts = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if not parts or not 1 <= int(parts[1]) <= int(parts[2]):
        raise argparse.ArgumentTypeError(f'"{text}" is not a share such as 3/8.')
    return Shard(int(parts[1]), int(parts[2]))


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
