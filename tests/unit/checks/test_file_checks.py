"""The finished file is read again before it gets its name; whatever is amiss must be found."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest
from video_helpers import clip, ffmpeg, tone

from anonator.core.checks.file_checks import verify_contents, verify_frames
from anonator.core.config import Encoder
from anonator.core.reading.info import VideoInfo
from anonator.core.reading.reader import VideoReader, probe
from anonator.core.writing.writer import VideoWriter
from anonator.errors import VerificationError


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return clip(tmp_path_factory.mktemp("source") / "in.mp4", size="96x64", seconds=1)


@pytest.fixture(scope="module")
def info(source: Path) -> VideoInfo:
    return probe(source)


@pytest.fixture(scope="module")
def finished(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a job leaves it."""
    target = tmp_path_factory.mktemp("finished") / "out.mp4"
    with VideoReader(source) as reader, VideoWriter(target, reader.info, preset="ultrafast") as writer:
        for frame in reader:
            writer.write(frame)
        writer.close()
        writer.publish()
    return target


def closed_writer(source: Path, folder: Path) -> tuple[VideoWriter, Fraction]:
    reader = VideoReader(source)
    writer = VideoWriter(folder / "out.mp4", reader.info, encoder=Encoder.X264, preset="ultrafast")
    for frame in reader:
        writer.write(frame)
    writer.close()
    reader.close()
    return writer, reader.info.time_base


def test_a_complete_file_passes(source: Path, finished: Path, info: VideoInfo, tmp_path: Path) -> None:
    writer, time_base = closed_writer(source, tmp_path)
    with writer:
        assert "All 25 frames" in verify_frames(writer, time_base, decoded=25, masked=25).sentence
    assert "nothing else" in verify_contents(finished, info, only_video=True).sentence


@pytest.mark.parametrize("counts", [(24, 25), (25, 24), (26, 26)], ids=str)
def test_every_count_must_agree(source: Path, tmp_path: Path, counts: tuple[int, int]) -> None:
    """A failure means that a frame could be lost, or pass by the anonymizer, unnoticed."""
    writer, time_base = closed_writer(source, tmp_path)
    with writer, pytest.raises(VerificationError, match=f"{counts[0]} decoded, {counts[1]} masked, 25 enc"):
        verify_frames(writer, time_base, decoded=counts[0], masked=counts[1])


def test_a_frame_at_another_time_is_found(source: Path, tmp_path: Path) -> None:
    writer, time_base = closed_writer(source, tmp_path)
    with writer:
        writer.pts[7] += round(0.01 / time_base)
        with pytest.raises(VerificationError, match=r"0\.290 s is at 0\.280 s"):
            verify_frames(writer, time_base, decoded=25, masked=25)


def test_a_file_that_cannot_be_read_is_found(source: Path, info: VideoInfo, tmp_path: Path) -> None:
    writer, time_base = closed_writer(source, tmp_path)
    with writer:
        writer.temporary_path.write_bytes(b"not a video" * 100)
        with pytest.raises(VerificationError, match="cannot be read"):
            verify_frames(writer, time_base, decoded=25, masked=25)
        with pytest.raises(VerificationError):
            verify_contents(writer.temporary_path, info, only_video=True)


COPY = ("-c", "copy", "-fflags", "+bitexact", "-movflags", "+faststart")


def with_sound(path: Path, out: Path) -> None:
    ffmpeg("-i", path, *tone(), "-map", "0", "-map", "1", "-c:v", "copy", "-c:a", "aac", out)


def with_title(path: Path, out: Path) -> None:
    ffmpeg("-i", path, *COPY, "-metadata", "title=x", out)


def with_date(path: Path, out: Path) -> None:
    ffmpeg("-i", path, *COPY, "-metadata", "creation_time=1999-12-31T23:59:59Z", out)


def with_chapter(path: Path, out: Path) -> None:
    chapters = out.with_suffix(".txt")
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=500\ntitle=x\n")
    ffmpeg("-i", path, "-i", chapters, "-map", "0", "-map_chapters", "1", *COPY, out)


def with_subtitles(path: Path, out: Path) -> None:
    words = out.with_suffix(".srt")
    words.write_text("1\n00:00:00,000 --> 00:00:00,900\nx\n")
    ffmpeg("-i", path, "-i", words, "-map", "0", "-map", "1", "-c:v", "copy", "-c:s", "mov_text", out)


def with_time_code(path: Path, out: Path) -> None:
    ffmpeg("-i", path, *COPY, "-timecode", "10:00:00:00", out)


def turned(path: Path, out: Path) -> None:
    ffmpeg("-display_rotation", "90", "-i", path, *COPY, out)


def smaller(path: Path, out: Path) -> None:
    ffmpeg("-i", path, "-vf", "scale=64:64", "-fflags", "+bitexact", out)


def with_a_box_behind(path: Path, out: Path) -> None:
    """An extension box, such as cameras put GPS positions into."""
    out.write_bytes(path.read_bytes() + (8 + 16).to_bytes(4, "big") + b"uuid" + bytes(16))


def with_a_box_inside(path: Path, out: Path) -> None:
    """A box of somebody's own within the header, in place of one that is known to be harmless."""
    content = bytearray(path.read_bytes())
    at = content.index(b"vmhd")
    content[at : at + 4] = b"gps "
    out.write_bytes(content)


@pytest.mark.parametrize(
    "change",
    [
        with_sound, with_title, with_date, with_chapter, with_subtitles, with_time_code, turned, smaller,
        with_a_box_behind, with_a_box_inside,
    ],
)  # fmt: skip
def test_anything_but_one_bare_video_is_refused(
    finished: Path, info: VideoInfo, tmp_path: Path, change: Callable[[Path, Path], None]
) -> None:
    """A failure means that a HIPAA file could carry a voice, a name, a place or a date."""
    other = tmp_path / "other.mp4"
    change(finished, other)
    with pytest.raises(VerificationError):
        verify_contents(other, info, only_video=True)


def test_kept_sound_is_no_fault_where_it_was_asked_for(
    finished: Path, info: VideoInfo, tmp_path: Path
) -> None:
    other = tmp_path / "other.mp4"
    with_sound(finished, other)
    assert verify_contents(other, info, only_video=False).sentence == "It contains one video and its sound."
    with_subtitles(finished, other)
    with pytest.raises(VerificationError, match="streams"):
        verify_contents(other, info, only_video=False)
