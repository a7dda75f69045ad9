"""The job in a terminal: a progress bar or JSON lines, and an exit status that scripts can trust."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from anonator import terminal
from anonator.core import process_setup
from anonator.core.config import Model, Settings
from anonator.core.detection import weights
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job, JobResult
from anonator.core.job_thread import VideoProcessor
from anonator.core.result_names import ResultName, plan
from anonator.core.session_end import ending_in_order
from anonator.core.windows_files import reachable
from anonator.core.wording import NOT_COVERED, sound_sentence
from anonator.core.writing.key_file import PHI, KeyFile
from anonator.errors import AnonatorError, JobCancelled, OutputError, OutputExistsError
from anonator.terminal_progress import VideoProgress, labels

DONE, FAILED, CANCELLED = 0, 1, 130


def run(args: argparse.Namespace, settings: Settings, report_folder: Path | None = None) -> int:
    """Do one job per video, one after the other; a failed one does not stop the rest.

    Args:
        args: the parsed command line.
        settings: for all videos.
        report_folder: where audit reports are saved; None means next to each result.

    Returns:
        The exit status.
    """
    with (
        interruption() as interrupted,
        _output_folder(args.output_dir),
        _output_folder(args.report_dir),
        process_setup.keep_awake(),
        contextlib.closing(DetectorCache(args.weights)) as detectors,
    ):
        try:
            key = None if args.key_file is None else KeyFile(args.key_file)
        except OutputError as exc:
            terminal.ERR.write(f"{exc}\n")
            return FAILED
        if key is not None:
            terminal.ERR.write(f"{PHI}\n")
        if args.from_tracks is None and not _weights_ready(args, settings.model, interrupted):
            return CANCELLED if interrupted.is_set() else FAILED
        names = _names(args, settings, report_folder)
        called = labels(name.source for name in names)
        ends = Counter[str]()
        for number, name in enumerate(names, 1):
            if ends["cancelled"]:
                ends["not started"] += 1
                continue
            progress = partial(VideoProgress, called[name.source], number, len(names), quiet=args.json)
            job = Job(
                name.source,
                name.target,
                settings,
                args.overwrite,
                args.from_tracks,
                args.tracks,
                report_folder,
            )
            facts = _do(args, name, job, detectors, interrupted, progress, key)
            ends[facts["status"]] += 1
            _say(args, name, facts, called[name.source])
        if not args.json:
            terminal.OUT.write(_summary(ends))
    if ends["cancelled"]:
        return CANCELLED
    return FAILED if ends["failed"] else DONE


def _do(
    args: argparse.Namespace,
    name: ResultName,
    job: Job,
    detectors: DetectorCache,
    interrupted: threading.Event,
    progress: Callable[[], VideoProgress],
    key: KeyFile | None,
) -> dict[str, Any]:
    """Do one video, and return what became of it."""
    if name.same_as is not None:
        return {"status": "skipped", "same_as": str(name.same_as)}
    try:
        result = _one(job, detectors, interrupted, progress)
    except JobCancelled as exc:
        return {"status": "cancelled", "error": str(exc)}
    except AnonatorError as exc:
        way_out = " --overwrite replaces it." if isinstance(exc, OutputExistsError) else ""
        return {"status": "failed", "error": f"{exc}{way_out}"}
    facts = _facts(result, verbose=args.verbose)
    if key is not None:
        facts["key_file"] = str(key.path)
        try:
            key.add(result.target, name.source)
        except OutputError as exc:
            # the result is whole, but nobody could tell any more whose it is
            facts |= {"status": "failed", "error": str(exc), "key_file": None}
    return facts


def _summary(ends: Counter[str]) -> str:
    """How the run ended, such as "3 videos: 2 done, 1 failed."; and what nobody looked for."""
    total = sum(ends.values())
    told = ", ".join(f"{count} {end}" for end, count in ends.items() if count)
    lines = f"{total} video{'' if total == 1 else 's'}: {told}.\n"
    return lines + (f"{NOT_COVERED}\n" if ends["done"] else "")


def _names(
    args: argparse.Namespace, settings: Settings, report_folder: Path | None
) -> tuple[ResultName, ...]:
    """All names of the run, before it starts; with -o there is one video, and its result's name is given."""
    if args.output:
        return tuple(ResultName(source, args.output) for source in args.files)
    return plan(args.files, args.output_dir, settings, report_folder=report_folder)


def _one(
    job: Job, detectors: DetectorCache, interrupted: threading.Event, progress: Callable[[], VideoProgress]
) -> JobResult:
    with contextlib.closing(progress()) as shown:
        processor = VideoProcessor(job, detectors=detectors, on_progress=shown.show)
        processor.start()
        while True:
            try:
                return processor.wait(0.1)
            except TimeoutError:
                shown.beat()
                if interrupted.is_set():
                    processor.cancel()


@contextmanager
def interruption() -> Iterator[threading.Event]:
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
        "report_page": None if result.report_page is None else str(result.report_page),
        "tracks_file": None if result.tracks_file is None else str(result.tracks_file),
        "reviewed": bool(result.reviewed_by),
        "notes": list(result.notes),
        **({"stage_seconds": result.stage_seconds} if verbose else {}),
    }


def _say(args: argparse.Namespace, name: ResultName, facts: dict[str, Any], label: str) -> None:
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
        said = (
            f"{label}: done, {facts['frames']} frames in {facts['seconds']:.1f} s "
            f"({facts['fps']:.1f} per second), "
            f"masks on {facts['masked_frames']} of them. {sound_sentence(facts['audio'])}\n"
            f"  {facts['output']}\n"
        )
        if facts["report"]:
            said += f"  Report: {facts['report_page'] or facts['report']}\n"
        if facts["tracks_file"]:
            said += f"  Tracks: {facts['tracks_file']}\n"
        for check in facts["checks"]:
            said += f"  Check: {check}\n"
        said += "  Reviewed and signed.\n" if facts["reviewed"] else "  Not yet reviewed by a person.\n"
        for note in facts["notes"]:
            said += f"  Note: {note}\n"
        terminal.OUT.write(said)
    else:
        terminal.ERR.write(f"{label}: {facts['status']}. {facts['error']}\n")
        if facts.get("output"):
            terminal.ERR.write(f"  {facts['output']}\n")
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
    with interruption() as interrupted:
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
