"""Harmless streams in which packets and pictures do not go in pairs are read whole."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import pytest
from video_helpers import clip, ffmpeg

from anonator.core.media.hidden import shows_nothing
from anonator.core.video import VideoReader

STEP = Fraction(1, 25)
VP9 = ("-c:v", "libvpx-vp9", "-auto-alt-ref", 1, "-lag-in-frames", 16, "-cpu-used", 4, "-b:v", "200k")
AV1 = ("-c:v", "libaom-av1", "-cpu-used", 8, "-lag-in-frames", 19, "-g", 40)


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
