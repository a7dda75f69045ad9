"""Sound: kept bit for bit and in step where MP4 can hold it, else converted and said."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_helpers import (
    FAST_X264,
    clip,
    copy,
    ffmpeg,
    frame_times,
    packets,
    picture_source,
    tone,
)


def sound_times(path: Path, index: int = 0) -> tuple[Fraction, Fraction]:
    """First and last moment of a sound track as heard (priming cut off), in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[index]
        sounds = [
            ((f.pts or 0) * Fraction(f.time_base or 0), Fraction(f.samples, f.sample_rate))
            for f in container.decode(stream)
        ]
    return sounds[0][0], sounds[-1][0] + sounds[-1][1]


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", ("-c:a", "aac")),
        ("a.mkv", ("-c:a", "aac")),
        ("a.avi", ("-c:a", "libmp3lame")),
        ("a.mkv", ("-c:a", "ac3")),
        ("a.mkv", ("-c:a", "flac")),
        ("a.mkv", ("-c:a", "libopus")),
        ("a.mov", ("-c:a", "aac")),
    ],
)
def test_sound_is_kept_bit_for_bit_and_in_step(tmp_path: Path, name: str, codec: tuple[str, ...]) -> None:
    source = tmp_path / name
    ffmpeg(*picture_source(seconds=2), *tone(2, rate=48000), *FAST_X264, *codec, source)
    writer = copy(source, tmp_path / "b.mp4")
    assert writer.audio_outcome == "kept unchanged"
    assert list(packets(source).values()) == list(packets(tmp_path / "b.mp4").values())
    before, after = sound_times(source), sound_times(tmp_path / "b.mp4")
    # older FFmpegs hand out the priming before zero where they read Matroska
    assert abs(max(before[0], Fraction(0)) - after[0]) <= Fraction(1, 500)
    assert abs(before[1] - after[1]) <= Fraction(1, 25)


def test_sound_in_a_transport_stream_loses_only_its_transport_headers(tmp_path: Path) -> None:
    source = tmp_path / "a.ts"
    ffmpeg(*picture_source(), *tone(rate=48000), *FAST_X264, "-c:a", "aac", source)
    assert copy(source, tmp_path / "b.mp4").audio_outcome == "kept unchanged"
    (before,), (after,) = packets(source).values(), packets(tmp_path / "b.mp4").values()
    assert [p[7:] for p in before] == after
    assert abs(sound_times(source)[0] - sound_times(tmp_path / "b.mp4")[0]) < Fraction(1, 1000)


def test_all_tracks_are_kept_and_only_what_mp4_cannot_hold_is_converted(tmp_path: Path) -> None:
    source = tmp_path / "a.mkv"
    ffmpeg(
        *(*picture_source(), *tone(), *tone(hertz=880, rate=48000), *tone(hertz=220, rate=22050)),
        *("-map", 0, "-map", 1, "-map", 2, "-map", 3, *FAST_X264),
        *("-c:a:0", "aac", "-c:a:1", "pcm_s16le", "-c:a:2", "libvorbis", source),
    )
    writer = copy(source, tmp_path / "b.mp4")
    assert writer.audio_outcome == (
        "track 1 kept unchanged, track 2 converted to AAC, because MP4 cannot hold pcm_s16le, "
        "track 3 converted to AAC, because MP4 cannot hold vorbis"
    )
    assert packets(source)[1] == packets(tmp_path / "b.mp4")[1]
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert [(s.codec_context.name, s.rate) for s in container.streams.audio] == [
            ("aac", 44100), ("aac", 48000), ("aac", 22050),
        ]  # fmt: skip
    for index in range(3):
        before, after = sound_times(source, index), sound_times(tmp_path / "b.mp4", index)
        assert before == pytest.approx(after, abs=0.05)


@pytest.mark.parametrize(("channels", "rate"), [(1, 8000), (2, 96000), (6, 48000), (2, 37800)])
def test_converted_sound_sounds_the_same(tmp_path: Path, channels: int, rate: int) -> None:
    source = tmp_path / "a.mkv"
    ffmpeg(
        *(*picture_source(), *tone(hertz=440, rate=rate), *FAST_X264),
        *("-c:a", "pcm_s24le", "-ac", channels, "-ar", rate, source),
    )
    copy(source, tmp_path / "b.mp4")

    def samples(path: Path) -> np.ndarray:
        raw = ffmpeg("-i", path, "-ac", 1, "-ar", 8000, "-f", "s16le", "-")
        return np.frombuffer(raw, np.int16).astype(float)[800:7200]

    before, after = samples(source), samples(tmp_path / "b.mp4")
    assert np.corrcoef(before, after)[0, 1] > 0.98, "another tone, another loudness or out of step"
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert container.streams.audio[0].layout.nb_channels == channels


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_sound_that_goes_on_after_the_last_picture_is_kept_whole(tmp_path: Path, codec: str) -> None:
    source = tmp_path / "a.mkv"
    ffmpeg(*picture_source(), *tone(3), *FAST_X264, "-c:a", codec, source)
    copy(source, tmp_path / "b.mp4")
    assert float(sound_times(tmp_path / "b.mp4")[1]) == pytest.approx(3, abs=0.06)
    assert len(frame_times(tmp_path / "b.mp4")) == 25


@pytest.mark.parametrize("codec", ["aac", "pcm_s16le"])
def test_sound_that_starts_later_starts_later(tmp_path: Path, codec: str) -> None:
    source = tmp_path / "a.mov"
    ffmpeg(*picture_source(seconds=2), "-itsoffset", 0.7, *tone(), *FAST_X264, "-c:a", codec, source)
    copy(source, tmp_path / "b.mp4")
    assert float(sound_times(tmp_path / "b.mp4")[0]) == pytest.approx(
        float(sound_times(source)[0]), abs=0.025
    )


def test_sound_and_picture_lie_side_by_side_in_the_file(tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    ffmpeg(*picture_source(seconds=6), *tone(6), *FAST_X264, "-c:a", "aac", source)
    copy(source, tmp_path / "b.mp4")
    with av.open(str(tmp_path / "b.mp4")) as container:
        rows = sorted(
            (p.pos, p.stream.type, float((p.dts or 0) * p.time_base)) for p in container.demux() if p.size
        )
    newest = {"video": 0.0, "audio": 0.0}
    for _, kind, time in rows:
        newest[kind] = max(newest[kind], time)
        assert abs(newest["video"] - newest["audio"]) < 1.6


@pytest.mark.parametrize("wanted", [True, False])
def test_an_input_without_sound_is_said(tmp_path: Path, wanted: bool) -> None:
    writer = copy(clip(tmp_path / "a.mp4"), tmp_path / "b.mp4", sound=wanted)
    assert writer.audio_outcome == "the original has no sound"


def test_removed_sound_is_gone_and_said(tmp_path: Path) -> None:
    source = tmp_path / "a.mp4"
    ffmpeg(*picture_source(), *tone(), *FAST_X264, "-c:a", "aac", source)
    assert copy(source, tmp_path / "b.mp4", sound=False).audio_outcome == "removed"
    with av.open(str(tmp_path / "b.mp4")) as container:
        assert [s.type for s in container.streams] == ["video"]
