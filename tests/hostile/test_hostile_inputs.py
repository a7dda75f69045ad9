"""Whole jobs on hostile files and on every ordinary kind: outcome, sentence, and an untouched folder."""

from __future__ import annotations

import errno
import os
import random
import socket
import struct
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest
from hostile_helpers import HIPAA, STANDARD, Bench, content, edit_box, overwrite
from video_helpers import GOP, decoded, ffmpeg, frame_times, packets, picture_source, tone

from anonator.core.config import Settings
from anonator.core.job_thread import DetectorCache, default_target
from anonator.core.reading import decode as decoding
from anonator.core.reading.opening import MAX_PIXELS, MAX_STREAMS
from anonator.errors import DecodeError, InputError, OutputError, OutputExistsError

posix = pytest.mark.skipif(os.name != "posix", reason="such names and files are POSIX")
NO_VIDEO = "not a video that can be read"
TEN = {"seconds": 0.4}
"""Ten frames."""


@pytest.fixture(scope="module")
def detectors() -> Iterator[DetectorCache]:
    cache = DetectorCache()
    yield cache
    cache.close()


@pytest.fixture
def bench(tmp_path: Path, detectors: DetectorCache) -> Bench:
    folder = tmp_path / "patients"
    folder.mkdir()
    return Bench(folder, detectors)


def plain(path: Path) -> Path:
    """A healthy H.264 clip of ten frames, with its header in front."""
    path.write_bytes(content("a.mp4", *GOP, "-movflags", "faststart", **TEN))
    return path


# -- files that are no video -------------------------------------------------------------------------


def text(words: str) -> Callable[[Path], None]:
    """A text, in which SECRET becomes the address of a healthy video beside it."""

    def make(path: Path) -> None:
        path.write_text(words.replace("SECRET", plain(path.with_name("secret.mp4")).as_uri()))

    return make


def data(content: bytes) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        path.write_bytes(content)

    return make


def by_ffmpeg(*args: object, name: str) -> Callable[[Path], None]:
    """What FFmpeg makes of these arguments, under a name that says its true kind, then renamed."""

    def make(path: Path) -> None:
        true = path.with_name(name)
        ffmpeg(*args, true)
        true.rename(path)

    return make


def archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.mp4", content("a.mp4", **TEN))


PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.04")
FILES_THAT_ARE_NO_VIDEO: dict[str, tuple[Callable[[Path], None], str]] = {
    "playlist": (text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1,\nSECRET\n#EXT-X-ENDLIST\n"), NO_VIDEO),
    "concat script": (text("ffconcat version 1.0\nfile 'SECRET'\n"), NO_VIDEO),
    "concat script without a head": (text("file 'SECRET'\nfile 'SECRET'\n"), NO_VIDEO),
    "session description": (
        text("v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"),
        NO_VIDEO,
    ),
    "DASH manifest": (
        text("<MPD xmlns='urn:mpeg:dash:schema:mpd:2011'><BaseURL>SECRET</BaseURL></MPD>"),
        NO_VIDEO,
    ),
    "subtitles": (text("1\n00:00:00,000 --> 00:00:01,000\nMrs Miller\n"), NO_VIDEO),
    "web subtitles": (text("WEBVTT\n\n00:00.000 --> 00:01.000\nMrs Miller\n"), NO_VIDEO),
    "picture list": (text("%03d.png"), NO_VIDEO),
    "letter": (text("Dear Mrs Miller, this is no video. " * 50), NO_VIDEO),
    "web page": (text("<!doctype html><html><body>404 Not Found</body></html>"), NO_VIDEO),
    "script": (text("#!/bin/sh\ntouch /tmp/owned\n"), NO_VIDEO),
    "archive": (archive, NO_VIDEO),
    "empty": (data(b""), "empty"),
    "one byte": (data(b"\0"), NO_VIDEO),
    "zeros": (data(bytes(100_000)), NO_VIDEO),
    "random bytes": (data(random.Random(1).randbytes(100_000)), NO_VIDEO),
    "picture": (by_ffmpeg(*PICTURE, "-frames:v", 1, name="a.png"), NO_VIDEO),
    "animation of one picture": (by_ffmpeg(*PICTURE, name="a.gif"), f"photo.*{NO_VIDEO}"),
    "music with cover": (
        by_ffmpeg(
            *tone(0.2), *PICTURE, "-map", 0, "-map", 1, "-c:v", "mjpeg", "-disposition:v", "attached_pic",
            name="a.mp3",
        ),
        NO_VIDEO,
    ),
    "album with cover": (
        by_ffmpeg(
            *tone(0.2), *PICTURE, "-map", 0, "-map", 1, "-c:v", "mjpeg", "-disposition:v", "attached_pic",
            name="a.m4a",
        ),
        "only sound",
    ),
    "sound": (by_ffmpeg(*tone(0.2), "-c:a", "aac", name="sound.mp4"), "only sound"),
    "wave": (by_ffmpeg(*tone(0.2), name="a.wav"), NO_VIDEO),
    "ogg": (by_ffmpeg(*tone(0.2), "-c:a", "flac", name="a.ogg"), NO_VIDEO),
    "raw stream": (by_ffmpeg(*picture_source(**TEN), "-c:v", "libx264", name="a.h264"), NO_VIDEO),
    "raw pictures": (by_ffmpeg(*picture_source(**TEN), "-c:v", "rawvideo", name="a.yuv"), NO_VIDEO),
}  # fmt: skip


@pytest.mark.parametrize("kind", FILES_THAT_ARE_NO_VIDEO)
def test_what_is_no_video_is_refused_and_names_no_other_file(bench: Bench, kind: str) -> None:
    """Each is called a video by its name; those that name another file must not have it opened."""
    make, says = FILES_THAT_ARE_NO_VIDEO[kind]
    path = bench.folder / "patient.mp4"
    make(path)
    bench.refused(path, says)
    bench.refused(path, says, settings=STANDARD)


def subtitles_only(path: Path) -> None:
    words = path.with_name("s.srt")
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nMrs Miller\n")
    ffmpeg("-i", words, path)


def test_a_container_without_any_video_is_refused(bench: Bench) -> None:
    path = bench.folder / "patient.mkv"
    subtitles_only(path)
    bench.refused(path, "no video in this file")


# -- containers that lie -----------------------------------------------------------------------------


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


@pytest.mark.parametrize("kind", LIES)
def test_a_container_that_lies_about_what_it_holds_is_refused(bench: Bench, kind: str) -> None:
    suffix, make, says = LIES[kind]
    path = bench.folder / f"patient.{suffix}"
    path.write_bytes(make(path))
    bench.refused(path, says)
    bench.refused(path, f"{says}|ends too early", settings=STANDARD)


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


# -- damage ------------------------------------------------------------------------------------------


def test_a_frame_that_cannot_be_decoded_ends_hipaa_and_is_black_in_standard_mode(bench: Bench) -> None:
    path = bench.folder / "patient.mp4"
    whole = content("b.mp4", *GOP, "-b:v", "2M", seconds=1, size="192x128")
    path.write_bytes(whole)
    with av.open(str(path)) as container:
        places = [(p.pos or 0, p.size) for p in container.demux(video=0) if p.size]
    place, size = places[14]
    path.write_bytes(overwrite(whole, place + size // 4, random.Random(3).randbytes(size * 3 // 4)))
    bench.refused(path, r"at 0:00\.\d\d, after 1\d of 25 frames: the file is damaged", kind=DecodeError)
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


# -- names and files that are not what they seem -----------------------------------------------------


@posix
@pytest.mark.parametrize(
    "name",
    [
        b"-i.mp4", b"--help.mp4", b"-", b"concat:a.mp4|b.mp4", b"pipe:0", b"https:x.mp4", b"%05d.mp4",
        b"a'b\"c;$(touch x).mp4", b"line\nbreak.mp4", b"\xff\xfe.mp4", "Größe 日本語 👩‍⚕️.mp4".encode(),
        b" .mp4", b"*.mp4", b"x" * 246 + b".mp4",
    ],
    ids=repr,
)  # fmt: skip
def test_any_name_is_a_plain_file(bench: Bench, name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain(bench.folder / "plain.mp4")
    try:
        path = path.rename(Path(os.fsdecode(os.path.join(os.fsencode(bench.folder), name))))
    except OSError:
        pytest.skip("this file system takes no such name")
    monkeypatch.chdir(bench.folder)
    target = default_target(path) if len(name) < 200 else bench.folder / "out.mp4"
    result = bench.done(Path(os.fsdecode(name)), target=target)
    assert (result.target, result.frames) == (target, 10)


def test_a_path_of_300_characters_is_no_different(bench: Bench) -> None:
    folder = bench.folder / ("p" * 100) / ("q" * 100) / ("r" * 100)
    folder.mkdir(parents=True)
    path = plain(folder / "patient.mp4")
    assert len(str(path)) > 300
    result = bench.done(path, target=default_target(path))
    assert result.frames == len(decoded(result.target, (96, 64))) == 10


def test_a_name_that_grows_too_long_by_what_is_added_is_refused(bench: Bench) -> None:
    path = plain(bench.folder / ("x" * 246 + ".mp4"))
    text = bench.refused(path, "name is too long", kind=OutputError, target=default_target(path))
    assert "shorter" in text


@posix
def test_links_are_followed_to_a_video_and_left_alone(bench: Bench) -> None:
    path, link = plain(bench.folder / "patient.mp4"), bench.folder / "pointer.mp4"
    link.symlink_to(path.name)
    assert bench.done(link).frames == 10
    (bench.folder / "out.mp4").unlink()
    link.unlink()
    link.symlink_to("gone.mp4")
    bench.refused(link, "not found")
    link.unlink()
    link.symlink_to(link.name)
    bench.refused(link, "cannot be read|not found")


@posix
@pytest.mark.parametrize("kind", ["pipe", "zero", "socket", "folder", "missing", "terminal"])
def test_what_is_no_ordinary_file_is_refused_at_once(bench: Bench, kind: str) -> None:
    path, says = bench.folder / "patient.mp4", "not an ordinary file"
    if kind == "pipe":
        os.mkfifo(path)  # opened for reading, it would wait for a writer for ever
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "terminal":
        path.symlink_to("/dev/tty")
    elif kind == "folder":
        path.mkdir()
        says = "a folder"
    elif kind == "missing":
        says = "not found"
    else:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(str(path))
    started = time.monotonic()
    bench.refused(path, says)
    assert time.monotonic() - started < 5


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_an_input_without_permission_is_refused(bench: Bench) -> None:
    path = plain(bench.folder / "patient.mp4")
    path.chmod(0o200)
    with pytest.raises(InputError, match="permission"):
        bench.run(path, bench.folder / "out.mp4", HIPAA)
    assert os.listdir(bench.folder) == ["patient.mp4"]


# -- where the output cannot be ----------------------------------------------------------------------


@pytest.mark.parametrize("settings", [HIPAA, STANDARD], ids=["HIPAA", "standard"])
def test_the_output_never_replaces_the_input_under_whatever_name(bench: Bench, settings: Settings) -> None:
    path = plain(bench.folder / "patient.mp4")
    hard, soft = bench.folder / "hard.mp4", bench.folder / "soft.mp4"
    os.link(path, hard)
    soft.symlink_to(path)
    other = bench.folder / "." / "patient.mp4"
    for target in (path, hard, soft, other):
        for overwrite_it in (False, True):
            bench.refused(
                path, "replace the input itself", kind=OutputError, settings=settings, target=target,
                overwrite=overwrite_it,
            )  # fmt: skip
    bench.refused(soft, "replace the input itself", kind=OutputError, settings=settings, target=path)


def test_a_file_that_is_there_already_stays(bench: Bench) -> None:
    path, other = plain(bench.folder / "patient.mp4"), bench.folder / "out.mp4"
    other.write_bytes(b"somebody's work")
    bench.refused(path, "already", kind=OutputExistsError)
    other.unlink()
    other.symlink_to("elsewhere.mp4")
    bench.refused(path, "already", kind=OutputExistsError)
    other.unlink()
    other.mkdir()
    bench.refused(path, "name of a folder", kind=OutputError, overwrite=True)


def test_a_folder_that_is_no_folder_or_is_not_there_is_refused(bench: Bench) -> None:
    path = plain(bench.folder / "patient.mp4")
    file = bench.folder / "file"
    file.write_bytes(b"")
    bench.refused(path, "not a folder", kind=OutputError, target=file / "out.mp4")
    bench.refused(path, "does not exist", kind=OutputError, target=bench.folder / "new" / "out.mp4")


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder in which nobody may write")
def test_a_folder_that_cannot_be_written_to_is_refused(bench: Bench) -> None:
    """/sys refuses new files even to root; an ordinary user would meet the same error anywhere."""
    path = plain(bench.folder / "patient.mp4")
    bench.refused(path, "cannot be written to", kind=OutputError, target=Path("/sys/kernel/out.mp4"))


# -- while the job runs ------------------------------------------------------------------------------


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
    assert sorted(os.listdir(bench.folder)) == ["out.mp4", "out_report.json"]


# -- every ordinary video ----------------------------------------------------------------------------


def made(*args: object) -> Callable[[Path], None]:
    """Ten frames of the test pattern, with these arguments for FFmpeg."""
    return lambda path: ffmpeg(*picture_source(**TEN), *args, path) and None


def again(*args: object, before: tuple[object, ...] = (), **source: object) -> Callable[[Path], None]:
    """A healthy clip through FFmpeg once more, stream by stream unchanged."""

    def make(path: Path) -> None:
        first = path.with_name("first.mp4")
        first.write_bytes(content("a.mp4", *GOP, **{**TEN, **source}))
        ffmpeg(*before, "-i", first, "-c", "copy", *args, path)
        first.unlink()

    return make


def with_sound(seconds: float) -> Callable[[Path], None]:
    return lambda path: ffmpeg(*picture_source(**TEN), *tone(seconds), *GOP, "-c:a", "aac", path) and None


def two_sounds_and_words(path: Path) -> None:
    words = path.with_name("words.srt")
    words.write_text("1\n00:00:00,000 --> 00:00:00,300\nhello\n")
    ffmpeg(
        *picture_source(**TEN), *tone(0.4), *tone(0.4, 880), "-i", words, "-map", 0, "-map", 1, "-map", 2,
        "-map", 3, *GOP, "-c:a:0", "aac", "-c:a:1", "libmp3lame", "-c:s", "srt", path,
    )  # fmt: skip


X265 = ("-c:v", "libx265", "-x265-params", "log-level=none")


def hdr(transfer: str) -> tuple[str, ...]:
    colours = f"setparams=color_primaries=bt2020:colorspace=bt2020nc:color_trc={transfer}"
    return ("-vf", colours, *X265, "-pix_fmt", "yuv420p10le")


VFR = ("-vf", "select='not(mod(n,3))'", "-fps_mode", "vfr", *GOP)
MPEG2 = ("-c:v", "mpeg2video", "-flags", "+ilme+ildct")
ORDINARY: dict[str, tuple[str, Callable[[Path], None], int, tuple[int, int], str]] = {
    # name, how it is made, frames, size that players show, what the user is told
    "turned by 90": ("a.mp4", again(before=("-display_rotation", 90)), 10, (64, 96), ""),
    "turned by 180": ("a.mov", again(before=("-display_rotation", 180)), 10, (96, 64), ""),
    "turned by 270": ("a.mp4", again(before=("-display_rotation", 270)), 10, (64, 96), ""),
    "frames of unequal length": ("a.mp4", made(*VFR), 4, (96, 64), ""),
    "frames of unequal length in Matroska": ("a.mkv", made(*VFR), 4, (96, 64), ""),
    "beginning later than zero": ("a.mp4", again("-output_ts_offset", 3.7), 10, (96, 64), ""),
    "edit list": ("a.mp4", again(before=("-ss", 0.2), seconds=0.6), 10, (96, 64), ""),
    "B-frames": ("a.mp4", made(*GOP), 10, (96, 64), ""),
    "fragmented": ("a.mp4", made(*GOP, "-movflags", "frag_keyframe+empty_moov"), 10, (96, 64), ""),
    "odd size": ("a.mkv", made("-vf", "scale=95:61", "-c:v", "ffv1"), 10, (95, 61), ""),
    "pixels not square": ("a.mp4", made("-vf", "setsar=16/11", *GOP), 10, (96, 64), ""),
    "interlaced": ("a.ts", made("-vf", "interlace", *MPEG2), 5, (96, 64), "deinterlaced"),
    "HEVC, 10 bits": ("a.mp4", made(*X265, "-pix_fmt", "yuv420p10le"), 10, (96, 64), "10 bits"),
    "HDR, PQ": ("a.mp4", made(*hdr("smpte2084")), 10, (96, 64), "HDR"),
    "HDR, HLG": ("a.mov", made(*hdr("arib-std-b67")), 10, (96, 64), "HDR"),
    "full range": ("a.mp4", made("-vf", "scale=out_range=full", *GOP[:-1], "yuvj420p"), 10, (96, 64), ""),
    "VP9": ("a.webm", made("-c:v", "libvpx-vp9", "-deadline", "realtime"), 10, (96, 64), ""),
    "AV1": ("a.webm", made("-c:v", "libaom-av1", "-cpu-used", "8"), 10, (96, 64), ""),
    "MPEG-4 in AVI": ("a.avi", made("-c:v", "mpeg4", "-bf", "2"), 10, (96, 64), ""),
    "ProRes": ("a.mov", made("-c:v", "prores"), 10, (96, 64), "10 bits"),
    "two sounds and subtitles": ("a.mkv", two_sounds_and_words, 10, (96, 64), ""),
    "no sound": ("a.mp4", made(*GOP), 10, (96, 64), ""),
    "sound longer than the picture": ("a.mp4", with_sound(2), 10, (96, 64), ""),
    "one frame": ("a.mp4", made(*GOP, "-frames:v", 1), 1, (96, 64), ""),
    "a whole day of time stamps": ("a.mkv", again("-output_ts_offset", 86_400), 10, (96, 64), ""),
}  # fmt: skip


@pytest.mark.parametrize("kind", ORDINARY)
def test_every_ordinary_video_works(bench: Bench, kind: str) -> None:
    """A failure means that a video from a camera or a common program is refused, or loses frames or time."""
    name, make, frames, size, told = ORDINARY[kind]
    path = bench.folder / name
    make(path)
    before = {p.name for p in bench.folder.iterdir()}
    settings = Settings.standard(keep_audio=True, performance=STANDARD.performance)
    result = bench.done(path, settings=settings)
    assert {p.name for p in bench.folder.iterdir()} - before == {"out.mp4"}
    assert result.frames == len(decoded(result.target, size)) == frames
    with av.open(str(result.target)) as out, av.open(str(path)) as source:
        assert (out.streams.video[0].width, out.streams.video[0].height) == size
        stored = source.streams.video[0]
        sar = Fraction(stored.sample_aspect_ratio or 1)
        assert out.streams.video[0].sample_aspect_ratio in (sar, None if sar == 1 else sar)
        assert [s.type for s in out.streams].count("audio") == len(source.streams.audio)
    if not name.endswith(".avi"):  # which has no presentation times
        assert frame_times(result.target) == pytest.approx(frame_times(path), abs=0.0002)
    assert told in " ".join(result.notes)
    if path.suffix == ".mkv" and "sound" in kind:
        kept, original = packets(result.target), packets(path)
        assert list(kept.values()) == list(original.values())


def test_an_ordinary_video_works_under_the_lock_too(bench: Bench) -> None:
    path = bench.folder / "patient.mkv"
    two_sounds_and_words(path)
    result = bench.done(path, settings=HIPAA)
    with av.open(str(result.target)) as out:
        assert [stream.type for stream in out.streams] == ["video"]
    assert result.frames == len(decoded(result.target, (96, 64))) == 10


def test_8k_works_from_end_to_end(bench: Bench) -> None:
    """33 million pixels are 31.6 times 1024 x 1024: within the limit of 32 megapixels."""
    assert 7680 * 4320 <= MAX_PIXELS < 8192 * 4320
    path = bench.folder / "patient.mp4"
    ffmpeg("-f", "lavfi", "-i", "color=gray:s=7680x4320:r=25", "-frames:v", 2, "-c:v", "libx264", "-preset",
           "ultrafast", "-pix_fmt", "yuv420p", path)  # fmt: skip
    result = bench.done(path)
    assert result.frames == 2
    with av.open(str(result.target)) as out:
        sizes = [(frame.width, frame.height) for frame in out.decode(video=0)]
    assert sizes == [(7680, 4320)] * 2
