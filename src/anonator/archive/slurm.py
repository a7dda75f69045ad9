"""Writes a job array for Slurm: each task does one shard, and nobody runs a scheduler of their own."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from anonator.archive.folder import Archive, write_private
from anonator.archive.run import EARLY

ENDS_BEFORE, SHARE = 120, 0.05
"""Seconds, or if that is more, a share of the time, by which a task stops before Slurm would kill it."""
MOST_RESTARTS = 20
"""How often a task that ran out of time goes back into Slurm's queue by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What each task of the array asks Slurm for."""

    seconds: int
    """Time limit."""
    tasks: int
    """Of the array, which is also the number of shards."""
    cpus: int
    memory: str
    """As Slurm takes it, such as "8G"."""
    gpus: int = 0
    partition: str = ""
    container: str = ""
    """Image for Apptainer; empty runs the program that is installed."""


def write_script(archive: Archive, request: Request, folders: Sequence[str] = ()) -> Path:
    """Write the script into the archive's private folder.

    Args:
        archive: that the array works on.
        request: what each task asks for.
        folders: where the videos are, for a container.

    Raises:
        ArchiveError: it can't be written.
    """
    path = archive.private / "array.sbatch"
    write_private(path, script(archive, request, folders).encode("utf-8", "surrogateescape"))
    return path


def script(archive: Archive, request: Request, folders: Sequence[str] = ()) -> str:
    """The script, to be handed in with sbatch; the arguments are those of write_script."""
    hours, rest = divmod(request.seconds, 3600)
    limit = max(60, request.seconds - max(ENDS_BEFORE, int(SHARE * request.seconds)))
    options = [
        "--job-name=anonator",
        f"--array=1-{request.tasks}",
        f"--time={hours}:{rest // 60:02d}:{rest % 60:02d}",
        f"--cpus-per-task={request.cpus}",
        f"--mem={request.memory}",
        *([f"--gpus-per-task={request.gpus}", "--ntasks=1"] if request.gpus else []),
        *([f"--partition={request.partition}"] if request.partition else []),
        "--signal=B:TERM@60",
        "--requeue",
        "--open-mode=append",
        f"--output={_pattern(archive.private / 'slurm-%A_%a.log')}",
    ]
    program = ["anonator"]
    if request.container:
        program = ["apptainer", "exec", "--cleanenv", *(["--nv"] if request.gpus else [])]
        program += [f"--bind={archive.path}", *(f"--bind={folder}:{folder}:ro" for folder in folders)]
        program += [request.container, "anonator"]
    run = shlex.join([*program, "archive", "run", str(archive.path)])
    device = " --device cuda" if request.gpus else ""
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH {option}" for option in options),
            "",
            "# One shard of the archive. Whatever is done stays done; a task that runs out of time goes back",
            "# into the queue. Slurm runs each task once at a time, so a task that it started again may set",
            "# aside the lock of its own first attempt.",
            "umask 077",
            f'run=({run} --shard "$SLURM_ARRAY_TASK_ID/{request.tasks}" --limit {_clock(limit)}{device})',
            '[ "${SLURM_RESTART_COUNT:-0}" -gt 0 ] && run+=(--take-over)',
            '"${run[@]}" & pid=$!',
            "trap 'kill -TERM $pid' TERM",
            "wait $pid; status=$?",
            "# the signal ends the first wait, the program a moment later",
            '[ "$status" -gt 128 ] && { wait $pid; status=$?; }',
            f'if [ "$status" -eq {EARLY} ] && [ "${{SLURM_RESTART_COUNT:-0}}" -lt {MOST_RESTARTS} ]; then',
            '    scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID" && exit 0',
            "fi",
            "# nothing left to do is no failure",
            '[ "$status" -eq 3 ] && exit 0',
            'exit "$status"',
            "",
        ]
    )


def _clock(seconds: int) -> str:
    return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"


def _pattern(path: Path) -> str:
    """A path in a line of options, where quotes protect spaces."""
    text = str(path)
    return f'"{text}"' if " " in text else text
