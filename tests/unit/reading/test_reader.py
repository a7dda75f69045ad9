"""Reading: every frame of every ordinary video arrives, upright, whole and at its own time."""

from __future__ import annotations

import gc
import itertools
import os
import sys
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_helpers import GOP, clip, decoded, ffmpeg, frame_times, picture_source, psnr, tone

from anonator.core.frames import Frame
from anonator.core.pictures.convert import PictureMaker
from anonator.core.reading.reader import VideoReader, probe
from anonator.errors import InputError

# -- ordinary videos ---------------------------------------------------------------------------------

DROPS = "select='not(mod(n,3))+lt(n,10)'"


def rotated(degrees: int) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        plain = clip(path.with_name("plain.mp4"))
        ffmpeg("-display_rotation", degrees, "-i", plain, "-c", "copy", path)

    return make


def simple(*options: str, **source: object) -> Callable[[Path], None]:
    def make(path: Path) -> None:
        clip(path, *options, **source)

    return make


def odd_rotated(path: Path) -> None:
    plain = clip(path.with_name("plain.mp4"), "-vf", "format=yuv444p,scale=95:61", *GOP[:-1], "yuv444p")
    ffmpeg("-display_rotation", 90, "-i", plain, "-c", "copy", path)


def mirrored(path: Path) -> None:
    plain = clip(path.with_name("plain.mp4"))
    ffmpeg("-display_rotation", 90, "-display_hflip", "-i", plain, "-c", "copy", path)


def offset(path: Path) -> None:
    plain = clip(path.with_name("plain.mp4"), *GOP)
    ffmpeg("-itsoffset", 3.7, "-i", plain, *tone(), "-c:v", "copy", "-c:a", "aac", path)


def edit_list(path: Path) -> None:
    plain = clip(path.with_name("plain.mp4"), *GOP)
    ffmpeg("-ss", 0.5, "-i", plain, "-c", "copy", path)


def a_day_in(path: Path) -> None:
    plain = clip(path.with_name("plain.mp4"))
    ffmpeg("-i", plain, "-c", "copy", "-output_ts_offset", 86400, path)


def cover_art(path: Path) -> None:
    ffmpeg(
        *("-f", "lavfi", "-i", "color=red:s=64x64:d=0.04", *picture_source()),
        *(
            "-map",
            "0",
            "-map",
            "1",
            "-c:v:0",
            "mjpeg",
            "-c:v:1",
            "libx264",
            "-disposition:v:0",
            "attached_pic",
            path,
        ),
    )


def two_tracks(path: Path) -> None:
    subtitles = path.with_name("s.srt")
    subtitles.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n")
    ffmpeg(
        *(
            *picture_source(),
            *tone(),
            *tone(hertz=880),
            "-i",
            subtitles,
            "-map",
            0,
            "-map",
            1,
            "-map",
            2,
            "-map",
            3,
        ),
        *(*GOP, "-c:a:0", "aac", "-c:a:1", "libmp3lame", "-metadata", "title=Somebody", path),
    )


@pytest.mark.quick_cases(12)
@pytest.mark.parametrize(
    ("name", "make", "size", "codec", "exact"),
    [
        ("plain.mp4", simple(), (96, 64), "h264", True),
        ("b_frames.mkv", simple(*GOP), (96, 64), "h264", True),
        ("b_frames.ts", simple(*GOP), (96, 64), "h264", True),
        ("rotated_90.mp4", rotated(90), (64, 96), "h264", True),
        ("rotated_180.mp4", rotated(180), (96, 64), "h264", True),
        ("rotated_270.mp4", rotated(270), (64, 96), "h264", True),
        ("rotated_mirrored.mp4", mirrored, (64, 96), "h264", True),
        ("odd_rotated.mp4", odd_rotated, (61, 95), "h264", False),
        ("odd.mkv", simple("-vf", "scale=95:61", "-c:v", "ffv1"), (95, 61), "ffv1", True),
        ("odd.webm", simple("-vf", "scale=95:61", "-c:v", "libvpx-vp9"), (95, 61), "vp9", True),
        ("vfr.mp4", simple("-vf", DROPS, "-fps_mode", "vfr", *GOP), (96, 64), "h264", True),
        ("vfr.mkv", simple("-vf", DROPS, "-fps_mode", "vfr", *GOP), (96, 64), "h264", True),
        ("offset.mp4", offset, (96, 64), "h264", True),
        ("edit_list.mp4", edit_list, (96, 64), "h264", True),
        ("a_day_in.mkv", a_day_in, (96, 64), "h264", True),
        ("fragmented.mp4", simple("-movflags", "frag_keyframe+empty_moov"), (96, 64), "h264", True),
        ("one_frame.mp4", simple("-frames:v", "1"), (96, 64), "h264", True),
        ("cover_art.mp4", cover_art, (96, 64), "h264", True),
        ("two_tracks.mkv", two_tracks, (96, 64), "h264", True),
        ("full.mp4", simple("-vf", "scale=out_range=full", "-pix_fmt", "yuvj420p"), (96, 64), "h264", True),
        ("444.mp4", simple(*GOP[:-1], "yuv444p"), (96, 64), "h264", False),
        ("10_bit.mp4", simple("-c:v", "libx265", "-pix_fmt", "yuv420p10le"), (96, 64), "hevc", True),
        ("hevc.mkv", simple("-c:v", "libx265"), (96, 64), "hevc", True),
        ("av1.mp4", simple("-c:v", "libaom-av1", "-cpu-used", "8"), (96, 64), "av1", True),
        ("vp8.webm", simple("-c:v", "libvpx", "-auto-alt-ref", "1"), (96, 64), "vp8", True),
        ("mpeg4.avi", simple("-c:v", "mpeg4", "-bf", "2"), (96, 64), "mpeg4", True),
        ("h264.avi", simple(*GOP), (96, 64), "h264", True),
        ("mpeg2.ts", simple("-c:v", "mpeg2video"), (96, 64), "mpeg2video", True),
        ("prores.mov", simple("-c:v", "prores"), (96, 64), "prores", False),
        ("mjpeg.avi", simple("-c:v", "mjpeg", "-pix_fmt", "yuvj422p"), (96, 64), "mjpeg", False),
        ("rgb.mov", simple("-c:v", "qtrle", "-pix_fmt", "rgb24"), (96, 64), "qtrle", False),
        ("bottom_up.avi", simple("-c:v", "rawvideo", "-pix_fmt", "bgr24"), (96, 64), "rawvideo", False),
        ("palette.mov", simple("-c:v", "png", "-vf", "format=rgb8,format=pal8"), (96, 64), "png", False),
        ("gray.mkv", simple("-c:v", "ffv1", "-pix_fmt", "gray"), (96, 64), "ffv1", True),
        ("gray.mp4", simple("-pix_fmt", "gray"), (96, 64), "h264", True),
    ],
)  # fmt: skip
def test_every_frame_of_an_ordinary_video_arrives_as_another_ffmpeg_sees_it(
    tmp_path: Path, name: str, make: Callable[[Path], None], size: tuple[int, int], codec: str, exact: bool
) -> None:
    path = tmp_path / name
    make(path)
    width, height = size
    with VideoReader(path) as reader:
        info = reader.info
        assert (info.display_size, info.codec) == (size, codec)
        assert (info.width, info.height) == (width + width % 2, height + height % 2)
        pix_fmt = "yuvj420p" if info.color_range == 2 else "yuv420p"
        reference = decoded(path, size, pix_fmt)
        times = []
        for frame in reader:
            times.append(frame.seconds)
            assert frame.index == len(times) - 1
            assert frame.image.format.name == "yuv420p"
            for plane, wanted in zip(frame.planes(), reference[frame.index], strict=True):
                shown = plane[: wanted.shape[0], : wanted.shape[1]]
                if exact:
                    np.testing.assert_array_equal(shown, wanted)
                else:  # chroma is resampled, and two versions of swscale round differently
                    assert psnr(shown, wanted) > 28
            _assert_edge_replicated(frame, size)
    assert len(times) == len(reference)
    if not name.endswith(".avi"):  # AVI holds no presentation times; its order is tested below
        assert times == frame_times(path)


def _assert_edge_replicated(frame: Frame, size: tuple[int, int]) -> None:
    y = frame.planes()[0]
    width, height = size
    if width % 2:
        np.testing.assert_array_equal(y[:, width], y[:, width - 1])
    if height % 2:
        np.testing.assert_array_equal(y[height], y[height - 1])


@pytest.mark.parametrize("codec", [("-c:v", "mpeg4", "-bf", "2"), GOP])
def test_avi_frames_are_one_frame_apart_whatever_the_b_frames(tmp_path: Path, codec: tuple[str, ...]) -> None:
    with VideoReader(clip(tmp_path / "a.avi", *codec)) as reader:
        assert [frame.seconds for frame in reader] == [Fraction(n, 25) for n in range(25)]
        assert reader.notes == ()


def test_a_decoded_yuv420p_picture_is_passed_on_without_a_copy(tmp_path: Path) -> None:
    with av.open(str(clip(tmp_path / "a.mp4"))) as container:
        picture = next(container.decode(video=0))
        maker = PictureMaker(picture, matrix=2, transfer=2, color_range=0)
        assert maker.make(picture).image is picture


def test_info_tells_header_and_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    ffmpeg(
        *(
            *picture_source(),
            *tone(),
            "-vf",
            "setsar=4/3,setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709",
        ),
        *(*GOP, "-c:a", "aac", path),
    )
    info = probe(path)
    assert info.sar == Fraction(4, 3)
    assert (info.header_frames, info.duration_seconds, info.average_rate) == (25, Fraction(1), Fraction(25))
    assert (info.color_range, info.color_space, info.color_primaries, info.color_transfer) == (1, 1, 1, 1)
    assert [(track.codec, track.sample_rate, track.channels) for track in info.audio] == [("aac", 44100, 1)]
    assert info.notes == ()


def test_a_turned_picture_has_its_pixel_shape_turned_too(tmp_path: Path) -> None:
    plain = clip(tmp_path / "plain.mp4", "-vf", "setsar=4/3")
    ffmpeg("-display_rotation", 270, "-i", plain, "-c", "copy", tmp_path / "a.mp4")
    info = probe(tmp_path / "a.mp4")
    assert (info.sar, info.rotation) == (Fraction(3, 4), 90)


def test_pictures_that_change_size_are_scaled_to_the_first_and_time_goes_on(tmp_path: Path) -> None:
    first, second = clip(tmp_path / "1.ts", size="96x64"), clip(tmp_path / "2.ts", size="192x128")
    joined = tmp_path / "joined.ts"
    joined.write_bytes(first.read_bytes() + second.read_bytes())
    with VideoReader(joined) as reader:
        frames = [(frame.width, frame.height, frame.seconds) for frame in reader]
        notes = " ".join(reader.notes)
    assert len(frames) == 50
    assert {size[:2] for size in frames} == {(96, 64)}
    assert all(a[2] < b[2] for a, b in itertools.pairwise(frames))
    assert "size changes" in notes
    assert "jump back" in notes


def test_interlaced_pictures_come_out_whole_and_the_user_is_told(tmp_path: Path) -> None:
    # each picture mixes two moments; combing shows as rows that differ from both neighbours
    path = clip(
        tmp_path / "a.mp4", "-vf", "interlace,setfield=tff", "-flags", "+ilme+ildct",
        "-c:v", "libx264", "-qp", "10", rate=50, size="192x128",
    )  # fmt: skip

    def combing(y: np.ndarray) -> float:
        rows = y.astype(int)
        return float(np.mean(np.abs(2 * rows[1:-1] - rows[:-2] - rows[2:])))

    with VideoReader(path) as reader:
        assert reader.info.interlaced
        assert "deinterlaced" in " ".join(reader.info.notes)
        whole = [(frame.seconds, combing(frame.planes()[0])) for frame in reader]
    with av.open(str(path)) as container:
        stored = [combing(f.to_ndarray()[:128]) for f in container.decode(video=0)]
    assert [time for time, _ in whole] == frame_times(path)
    assert np.mean([c for _, c in whole]) < 0.7 * np.mean(stored)


def test_a_recording_cut_into_a_scene_starts_at_its_first_whole_picture_and_says_so(tmp_path: Path) -> None:
    whole = clip(
        tmp_path / "whole.ts", "-c:v", "libx264", "-x264opts", "open-gop=1:keyint=10:bframes=3:no-scenecut"
    )
    cut = tmp_path / "cut.ts"
    ffmpeg("-ss", 0.5, "-i", whole, "-c", "copy", "-copyinkf", cut)
    with VideoReader(cut) as reader:
        times = [frame.seconds for frame in reader]
        notes = " ".join(reader.notes)
    assert times == frame_times(cut)
    assert "begins in the middle of a scene" in notes


# -- use ---------------------------------------------------------------------------------------------


def test_a_reader_is_read_once_and_closed_twice(tmp_path: Path) -> None:
    reader = VideoReader(clip(tmp_path / "a.mp4"))
    assert len(list(reader)) == 25
    with pytest.raises(RuntimeError, match="once"):
        list(reader)
    reader.close()
    reader.close()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_no_file_stays_open(tmp_path: Path) -> None:
    path, bad = clip(tmp_path / "a.mp4"), tmp_path / "bad.mp4"
    bad.write_bytes(b"no video" * 1000)
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        with VideoReader(path) as reader:
            next(iter(reader))
        with pytest.raises(InputError):
            probe(bad)
    assert len(os.listdir("/proc/self/fd")) <= before


def test_any_moment_can_be_looked_at(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", *GOP, seconds=2)
    reference = decoded(path, (96, 64))
    with VideoReader(path) as reader:
        for number in (0, 20, 49, 3):
            frame = reader.frame_at(number / 25)
            np.testing.assert_array_equal(frame.planes()[0], reference[number][0])
        np.testing.assert_array_equal(reader.frame_at(999).planes()[0], reference[49][0])


def test_pictures_are_freed_when_nobody_needs_them(tmp_path: Path) -> None:
    """Once, each waited for the garbage collector: at 1080p, a gigabyte of them."""
    source = clip(tmp_path / "a.mp4", seconds=2)
    gc.collect()
    gc.disable()
    try:
        with VideoReader(source) as reader:
            # by its type: isinstance asks each object for its class, and one of PyTorch's then warns
            kept = [sum(issubclass(type(each), av.VideoFrame) for each in gc.get_objects()) for _ in reader]
    finally:
        gc.enable()
    assert len(kept) == 50 and max(kept) <= 20, "no more than the decoder's threads hold"
