"""What the tests of faults share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

FRAMES = 12
linux = pytest.mark.skipif(sys.platform != "linux", reason="forks processes, which is safe on Linux only")


def files_in(folder: Path) -> list[str]:
    return sorted(os.listdir(folder)) if folder.exists() else []
