"""The commands of anonator archive: each asks the module that knows how, and says what came of it."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tqdm import tqdm

from anonator import logs, terminal
from anonator.archive.folder import open_archive
from anonator.archive.lock import Busy
from anonator.archive.options import Command, parser_of
from anonator.archive.run import DONE, FAILED, INTERRUPTED, NOTHING, WRONG, Engine, Order
from anonator.command_line import settings_from
from anonator.core.config import Device
from anonator.core.config_file import load
from anonator.core.setting import parse_enum
from anonator.core.windows_files import reachable
from anonator.errors import AnonatorError, SettingsError

WATCH_SECONDS = 5.0


def is_meant(argv: Sequence[str]) -> bool:
    """Whether a command line is or tries to be one of these, and not a folder of that name for the window."""
    if argv[:1] != ["archive"]:
        return False
    return argv[1:2] in [[name] for name in (*COMMANDS, "-h", "--help")] or not Path("archive").exists()


def main(argv: Sequence[str]) -> int:
    """Run one of the commands.

    Args:
        argv: the command line after "anonator archive".

    Returns:
        The exit status; options.STATUSES describes it.
    """
    args = parser_of(COMMANDS).parse_args(argv)
    logs.set_up(verbose=args.verbose)
    try:
        do: Command = args.do
        return do(args)
    except (Busy, SettingsError) as exc:
        terminal.ERR.write(f"anonator archive: {exc}\n")
        return WRONG
    except AnonatorError as exc:
        terminal.ERR.write(f"anonator archive: {exc}\n")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


def _plan(args: argparse.Namespace) -> int:
    from anonator.archive.plan import plan

    missing = [path for path in args.inputs if not reachable(path).exists()]
    if missing:
        terminal.ERR.write(f"anonator archive plan: there is no {missing[0]}.\n")
        return WRONG
    config = load(args.config)
    settings = settings_from(args, config)
    if args.names is not None:
        settings = replace(settings, neutral_name=args.names == "neutral")
    with tqdm(desc="Reading headers", unit="", file=terminal.ERR, disable=None, leave=False) as bar:

        def tell(done: int, of: int) -> None:
            bar.total = of
            bar.update(done - bar.n)

        planned = plan(args.inputs, args.out, settings, keep_tracks=args.tracks, tell=tell)
    new = "" if planned.added == planned.rows else f", {planned.added:,} of them new"
    said = [f"{_count(planned.rows, 'video is', 'videos are')} planned{new}."]
    if planned.changed:
        said.append(
            f"{_count(planned.changed, 'has', 'have')} changed since; `anonator archive retry --changed` "
            f"plans {'it' if planned.changed == 1 else 'them'} anew."
        )
    if planned.unreadable:
        said.append(f"{planned.unreadable:,} can't be read; `run` will say why.")
    if planned.alike:
        alike = _count(planned.alike, "is", "are")
        said.append(f"{alike} the same file as another one, which is done only once.")
    if planned.results:
        said.append(f"{_count(planned.results, 'result', 'results')} of Anonator skipped.")
    if config.report_folder is not None:
        said.append("Reports are saved next to the results, whatever the configuration file says.")
    said.append(f"The plan names the videos, so keep it private: {planned.archive.plan_file}")
    if planned.added:
        said.append(f"Next: anonator archive run {_typed(args.out)}")
    terminal.OUT.write("\n".join(said) + "\n")
    return DONE if planned.added else NOTHING


def _count(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def _typed(path: Path) -> str:
    """A path as people type it."""
    return f'"{path}"' if " " in str(path) else str(path)


def _run(args: argparse.Namespace) -> int:
    from anonator.archive.run import run

    by_dask = args.workers is not None or args.scheduler is not None
    if args.workers is not None and args.scheduler is not None:
        raise SettingsError("give either --workers or --scheduler.")
    if args.jobqueue and args.workers is None:
        raise SettingsError("--jobqueue needs --workers, the number of jobs.")
    if by_dask and args.shard:
        raise SettingsError("--shard is for runs that don't know of each other; Dask shares the rows itself.")
    tls = _tls(args)
    if args.resources and args.scheduler is None:
        raise SettingsError("--resources goes with --scheduler.")
    engine = Engine(
        workers=args.workers,
        scheduler=args.scheduler,
        queue=args.jobqueue,
        resources=args.resources,
        tls=tls,
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


def _tls(args: argparse.Namespace) -> dict[str, str] | None:
    """The certificates for a scheduler, as distributed.Security takes them; None without any."""
    files = {
        "tls_ca_file": args.tls_ca_file, "tls_client_cert": args.tls_cert, "tls_client_key": args.tls_key,
    }  # fmt: skip
    given = {name: str(path) for name, path in files.items() if path is not None}
    if not given:
        return None
    if not (args.scheduler or "").startswith("tls://"):
        raise SettingsError("--tls-... go with --scheduler tls://HOST:PORT.")
    if args.tls_ca_file is None or args.tls_cert is None:
        raise SettingsError(
            "--tls-ca-file and --tls-cert go together; --tls-key, too, unless the certificate's file has it."
        )
    for path in filter(None, files.values()):
        if not path.is_file():
            raise SettingsError(f"there is no file {path}.")
    return given


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
    terminal.OUT.write(f"{_count(count, 'video waits', 'videos wait')} again.\n")
    if count:
        terminal.OUT.write(f"Next: anonator archive run {_typed(args.dir)}\n")
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
    terminal.OUT.write(f"{script}\nHand it in with: sbatch {_typed(script)}\n")
    return DONE


COMMANDS: dict[str, Command] = {
    "plan": _plan,
    "run": _run,
    "status": _status,
    "retry": _retry,
    "report": _report,
    "slurm": _slurm,
}
