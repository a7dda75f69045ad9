"""Whatever is killed while an archive runs on Dask, running again ends with every video done exactly once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from faults.fault_helpers import linux

pytest.importorskip("distributed", reason="Dask isn't installed: the extra `cluster` has it")
VIDEOS = int(os.environ.get("ANONATOR_ARCHIVE_VIDEOS", "26"))
"""The whole programme is 1,000 videos, which docs/FIGURES.md tells of."""
BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "archive.py"


@linux
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_video_is_done_exactly_once_whoever_is_killed(tmp_path: Path) -> None:
    """Workers, the scheduler once and the run once; benchmarks/archive.py judges what is left."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    kills = ["kills", "--videos", str(VIDEOS), "--every", "3", "--in", str(tmp_path)]
    command = [sys.executable, str(BENCHMARK), *kills]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", env=env)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert told["faults"] == []
    assert told["killed"]["scheduler"] == told["killed"]["client"] == 1 and told["killed"]["worker"] >= 1
