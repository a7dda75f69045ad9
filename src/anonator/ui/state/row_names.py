"""Names of the rows: those of their files, with their folders where files have equal names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from anonator.ui.state.job import JobView


def row_names(jobs: Sequence[JobView]) -> dict[int, str]:
    """What to call each row, by its number."""
    alike: defaultdict[str, set[Path]] = defaultdict(set)
    for job in jobs:
        alike[job.source.name].add(job.source)
    depths = {name: _depth(paths) for name, paths in alike.items()}
    return {job.number: _name(job.source, depths[job.source.name]) for job in jobs}


def _depth(alike: set[Path]) -> int:
    """How many of their folders it takes to tell files of one name apart."""
    if len(alike) == 1:
        return 0
    folders = [path.parent.parts for path in alike]
    depth = 1
    while depth < max(map(len, folders)) and len({each[-depth:] for each in folders}) < len(folders):
        depth += 1
    return depth


def _name(source: Path, depth: int) -> str:
    return f"{source.name} (in {Path(*source.parent.parts[-depth:])})" if depth else source.name
