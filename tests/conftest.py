"""Fixtures that all tests share: a real face on known ways, real clips, and a log without errors."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from skimage import data

SHARED = Path(__file__).parents[2] / "shared"

FACE = (170, 60, 280, 210)
"""Where the face is in scikit-image's astronaut, xyxy: hair to chin."""


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of reference videos, pictures and weights beside the checkout."""
    if not SHARED.is_dir():
        pytest.skip("the folder shared/ with reference media is not beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """(512, 512, 3) uint8 RGB with one face, in the public domain."""
    return np.asarray(data.astronaut())


@dataclass(frozen=True)
class FaceClip:
    """A clip with one real face on a known way."""

    path: Path
    boxes: list[tuple[int, int, int, int]]
    """The face's box in every frame, xyxy."""
    size: tuple[int, int]


def moving_face(
    path: Path, astronaut: np.ndarray, *, frames: int = 30, size: tuple[int, int] = (640, 360), speed: int = 6
) -> FaceClip:
    """Write the astronaut's head moving to the right over a textured background, H.264 at 25 fps."""
    width, height = size
    head = astronaut[20:300, 90:370]
    rng = np.random.default_rng(7)
    coarse = rng.integers(60, 180, (height // 20, width // 20, 3), np.uint8)
    background = coarse.repeat(20, 0).repeat(20, 1)
    boxes = []
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12", "preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for i in range(frames):
            x, y = 20 + i * speed, 40
            picture = background.copy()
            shown = picture[y : y + 280, x : x + 280]
            shown[:] = head[: shown.shape[0], : shown.shape[1]]
            boxes.append((x + FACE[0] - 90, y + FACE[1] - 20, x + FACE[2] - 90, y + FACE[3] - 20))
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return FaceClip(path, boxes, size)


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> FaceClip:
    """30 frames, 640x360, one face moving to the right."""
    return moving_face(tmp_path_factory.mktemp("clip") / "walk.mp4", astronaut)


def decode_rgb(path: Path) -> list[np.ndarray]:
    """Every frame of a file as (H, W, 3) RGB."""
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def packet_times(path: Path) -> list[float]:
    """Presentation times in seconds of a file's video frames, in order."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        return sorted(float(p.pts * stream.time_base) for p in container.demux(stream) if p.size)


@pytest.fixture(autouse=True)
def no_error_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail the test in which the program logs an error."""
    caplog.set_level(logging.INFO, logger="anonator")
    yield
    for phase in ("setup", "call"):
        errors = [r.getMessage() for r in caplog.get_records(phase) if r.levelno >= logging.ERROR]
        assert not errors, f"logged as errors: {errors}"


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail the test after which one of the program's threads is still alive."""
    yield
    for thread in _own_threads():
        thread.join(5)
    assert not _own_threads(), f"still alive: {[t.name for t in _own_threads()]}"


def _own_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("anonator")]


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings, logs and weights of the tests never touch the user's own."""
    home = tmp_path_factory.mktemp("home")
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
        os.environ[name] = str(home / name)
    yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the gpu tests where there is none, unless a GPU is required."""
    if os.environ.get("ANONATOR_REQUIRE_CUDA") == "1" or not any(i.get_closest_marker("gpu") for i in items):
        return
    from anonator.core.detection.detector import why_no_cuda

    reason = why_no_cuda()
    for item in items:
        if reason and item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason=f"no CUDA: {reason}"))
