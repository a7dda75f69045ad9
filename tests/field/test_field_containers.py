"""Containers of every kind: what is read with exact times, and what is refused by its true name."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile_helpers import HIPAA, STANDARD, Bench, content
from video_helpers import GOP, ffmpeg, frame_times, picture_source, tone

from anonator.core.reading.containers import NOT_READ, READ, READ_SUFFIXES, VIDEO_SUFFIXES
from anonator.core.reading.late_streams import ANOTHER
from anonator.core.reading.opening import HIDDEN_VIDEO
from anonator.core.reading.reader import VideoReader
from anonator.errors import AnonatorError, DecodeError
from anonator.ui.state import dropped_paths as incoming


def test_the_window_and_the_reader_have_one_list() -> None:
    assert incoming.VIDEO_SUFFIXES is VIDEO_SUFFIXES
    suffixes = [suffix for kind in (*READ, *NOT_READ) for suffix in kind.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)
    assert READ_SUFFIXES < VIDEO_SUFFIXES == set(suffixes)


def test_the_list_costs_the_window_no_engine() -> None:
    code = "import sys, anonator.ui.state.dropped_paths; print('av' in sys.modules, 'numpy' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert run.stdout.split() == ["False", "False"]


READABLE: dict[str, tuple[object, ...]] = {
    "wmv2.wmv": ("-c:v", "wmv2"),
    "msmpeg4.asf": ("-c:v", "msmpeg4v2"),
    "h264.flv": GOP,
    "sorenson.flv": ("-c:v", "flv"),
    "mpeg1.mpg": ("-c:v", "mpeg1video", "-bf", "2"),
    "mpeg2.mpeg": ("-c:v", "mpeg2video", "-bf", "2", "-f", "vob"),
    "dvd.vob": ("-c:v", "mpeg2video", "-bf", "2"),
    "op1a.mxf": ("-c:v", "mpeg2video", "-bf", "2"),
    "moving.gif": (),
    "vp8.ivf": ("-c:v", "libvpx", "-deadline", "realtime"),
    "vp9.ivf": ("-c:v", "libvpx-vp9", "-deadline", "realtime"),
}


@pytest.mark.parametrize("name", READABLE)
@pytest.mark.parametrize("damaged_limit", [0, 1000])
def test_frames_and_times_are_those_of_the_second_ffmpeg(
    tmp_path: Path, name: str, damaged_limit: int
) -> None:
    path = tmp_path / name
    codec = READABLE[name] or ("-c:v", "gif")
    path.write_bytes(content(name, *codec))
    with VideoReader(path, damaged_limit) as reader:
        times = [frame.seconds for frame in reader]
        assert reader.replaced_frames == 0
    expected = frame_times(path)
    assert len(times) == len(expected) == 25
    assert times == pytest.approx(expected, abs=1e-6)


def test_tapes_are_read(tmp_path: Path) -> None:
    path = tmp_path / "tape.dv"
    ffmpeg(*picture_source("720x576", 0.2), *tone(0.2, rate=48000), "-ac", 2, "-pix_fmt", "yuv420p", path)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 5


@pytest.mark.parametrize("name", ["wmv2.wmv", "h264.flv", "op1a.mxf", "moving.gif"])
@pytest.mark.parametrize("damaged_limit", [0, 1000])
def test_a_file_of_these_kinds_that_was_cut_off_is_refused(
    tmp_path: Path, name: str, damaged_limit: int
) -> None:
    path = tmp_path / name
    whole = content(name, *(READABLE[name] or ("-c:v", "gif")), size="192x128", seconds=1)
    for part in (0.5, 0.8, 0.95):
        path.write_bytes(whole[: int(len(whole) * part)])
        with (
            pytest.raises(AnonatorError, match=r"after \d+.*damaged or incomplete"),
            VideoReader(path, damaged_limit) as reader,
        ):
            list(reader)


def test_a_tape_that_ends_within_a_frame_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.dv"
    ffmpeg(*picture_source("720x576", 0.2), "-pix_fmt", "yuv420p", path)
    path.write_bytes(path.read_bytes()[:-50_000])
    with pytest.raises(DecodeError, match="ends too early"), VideoReader(path) as reader:
        list(reader)


@pytest.mark.parametrize("name", ["h264.flv", "wmv2.wmv", "moving.gif", "dvd.vob", "op1a.mxf", "vp8.ivf"])
@pytest.mark.parametrize("behind", [bytes(70_000), b"TAG" + b"x" * 125, b"\x91" * 300])
def test_what_lies_behind_a_file_costs_no_frame(tmp_path: Path, name: str, behind: bytes) -> None:
    path = tmp_path / name
    if behind[0] == 0x91 and name.endswith("ivf"):
        pytest.skip("such bytes begin another picture")
    path.write_bytes(content(name, *(READABLE[name] or ("-c:v", "gif"))) + behind)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 25


@pytest.mark.parametrize("name", ["a.mp4", "wmv2.wmv", "vp8.ivf"])
def test_a_second_file_that_players_do_not_show_is_told(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    whole = content(name, *READABLE.get(name, GOP))
    path.write_bytes(whole * 2)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 25
        assert HIDDEN_VIDEO in reader.notes


def test_a_video_that_begins_within_the_file_is_never_passed_over(bench: Bench) -> None:
    """FFmpeg makes a second stream of it, which nobody asked for, and half of the recording is missing."""
    flv = [content(f"{name}.flv", *codec) for name, codec in (("a", GOP), ("b", ("-c:v", "flv")))]
    path = bench.folder / "patient.flv"
    for second in (flv[1][13:], flv[0]):
        path.write_bytes(flv[0] + second)
        bench.refused(path, re.escape(ANOTHER))
    path = bench.folder / "patient.mpg"
    mpg = content("long.mpg", "-c:v", "mpeg2video", "-f", "vob", "-qp", 2, size="320x240")
    path.write_bytes(mpg + mpg.replace(b"\0\0\1\xe0", b"\0\0\1\xe1"))
    bench.refused(path, re.escape(ANOTHER))
    path.write_bytes(mpg + mpg)
    with VideoReader(path) as reader:
        assert len(list(reader)) == 50


def still(name: str, *options: object) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        true = path.with_name(name)
        ffmpeg(*picture_source(seconds=0.04), "-frames:v", 1, *options, true)
        true.rename(path)

    return make


def moving(name: str, *options: object) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        true = path.with_name(name)
        ffmpeg(*picture_source(seconds=0.4), *options, true)
        true.rename(path)

    return make


def heic(brand: bytes) -> Callable[[Path], None]:
    """The head of a phone's photo; its tiles do not matter."""

    def make(path: Path) -> None:
        head = struct.pack(">I4s4sI", 24, b"ftyp", brand, 0) + b"mif1" + brand
        path.write_bytes(head + struct.pack(">I4sI", 12, b"meta", 0) + bytes(4000))

    return make


AV1 = ("-c:v", "libaom-av1", "-cpu-used", "8")


NOT_VIDEOS: dict[str, tuple[Callable[[Path], None], str]] = {
    "HEIC": (heic(b"heic"), r"This is a photo \(HEIC\)"),
    "HEIF": (heic(b"mif1"), r"This is a photo \(HEIF\)"),
    "AVIF": (still("a.avif", *AV1, "-still-picture", 1), r"This is a photo \(AVIF\)"),
    "JPEG": (still("a.jpg"), r"This is a photo \(JPEG\)"),
    "PNG": (still("a.png"), r"This is a photo \(PNG\)"),
    "TIFF": (still("a.tiff"), r"This is a photo \(TIFF\)"),
    "WebP": (still("a.webp"), r"This is a photo \(WebP\)"),
    "GIF of one picture": (still("a.gif"), r"This is a photo \(GIF\)"),
    "HEIC burst": (heic(b"hevc"), r"series of photos \(HEIC\).*Convert"),
    "moving AVIF": (moving("a.avif", *AV1), r"series of photos \(AVIF\).*Convert"),
    "moving WebP": (moving("a.webp"), "animated picture .WebP.*Convert"),
    "moving PNG": (moving("a.apng"), "animated picture .PNG.*Convert"),
    "Ogg": (moving("a.ogv", "-c:v", "libtheora"), "an Ogg file.*Convert it to MP4"),
    "bare H.264": (moving("a.h264", *GOP), "a raw H.264 stream.*Convert it to MP4"),
    "bare HEVC": (
        moving("a.hevc", "-c:v", "libx265", "-x265-params", "log-level=none"),
        "a raw HEVC stream.*Convert it to MP4",
    ),
    "bare JPEGs": (moving("a.mjpeg", "-c:v", "mjpeg"), "a raw Motion JPEG stream.*Convert it to MP4"),
    "bare MPEG-2": (moving("a.m2v", "-c:v", "mpeg2video"), "a raw MPEG video stream.*Convert it to MP4"),
    "Flash animation": (moving("a.swf", "-c:v", "flv"), "a Flash animation.*Convert it to MP4"),
}


@pytest.mark.parametrize("kind", NOT_VIDEOS)
def test_what_is_not_taken_is_named_and_not_called_damaged(bench: Bench, kind: str) -> None:
    make, says = NOT_VIDEOS[kind]
    path = bench.folder / "patient.mp4"
    make(path)
    for settings in (HIPAA, STANDARD):
        assert "damaged" not in bench.refused(path, says, settings=settings)
