"""Matroska: damage that FFmpeg skips over in silence is noticed by the file's own structure and checksums."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import av
import imageio_ffmpeg
import pytest
from video_helpers import GOP, clip, ffmpeg, picture_source, tone

from anonator.core.reading.matroska import MatroskaWalk
from anonator.core.reading.reader import VideoReader
from anonator.errors import DecodeError

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
NO_SUMS = ("-write_crc32", "0", "-cluster_time_limit", "400")
SUMS = ("-cluster_time_limit", "400")
HEVC = ("-c:v", "libx265", "-x265-params", "log-level=none:keyint=10:bframes=0")


def blocks(path: Path) -> list[int]:
    """Where the bodies of the video's blocks begin."""
    with av.open(str(path)) as container:
        return [packet.pos or 0 for packet in container.demux(video=0) if packet.size]


def with_words(path: Path) -> None:
    words = path.with_name("s.srt")
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nhello\n\n2\n00:00:01,200 --> 00:00:02,000\nhello\n")
    ffmpeg(
        *(*picture_source(seconds=3), *tone(3), "-i", words, "-map", 0, "-map", 1, "-map", 2),
        *(*GOP, "-c:a", "aac", path),
    )


def streamed(path: Path, *options: str) -> None:
    """Through a pipe, so that FFmpeg cannot go back to fill in sizes."""
    source = [str(part) for part in picture_source(seconds=7)]
    with open(path, "wb") as file:
        subprocess.run(
            [FFMPEG, "-v", "error", *source, *GOP, *options, "-f", "matroska", "pipe:1"],
            stdout=file, stdin=subprocess.DEVNULL, check=True, timeout=60,
        )  # fmt: skip


@pytest.mark.parametrize(
    "kind", ["plain", "clusters", "no checksums", "webm", "words", "pipe", "live", "index first"]
)
def test_the_structure_of_a_whole_file_reaches_every_block_and_its_end(tmp_path: Path, kind: str) -> None:
    """A failure means that ordinary files are refused."""
    path = tmp_path / ("a.webm" if kind == "webm" else "a.mkv")
    if kind == "words":
        with_words(path)
    elif kind in ("pipe", "live"):
        streamed(path, *(("-live", "1") if kind == "live" else ()))
    else:
        options = {
            "clusters": ("-cluster_size_limit", "3000", *GOP),
            "no checksums": (*NO_SUMS, *GOP),
            "webm": ("-c:v", "libvpx"),
            "index first": ("-reserve_index_space", "5000", *GOP),
        }
        clip(path, *options.get(kind, GOP), seconds=6)
    walk = MatroskaWalk(path)
    assert all(walk.reaches(block) for block in blocks(path))
    assert walk.reaches_end()
    walk.close()
    walk.close()


def read(path: Path, limit: int = 0) -> tuple[int, int, str]:
    with VideoReader(path, limit) as reader:
        return sum(1 for _ in reader), reader.replaced_frames, " ".join(reader.notes)


def spoil(path: Path, place: int, new: bytes) -> Path:
    data = bytearray(path.read_bytes())
    data[place : place + len(new)] = new
    spoilt = path.with_name("spoilt.mkv")
    spoilt.write_bytes(data)
    return spoilt


def test_frames_that_ffmpeg_skips_with_a_damaged_head_are_missed(tmp_path: Path) -> None:
    """FFmpeg looks for the next cluster and goes on there; its key frame decodes without complaint."""
    path = clip(tmp_path / "a.mkv", *HEVC, *NO_SUMS, seconds=2)
    spoilt = spoil(path, blocks(path)[13] - 3, b"\0\0\0")
    with av.open(str(spoilt)) as container:
        assert sum(1 for _ in container.decode(video=0)) < 50
    with pytest.raises(DecodeError, match=r"structure or a checksum .* at 0:00\.\d\d, after 1\d frames"):
        read(spoilt)
    count, _, notes = read(spoilt, 1000)
    assert 40 < count < 50
    assert re.search(r"damaged before 0:00\.[89]\d; frames may be damaged or missing there", notes)


def test_the_same_in_the_last_cluster_is_an_early_end(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", *HEVC, *NO_SUMS, seconds=2)
    spoilt = spoil(path, blocks(path)[47] - 3, b"\0\0\0")
    for limit in (0, 1000):
        with pytest.raises(DecodeError, match=r"ends too early at 0:01\.8\d"):
            read(spoilt, limit)


def test_a_checksum_tells_damage_that_the_decoder_cannot_see(tmp_path: Path) -> None:
    """HEVC decodes nearly any rubbish into a picture."""
    path = clip(tmp_path / "a.mkv", *HEVC, *SUMS, "-b:v", "1M", seconds=2, size="192x128")
    assert read(path)[:2] == read(path, 1000)[:2] == (50, 0)
    spoilt = spoil(path, blocks(path)[24] + 200, random.Random(1).randbytes(16))
    with pytest.raises(DecodeError, match=r"A frame is damaged at 0:00\.80, after 2\d frames"):
        read(spoilt)
    count, replaced, _ = read(spoilt, 1000)
    assert (count, replaced) == (50, 10)  # all of its cluster


def test_where_the_decoder_sees_the_damage_its_word_is_taken_for_the_place(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", *GOP, *SUMS, "-b:v", "1M", seconds=2, size="192x128")
    spoilt = spoil(path, blocks(path)[15] + 200, random.Random(1).randbytes(300))
    with pytest.raises(DecodeError, match=r"at 0:00\.[56]\d, after 1[4-9] frames"):
        read(spoilt)
    count, replaced, notes = read(spoilt, 1000)
    assert count == 50
    assert 1 <= replaced <= 10
    assert "could not be decoded and are black" in notes
    assert "The file is damaged before 0:00" in notes


def test_a_recording_without_sizes_that_was_cut_off_ends_too_early(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    streamed(path, "-live", "1")
    assert read(path)[0] == 175
    path.write_bytes(path.read_bytes()[: blocks(path)[100] + 20])
    with pytest.raises(DecodeError):
        read(path)
