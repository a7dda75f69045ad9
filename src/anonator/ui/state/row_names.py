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
    return {job.number: _name(job.source, alike[job.source.name]) for job in jobs}


def _name(source: Path, alike: set[Path]) -> str:
    """The name, with as many of its folders as it takes to tell it from the others."""
    if len(alike) == 1:
        return source.name
    folders = [path.parent.parts for path in alike]
    depth = 1
    while depth < max(map(len, folders)) and len({each[-depth:] for each in folders}) < len(folders):
        depth += 1
    return f"{source.name} (in {Path(*source.parent.parts[-depth:])})"
