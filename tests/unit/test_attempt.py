"""How far an attempt is, also in files that don't say how many frames they have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from anonator.core.attempt import Attempt, Run
from anonator.core.config import Settings
from anonator.core.control import Control
from anonator.core.job import Job
from anonator.core.reading.reader import VideoReader

FRAMES = 200


def write(path: Path, options: dict[str, str]) -> Path:
    """Noise, so that every frame takes about as many bytes as the others."""
    noise = np.random.default_rng(1).integers(0, 255, (90, 160, 3), np.uint8)
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream("libx264", rate=25, options={"preset": "ultrafast", "g": "10"})
        stream.width, stream.height, stream.pix_fmt = 160, 90, "yuv420p"
        for index in range(FRAMES):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.roll(noise, index, 1))))
        container.mux(stream.encode())
    return path


@pytest.mark.parametrize(
    ("name", "options"),
    [("in.mp4", {}), ("in.mkv", {}), ("streamed.mkv", {"live": "1"})],
    ids=["by frames", "by its length", "by bytes"],
)
def test_the_share_is_that_of_the_frames(tmp_path: Path, name: str, options: dict[str, str]) -> None:
    """The bar of an MKV once ran to and fro until the end."""
    source = write(tmp_path / name, options)
    nothing: Any = None
    with VideoReader(source) as reader:
        assert (reader.info.header_frames is None) is name.endswith("mkv")
        assert (reader.info.duration_seconds is None) is ("live" in options)
        attempt = Attempt(reader, nothing, nothing)
        run = Run(Job(source, tmp_path / "out.mp4", Settings()), Control())
        shares = []
        for frame in attempt.noted(attempt.frames(run)):
            shares.append((attempt.share, (frame.index + 1) / FRAMES))
    assert len(shares) == FRAMES
    for told, true in shares[10:]:
        assert told == pytest.approx(true, abs=0.1)
