"""Measures whole jobs of several commits in turn, start-up apart, and the ratio of each to the first.

    git worktree add /tmp/before 57f5e60
    uv run python benchmarks/commits.py CLIP... --trees /tmp/before . --rounds 3

Every job runs in a process of its own, by its commit's own one_run.py, in the Python of this environment.
A round runs every commit once on a clip; ratios are made within a round, and the table shows the medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from common import MODES, table, where_and_when


def main() -> int:
    """Do what the command line asks for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--trees", type=Path, nargs="+", required=True, help="checkouts, the oldest first")
    parser.add_argument("--modes", default="hipaa-quality", help=f"of {', '.join(MODES)}; by commas")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    print(f"{where_and_when()}, {args.rounds} rounds\n", flush=True)
    commits = [commit(tree) for tree in args.trees]
    rows = []
    for clip in args.clips:
        for mode in args.modes.split(","):
            rounds = [[one_job(tree, mode, clip) for tree in args.trees] for _ in range(args.rounds)]
            for place, name in enumerate(commits):
                jobs = [jobs[place] for jobs in rounds]
                firsts = [jobs[0] for jobs in rounds]
                rows.append([clip.stem, mode, name, *(f"{value:.2f}" for value in medians(jobs, firsts))])
                print(rows[-1], jobs[-1]["stages"], file=sys.stderr, flush=True)
    head = ["clip", "mode", "commit", "seconds", "processor seconds", "times as fast", "less work", "peak GB"]
    print(table(head, rows, left=3))
    return 0


def medians(jobs: list[dict[str, Any]], firsts: list[dict[str, Any]]) -> list[float]:
    """Seconds, processor seconds, both as ratios to the first commit's, and peak memory in GB."""
    pairs = list(zip(jobs, firsts, strict=True))
    columns = [
        [job["seconds"] for job in jobs],
        [job["cpu"] * job["frames"] / 1000 for job in jobs],
        [first["seconds"] / job["seconds"] for job, first in pairs],
        [first["cpu"] / job["cpu"] for job, first in pairs],
        [job["memory_mb"] / 1000 for job in jobs],
    ]
    return [statistics.median(column) for column in columns]


def one_job(tree: Path, mode: str, clip: Path) -> dict[str, Any]:
    """What one_run.py of a checkout tells of one job."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            str(tree / "benchmarks" / "one_run.py"),
            mode,
            str(clip),
            f"{folder}/r.mp4",
        ]
        environment = os.environ | {"PYTHONPATH": str((tree / "src").resolve())}
        done = subprocess.run(
            command, check=True, env=environment, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def commit(tree: Path) -> str:
    """The short hash of what is checked out there."""
    command = ["git", "-C", str(tree), "rev-parse", "--short", "HEAD"]
    return subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, encoding="ascii"
    ).stdout.strip()


if __name__ == "__main__":
    raise SystemExit(main())
