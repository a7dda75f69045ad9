"""The job in a terminal: a progress bar or JSON lines, and an exit status that scripts can trust."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from anonator import terminal
from anonator.core import process_setup
from anonator.core.config import Model, Settings
from anonator.core.detection import weights
from anonator.core.detection.cache import DetectorCache
from anonator.core.frames import NO_SOUND, JobResult, Progress, Stage
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.result_names import ResultName, plan
from anonator.core.session_end import ending_in_order
from anonator.core.windows_files import reachable
from anonator.errors import AnonatorError, JobCancelled, OutputExistsError

DONE, FAILED, CANCELLED = 0, 1, 130


def run(args: argparse.Namespace, settings: Settings) -> int:
    """Do one job per video, one after the other; a failed one does not stop the rest.

    Args:
        args: the parsed command line.
        settings: for all videos.

    Returns:
        The exit status.
    """
    status = DONE
    with (
        _interruption() as interrupted,
        _output_folder(args.output_dir),
        process_setup.keep_awake(),
        contextlib.closing(DetectorCache(args.weights)) as detectors,
    ):
        if not _weights_ready(args, settings.model, interrupted):
            return CANCELLED if interrupted.is_set() else FAILED
        for name in _names(args, settings):
            if name.same_as is not None:
                _say(args, name, {"status": "skipped", "same_as": str(name.same_as)})
                continue
            job = Job(name.source, name.target, settings, args.overwrite)
            try:
                result = _one(job, detectors, interrupted, quiet=args.json)
            except JobCancelled as exc:
                _say(args, name, {"status": "cancelled", "error": str(exc)})
                return CANCELLED
            except AnonatorError as exc:
                status = FAILED
                way_out = " --overwrite replaces it." if isinstance(exc, OutputExistsError) else ""
                _say(args, name, {"status": "failed", "error": f"{exc}{way_out}"})
            else:
                _say(args, name, _facts(result, verbose=args.verbose))
    return status


def _names(args: argparse.Namespace, settings: Settings) -> tuple[ResultName, ...]:
    """All names of the run, before it starts; with -o there is one video, and its result's name is given."""
    if args.output:
        return tuple(ResultName(source, args.output) for source in args.files)
    return plan(args.files, args.output_dir, settings)


def _one(job: Job, detectors: DetectorCache, interrupted: threading.Event, *, quiet: bool) -> JobResult:
    with tqdm(
        unit=" frames", desc=job.source.name, file=terminal.ERR, disable=quiet or None, leave=False
    ) as bar:
        stage = Stage.WORKING

        def show(progress: Progress) -> None:
            nonlocal stage
            if progress.stage is not stage:
                stage = progress.stage
                bar.reset()  # each stage counts from 0
                bar.set_description(", ".join(filter(None, (job.source.name, stage.word))), refresh=False)
            bar.total = progress.total
            bar.update(progress.frame - bar.n)

        processor = VideoProcessor(job, detectors=detectors, on_progress=show)
        processor.start()
        while True:
            try:
                return processor.wait(0.1)
            except TimeoutError:
                if interrupted.is_set():
                    processor.cancel()


@contextmanager
def _interruption() -> Iterator[threading.Event]:
    """Ctrl+C, Ctrl+Break, SIGTERM and the end of the session set the event, so that the job can clean up."""
    interrupted = threading.Event()
    signals = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32":
        signals.append(signal.SIGBREAK)
    before = [signal.signal(s, lambda *_: interrupted.set()) for s in signals]
    try:
        with ending_in_order(interrupted.set):
            yield interrupted
    finally:
        for s, handler in zip(signals, before, strict=True):
            signal.signal(s, handler)


def _facts(result: JobResult, *, verbose: bool = False) -> dict[str, Any]:
    return {
        "status": "done",
        "output": str(result.target),
        "frames": result.frames,
        "masked_frames": result.masked_frames,
        "tracks": result.tracks,
        "seconds": round(result.seconds, 2),
        "fps": round(result.frames / max(result.seconds, 1e-9), 2),
        "device": result.device,
        "audio": result.audio,
        "replaced_frames": result.replaced_frames,
        "checks": list(result.checks),
        "report": None if result.report is None else str(result.report),
        "reviewed": False,
        "notes": list(result.notes),
        **({"stage_seconds": result.stage_seconds} if verbose else {}),
    }


def _say(args: argparse.Namespace, name: ResultName, facts: dict[str, Any]) -> None:
    """Report what became of one video: JSON on standard output, or lines for people."""
    source = name.source
    if name.why:
        facts = {**facts, "notes": [*facts.get("notes", ()), name.why]}
    if args.json:
        terminal.OUT.write(_json_line({"input": str(source), **facts}))
        return
    if facts["status"] == "skipped":
        terminal.OUT.write(f"{source}: skipped. {name.why}\n")
    elif facts["status"] == "done":
        sound = facts["audio"] if facts["audio"] == NO_SOUND else f"sound: {facts['audio']}"
        said = (
            f"{source.name}: done, {facts['frames']} frames in {facts['seconds']:.1f} s "
            f"({facts['fps']:.1f} per second), "
            f"masks on {facts['masked_frames']} of them, {sound}.\n"
            f"  {facts['output']}\n"
        )
        if facts["report"]:
            said += f"  Report: {facts['report']}\n"
        for check in facts["checks"]:
            said += f"  Check: {check}\n"
        said += "  Not yet reviewed by a person.\n"
        for note in facts["notes"]:
            said += f"  Note: {note}\n"
        terminal.OUT.write(said)
    else:
        terminal.ERR.write(f"{source.name}: {facts['status']}. {facts['error']}\n")
        for note in facts.get("notes", ()):
            terminal.ERR.write(f"  Note: {note}\n")


def _json_line(facts: dict[str, Any]) -> str:
    """One line of valid JSON; a terminal that lacks a letter, and a name that is no Unicode, get escapes."""
    readable = json.dumps(facts, ensure_ascii=False)
    try:
        readable.encode(terminal.OUT.encoding)
    except UnicodeEncodeError:
        readable = json.dumps(facts)
    return readable + "\n"


@contextmanager
def _output_folder(folder: Path | None) -> Iterator[None]:
    """Make the output folder if it is missing; a new one that stays empty is removed again."""
    folder = None if folder is None else reachable(folder)
    made = folder is not None and not folder.exists()
    if folder is not None and made:
        # a folder that cannot be made is reported by the writer, video by video
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True)
    try:
        yield
    finally:
        if folder is not None and made:
            with contextlib.suppress(OSError):
                folder.rmdir()  # refuses a folder with something in it


def download_models(model: Model | None) -> int:
    """Fetch the weights of one model, or of all of them.

    Args:
        model: the one named on the command line, or None.

    Returns:
        The exit status.
    """
    with _interruption() as interrupted:
        for each in [model] if model else filter(weights.can_be_downloaded, Model):
            if not _fetch(each, interrupted):
                return CANCELLED if interrupted.is_set() else FAILED
    return DONE


def _weights_ready(args: argparse.Namespace, model: Model, interrupted: threading.Event) -> bool:
    """Whether the model can be loaded; nothing is fetched without --download-models or a yes."""
    if weights.is_available(model, args.weights) or args.weights is not None:
        return True  # a wrong place is reported by the job itself
    if not args.download_models:
        if not (sys.stdin and sys.stdin.isatty() and terminal.ERR.isatty()):
            return True
        if not weights.can_be_downloaded(model):
            return True  # the job says how else to get them
        terminal.ERR.write(
            f"{model.value} is not on this computer ({weights.human_size(model)}). Download it now? [y/N] "
        )
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            return True
    return _fetch(model, interrupted)


def _fetch(model: Model, interrupted: threading.Event) -> bool:
    with tqdm(unit="B", unit_scale=True, desc=model.value, file=terminal.ERR, leave=False) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            bar.update(done - bar.n)

        try:
            file = weights.download(model, show, interrupted.is_set)
        except AnonatorError as exc:
            terminal.ERR.write(f"{model.value}: {exc}\n")
            return False
    terminal.ERR.write(f"{model.value} is ready ({file.check.value}).\n")
    return True
