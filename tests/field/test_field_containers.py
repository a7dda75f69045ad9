"""Containers of every kind: what is read with exact times, and what is refused by its true name."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_helpers import HIPAA, STANDARD, Bench, boxes, content, edit_box
from video_helpers import GOP, clip, ffmpeg, frame_times, picture_source, tone

from anonator.core.job_thread import DetectorCache
from anonator.core.reading import decode as decoding
from anonator.core.reading.containers import NOT_READ, READ, READ_SUFFIXES, VIDEO_SUFFIXES
from anonator.core.reading.late_streams import ANOTHER
from anonator.core.reading.opening import GROWING, HIDDEN_VIDEO
from anonator.core.reading.reader import VideoReader
from anonator.errors import AnonatorError, DecodeError, InputError
from anonator.ui.state import dropped_paths as incoming

TEN = {"seconds": 0.4}
"""Ten frames."""


@pytest.fixture
def bench(tmp_path: Path, detectors: DetectorCache) -> Bench:
    folder = tmp_path / "patients"
    folder.mkdir()
    return Bench(folder, detectors)


# -- one list ------------------------------------------------------------------------------------------


def test_the_window_and_the_reader_have_one_list() -> None:
    assert incoming.VIDEO_SUFFIXES is VIDEO_SUFFIXES
    suffixes = [suffix for kind in (*READ, *NOT_READ) for suffix in kind.suffixes]
    assert len(suffixes) == len(set(suffixes))
    assert all(suffix == suffix.lower() and suffix.startswith(".") for suffix in suffixes)
    assert READ_SUFFIXES < VIDEO_SUFFIXES == set(suffixes)


def test_the_list_costs_the_window_no_engine() -> None:
    code = "import sys, anonator.ui.state.dropped_paths; print('av' in sys.modules, 'numpy' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]


# -- kinds that are read -------------------------------------------------------------------------------

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


# -- kinds that are not --------------------------------------------------------------------------------


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
    "bare H.264": (moving("a.h264", *GOP), "a bare H.264 stream.*Convert it to MP4"),
    "bare HEVC": (
        moving("a.hevc", "-c:v", "libx265", "-x265-params", "log-level=none"),
        "a bare HEVC stream.*Convert it to MP4",
    ),
    "bare JPEGs": (moving("a.mjpeg", "-c:v", "mjpeg"), "a bare Motion JPEG stream.*Convert it to MP4"),
    "bare MPEG-2": (moving("a.m2v", "-c:v", "mpeg2video"), "a bare MPEG video stream.*Convert it to MP4"),
    "Flash animation": (moving("a.swf", "-c:v", "flv"), "a Flash animation.*Convert it to MP4"),
}


@pytest.mark.parametrize("kind", NOT_VIDEOS)
def test_what_is_not_taken_is_named_and_not_called_damaged(bench: Bench, kind: str) -> None:
    make, says = NOT_VIDEOS[kind]
    path = bench.folder / "patient.mp4"
    make(path)
    for settings in (HIPAA, STANDARD):
        assert "damaged" not in bench.refused(path, says, settings=settings)


# -- encrypted -----------------------------------------------------------------------------------------


def encrypted_mp4(path: Path) -> None:
    key = "76a6c65c5ea762046bd749a2e632ccbb"
    clear = clip(path.with_name("clear.mp4"), **TEN)
    ffmpeg(
        "-i", clear, "-c", "copy", "-encryption_scheme", "cenc-aes-ctr", "-encryption_key", key,
        "-encryption_kid", key, path,
    )  # fmt: skip


def itunes(path: Path) -> None:
    whole = content("a.mp4", **TEN)
    entry = whole.index(b"avc1", whole.index(b"stsd"))
    path.write_bytes(whole[:entry] + b"drmi" + whole[entry + 4 :])


def encrypted_mkv(path: Path) -> None:
    """A WebM whose track says that it needs a key, in place of what it says of itself in other words."""
    whole = content("a.mkv", "-c:v", "libvpx", "-f", "webm", **TEN)
    encryption = b"\x47\xe1\x81\x05" + b"\x47\xe2\x84abcd"
    encoding = b"\x50\x33\x81\x01" + b"\x50\x35" + bytes([0x80 | len(encryption)]) + encryption
    encoding = b"\x62\x40" + bytes([0x80 | len(encoding)]) + encoding
    encodings = b"\x6d\x80" + bytes([0x80 | len(encoding)]) + encoding
    tracks = whole.index(b"\x16\x54\xae\x6b", 200)  # behind the seek head
    size = whole[tracks + 4] & 0x7F
    track = whole.index(b"\xae\x01", tracks) + 9
    body = whole[track : tracks + 5 + size] + encodings
    new = b"\xae\x01" + len(body).to_bytes(7, "big") + body
    path.write_bytes(
        whole[: tracks + 4] + b"\x01" + len(new).to_bytes(7, "big") + new + whole[tracks + 5 + size :]
    )


@pytest.mark.parametrize("size", [1 << 40, 1 << 62, (1 << 64) - 1])
def test_a_header_that_is_said_to_be_longer_than_files_can_be_is_no_surprise(
    tmp_path: Path, size: int
) -> None:
    path = tmp_path / "a.wmv"
    whole = content("a.wmv", "-c:v", "wmv2", **TEN)
    path.write_bytes(whole[:16] + struct.pack("<Q", size) + whole[24:])
    try:
        with VideoReader(path) as reader:
            assert len(list(reader)) == 10
    except AnonatorError as exc:
        assert str(exc).endswith(".")
    path = tmp_path / "a.mkv"
    size = min(size, (1 << 56) - 2)
    path.write_bytes(b"\x1a\x45\xdf\xa3\x01" + size.to_bytes(7, "big") + bytes(2000))
    with pytest.raises(InputError, match="not a video"):
        VideoReader(path)


def protected_wmv(path: Path) -> None:
    """The header object of protection, which holds a licence's address, in place of padding."""
    whole = content("a.wmv", "-c:v", "wmv2", **TEN)
    size, objects = struct.unpack_from("<QI", whole, 16)
    protection = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e") + struct.pack("<Q", 40) + bytes(16)
    head = whole[:16] + struct.pack("<QI", size + len(protection), objects + 1) + whole[28:size]
    path.write_bytes(head + protection + whole[size:])


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.mp4", encrypted_mp4),
        ("a.m4v", itunes),
        ("a.webm", encrypted_mkv),
        ("a.wmv", protected_wmv),
    ],
)
def test_an_encrypted_video_is_called_encrypted(
    bench: Bench, name: str, make: Callable[[Path], None]
) -> None:
    path = bench.folder / f"patient{Path(name).suffix}"
    make(path)
    for settings in (HIPAA, STANDARD):
        text = bench.refused(path, "is encrypted", kind=InputError, settings=settings)
        assert "damaged" not in text and "Export it" in text


# -- sizes that say too much, and files that grow ------------------------------------------------------


def mdat_says(more: int, *options: object) -> bytes:
    data = bytearray(content("a.mp4", *GOP, *options))
    place = data.rindex(b"mdat") - 4
    size = int.from_bytes(data[place : place + 4], "big")
    data[place : place + 4] = (size + more).to_bytes(4, "big")
    return bytes(data)


@pytest.mark.parametrize("options", [("-movflags", "faststart"), ("-movflags", "frag_keyframe+empty_moov")])
@pytest.mark.parametrize("more", [1000, 100_000_000])
def test_data_that_is_said_to_be_longer_is_whole_if_every_sample_is_there(
    bench: Bench, options: tuple[str, ...], more: int
) -> None:
    path, plain = bench.folder / "patient.mp4", bench.folder / "plain.mp4"
    data = mdat_says(more, *options)
    data = data[: data.rindex(b"mfra") - 4] if b"mfra" in data else data  # an index behind the data
    path.write_bytes(data)
    plain.write_bytes(content("a.mp4", *GOP, *options))
    result = bench.done(path, settings=HIPAA)
    assert result.frames == 25
    assert frame_times(result.target) == pytest.approx(frame_times(plain), abs=0.0002)
    for lost in (1, 200):
        path.write_bytes(data[:-lost])
        with pytest.raises(DecodeError, match="damaged or incomplete"), VideoReader(path) as reader:
            list(reader)


def test_a_file_that_grows_is_said_to_be_written_still(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a recording must neither be called damaged nor pass for the whole."""
    original = decoding.packets_of
    whole = content("a.ts", *GOP, seconds=2)
    path = bench.folder / "patient.ts"

    def packets_of(container: Any, streams: Any) -> Iterator[Any]:
        for number, packet in enumerate(original(container, streams)):
            if number == 10:
                with open(path, "ab") as file:
                    file.write(whole[len(whole) // 2 :])
            yield packet

    monkeypatch.setattr(decoding, "packets_of", packets_of)
    cut_within_a_frame, between = len(whole) // 2, len(whole) // 376 * 188
    for cut in (cut_within_a_frame, between):
        path.write_bytes(whole[:cut])
        with pytest.raises(DecodeError, match=re.escape(GROWING)):
            bench.run(path, bench.folder / "out.mp4", HIPAA)
        assert os.listdir(bench.folder) == [path.name]


def test_an_mp4_without_table_may_be_in_the_making_only_while_it_is_fresh(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content("a.mp4", **TEN)[:3000])
    with pytest.raises(InputError, match=r"table of contents is missing.*still being written, wait"):
        VideoReader(path)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    with pytest.raises(InputError, match="table of contents is missing") as caught:
        VideoReader(path)
    assert "being written" not in str(caught.value)


# -- MP4 and MOV of other writers ----------------------------------------------------------------------


def free_everywhere(data: bytes) -> bytes:
    """Empty boxes between all others, none of which matters to the offsets before the data."""
    free = struct.pack(">I4s", 24, b"free") + bytes(16)
    moov = edit_box(data, "moov", lambda body: body + free)
    kinds = [kind for _, _, kind in boxes(moov, 0, len(moov))]
    assert kinds[-1] == b"moov"
    return moov + free


BEHIND: dict[str, bytes] = {
    "zeros": bytes(5000),
    "one zero": bytes(1),
    "a tag": b"TAG" + b"x" * 125,
    "a uuid box": struct.pack(">I4s", 40, b"uuid") + bytes(32),
    "rubbish": b"\x91" * 3000,
    "free boxes": (struct.pack(">I4s", 24, b"free") + bytes(16)) * 3,
}


@pytest.mark.parametrize("kind", BEHIND)
@pytest.mark.parametrize(
    "options", [(), ("-movflags", "faststart"), ("-movflags", "frag_keyframe+empty_moov")]
)
def test_what_lies_behind_an_mp4_costs_no_frame(tmp_path: Path, kind: str, options: tuple[str, ...]) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(content("a.mp4", *GOP, *options) + BEHIND[kind])
    with VideoReader(path) as reader:
        assert len(list(reader)) == 25
        assert reader.notes == ()


def test_empty_boxes_within_an_mp4_cost_no_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(free_everywhere(content("a.mp4", *GOP)))
    with VideoReader(path) as reader:
        assert len(list(reader)) == 25


# -- AVI of other writers ------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def rewritten_avi(
    *, frames: int | None = None, index: bool = True, riff: int | None = None, movi: int | None = None,
    drop: bool = False, junk: bool = False, parts: int = 1, behind: bytes = b"",
) -> bytes:  # fmt: skip
    """An AVI of MJPEG as another program might have written it; numbers are put in place of true ones."""
    whole = content("a.avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p")
    place = whole.index(b"movi") - 8
    size = int.from_bytes(whole[place + 4 : place + 8], "little")
    head, body = bytearray(whole[:place]), whole[place + 12 : place + 8 + size]
    if frames is not None:
        for name, offset in ((b"avih", 16), (b"strh", 32)):
            at = head.index(name) + 8 + offset
            head[at : at + 4] = struct.pack("<I", frames)
    pictures, at = [], 0
    while at < len(body):
        length = int.from_bytes(body[at + 4 : at + 8], "little")
        pictures.append(body[at + 8 : at + 8 + length])
        at += 8 + length + length % 2
    pieces: list[bytes] = []
    for number, picture in enumerate(pictures):
        pieces.append(chunk(b"00dc", picture))
        if drop and number % 5 == 0:
            pieces.append(chunk(b"00dc", b""))
        if junk:
            pieces.append(chunk(b"JUNK", bytes(50)))
    per_part = -(-len(pieces) // parts)
    made = b""
    for number in range(parts):
        data = b"movi" + b"".join(pieces[number * per_part : (number + 1) * per_part])
        length = len(data) if movi is None else movi
        inner = b"LIST" + struct.pack("<I", length) + data
        inner = b"AVI " + bytes(head[12:]) + inner if number == 0 else b"AVIX" + inner
        if index and number == 0:
            offset, entries = 4, b""
            for piece in pieces[:per_part]:
                if piece[:4] == b"00dc":
                    entries += struct.pack(
                        "<4sIII", b"00dc", 16, offset, int.from_bytes(piece[4:8], "little")
                    )
                offset += len(piece)
            inner += chunk(b"idx1", entries)
        made += b"RIFF" + struct.pack("<I", len(inner) if riff is None else riff) + inner
    return made + behind


AVIS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no index": {"index": False},
    "no number of frames, as capture devices write": {"frames": 0},
    "no number of frames and no index": {"frames": 0, "index": False},
    "more frames in the header": {"frames": 1000},
    "more frames in the header, no index": {"frames": 1000, "index": False},
    "fewer frames in the header": {"frames": 5},
    "never finished": {"frames": 0, "index": False, "riff": 0, "movi": 0},
    "never finished, all ones": {"frames": 0, "index": False, "riff": 2**32 - 1, "movi": 2**32 - 1},
    "a length that is too large": {"riff": 10_000_000},
    "zeros behind": {"behind": bytes(100_000)},
    "zeros behind, no index": {"behind": bytes(100_000), "index": False},
    "a chunk behind": {"behind": chunk(b"JUNK", bytes(1000))},
    "a tag behind": {"behind": b"TAG" + b"x" * 125},
    "padding between": {"junk": True},
    "padding between, no index": {"junk": True, "index": False},
    "dropped frames": {"drop": True},
    "dropped frames, no index": {"drop": True, "index": False},
    "two parts": {"parts": 2, "index": False},
}


@pytest.mark.parametrize("kind", AVIS)
@pytest.mark.parametrize("damaged_limit", [0, 1000])
def test_avi_files_of_all_writers_are_whole(tmp_path: Path, kind: str, damaged_limit: int) -> None:
    """A failure means that the recording of a capture device is called damaged, or loses frames or time."""
    path = tmp_path / "a.avi"
    path.write_bytes(rewritten_avi(**AVIS[kind]))
    with VideoReader(path, damaged_limit) as reader:
        times = [frame.seconds for frame in reader]
        assert reader.replaced_frames == 0
        assert reader.notes == ()
    assert times == frame_times(path)
    assert len(times) == 25


@pytest.mark.parametrize("damaged_limit", [0, 1000])
def test_an_avi_that_lacks_its_end_stays_refused(tmp_path: Path, damaged_limit: int) -> None:
    for options in ({}, {"frames": 1000}, {"index": False}):
        whole = rewritten_avi(**options)
        path = tmp_path / "a.avi"
        path.write_bytes(whole[: len(whole) * 7 // 10])
        with (
            pytest.raises(DecodeError, match="damaged or incomplete"),
            VideoReader(path, damaged_limit) as reader,
        ):
            list(reader)
