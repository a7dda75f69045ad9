"""A private display, windows on it, and a small video."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import ui_helpers

from anonator.ui.look import windows_file_dialog

display, fine_display = ui_helpers.display, ui_helpers.fine_display
laptop_display, plain_laptop_display = ui_helpers.laptop_display, ui_helpers.plain_laptop_display
large_display = ui_helpers.large_display
drive, outside = ui_helpers.drive, ui_helpers.outside


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds."""
    return ui_helpers.write_clip(tmp_path_factory.mktemp("clips") / "a clip.mp4", frames=50)


@pytest.fixture(autouse=True)
def tests_answer_dialogs_of_tk(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody is there to answer Windows' own, which would wait for ever; only tests of those show them."""
    if sys.platform == "win32" and request.module.__name__.rpartition(".")[2] != "test_ask_for_files":
        monkeypatch.setattr(windows_file_dialog, "ask", _nobody_answers)


def _nobody_answers(*_arguments: object) -> list[Path]:
    raise OSError("a test answers Tk's dialog instead")
