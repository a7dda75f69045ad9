"""Files that are no video are refused, each with its own sentence."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hostile.healthy import plain
from hostile_helpers import STANDARD, TEN, Bench, content
from video_helpers import ffmpeg, picture_source, tone

NO_VIDEO = "not a video that can be read"


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
        "sound but no picture",
    ),
    "sound": (by_ffmpeg(*tone(0.2), "-c:a", "aac", name="sound.mp4"), "sound but no picture"),
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
