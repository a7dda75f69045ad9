"""A queue in a folder of its own."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.ui.state.queue_helpers import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
