"""Fixtures that all tests share: a real face on known ways, real clips, and a log without errors."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from face_clips import FaceClip, moving_face
from hostile_helpers import Bench
from own_folders import folders_under
from skimage import data

from anonator.core import process_setup
from anonator.core.detection.cache import DetectorCache

SHARED = Path(__file__).parents[2] / "shared"


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


@pytest.fixture(scope="session")
def face_clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> FaceClip:
    """30 frames, 640x360, one face moving to the right."""
    return moving_face(tmp_path_factory.mktemp("clip") / "walk.mp4", astronaut)


@pytest.fixture(scope="session")
def small_face_clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> FaceClip:
    """12 frames, 320x180, for jobs of which something else than the masks is looked at."""
    return moving_face(tmp_path_factory.mktemp("clip") / "walk.mp4", astronaut, frames=12, half=True)


@pytest.fixture
def bench(tmp_path: Path, detectors: DetectorCache) -> Bench:
    """Jobs on videos in a folder of their own, in which nothing may change but the result."""
    folder = tmp_path / "patients"
    folder.mkdir()
    return Bench(folder, detectors)


@pytest.fixture(autouse=True)
def no_error_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail the test in which the program logs an error."""
    caplog.set_level(logging.INFO, logger="anonator")
    yield
    for phase in ("setup", "call"):
        errors = [r.getMessage() for r in caplog.get_records(phase) if r.levelno >= logging.ERROR]
        assert not errors, f"logged as errors: {errors}"


KEPT = {"detectors", "detector"}
"""Fixtures that live longer than a test; their networks keep their threads, which end with the session."""
POOL = "anonator-detector"


@pytest.fixture(autouse=True)
def no_thread_is_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail the test after which one of the program's threads is still alive."""
    before = set(_own_threads())
    yield
    may_stay = bool(KEPT & set(request.fixturenames))
    left = [t for t in _own_threads() if t not in before and not (may_stay and t.name.startswith(POOL))]
    for thread in left:
        thread.join(5)
    assert not any(t.is_alive() for t in left), f"still alive: {[t.name for t in left if t.is_alive()]}"


@pytest.fixture(autouse=True, scope="session")
def no_thread_outlives_the_session() -> Iterator[None]:
    """Fail the last test where a detector was not closed."""
    yield
    for thread in _own_threads():
        thread.join(5)
    assert not _own_threads(), f"still alive: {[t.name for t in _own_threads()]}"


def _own_threads() -> list[threading.Thread]:
    return [t for t in threading.enumerate() if t.name.startswith("anonator")]


@pytest.fixture(scope="session")
def detectors(no_thread_outlives_the_session: None) -> Iterator[DetectorCache]:
    """One place for loaded detectors, so that tests load them once."""
    cache = DetectorCache()
    yield cache
    cache.close()


@pytest.fixture(autouse=True, scope="session")
def process_is_prepared() -> None:
    """The tests' process is set up as the program's own is."""
    process_setup.prepare()


@pytest.fixture(autouse=True, scope="session")
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Settings, logs and weights of the tests never touch the user's own."""
    os.environ.update(folders_under(tmp_path_factory.mktemp("home")))
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
