"""Runs the program again and again in forked processes, and kills each at a given moment or step of its own.

Every line on standard input is a JSON object; the answer to it is one JSON line:
    {"run": [arguments of the program] or "mini", "env": {...}, "after": seconds, "step": number, ...}
    {"status": as os.waitpid has it, "seconds": how long it lived, "steps": file operations under the folders}

The engine is loaded once, before the first fork, and no thread has been started by then, so that a fork is
a start of the program without its seconds of loading. "mini" is a job's writing alone: a video and a report.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

WATCHED = {"open", "os.rename", "os.link", "os.remove", "os.chmod", "os.mkdir", "os.truncate"}
"""Audit events of what changes files; each comes before the deed."""


def load() -> None:
    """Import all that a job imports."""
    import torchvision
    import video_helpers

    import anonator.main
    from anonator.core import processor

    assert torchvision and video_helpers and anonator.main and processor
    threads = len(os.listdir("/proc/self/task"))
    assert threads == 1, f"{threads} threads: forking is not safe"


def mini(folder: Path, overwrite: bool) -> None:
    """Write a video and a report as a job does, with their names given at the end."""
    from video_helpers import drawn_frames, info_for

    from anonator.core.writing.partial_file import TemporaryFile
    from anonator.core.writing.writer import VideoWriter

    info = info_for()
    with VideoWriter(folder / "a.mp4", info, preset="ultrafast", overwrite=overwrite) as writer:
        for frame in drawn_frames(info, range(3)):
            writer.write(frame)
        writer.close()
        paper = TemporaryFile(folder, ".partial.json")
        try:
            paper.write(b'{"frames": 3}')
            paper.close()
            writer.publish()
            paper.publish(folder / "a.json", overwrite)
        finally:
            paper.remove()


def count_steps(folders: list[str], last: int | None, told: Any) -> None:
    """Count the operations on files under these folders; die before the one of that number."""
    steps = 0

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal steps
        if event not in WATCHED or not isinstance(args[0], (str, bytes, os.PathLike)):
            return
        if not os.fsdecode(args[0]).startswith(tuple(folders)):
            return
        if steps == last:
            os.kill(os.getpid(), signal.SIGKILL)
        steps += 1
        os.pwrite(told, steps.to_bytes(4, "little"), 0)

    sys.addaudithook(hook)


def child(task: dict[str, Any], told: Any) -> int:
    """What the forked process does; its exit status."""
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    os.environ.update(task.get("env", {}))
    if task.get("folders"):
        count_steps(task["folders"], task.get("step"), told)
    if task["run"] == "mini":
        mini(Path(task["folder"]), task.get("overwrite", False))
        return 0
    from anonator.main import main

    try:
        return main(task["run"])
    except SystemExit as end:
        return int(end.code or 0)


def serve() -> None:
    """Answer until standard input ends."""
    load()
    told = os.memfd_create("steps")
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        task = json.loads(line)
        os.pwrite(told, bytes(4), 0)
        begin = time.monotonic()
        pid = os.fork()
        if pid == 0:
            status = 99
            with contextlib.suppress(BaseException):
                status = child(task, told)
            os._exit(status)
        ended, status = 0, 0
        while not ended:
            ended, status = os.waitpid(pid, os.WNOHANG)
            after = task.get("after")
            if not ended and after is not None and time.monotonic() - begin >= after:
                os.kill(pid, signal.SIGKILL)  # not reaped yet, so the number is still its own
                ended, status = os.waitpid(pid, 0)
            time.sleep(0.002)
        seconds = time.monotonic() - begin
        steps = int.from_bytes(os.pread(told, 4, 0), "little")
        sys.stdout.write(json.dumps({"status": status, "seconds": seconds, "steps": steps}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
