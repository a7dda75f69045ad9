"""A disk that fills or fails is said in one sentence, and nothing is left on it."""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faults.fault_helpers import files_in
from patience import PATIENCE
from video_helpers import drawn_frames, frame_times, info_for

from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.writing import disk_space
from anonator.core.writing import partial_file as output_file
from anonator.core.writing.leftovers import marker_folder, sweep
from anonator.core.writing.writer import VideoWriter
from anonator.errors import OutputError

pytestmark = pytest.mark.usefixtures("state")
SENTENCES = {
    errno.ENOSPC: "The disk is full. Free space, or choose an output folder on another disk, and try again.",
    errno.EIO: "The result could not be written. Check the disk or network drive, and try again.",
    errno.EACCES: "The output folder cannot be written to. Choose another one.",
    errno.EDQUOT: "Your quota on this disk is used up. Free space, or choose another output folder.",
    errno.ESTALE: "The result could not be written. Check the disk or network drive, and try again.",
}
RawFile = io.FileIO
IN_THE_FILE = ("write", "seek", "read", "truncate", "close")


@contextlib.contextmanager
def fault(place: str, number: int, after: int = 0) -> Iterator[list[str]]:
    """Let one operation on unfinished files fail from its n-th call on; yields the calls that failed."""
    failed: list[str] = []
    left = after

    def fail() -> None:
        nonlocal left
        left -= 1
        if left < 0:
            failed.append(place)
            raise OSError(number, os.strerror(number), "/ward/Miller.mp4")

    class Faulty(RawFile):
        """A file on a failing disk."""

    def faulty(self: io.FileIO, *args: Any) -> Any:
        fail()
        return getattr(RawFile, place)(self, *args)

    def closing(self: io.FileIO) -> None:
        if not self.closed:
            RawFile.close(self)
            fail()

    if place in IN_THE_FILE:
        setattr(Faulty, place, closing if place == "close" else faulty)

    original = getattr(os, place, None)

    def failing(*args: Any, **options: Any) -> Any:
        if place == "fsync" and is_marker(args[0]):
            return original(*args)  # type: ignore[misc]
        fail()
        return original(*args, **options)  # type: ignore[misc]

    with pytest.MonkeyPatch.context() as patch:
        if place in IN_THE_FILE:
            patch.setattr(output_file.io, "FileIO", Faulty)
        else:
            patch.setattr(os, place, failing)
            if place == "replace" and os.name == "nt":
                patch.setattr(os, "rename", failing)  # which gives a new name in one step there
            elif place == "replace":
                # a drive that knows no second name for a file
                patch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
        yield failed


def is_marker(descriptor: int) -> bool:
    """Whether an open file, or folder, is not a result but one of the program's own."""
    status = os.fstat(descriptor)
    return any(os.path.samestat(status, os.stat(p)) for p in (marker_folder(), *marker_folder().iterdir()))


def open_files() -> set[str]:
    """What this process has open; Windows shows it by refusing to remove it."""
    return set(os.listdir("/proc/self/fd")) if sys.platform == "linux" else set()


def write_three_frames(target: Path) -> None:
    info = info_for()
    with VideoWriter(target, info) as writer:
        for frame in drawn_frames(info, range(3)):
            writer.write(frame)
        writer.close()
        writer.publish()


@pytest.mark.parametrize("number", SENTENCES, ids=lambda n: errno.errorcode[n])
@pytest.mark.parametrize("place", [*IN_THE_FILE, "fsync", "replace"])
def test_whatever_fails_on_the_disk_is_said_once_and_nothing_is_left(
    tmp_path: Path, state: Path, place: str, number: int
) -> None:
    gc.collect()  # what an earlier test left must not be closed meanwhile
    before = open_files()
    with fault(place, number) as failed, pytest.raises(OutputError) as caught:
        write_three_frames(tmp_path / "a.mp4")
    assert failed and str(caught.value) == SENTENCES[number]
    chain, error = [], caught.value.__cause__
    while error is not None:
        chain.append(str(error))
        error = error.__cause__ or error.__context__
    assert not any("Miller" in text for text in chain), "a path in what a log would show"
    assert files_in(tmp_path) == [] and files_in(state) == []
    end = time.monotonic() + PATIENCE
    while open_files() - before and time.monotonic() < end:
        time.sleep(0.05)  # a sweep in its own thread may have a folder open for a moment
    assert not open_files() - before


@pytest.mark.skipif(os.name != "posix", reason="Windows needs no second name")
def test_a_drive_that_knows_no_second_names_takes_the_result(tmp_path: Path, state: Path) -> None:
    with fault("link", errno.EIO) as failed:
        write_three_frames(tmp_path / "a.mp4")
    assert failed and len(frame_times(tmp_path / "a.mp4")) == 3
    assert files_in(tmp_path) == ["a.mp4"] and files_in(state) == []


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_disk_that_fails_at_the_nth_write_leaves_nothing(tmp_path: Path, after: int) -> None:
    info = info_for((320, 240))
    with (
        fault("write", errno.EIO, after) as failed,
        pytest.raises(OutputError, match="network drive"),
        VideoWriter(tmp_path / "a.mp4", info, crf=0) as writer,
    ):
        noise = np.random.default_rng(after)
        for frame in drawn_frames(info, range(60)):
            frame.planes()[0][:] = noise.integers(0, 255, (240, 320))
            writer.write(frame)
        writer.close()
    assert failed and files_in(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="Windows needs no second name")
def test_a_result_on_a_drive_without_links_replaces_nothing_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        if os.path.lexists(tmp_path / "a.mp4"):
            return
        (tmp_path / "a.mp4").write_bytes(b"came meanwhile")
        raise OSError(errno.EPERM, "no links")

    monkeypatch.setattr(os, "link", no_links)
    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        writer.write(next(drawn_frames(info, [0])))
        writer.close()
        with pytest.raises(OutputError, match="already"):
            writer.publish()
    assert (tmp_path / "a.mp4").read_bytes() == b"came meanwhile"
    assert files_in(tmp_path) == ["a.mp4"]


def test_a_name_taken_in_the_last_moment_is_not_taken_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the check of the name and the giving of it another program makes a file."""
    monkeypatch.setattr(
        "anonator.core.writing.writer.check_target",
        lambda target, *_: target.write_bytes(b"came meanwhile") if (tmp_path / "go").exists() else None,
    )
    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        writer.write(next(drawn_frames(info, [0])))
        writer.close()
        (tmp_path / "go").touch()
        with pytest.raises(OutputError, match="already"):
            writer.publish()
    assert (tmp_path / "a.mp4").read_bytes() == b"came meanwhile"
    assert files_in(tmp_path) == ["a.mp4", "go"]


def test_a_drive_without_permissions_of_its_own_takes_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(errno.EPERM, "not permitted")

    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        writer.write(next(drawn_frames(info, [0])))
        writer.close()
        monkeypatch.setattr(os, "chmod", refuse)
        writer.publish()
    assert files_in(tmp_path) == ["a.mp4"]


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize("place", ["write", "close", "replace"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=lambda n: errno.errorcode[n])
def test_a_job_on_a_failing_disk_ends_with_one_sentence_and_leaves_nothing(
    tmp_path: Path, state: Path, small_clip: Path, detectors: DetectorCache, place: str, number: int
) -> None:
    job = Job(small_clip, tmp_path / "out.mp4", Settings(performance=Performance.BALANCED))
    with fault(place, number) as failed, pytest.raises(OutputError) as caught:
        VideoProcessor(job, detectors=detectors).run()
    assert failed and str(caught.value) == SENTENCES[number]
    assert files_in(tmp_path) == [] and files_in(state) == []


def test_a_job_on_a_real_full_disk_leaves_the_disk_as_it_was(
    small_disk: Path, small_clip: Path, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(small_clip, small_disk / "out.mp4", Settings(performance=Performance.BALANCED))

    def run() -> None:
        VideoProcessor(job, detectors=detectors).run()

    run()
    assert files_in(small_disk) == ["out.mp4", "out_report.html", "out_report.json"]
    size = sum(-(-(small_disk / name).stat().st_size // 4096) * 4096 for name in files_in(small_disk))
    for name in files_in(small_disk):
        (small_disk / name).unlink()
    others = small_disk / "others.bin"
    for room, sentence in (
        (16384, "nearly full|not enough space"),
        (4096, "The disk is full"),
        (size - 4096, "The disk is full"),
    ):
        others.write_bytes(bytes(1024 * 1024 - room))
        with pytest.raises(OutputError, match=sentence):
            run()
        assert files_in(small_disk) == ["others.bin"]
        # from here on a drive that does not say how full it is
        monkeypatch.setattr(disk_space, "_free_and_reserve", lambda _: None)


@pytest.mark.skipif(os.name != "posix", reason="Windows lets no folder go in which a file is open")
def test_a_folder_that_goes_away_is_said(tmp_path: Path, state: Path) -> None:
    info, folder = info_for(), tmp_path / "drive"
    folder.mkdir()
    with VideoWriter(folder / "a.mp4", info) as writer:
        writer.write(next(drawn_frames(info, [0])))
        away = folder.rename(tmp_path / "unplugged")
        with pytest.raises(OutputError, match=r"does not exist|Check the disk"):
            writer.close()
            writer.publish()
    assert len(files_in(away)) == 1
    away.rename(folder)
    sweep()
    assert files_in(folder) == files_in(state) == []
