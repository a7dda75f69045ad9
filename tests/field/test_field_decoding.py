"""Harmless cuts, joins and streams in which packets and pictures do not go in pairs are read whole."""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from video_helpers import GOP, clip, ffmpeg, frame_times

from anonator.core.reading.hidden import shows_nothing
from anonator.core.reading.reader import VideoReader
from anonator.errors import DecodeError

STEP = Fraction(1, 25)
VP9 = ("-c:v", "libvpx-vp9", "-auto-alt-ref", 1, "-lag-in-frames", 16, "-cpu-used", 4, "-b:v", "200k")
AV1 = ("-c:v", "libaom-av1", "-cpu-used", 8, "-lag-in-frames", 19, "-g", 40)


HEVC = (
    "-c:v",
    "libx265",
    "-pix_fmt",
    "yuv420p",
    "-x265-params",
    "log-level=none:keyint=12:bframes=4:open-gop=1",
)


def times(path: Path, limit: int = 0) -> list[Fraction]:
    """When each frame is shown; none may be black."""
    with VideoReader(path, limit) as reader:
        found = [frame.seconds for frame in reader]
        assert reader.replaced_frames == 0
    return found


def packed(path: Path, codec: tuple[object, ...]) -> Path:
    """A clip with hidden frames; VP9's encoder makes them only in a second pass."""
    passes = (
        [("-pass", n, "-passlogfile", path.with_name("log")) for n in (1, 2)] if codec[1] != AV1[1] else [()]
    )
    for options in passes:
        clip(path, *codec, *options, seconds=3)
    return path


def split(path: Path, codec: tuple[object, ...], tool: str) -> Path:
    """A clip in which every frame of the stream has a packet of its own, those never shown too."""
    whole = packed(path.with_name("whole" + path.suffix), codec)
    # or else FFmpeg packs them together again
    ffmpeg("-i", whole, "-c", "copy", "-bsf:v", tool, "-fflags", "-autobsf", path)
    return path


SPLIT: dict[str, Callable[[Path], Path]] = {
    "VP9 in WebM": lambda p: split(p / "a.webm", VP9, "vp9_superframe_split"),
    "VP9 in MP4": lambda p: split(p / "a.mp4", VP9, "vp9_superframe_split"),
    "VP9 of 10 bit": lambda p: split(
        p / "a.webm", (*VP9, "-pix_fmt", "yuv420p10le"), "vp9_superframe_split"
    ),
    "VP9 4:4:4 of 10 bit": lambda p: split(
        p / "a.webm", (*VP9, "-pix_fmt", "yuv444p10le"), "vp9_superframe_split"
    ),
    "AV1": lambda p: split(p / "a.mkv", AV1, "av1_frame_split"),
}  # fmt: skip


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("kind", SPLIT)
def test_hidden_frames_in_packets_of_their_own(tmp_path: Path, kind: str) -> None:
    """As in YouTube's VP9 of 10 bit; a failure means that whole files miss a frame that nobody ever saw."""
    path = SPLIT[kind](tmp_path)
    with av.open(str(path)) as container:
        name = container.streams.video[0].codec_context.name
        hidden = [shows_nothing(name, p) for p in container.demux(video=0) if p.size]
    assert len(hidden) - sum(hidden) == 75
    assert sum(hidden) >= 2, "the encoder made no hidden frames"
    for limit in (0, 1000):
        assert times(path, limit) == pytest.approx([n * STEP for n in range(75)], abs=0.0011)


@pytest.mark.parametrize(("name", "codec"), [("a.webm", VP9), ("a.mkv", AV1)])
def test_frames_that_are_packed_together_show_one_picture(
    tmp_path: Path, name: str, codec: tuple[object, ...]
) -> None:
    path = packed(tmp_path / name, codec)
    with av.open(str(path)) as container:
        decoder = container.streams.video[0].codec_context.name
        assert not any(shows_nothing(decoder, p) for p in container.demux(video=0) if p.size)


# -- packets without a picture --------------------------------------------------------------------------


def sized(unit: bytes) -> bytes:
    return len(unit).to_bytes(4, "big") + unit


def with_heads(source: Path, path: Path, heads: list[bytes], *, marked: bool = False) -> Path:
    """A copy in which packets without a picture come before each key frame, perhaps marked in its place."""
    with av.open(str(source)) as original, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(original.streams.video[0])
        for packet in original.demux(video=0):
            if not packet.size:
                continue
            parts = [*(heads if packet.is_keyframe else []), bytes(packet)]
            for number, part in enumerate(parts):
                copy = av.Packet(part)
                late = len(parts) - 1 - number  # ticks, of which there are enough between two frames
                copy.pts, copy.dts = packet.pts - late, (packet.dts or 0) - late
                copy.time_base, copy.stream = packet.time_base, stream
                copy.is_keyframe = packet.is_keyframe and (late > 0 if marked else late == 0)
                target.mux(copy)
    return path


@pytest.mark.quick_cases(12)
@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
@pytest.mark.parametrize("kind", ["delimiter", "note", "filling", "parameters apart", "parameters", "marked"])
@pytest.mark.parametrize("codec", ["h264", "hevc"])
def test_packets_that_hold_no_picture(tmp_path: Path, codec: str, kind: str, name: str, limit: int) -> None:
    """As some network cameras' recordings have them; FFmpeg's own program reads on."""
    is_hevc = codec == "hevc"
    source = clip(tmp_path / f"source{name[1:]}", *(HEVC if is_hevc else GOP), "-output_ts_offset", 1)
    with av.open(str(source)) as container:
        first = bytes(next(container.demux(video=0)))
        data = container.streams.video[0].codec_context.extradata or b""
    marks = {
        "delimiter": b"\x46\x01\x50" if is_hevc else b"\x09\xf0",
        "note": (b"\x4e\x01" if is_hevc else b"\x06") + b"\x05\x11" + bytes(range(17)) + b"\x80",
        "filling": (b"\x4c\x01" if is_hevc else b"\x0c") + b"\xff" * 600 + b"\x80",
    }
    if kind in marks:
        heads = [sized(marks[kind])]
    else:
        units = parameter_sets(data, is_hevc=is_hevc)
        heads = [sized(unit) for unit in units]
        if kind != "parameters apart":
            heads = [b"".join(heads)]
    path = with_heads(source, tmp_path / name, heads, marked=kind == "marked")
    assert first
    begin = frame_times(source)[0]
    assert times(path, limit) == pytest.approx([begin + n * STEP for n in range(25)], abs=0.0011)


def parameter_sets(data: bytes, *, is_hevc: bool) -> list[bytes]:
    """The units in an MP4 file's description of H.264 or HEVC."""
    found: list[bytes] = []

    def take(at: int, count: int) -> int:
        for _ in range(count):
            size = int.from_bytes(data[at : at + 2], "big")
            found.append(data[at + 2 : at + 2 + size])
            at += 2 + size
        return at

    if is_hevc:
        at = 23
        for _ in range(data[22]):
            at = take(at + 3, int.from_bytes(data[at + 1 : at + 3], "big"))
        return [unit for unit in found if unit[0] >> 1 in (32, 33, 34)]
    at = take(6, data[5] & 31)
    take(at + 1, data[at])
    return found


@pytest.mark.parametrize("first", [0x67, 0x69, 0x06])
def test_a_damaged_picture_is_not_taken_for_one_of_them(tmp_path: Path, first: int) -> None:
    """Its first byte says that it is something else; it must not vanish."""
    path = clip(tmp_path / "a.mkv", *GOP, "-write_crc32", 0, "-bf", 0, seconds=2)
    with av.open(str(path)) as container:
        packets = [(p.pos or 0, bytes(p)) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    place = data.index(packets[20][1], packets[20][0])
    data[place + 4] = first
    path.write_bytes(data)
    with pytest.raises(DecodeError):
        times(path)


# -- cuts ----------------------------------------------------------------------------------------------


@pytest.mark.quick_cases(10)
@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize("begin", [0.3, 0.5, 1.02, 1.5])
@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", (*GOP, "-g", 25)),
        ("b.mp4", ("-c:v", "mpeg2video", "-bf", 2)),
        ("c.mp4", ("-c:v", "mpeg4", "-bf", 2)),
        ("a.mkv", HEVC),
        ("a.mov", HEVC),
    ],
    ids=["h264", "mpeg2", "mpeg4", "hevc in mkv", "hevc in mov"],
)
def test_cuts_without_encoding(
    tmp_path: Path, name: str, codec: tuple[object, ...], begin: float, limit: int
) -> None:
    """Cut between two frames, an edit list says less than the table of frames."""
    whole = clip(tmp_path / ("whole" + name), *codec, seconds=2)
    path = tmp_path / name
    ffmpeg("-ss", begin, "-i", whole, "-c", "copy", path)
    shown = frame_times(path)
    found = times(path, limit)
    assert len(found) == len(shown) >= 12
    # Matroska's times below zero are unknown to FFmpeg
    known = [time for time in shown if time >= 0][-12:]
    assert found[-12:] == pytest.approx(known, abs=0.0011)


def test_a_cut_whose_last_frame_is_missing_is_still_an_error(tmp_path: Path) -> None:
    whole = clip(tmp_path / "whole.mp4", *GOP, seconds=2)
    path = tmp_path / "a.mp4"
    ffmpeg("-ss", 1.02, "-i", whole, "-c", "copy", "-movflags", "faststart", path)
    with av.open(str(path)) as container:
        start = max(packet.pos or 0 for packet in container.demux(video=0) if packet.size)
    path.write_bytes(path.read_bytes()[:start])
    with pytest.raises(DecodeError, match="ends too early"):
        times(path)


@pytest.mark.parametrize("limit", [0, 1000])
def test_times_below_zero_in_matroska(tmp_path: Path, limit: int) -> None:
    """FFmpeg does not tell such times; no frame may be taken for one that was cut off."""
    whole = clip(tmp_path / "whole.mkv", *GOP, "-g", 50, seconds=2)
    path = tmp_path / "a.mkv"
    ffmpeg("-ss", 0.3, "-i", whole, "-c", "copy", "-avoid_negative_ts", "disabled", path)
    with av.open(str(path)) as container:
        assert next(container.demux(video=0)).pts is None
    assert times(path, limit) == pytest.approx([n * STEP for n in range(50)], abs=0.0011)


# -- joins ---------------------------------------------------------------------------------------------


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("limit", [0, 1000])
def test_joined_hevc_in_transport_streams(tmp_path: Path, limit: int) -> None:
    """FFmpeg suspects the last frames before the join, though they are whole."""
    path = clip(tmp_path / "a.ts", *HEVC, seconds=1)
    path.write_bytes(path.read_bytes() * 3)
    assert times(path, limit) == pytest.approx([times(path)[0] + n * STEP for n in range(75)], abs=0.0011)


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize("before", range(1, 12))
def test_a_transport_packet_missing_before_a_join_is_noticed(tmp_path: Path, before: int) -> None:
    path = clip(tmp_path / "a.ts", *HEVC, "-b:v", "1M", seconds=1, size="192x128")
    data = path.read_bytes()
    end = len(data) - 188 * before
    if int.from_bytes(data[end + 1 : end + 3], "big") & 0x1FFF != 0x100:
        pytest.skip("a packet of another kind")
    path.write_bytes(data[:end] + data[end + 188 :] + data)
    with pytest.raises(DecodeError, match="damaged"):
        times(path)


@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_hevc_whose_recordings_end_within_the_stream(tmp_path: Path, name: str, limit: int) -> None:
    """Behind a mark that says so, what was shown before the next whole picture is decoded by nobody."""
    whole = clip(tmp_path / "whole.mkv", *HEVC, seconds=2)
    path = tmp_path / name
    left_out, key = set(), 0
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.size]
        for number, packet in enumerate(packets):
            key = packet.pts if packet.is_keyframe else key
            if packet.pts < key:
                left_out.add(packet.pts)
            ends = number + 1 < len(packets) and packets[number + 1].is_keyframe
            copy = av.Packet(bytes(packet) + (b"\0\0\0\2\x48\x01" if ends else b""))
            copy.pts, copy.dts, copy.duration = packet.pts, packet.dts, packet.duration
            copy.time_base, copy.is_keyframe, copy.stream = packet.time_base, packet.is_keyframe, stream
            target.mux(copy)
        shown = sorted(p.pts * p.time_base for p in packets if p.pts not in left_out)
    assert len(left_out) >= 2, "the encoder made no open groups"
    with VideoReader(path, limit) as reader:
        found = [frame.seconds for frame in reader]
        assert reader.replaced_frames == 0
        assert f"recordings were joined, {len(left_out)} frames" in " ".join(reader.notes)
    assert found == pytest.approx(shown, abs=0.0011)


# -- AVI -----------------------------------------------------------------------------------------------


def chunk(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)


def avi(path: Path, frames: list[bytes], *, claim: int, index: bool = True, grouped: bool = False) -> Path:
    """An AVI file of 25 frames a second whose header claims so many; empty ones were dropped."""
    big = max(map(len, frames))
    main = struct.pack("<14I", 40_000, 0, 0, 0x10 if index else 0, claim, 0, 1, big, 96, 64, 0, 0, 0, 0)
    head = b"vidsFMP4" + struct.pack(
        "<IHHIIIIIIII4h", 0, 0, 0, 0, 1, 25, 0, claim, big, 0xFFFFFFFF, 0, 0, 0, 96, 64
    )
    form = struct.pack("<IiiHH4sIiiII", 40, 96, 64, 1, 24, b"FMP4", 96 * 64 * 3, 0, 0, 0, 0)
    lists = chunk(b"LIST", b"strl" + chunk(b"strh", head) + chunk(b"strf", form))
    stored = [chunk(b"00dc", frame) for frame in frames]
    entries, at = b"", 4
    for frame, piece in zip(frames, stored, strict=True):
        entries += b"00dc" + struct.pack("<III", 0x10 if frame else 0, at, len(frame))
        at += len(piece)
    movie = chunk(b"LIST", b"rec " + b"".join(stored)) if grouped else b"".join(stored)
    body = b"AVI " + chunk(b"LIST", b"hdrl" + chunk(b"avih", main) + lists) + chunk(b"LIST", b"movi" + movie)
    path.write_bytes(chunk(b"RIFF", body + (chunk(b"idx1", entries) if index else b"")))
    return path


@pytest.fixture
def avi_frames(tmp_path: Path) -> list[bytes]:
    source = clip(tmp_path / "source.avi", "-c:v", "mpeg4")
    with av.open(str(source)) as container:
        return [bytes(packet) for packet in container.demux(video=0) if packet.size]


@pytest.mark.parametrize("limit", [0, 1000])
@pytest.mark.parametrize(
    "options",
    [
        {"claim": 30}, {"claim": 75}, {"claim": 0}, {"claim": 30, "index": False}, {"claim": 25},
        {"claim": 30, "index": False, "grouped": True},
    ],
    ids=["more", "much more", "nothing", "no index", "right", "in groups"],
)  # fmt: skip
def test_avi_whose_header_counts_otherwise(
    tmp_path: Path, avi_frames: list[bytes], options: dict[str, int], limit: int
) -> None:
    path = avi(tmp_path / "a.avi", avi_frames, **options)
    assert times(path, limit) == [n * STEP for n in range(25)]
    path.write_bytes(path.read_bytes() + bytes(70_000))
    assert times(path, limit) == [n * STEP for n in range(25)]


@pytest.mark.parametrize("limit", [0, 1000])
def test_avi_with_frames_that_were_dropped_while_recording(
    tmp_path: Path, avi_frames: list[bytes], limit: int
) -> None:
    """The one before stays on the screen; nothing is there to be decoded."""
    twice = [part for frame in avi_frames for part in (frame, b"")]
    path = avi(tmp_path / "a.avi", twice, claim=50)
    assert times(path, limit) == [2 * n * STEP for n in range(25)]
    path = avi(tmp_path / "b.avi", avi_frames + [b""] * 10, claim=35)
    assert times(path, limit) == [n * STEP for n in range(25)]


def test_frames_lost_within_an_avi_are_still_an_error(tmp_path: Path, avi_frames: list[bytes]) -> None:
    """A damaged head within, and a file in pieces of which the last ones are missing."""
    for index in (True, False):
        path = avi(tmp_path / "a.avi", avi_frames, claim=25, index=index)
        data = bytearray(path.read_bytes())
        place = data.index(avi_frames[12]) - 8
        data[place : place + 4] = bytes(4)
        path.write_bytes(data)
        with pytest.raises(DecodeError):
            times(path)
    path = avi(tmp_path / "a.avi", avi_frames[:15], claim=25, index=False)
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    with pytest.raises(DecodeError):
        times(path)
