"""Long runs: two hundred jobs in one process leave no file handle, thread, process or memory behind."""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from own_folders import folders_under
from video_helpers import FAST_X264, ffmpeg, picture_source

from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.writing.leftovers import marker_folder
from anonator.errors import AnonatorError, InputError, JobCancelled, OutputExistsError

JOBS = 200
SETTLED = 60
"""Jobs after which caches, pools and the allocator have what they will keep."""
GROWTH_MIB = 12
"""Allowed from then on: an eleventh of a megabyte for each job would already be more."""

pytestmark = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")


def resident_mib() -> float:
    """Memory that this process holds."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 2**20


def open_files() -> list[str]:
    """What is open, by name."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            found.append(os.readlink(f"/proc/self/fd/{number}"))
        except FileNotFoundError:  # the listing itself
            continue
    return sorted(found)


def children() -> list[str]:
    """Processes of this one, ended but not waited for included."""
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


@pytest.fixture(scope="module")
def detectors() -> Iterator[DetectorCache]:
    cache = DetectorCache()
    yield cache
    cache.close()


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Markers of this test's own, kept apart from those of programs that other tests killed."""
    for name, folder in folders_under(tmp_path / "state").items():
        monkeypatch.setenv(name, folder)


def one_job(number: int, folder: Path, source: Path, damaged: Path, detectors: DetectorCache) -> str:
    """A job that ends in one of four ways; which."""
    settings = Settings.standard(performance=Performance.MAXIMUM, report=number % 2 == 0)
    target = folder / f"{number}.mp4"
    kind = {7: "cancelled", 8: "damaged", 9: "refused"}.get(number % 10, "done")
    if kind == "refused":
        target.touch()
    job = Job(damaged if kind == "damaged" else source, target, settings)
    processor = VideoProcessor(job, detectors=detectors)
    if kind == "cancelled":
        processor.cancel()
    expected = {"cancelled": JobCancelled, "damaged": InputError, "refused": OutputExistsError}
    processor.start()
    try:
        processor.wait(60)
    except AnonatorError as exc:
        assert isinstance(exc, expected[kind])
    else:
        assert kind == "done"
    for name in os.listdir(folder):
        (folder / name).unlink()
    return kind


@pytest.mark.slow
@pytest.mark.usefixtures("state")
def test_two_hundred_jobs_leave_nothing_behind(tmp_path: Path, detectors: DetectorCache) -> None:
    source, damaged, folder = tmp_path / "in.mp4", tmp_path / "damaged.mp4", tmp_path / "results"
    folder.mkdir()
    ffmpeg(*picture_source("64x64", 0.08), *FAST_X264, source)
    damaged.write_bytes(source.read_bytes()[:-400])
    kinds, sizes = set(), {}
    for number in range(JOBS):
        kinds.add(one_job(number, folder, source, damaged, detectors))
        if number == SETTLED:
            files, threads, processes = open_files(), threading.active_count(), children()
        if number >= SETTLED and number % 20 == 0:
            sizes[number] = round(resident_mib(), 1)
    sizes[JOBS] = round(resident_mib(), 1)
    sys.stderr.write(f"\nresident memory in MiB by number of jobs: {sizes}\n")
    assert kinds == {"done", "cancelled", "damaged", "refused"}
    assert open_files() == files
    assert threading.active_count() == threads
    # a loaded detector keeps its threads
    own = {t.name for t in threading.enumerate() if t.name.startswith("anonator")}
    assert not [name for name in own if not name.startswith("anonator-detector")]
    assert children() == processes
    assert list(marker_folder().iterdir()) == []
    assert sizes[JOBS] - sizes[SETTLED] < GROWTH_MIB, sizes
