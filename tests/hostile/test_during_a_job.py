"""What changes while the job runs: its input, its folder, its output."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile.healthy import plain, posix
from hostile_helpers import HIPAA, Bench, content
from own_folders import folders_under
from removable_drive import removable_drive
from video_helpers import GOP, decoded

from anonator.core.reading import decode as decoding
from anonator.errors import DecodeError, InputError, OutputError


def break_off(monkeypatch: pytest.MonkeyPatch, after: int, what: Callable[[], None]) -> None:
    """Let something happen when so many packets of the video have been read."""
    original = decoding.packets_of

    def packets_of(container: Any, streams: Any) -> Iterator[Any]:
        for number, packet in enumerate(original(container, streams)):
            if number == after:
                what()
            yield packet

    monkeypatch.setattr(decoding, "packets_of", packets_of)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.ENOTCONN], ids=errno.errorcode.get)
def test_a_network_drive_that_goes_away_is_a_sentence_with_time_and_count(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = plain(bench.folder / "patient.mp4")

    def gone() -> None:
        raise OSError(number, os.strerror(number), str(path))

    break_off(monkeypatch, 6, gone)
    bench.refused(path, r"at 0:00\.\d\d, after \d of 10 frames", kind=DecodeError)


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE, errno.EHOSTDOWN], ids=errno.errorcode.get)
def test_a_network_drive_that_is_away_at_the_start_is_a_sentence(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = plain(bench.folder / "patient.mp4")
    original = os.stat

    def away(name: Any, *args: Any, **more: Any) -> os.stat_result:
        if os.fspath(name) in (path, str(path)):
            raise OSError(number, os.strerror(number), str(path))
        return original(name, *args, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", away)
        with pytest.raises(InputError, match="network drive") as caught:
            bench.run(path, bench.folder / "out.mp4", HIPAA)
    assert path.name not in str(caught.value)
    assert os.listdir(bench.folder) == [path.name]


def test_a_drive_that_is_pulled_out_while_its_video_is_read(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is not called damaged, which would send people looking for another copy."""
    with removable_drive(tmp_path) as (drive, pull):
        path = plain(drive / "patient.mp4")

        def gone() -> None:
            pull()
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))

        break_off(monkeypatch, 6, gone)
        words = "drive is not connected" if sys.platform == "win32" else "was not found"
        says = rf"at 0:00\.\d\d, after \d of 10 frames\. The video.*{words}"
        with pytest.raises(DecodeError, match=says) as caught:
            bench.run(path, bench.folder / "out.mp4", HIPAA)
    assert path.stem not in str(caught.value) and "damaged" not in str(caught.value)
    assert os.listdir(bench.folder) == []


def test_a_drive_that_is_pulled_out_before_its_result_is_whole(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # what notes the unfinished file stays until the drive comes back, and must be in no other test's way
    for name, folder in folders_under(tmp_path / "home").items():
        monkeypatch.setenv(name, folder)
    path = plain(bench.folder / "patient.mp4")
    with removable_drive(tmp_path) as (drive, pull):
        break_off(monkeypatch, 6, lambda: pull() and None)
        words = "drive is not connected" if sys.platform == "win32" else "does not exist"
        with pytest.raises(OutputError, match=rf"The output.*{words}"):
            bench.run(path, drive / "out.mp4", HIPAA)
    assert os.listdir(bench.folder) == [path.name]


def test_a_file_that_shrinks_while_it_is_read_is_an_error(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bench.folder / "patient.mp4"
    path.write_bytes(content("long.mp4", *GOP, "-movflags", "faststart", seconds=2, size="640x360"))
    break_off(monkeypatch, 10, lambda: os.truncate(path, 20_000))
    with pytest.raises(DecodeError, match=r"at 0:00\.\d\d, after \d+ of 50 frames"):
        bench.run(path, bench.folder / "out.mp4", HIPAA)
    assert os.listdir(bench.folder) == [path.name]


@posix
def test_a_file_that_is_deleted_while_it_is_read_is_still_done_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system keeps an open file until it is closed."""
    path = plain(bench.folder / "patient.mp4")
    break_off(monkeypatch, 6, lambda: path.unlink(missing_ok=True))
    result = bench.run(path, bench.folder / "out.mp4", HIPAA)
    assert result.frames == len(decoded(result.target, (96, 64))) == 10
    assert sorted(os.listdir(bench.folder)) == ["out.mp4", "out_report.html", "out_report.json"]
