"""A private display, windows on it, and a small video."""

from __future__ import annotations

from pathlib import Path

import pytest
import ui_helpers

display, fine_display = ui_helpers.display, ui_helpers.fine_display
laptop_display, plain_laptop_display = ui_helpers.laptop_display, ui_helpers.plain_laptop_display
large_display = ui_helpers.large_display
drive, outside = ui_helpers.drive, ui_helpers.outside


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds."""
    return ui_helpers.write_clip(tmp_path_factory.mktemp("clips") / "a clip.mp4", frames=50)
