"""Any frame, in any order, is the frame that a job gets at that place: pixel for pixel, with its time."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from av.codec.context import ThreadType
from video_helpers import GOP, clip, ffmpeg

from anonator.core.frames import Frame, UInt8Array
from anonator.core.reading.canvas import find_canvas
from anonator.core.reading.frame_access import FrameAccess
from anonator.core.reading.reader import VideoReader
from anonator.core.reading.seeking import SeekingReader
from anonator.errors import InputError, JobCancelled

Picture = tuple[int, list[UInt8Array]]
OPEN_GOP = ("-c:v", "libx264", "-preset", "fast", "-x264-params", "open-gop=1:keyint=12:bframes=3")
HEVC = ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=12:bframes=4:open-gop=1")
DROPS = "select='not(mod(n,3))+lt(n,10)'"
INTERLACED = ("-vf", "interlace,setfield=tff", "-flags", "+ilme+ildct")


def plain(name: str, *options: str, **source: object) -> Callable[[Path], Path]:
    return lambda folder: clip(folder / name, *options, **{"seconds": 2, **source})


def turned(folder: Path) -> Path:
    ffmpeg(
        "-display_rotation", 90, "-i", clip(folder / "a.mp4", *GOP, seconds=2), "-c", "copy", folder / "b.mp4"
    )
    return folder / "b.mp4"


def edit_list(folder: Path) -> Path:
    ffmpeg("-ss", 0.6, "-i", clip(folder / "a.mp4", *GOP, seconds=2), "-c", "copy", folder / "b.mp4")
    return folder / "b.mp4"


def joined(folder: Path) -> Path:
    """Two recordings in one file, whose times are the same."""
    for name, more in (("1.ts", ()), ("2.ts", ("-vf", "negate"))):
        clip(folder / name, *GOP, *more, seconds=2)
    both = folder / "both.ts"
    both.write_bytes((folder / "1.ts").read_bytes() + (folder / "2.ts").read_bytes())
    return both


def growing(folder: Path) -> Path:
    """The picture becomes larger on the way."""
    parts = [
        clip(folder / f"{n}.ts", *GOP, size=size, seconds=2) for n, size in enumerate(("96x64", "160x96"))
    ]
    ffmpeg("-i", f"concat:{parts[0]}|{parts[1]}", "-c", "copy", folder / "c.ts")
    return folder / "c.ts"


QUICK = {
    "b frames": plain("a.mp4", *GOP),
    "one key frame": plain("a.mp4", *GOP[:-4], "-g", "1000", *GOP[-2:]),
    "mkv": plain("a.mkv", *GOP),
    "ts": plain("a.ts", *GOP),
    "open gop": plain("a.mp4", *OPEN_GOP),
    "open gop in ts": plain("b.ts", *OPEN_GOP),
    "open hevc": plain("a.mkv", *HEVC),
    "vfr": plain("a.mp4", "-vf", DROPS, "-fps_mode", "vfr", *GOP, seconds=4),
    "turned": turned,
    "odd": plain("a.mkv", "-vf", "scale=95:61", "-c:v", "ffv1", seconds=1),
    "edit list": edit_list,
    "10 bit": plain("a.mp4", "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-x265-params", "log-level=none"),
    "mpeg4": plain("a.avi", "-c:v", "mpeg4", "-g", "12"),
    "mjpeg": plain("a.avi", "-c:v", "mjpeg", "-pix_fmt", "yuvj422p", seconds=1),
    "mpeg2": plain("a.ts", "-c:v", "mpeg2video", "-bf", "2"),
    "vp9": plain("a.webm", "-c:v", "libvpx-vp9", "-g", "12", seconds=1),
    "interlaced": plain("a.mp4", *INTERLACED, *GOP, rate=50),
    "growing": growing,
}
SLOW = {
    "joined": joined,
    "avi with b frames": plain("a.avi", "-c:v", "mpeg4", "-bf", "2"),
    "h264 in avi": plain("a.avi", *GOP),
}


def read(path: Path) -> tuple[list[Picture], tuple[int, int]]:
    """All frames as a job reads them, and their size."""
    with VideoReader(path, canvas=find_canvas(path, lambda: None)) as reader:
        return [(frame.pts, planes(frame)) for frame in reader], (reader.info.width, reader.info.height)


def planes(frame: Frame) -> list[UInt8Array]:
    return [plane.copy() for plane in frame.planes()]


def same(frame: Frame, expected: Picture) -> bool:
    pairs = zip(frame.planes(), expected[1], strict=True)
    return frame.pts == expected[0] and all(np.array_equal(a, b) for a, b in pairs)


def first_of(access: FrameAccess, index: int) -> Frame:
    return next(frame for frame in access.frames_on(index) if frame is not None)


@pytest.mark.quick_cases(4)
@pytest.mark.parametrize("make", [*QUICK.values(), *SLOW.values()], ids=[*QUICK, *SLOW])
def test_any_frame_in_any_order_is_the_one_that_a_job_gets(
    tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    expected, size = read(path)
    access = FrameAccess(path, [pts for pts, _ in expected], size)
    try:
        assert access.can_seek == (make not in SLOW.values())
        order = list(range(len(expected)))
        random.Random(1).shuffle(order)
        for index in order:
            frame = first_of(access, index)
            assert frame.index == index and same(frame, expected[index])
        assert (access._from_start is None) == access.can_seek, "it was read from the beginning"
    finally:
        access.close()


@pytest.mark.parametrize("make", [QUICK["b frames"], QUICK["open gop in ts"], QUICK["interlaced"]])
def test_frames_follow_each_other_to_the_end(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    expected, size = read(path)
    access = FrameAccess(path, [pts for pts, _ in expected], size)
    found = [frame for frame in access.frames_on(17) if frame is not None]
    assert [frame.index for frame in found] == list(range(17, len(expected)))
    assert all(map(same, found, expected[17:]))
    access.close()


def test_frames_just_before_come_along_unless_that_needs_another_key_frame(tmp_path: Path) -> None:
    path = plain("a.mp4", *GOP)(tmp_path)
    expected, size = read(path)
    access = FrameAccess(path, [pts for pts, _ in expected], size)
    for index, first in ((20, 17), (25, 24), (24, 24), (1, 0)):  # a key frame every twelve
        found = [frame for frame in access.frames_on(index, before=3) if frame is not None]
        assert [frame.index for frame in found] == list(range(first, len(expected)))
        assert all(map(same, found, expected[first:]))
    access.close()


def test_what_is_left_out_at_speed_leaves_the_rest_exact(tmp_path: Path) -> None:
    path = plain("a.mp4", *GOP)(tmp_path)
    expected, size = read(path)
    access = FrameAccess(path, [pts for pts, _ in expected], size)
    access.skims = True
    found = [frame for frame in access.frames_on(3) if frame is not None]
    assert 10 < len(found) < len(expected) * 0.8
    assert all(same(frame, expected[frame.index]) for frame in found)
    access.close()


def test_a_frame_that_the_job_did_not_get_is_told(tmp_path: Path) -> None:
    path = plain("a.mp4", *GOP)(tmp_path)
    expected, size = read(path)
    pts = [pts for pts, _ in expected]
    access = FrameAccess(path, [*pts[:20], *pts[21:]], size)
    with pytest.raises(InputError, match="changed"):
        list(access.frames_on(19))
    access.close()


@pytest.mark.parametrize("make", [QUICK["mkv"], growing])
def test_going_through_the_file_can_be_given_up(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    path = make(tmp_path)
    expected, size = read(path)

    def tick() -> None:
        raise JobCancelled

    with pytest.raises(JobCancelled):
        FrameAccess(path, [pts for pts, _ in expected], size, tick=tick)
    path.unlink()  # Windows wouldn't, if it were open


def test_another_video_is_refused(tmp_path: Path) -> None:
    path = plain("a.mp4", *GOP)(tmp_path)
    with pytest.raises(InputError, match="isn't the video"):
        FrameAccess(path, [0, 1, 2], (128, 64))


def test_seeking_decodes_frames_in_parallel_where_a_job_must_not(tmp_path: Path) -> None:
    """A failure means that a review is as slow as a job, which has to hear of damage at once."""
    video = clip(tmp_path / "a.mp4", *OPEN_GOP, size="96x64", seconds=1)
    with VideoReader(video) as reader:
        pts = [frame.pts for frame in reader]
        assert reader._video.stream.codec_context.thread_count == 1
    with SeekingReader(video, pts) as seeking:
        context = seeking._video.stream.codec_context
        assert (context.thread_type, context.thread_count) == (ThreadType.FRAME, 2)
