"""Room on the disk: a job that cannot fit never starts, one that would fit is never refused."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
import pytest
from disk_helpers import disk_of
from video_helpers import FAST_X264, drawn_frames, ffmpeg, info_for, picture_source

from anonator.core.reading.reader import VideoReader
from anonator.core.writing import disk_space
from anonator.core.writing.disk_space import (
    RESERVE_BYTES,
    WATCH_SECONDS,
    SpaceWatch,
    expected_bytes,
    require_room,
)
from anonator.core.writing.writer import VideoWriter
from anonator.errors import OutputError

GB = 10**9


class Usage(NamedTuple):
    """As shutil.disk_usage has it."""

    total: int
    used: int
    free: int


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """A disk whose room the test decides; counts how often it was asked."""
    state: dict[str, object] = {"total": 500 * GB, "free": 400 * GB, "asked": 0, "error": None, "now": 100.0}

    def usage(_folder: object) -> Usage:
        state["asked"] = int(str(state["asked"])) + 1
        if state["error"]:
            raise OSError(116, "Stale file handle")
        return Usage(int(str(state["total"])), 0, int(str(state["free"])))

    monkeypatch.setattr(shutil, "disk_usage", usage)
    monkeypatch.setattr(disk_space.time, "monotonic", lambda: state["now"])
    return state


HOUR = info_for((1920, 1080), duration_seconds=Fraction(3600), header_frames=90_000)


def test_a_job_that_cannot_fit_is_refused_with_both_figures(tmp_path: Path, disk: dict[str, object]) -> None:
    disk["free"] = GB // 4
    with pytest.raises(OutputError) as caught:
        require_room(tmp_path, HOUR, 2 * GB)
    assert "needs about 6.1 GB, and 250 MB is free" in str(caught.value)
    assert "another disk" in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


def test_a_job_that_may_fit_is_let_through(tmp_path: Path, disk: dict[str, object]) -> None:
    disk["free"] = 2 * GB
    require_room(tmp_path, HOUR, 2 * GB)


def test_what_the_header_promises_does_not_refuse_a_small_file(
    tmp_path: Path, disk: dict[str, object]
) -> None:
    """A header may lie, and a still picture takes next to nothing however long it lasts."""
    endless = info_for((7680, 4320), header_frames=2**31, duration_seconds=Fraction(10**9))
    disk["free"] = GB
    require_room(tmp_path, endless, 5_000_000)


def test_a_large_mastering_file_is_judged_by_its_pictures(tmp_path: Path, disk: dict[str, object]) -> None:
    disk["free"] = 2 * GB
    require_room(tmp_path, HOUR, 200 * GB)
    unknown = info_for((1920, 1080))
    least, probably = expected_bytes(unknown, 200 * GB)
    assert least <= 10 * GB <= probably


def test_a_drive_that_says_nothing_refuses_nothing(tmp_path: Path, disk: dict[str, object]) -> None:
    for change in ({"error": True}, {"error": None, "total": 0, "free": 0}):
        disk.update(change)
        require_room(tmp_path, HOUR, 2 * GB)
        SpaceWatch(tmp_path).check()
    assert disk["asked"] == 4


def test_the_estimate_halves_with_every_six_steps_of_quality() -> None:
    sizes = [expected_bytes(HOUR, 2 * GB, crf)[1] for crf in (11, 17, 23)]
    assert sizes[0] == pytest.approx(2 * sizes[1]) == pytest.approx(4 * sizes[2])
    assert expected_bytes(HOUR, 2 * GB, 5)[0] == expected_bytes(HOUR, 2 * GB, 17)[0], "the low one stays low"


# -- against real outputs ----------------------------------------------------------------------------


def size_of_copy(source: Path, target: Path, preset: str, crf: int, frames: int) -> tuple[int, int, int]:
    """Write the first frames again; (bytes written, the low estimate, the likely one)."""
    with VideoReader(source) as reader, VideoWriter(target, reader.info, preset=preset, crf=crf) as writer:
        for frame in reader:
            writer.write(frame)
            if writer.frames_written == frames:
                break
        writer.close()
        info = info_for((reader.info.width, reader.info.height), header_frames=writer.frames_written)
        with av.open(str(source)) as container:
            sizes = [p.size for p in container.demux(video=0) if p.size]
    return writer.bytes_written, *expected_bytes(info, sum(sizes[: writer.frames_written]), crf)


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize(
    "name", ["hand_over_face.mkv", "night_crowd.mp4", "two_faces_tilted.mp4", "no_face.mp4"]
)
@pytest.mark.parametrize("preset", ["faster", "ultrafast"])
def test_the_estimates_hold_for_real_videos(shared: Path, tmp_path: Path, name: str, preset: str) -> None:
    """The low one must be low, or jobs that fit are refused; the likely one right within a factor of four."""
    real, least, probably = size_of_copy(shared / "clips" / name, tmp_path / "a.mp4", preset, 17, 40)
    assert least < real / 2
    assert probably / 4 < real < probably * 4


def test_a_picture_that_stands_still_is_not_refused(tmp_path: Path) -> None:
    ffmpeg(
        "-f", "lavfi", "-i", "color=gray:s=640x360:r=25:d=8", *FAST_X264, "-b:v", "20k", tmp_path / "a.mp4"
    )
    real, least, _ = size_of_copy(tmp_path / "a.mp4", tmp_path / "b.mp4", "faster", 17, 200)
    assert least <= real


def test_a_drawn_picture_in_a_format_without_loss_is_not_refused(tmp_path: Path) -> None:
    """The hardest case for the estimate: a large input that compresses very well."""
    ffmpeg(*picture_source("640x360", seconds=4), "-c:v", "ffv1", tmp_path / "a.mkv")
    real, least, _ = size_of_copy(tmp_path / "a.mkv", tmp_path / "b.mp4", "faster", 17, 100)
    assert least <= real


# -- while a job runs --------------------------------------------------------------------------------


def test_the_watch_stops_a_job_before_the_disk_is_full(tmp_path: Path, disk: dict[str, object]) -> None:
    watch = SpaceWatch(tmp_path)
    watch.check()
    disk["free"] = RESERVE_BYTES - 1
    watch.check()  # not asked again so soon
    assert disk["asked"] == 1
    disk["now"] = 100.0 + WATCH_SECONDS
    with pytest.raises(OutputError, match=r"nearly full \(268 MB free\).*Free space"):
        watch.check()


def test_small_disks_may_be_filled_further(tmp_path: Path, disk: dict[str, object]) -> None:
    disk.update(total=GB, free=30_000_000)
    SpaceWatch(tmp_path).check()
    disk.update(free=19_000_000)
    with pytest.raises(OutputError, match="nearly full"):
        SpaceWatch(tmp_path).check()


def test_a_writer_stops_and_leaves_nothing_when_the_room_runs_out(
    tmp_path: Path, disk: dict[str, object]
) -> None:
    info = info_for()
    with VideoWriter(tmp_path / "a.mp4", info) as writer:
        frames = drawn_frames(info, range(5))
        writer.write(next(frames))
        writer.write(next(frames))
        assert disk["asked"] == 1
        disk.update(free=1000, now=200.0)
        with pytest.raises(OutputError, match="nearly full"):
            writer.write(next(frames))
        assert os.listdir(tmp_path) == []


@pytest.fixture
def filling_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 24 megabytes, nearly full."""
    with disk_of(24, tmp_path) as folder:
        yield folder


def test_a_real_disk_is_not_filled_to_its_last_byte(
    filling_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space, "WATCH_SECONDS", 0.0)
    others = filling_disk / "others.bin"
    others.write_bytes(bytes(10_000_000))
    with pytest.raises(OutputError, match="not enough space"):
        require_room(filling_disk, HOUR, 2 * GB)
    info = info_for((320, 240))
    noise = np.random.default_rng(0)
    with (
        pytest.raises(OutputError, match="nearly full"),
        VideoWriter(filling_disk / "a.mp4", info, preset="ultrafast", crf=0) as writer,
    ):
        for frame in drawn_frames(info, range(600)):
            frame.planes()[0][:] = noise.integers(0, 255, (240, 320))
            writer.write(frame)
    assert writer.frames_written > 100, "stopped long before there was need"
    assert os.listdir(filling_disk) == ["others.bin"]
