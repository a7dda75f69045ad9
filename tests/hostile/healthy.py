"""A healthy file, which the tests spoil in many ways."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hostile_helpers import TEN, content
from video_helpers import GOP

posix = pytest.mark.skipif(os.name != "posix", reason="such names and files are POSIX")


def plain(path: Path) -> Path:
    """A healthy H.264 clip of ten frames, with its header in front."""
    path.write_bytes(content("a.mp4", *GOP, "-movflags", "faststart", **TEN))
    return path
