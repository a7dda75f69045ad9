"""A folder of videos that nothing may change."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile_helpers import Bench

from anonator.core.job_thread import DetectorCache


@pytest.fixture
def bench(tmp_path: Path, detectors: DetectorCache) -> Bench:
    folder = tmp_path / "patients"
    folder.mkdir()
    return Bench(folder, detectors)
