"""Containers that lie about themselves, and files that are damaged or cut off."""

from __future__ import annotations

import os
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import av
import pytest
from hostile.healthy import plain
from hostile_helpers import STANDARD, TEN, Bench, content, edit_box, overwrite
from video_helpers import GOP, decoded, ffmpeg, frame_times, packets, tone

from anonator.core.config import Settings
from anonator.core.reading.opening import MAX_STREAMS
from anonator.errors import DecodeError


def external_reference(path: Path) -> bytes:
    """A movie whose samples are said to lie in another file, by an alias with an absolute path."""
    goal = os.fsencode(plain(path.with_name("secret.mp4")))
    levels = struct.pack(">HH", 2, len(goal)) + goal + bytes(len(goal) % 2) + struct.pack(">hH", -1, 0)
    body = bytes(4 + 150) + levels
    alias = struct.pack(">I4s", len(body) + 8, b"alis") + body
    return edit_box(
        content("a.mov", **TEN), "moov/trak/mdia/minf/dinf/dref", lambda _: struct.pack(">II", 0, 1) + alias
    )


def field(box: str, place: int, value: bytes) -> Callable[[Path], bytes]:
    """A healthy MP4 with some bytes of one box of its header overwritten."""

    def make(_: Path) -> bytes:
        whole = content("a.mp4", *GOP, "-movflags", "faststart", **TEN)
        return edit_box(whole, f"moov/{box}", lambda body: overwrite(body, place, value))

    return make


def patched(name: str, old: bytes, new: bytes, skip: int = 0, **source: object) -> Callable[[Path], bytes]:
    """A healthy file with the first bytes that are like this overwritten, or those some bytes after them."""

    def make(_: Path) -> bytes:
        codec = () if not name.endswith("avi") else ("-c:v", "mpeg4")
        whole = content(name, *codec, **{**TEN, **source})
        return overwrite(whole, whole.index(old) + skip, new)

    return make


def cut(part: float, *options: str) -> Callable[[Path], bytes]:
    def make(_: Path) -> bytes:
        whole = content("a.mp4", *GOP, *options, **TEN)
        return whole[: int(len(whole) * part)]

    return make


def encrypted(path: Path) -> bytes:
    key = "76a6c65c5ea762046bd749a2e632ccbb"
    ffmpeg(
        "-i", plain(path.with_name("whole.mp4")), "-c", "copy", "-encryption_scheme", "cenc-aes-ctr",
        "-encryption_key", key, "-encryption_kid", key, path,
    )  # fmt: skip
    return path.read_bytes()


def zip_bomb(_: Path) -> bytes:
    """A header that unpacks to two gigabytes, or says so."""
    packed = zlib.compress(bytes(20_000_000))
    cmvd = struct.pack(">I4sI", len(packed) + 12, b"cmvd", 0x7FFF0000) + packed
    inner = struct.pack(">I4s4s", 12, b"dcom", b"zlib") + cmvd
    cmov = struct.pack(">I4s", len(inner) + 8, b"cmov") + inner
    return content("a.mp4", **TEN)[:32] + struct.pack(">I4s", len(cmov) + 8, b"moov") + cmov


def nested(_: Path) -> bytes:
    deep = b""
    for _level in range(3000):
        deep = struct.pack(">I4s", len(deep) + 8, b"moov") + deep
    return content("a.mp4", **TEN)[:32] + deep


TRAK = "trak/mdia"
TABLE = "trak/mdia/minf/stbl"
HUGE = b"\xff" * 4
NOTHING = "no picture in this video that can be decoded"
INCOMPLETE = "table of contents is missing"
LIES: dict[str, tuple[str, Callable[[Path], bytes], str]] = {
    "samples in another file": ("mov", external_reference, NOTHING),
    "encrypted": ("mp4", encrypted, "is encrypted"),
    "packed header of 2 GB": ("mp4", zip_bomb, "no video in this file"),
    "3000 nested boxes": ("mp4", nested, INCOMPLETE),
    "segment of 30 PB": ("mkv", patched("a.mkv", b"\x18\x53\x80\x67", b"\x01\x7f", 4), "ends too early"),
    "no clock in MP4": ("mp4", field(f"{TRAK}/mdhd", 12, bytes(4)), NOTHING),
    "a clock of 4 GHz": ("mp4", field(f"{TRAK}/mdhd", 12, HUGE), NOTHING),
    "a clock of 1 Hz": ("mp4", field(f"{TRAK}/mdhd", 12, b"\0\0\0\1"), NOTHING),
    "4 billion frames": ("mp4", field(f"{TABLE}/stsz", 8, HUGE), INCOMPLETE),
    "frames of 4 GB": ("mp4", field(f"{TABLE}/stsz", 4, HUGE), NOTHING),
    "frames beyond the end": ("mp4", field(f"{TABLE}/stco", 8, b"\x7f\xff\xff\xff"), NOTHING),
    "frames in the header": ("mp4", field(f"{TABLE}/stco", 8, b"\0\0\0\x20"), NOTHING),
    "an edit from nowhere": ("mp4", field("trak/edts/elst", 12, b"\x7f\xff\xff\xff"), NOTHING),
    "cut after 10 bytes": ("mp4", lambda _: content("a.mp4", **TEN)[:10], INCOMPLETE),
    "cut within the header": ("mp4", cut(0.1, "-movflags", "faststart"), INCOMPLETE),
    "cut after the header": ("mp4", cut(0.25, "-movflags", "faststart"), "at 0:00.00, after 0 of 10 frames"),
    "cut in the middle": ("mp4", cut(0.6, "-movflags", "faststart"), r"after [01] of 10 frames"),
    "cut within the last frame": ("mp4", cut(0.99, "-movflags", "faststart"), r"after [789] of 10 frames"),
    "no header": ("mp4", cut(0.6), INCOMPLETE),
}  # fmt: skip
HARMLESS_LIES: dict[str, tuple[str, Callable[[Path], bytes]]] = {
    "65535 x 48 in Matroska": (
        "mkv",
        patched("a.mkv", b"\xb0\x82\x02\x80", b"\xff\xff", 2, size="640x48"),
    ),
    "65535 x 65535 in MP4": ("mp4", field(f"{TABLE}/stsd", 40, HUGE)),
    "no clock in Matroska": ("mkv", patched("a.mkv", b"\x2a\xd7\xb1\x83", bytes(3), 4)),
    "a clock of 17 ms in Matroska": ("mkv", patched("a.mkv", b"\x2a\xd7\xb1\x83", HUGE[:3], 4)),
    "one frame more than there is": ("mp4", field(f"{TABLE}/stsz", 8, b"\0\0\0\x0b")),
    "a movie of 136 years": ("mp4", field("mvhd", 16, HUGE)),
    "no clock in AVI": ("avi", patched("a.avi", b"strh", bytes(8), 28)),
    "reversed clock in AVI": ("avi", patched("a.avi", b"strh", HUGE + b"\0\0\0\1", 28)),
    "a frame of 2 GB in AVI": ("avi", patched("a.avi", b"00dc", b"\xff\xff\xff\x7f", 4)),
}  # fmt: skip


@pytest.mark.quick_cases(7)
@pytest.mark.parametrize("kind", LIES)
def test_a_container_that_lies_about_what_it_holds_is_refused(bench: Bench, kind: str) -> None:
    suffix, make, says = LIES[kind]
    path = bench.folder / f"patient.{suffix}"
    path.write_bytes(make(path))
    bench.refused(path, says)
    bench.refused(path, f"{says}|ends too early", settings=STANDARD)


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize("kind", HARMLESS_LIES)
def test_a_lie_that_hides_no_frame_costs_none(bench: Bench, kind: str) -> None:
    suffix, make = HARMLESS_LIES[kind]
    path = bench.folder / f"patient.{suffix}"
    path.write_bytes(make(path))
    assert bench.done(path).frames == 10


def test_a_picture_of_more_than_32_megapixels_is_refused(bench: Bench) -> None:
    path = bench.folder / "patient.mov"
    ffmpeg("-f", "lavfi", "-i", "color=s=8192x4320", "-frames:v", 1, "-c:v", "png", path)
    bench.refused(path, "32 megapixels")


def test_more_streams_than_anybody_has_are_refused_and_sixty_are_not(bench: Bench) -> None:
    short = bench.folder / "short.mka"
    ffmpeg(*tone(0.4), "-c:a", "aac", short)
    many = bench.folder / "many.mkv"

    def with_sounds(count: int) -> None:
        maps = [part for _ in range(count) for part in ("-map", "1:a")]
        ffmpeg("-i", plain(bench.folder / "plain.mp4"), "-i", short, "-map", "0:v", *maps, "-c", "copy", many)

    with_sounds(60)
    result = bench.done(many, settings=Settings.standard(keep_audio=True), target=bench.folder / "kept.mp4")
    assert len(packets(result.target)) == 60
    assert result.audio == "kept unchanged"
    for count in (MAX_STREAMS, MAX_STREAMS + 40):
        with_sounds(count)  # and one picture
        bench.refused(many, "more than 64 tracks")


def test_pictures_that_change_size_are_all_in_the_result(bench: Bench) -> None:
    path = bench.folder / "patient.ts"
    path.write_bytes(content("1.ts", *GOP, **TEN) + content("2.ts", *GOP, **TEN, size="192x128"))
    result = bench.done(path)
    assert result.frames == len(decoded(result.target, (192, 128))) == 20
    assert "size changes" in " ".join(result.notes)


def test_a_frame_that_cannot_be_decoded_ends_hipaa_and_is_black_in_standard_mode(bench: Bench) -> None:
    path = bench.folder / "patient.mp4"
    whole = content("b.mp4", *GOP, "-b:v", "2M", seconds=1, size="192x128")
    path.write_bytes(whole)
    with av.open(str(path)) as container:
        places = [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size]
    place, size = places[14]
    path.write_bytes(overwrite(whole, place + size // 4, random.Random(3).randbytes(size * 3 // 4)))
    bench.refused(path, r"at 0:00\.\d\d, after 1\d of 25 frames\. The file is damaged", kind=DecodeError)
    limited = Settings.standard(damaged_frames_limit=0)
    bench.refused(path, r"at 0:00\.\d\d, after 1\d of 25 frames", kind=DecodeError, settings=limited)
    limited = Settings.standard(damaged_frames_limit=2)
    bench.refused(path, r"limit is 2\), the last at 0:00\.\d\d", kind=DecodeError, settings=limited)
    result = bench.done(path)
    pictures = decoded(result.target, (192, 128))
    assert result.frames == len(pictures) == 25
    assert frame_times(result.target) == frame_times(path)
    black = [i for i, (y, _, _) in enumerate(pictures) if y.max() < 40 and y.mean() < 18]
    assert len(black) == result.replaced_frames >= 3
    assert set(black) <= set(range(12, 24))  # up to the next key frame
    assert f"{len(black)} frames could not be decoded and are black in the result: at 0:00" in " ".join(
        result.notes
    )


@pytest.mark.quick_cases(2)
@pytest.mark.parametrize("name", ["a.mkv", "a.webm", "a.avi", "a.mov", "a.ts"])
def test_a_file_that_was_cut_off_is_refused_in_both_modes(bench: Bench, name: str) -> None:
    codec = {"a.webm": ("-c:v", "libvpx-vp9"), "a.avi": ("-c:v", "mpeg4"), "a.mov": ("-c:v", "prores")}
    front = ("-movflags", "faststart") if name == "a.mov" else ()
    whole = content(name, *codec.get(name, GOP), *front, seconds=1, size="192x128")
    path = bench.folder / f"patient{Path(name).suffix}"
    path.write_bytes(whole)
    with av.open(str(path)) as container:
        place, size = [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size][15]
    path.write_bytes(whole[: place + size // 2])
    bench.refused(path, r"at 0:00\.\d\d, after \d+", kind=DecodeError)
    if name == "a.ts":  # which does not say how long it is: only the half picture is amiss
        result = bench.done(path)
        assert (result.frames, result.replaced_frames) == (16, 1)
    else:
        bench.refused(path, r"at 0:00\.\d\d, after \d+", kind=DecodeError, settings=STANDARD)
