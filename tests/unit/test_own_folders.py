"""The tests never touch the user's own folders, whatever the system."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from platformdirs import PlatformDirs

from anonator import logs
from anonator.core import config_file
from anonator.core.writing import leftovers
from anonator.ui.state import preferences


@pytest.mark.parametrize("kind", ["log", "state", "config", "data", "cache"])
def test_every_folder_of_the_program_is_one_of_the_tests(kind: str) -> None:
    home = Path(os.environ["XDG_STATE_HOME"]).parent
    folder = Path(getattr(PlatformDirs("Anonator", appauthor=False), f"user_{kind}_dir"))
    assert folder.is_relative_to(home)


def test_what_the_program_asks_for_is_there() -> None:
    home = Path(os.environ["XDG_STATE_HOME"]).parent
    for path in (
        logs.log_folder(), leftovers.marker_folder(), preferences.default_file(), config_file.default_path(),
    ):  # fmt: skip
        assert path.is_relative_to(home)
