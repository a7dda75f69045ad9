"""Archives of small videos, and jobs on them that take a fraction of a second."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from archive_helpers import Planner, rows_of
from unit.archive import slurm_node
from video_helpers import clip

from anonator.archive.folder import Archive
from anonator.archive.plan import plan
from anonator.archive.work import Workplace
from anonator.core.config import Settings
from anonator.core.detection.cache import DetectorCache


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six frames without a face."""
    return clip(tmp_path_factory.mktemp("clip") / "tiny.mp4", size="96x64", seconds=6 / 25)


@pytest.fixture
def videos(tmp_path: Path, tiny: Path) -> Path:
    """Three videos, two of them in one folder."""
    folder = tmp_path / "videos"
    for name in ("day 1/a.mp4", "day 1/b.mp4", "day 2/a.mp4"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tiny, folder / name)
    return folder


@pytest.fixture
def planned(tmp_path: Path, videos: Path) -> Planner:
    """Plans the videos, in standard mode unless told otherwise."""

    def make(settings: Settings | None = None, keep_tracks: bool | None = None) -> Archive:
        chosen = Settings.standard() if settings is None else settings
        return plan([videos], tmp_path / "archive", chosen, keep_tracks=keep_tracks).archive

    return make


@pytest.fixture
def place(planned: Planner, detectors: DetectorCache) -> Workplace:
    """Where rows of the three videos are done."""
    archive = planned()
    about, rows = rows_of(archive)
    chosen = {row.settings: about.settings_of(row.settings) for row in rows}
    return Workplace(archive, chosen, about.folders, detectors, about.keep_tracks)


@pytest.fixture
def slurm(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A Slurm of one node, on this computer alone, that ends with the test."""
    with slurm_node.running(tmp_path_factory.mktemp("slurm"), monkeypatch):
        yield
