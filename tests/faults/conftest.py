"""Markers of a test's own, and a small video."""

from __future__ import annotations

from pathlib import Path

import pytest
from faults.fault_helpers import FRAMES
from own_folders import folders_under
from video_helpers import clip

from anonator.core.writing.leftovers import marker_folder


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Markers of this test's own."""
    for name, folder in folders_under(tmp_path_factory.mktemp("state")).items():
        monkeypatch.setenv(name, folder)
    return marker_folder()


@pytest.fixture(scope="module")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that goes through all stages of a job within a second."""
    return clip(tmp_path_factory.mktemp("input") / "in.mp4", size="160x120", seconds=FRAMES / 25)
