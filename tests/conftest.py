"""Fixtures that all tests share: a real face on known ways, real clips, and a log without errors."""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections import defaultdict
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np
import pytest
from disk_helpers import disk_of
from face_clips import FaceClip, moving_face
from hostile_helpers import Bench
from own_folders import folders_under
from skimage import data

from anonator.core import process_setup
from anonator.core.detection.cache import DetectorCache

SHARED = Path(__file__).parents[2] / "shared"
COMPILED = Path(__file__).parents[1] / ".pytest_cache" / "compiled"

if os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
    # many tests start a Python, and each would compile PyTorch's modules anew, for 6 s; so they are kept here
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(COMPILED)
    sys.dont_write_bytecode = False
# PyTorch's threads wait for each other after every layer. Those that wait in a loop for one whose processor
# another process has made the same job ten times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of one megabyte."""
    with disk_of(1, tmp_path) as folder:
        yield folder


@pytest.fixture(autouse=True)
def no_error_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Fail the test in which the program logs an error."""
    caplog.set_level(logging.INFO, logger="anonator")
    yield
    for phase in ("setup", "call"):
        errors = [r.getMessage() for r in caplog.get_records(phase) if r.levelno >= logging.ERROR]
        assert not errors, f"logged as errors: {errors}"


MOST_PROCESSES = 4
"""Each holds PyTorch and a display of its own, about 1 GB."""

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


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Processes for folders of tests; what is named file by file runs in this one, ready for a debugger."""
    folders = all(Path(argument.split("::")[0]).is_dir() for argument in config.args)
    # one more than there are processors, because tests of the window wait much
    return min((os.cpu_count() or 1) + 1, MOST_PROCESSES) if folders else 0


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare Python's collector what is made here, all of which stays: it took a fifth of this time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Let Python's collector pass over what is loaded by now: each window calls it, which took 0.25 s."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Let it clean up at the end, or libraries report leaks."""
    gc.unfreeze()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what the quick lane leaves out; skip the gpu tests where there is none, unless one is required."""
    _leave_cases_to_the_slow_lane(items)
    if os.environ.get("ANONATOR_REQUIRE_CUDA") == "1" or not any(i.get_closest_marker("gpu") for i in items):
        return
    from anonator.core.detection.devices import why_no_cuda

    reason = why_no_cuda()
    for item in items:
        if reason and item.get_closest_marker("gpu"):
            item.add_marker(pytest.mark.skip(reason=f"no CUDA: {reason}"))


def _leave_cases_to_the_slow_lane(items: list[pytest.Item]) -> None:
    """All cases are slow but those that `quick_cases` keeps, which are spread over all of them."""
    tests: dict[tuple[Path, str], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if isinstance(item, pytest.Function) and item.get_closest_marker("quick_cases"):
            tests[item.path, item.originalname].append(item)
    for cases in tests.values():
        (kept,) = cases[0].get_closest_marker("quick_cases").args  # type: ignore[union-attr]
        quick = {number * len(cases) // kept for number in range(kept)}
        for number, case in enumerate(cases):
            if number not in quick:
                case.add_marker(pytest.mark.slow)
