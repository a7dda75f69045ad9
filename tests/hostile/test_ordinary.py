"""Every ordinary kind of video is done, with its exact frames, times and size."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from hostile_helpers import HIPAA, STANDARD, TEN, Bench, content
from video_helpers import GOP, decoded, ffmpeg, frame_times, packets, picture_source, tone

from anonator.core.config import Settings
from anonator.core.reading.opening import MAX_PIXELS


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


@pytest.mark.quick_cases(7)
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


@pytest.mark.slow
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
