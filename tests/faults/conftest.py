"""Markers of a test's own, and a small video."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from faults.fault_helpers import FRAMES
from video_helpers import clip

from anonator.core.writing import leftovers
from anonator.core.writing.leftovers import marker_folder


@pytest.fixture
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Markers of this test's own."""
    if os.name != "posix":
        folder = tmp_path_factory.mktemp("state")
        monkeypatch.setattr(leftovers, "marker_folder", lambda: folder)
        return folder
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    return marker_folder()


@pytest.fixture(scope="module")
def small_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video that goes through all stages of a job within a second."""
    return clip(tmp_path_factory.mktemp("input") / "in.mp4", size="160x120", seconds=FRAMES / 25)
