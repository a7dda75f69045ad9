"""Damage: an error with time and count, never a silent stop."""

from __future__ import annotations

import random
import re
import traceback
from pathlib import Path

import av
import pytest
from video_helpers import GOP, clip

from anonator.core.reading.length import promised_bytes
from anonator.core.reading.reader import VideoReader, probe
from anonator.errors import DecodeError, InputError


def read_damaged(path: Path) -> tuple[int, str]:
    """Frames delivered, and the DecodeError's text."""
    count = 0
    with VideoReader(path) as reader, pytest.raises(DecodeError) as caught:
        for _ in reader:
            count += 1
    assert path.name not in "".join(traceback.format_exception(caught.value))
    return count, str(caught.value)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.avi", "a.mov"])
def test_a_file_that_ends_too_early_is_an_error_with_time_and_count(tmp_path: Path, name: str) -> None:
    codec = {"webm": ("-c:v", "libvpx-vp9"), "avi": ("-c:v", "mpeg4"), "mov": ("-c:v", "prores")}.get(
        name[2:], ()
    )
    path = clip(tmp_path / name, *codec, "-movflags", "faststart", seconds=4)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    count, text = read_damaged(path)
    assert 30 < count < 90
    assert "damaged or incomplete" in text
    time = re.search(r"at 0:0(\d\.\d\d)", text)
    assert time
    assert float(time[1]) == pytest.approx(count / 25, abs=0.3)
    assert int(re.search(r"after (\d+)", text)[1]) >= count  # type: ignore[index]


def test_one_frame_less_than_promised_is_an_error(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", "-movflags", "faststart", "-bf", "0")
    with av.open(str(path)) as container:
        start = [packet.pos for packet in container.demux(video=0) if packet.size][-1]
    path.write_bytes(path.read_bytes()[:start])  # cut cleanly before the last frame
    count, text = read_damaged(path)
    assert count == 24
    assert "24 of 25" in text


def test_a_file_that_grows_shorter_than_its_header_is_noticed_at_once(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", "-movflags", "faststart", seconds=2)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "incomplete" in " ".join(probe(path).notes)


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize(
    ("name", "codec", "caught"),
    [
        ("a.mp4", GOP, 15),
        ("a.ts", GOP, 14),
        ("a.avi", ("-c:v", "mpeg4"), 20),
        ("b.ts", ("-c:v", "mpeg2video"), 16),
        ("a.mkv", ("-c:v", "libaom-av1", "-cpu-used", "8"), 14),
    ],
)
def test_overwritten_bytes_are_an_error_and_never_a_silent_stop(
    tmp_path: Path, name: str, codec: tuple[str, ...], caught: int
) -> None:
    # of 20 places, those that a decoder can notice at all; every one not noticed still gives all frames
    whole = clip(tmp_path / name, *codec, "-b:v", "2M", seconds=2, size="192x128").read_bytes()
    dice = random.Random(7)
    noticed = 0
    for _ in range(20):
        data = bytearray(whole)
        place = dice.randrange(len(data) // 5, len(data) * 9 // 10)
        data[place : place + 32] = dice.randbytes(32)
        path = tmp_path / ("x" + name)
        path.write_bytes(data)
        count = 0
        try:
            with VideoReader(path) as reader:
                for _frame in reader:
                    count += 1
        except DecodeError as exc:
            assert re.search(r"at \d+:\d\d\.\d\d, after \d+", str(exc))
            noticed += 1
        else:
            assert count == 50, "a frame was lost without a word"
    assert noticed >= caught


def test_checksums_within_hevc_are_compared(tmp_path: Path) -> None:
    """Without them its decoder makes a picture of nearly any rubbish."""
    options = ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=12:hash=1")
    path = clip(tmp_path / "a.mp4", *options, "-b:v", "1M", seconds=1, size="192x128")
    with av.open(str(path)) as container:
        places = [(p.pos or 0) + p.size // 2 for p in container.demux(video=0) if p.size]
    whole = path.read_bytes()
    for number in (3, 12, 14, 20):
        data = bytearray(whole)
        data[places[number] : places[number] + 4] = b"\x55\xaa\x55\xaa"
        path.write_bytes(data)
        count, text = read_damaged(path)
        assert count <= number
        assert "cannot be decoded" in text


def test_bytes_lost_in_the_middle_are_an_error(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", *GOP, seconds=2)
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + data[middle + 4000 :])
    read_damaged(path)


def test_rubbish_for_a_first_frame_is_an_error(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", "-movflags", "faststart")
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    data[start:] = random.Random(1).randbytes(len(data) - start)
    path.write_bytes(data)
    with pytest.raises(InputError), VideoReader(path) as reader:
        list(reader)


@pytest.mark.parametrize("name", ["a.mp4", "a.mov", "a.mkv", "a.webm", "a.avi"])
def test_whole_files_are_as_long_as_they_promise(tmp_path: Path, name: str) -> None:
    path = clip(tmp_path / name, *(("-c:v", "libvpx") if name.endswith("webm") else ()))
    size = path.stat().st_size
    with open(path, "rb") as file:
        promised = promised_bytes(file, size)
    assert promised is not None
    assert promised <= size


def test_mutated_headers_end_in_an_error_of_ours_or_in_frames(tmp_path: Path) -> None:
    whole = clip(tmp_path / "a.mp4", "-movflags", "faststart", size="64x48").read_bytes()
    end = whole.index(b"mdat") + 200
    dice = random.Random(3)
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(dice.randrange(1, 6)):
            data[dice.randrange(end)] = dice.randrange(256)
        path = tmp_path / "m.mp4"
        path.write_bytes(data)
        try:
            with VideoReader(path) as reader:
                for count, _frame in enumerate(reader):
                    assert count < 1000
        except InputError:
            continue
