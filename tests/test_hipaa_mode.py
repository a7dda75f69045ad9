"""HIPAA mode: the lock in the engine, and a finished file that holds one video stream and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from conftest import FaceClip, decode_rgb, moving_face

from anonator.core.config import Mode, Performance, Settings
from anonator.core.processor import DetectorCache, Job, VideoProcessor
from anonator.errors import HipaaLockError

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
TELLING = "Mrs-Miller-1971"
"""Stands in every tag, chapter, subtitle and file of the input, and must be nowhere in the output."""


@pytest.fixture(scope="module")
def detectors():  # type: ignore[no-untyped-def]
    cache = DetectorCache()
    yield cache
    cache.close()


@pytest.fixture(scope="module", params=["mp4", "mkv"])
def telling_clip(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, astronaut) -> Path:  # type: ignore[no-untyped-def]
    """A clip with sound, subtitles, chapter, tags, creation time and (MKV) attachment that tell a name."""
    folder = tmp_path_factory.mktemp("telling")
    plain = moving_face(folder / "plain.mp4", astronaut, frames=10).path
    (folder / "words.srt").write_text(f"1\n00:00:00,000 --> 00:00:00,300\n{TELLING}\n")
    (folder / "tags.txt").write_text(
        f";FFMETADATA1\ntitle={TELLING}\nartist={TELLING}\ncomment={TELLING}\nlocation=+48.2+016.3/\n"
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle={TELLING}\n"
    )
    (folder / "note.txt").write_text(TELLING)
    path = folder / f"telling.{request.param}"
    subtitles = "mov_text" if request.param == "mp4" else "srt"
    attach = (
        ["-attach", folder / "note.txt", "-metadata:s:t", "mimetype=text/plain"]
        if request.param == "mkv"
        else []
    )
    command = [
        FFMPEG, "-v", "error", "-i", plain, "-f", "lavfi", "-i", "sine=f=440:d=0.4",
        "-i", folder / "words.srt", "-i", folder / "tags.txt",
        "-map", "0:v", "-map", "1:a", "-map", "2:s", "-map_metadata", "3",
        "-map_chapters", "3", "-metadata:s:v", f"title={TELLING}",
        "-metadata", "creation_time=1999-12-31T23:59:59Z",
        "-c:v", "copy", "-c:a", "aac", "-c:s", subtitles, *attach, path,
    ]  # fmt: skip
    subprocess.run([str(part) for part in command], check=True)
    return path


def described(path: Path) -> str:
    """What an FFmpeg that the program does not use says of a file."""
    run = subprocess.run(
        [FFMPEG, "-hide_banner", "-i", str(path)], capture_output=True, text=True, check=False
    )
    return run.stderr


def test_nothing_but_the_pictures_survives(
    tmp_path: Path, telling_clip: Path, detectors: DetectorCache
) -> None:
    """A failure means that a finished file tells a name, a place or a time."""
    before = described(telling_clip)
    assert TELLING in before and "Audio" in before and "Subtitle" in before and "Chapter" in before
    target = tmp_path / "out.mp4"
    result = VideoProcessor(Job(telling_clip, target, Settings()), detectors=detectors).run()
    assert result.audio == "removed"
    after = described(target)
    assert after.count("Stream #") == 1 and "Video: h264" in after
    for word in (
        TELLING,
        "Audio",
        "Subtitle",
        "Chapter",
        "creation_time",
        "encoder",
        "location",
        "rotat",
        "Data",
    ):
        assert word not in after.replace(str(target), ""), word
    content = target.read_bytes()
    for word in (TELLING, "Lavf", "Lavc", "x264", "1999", "udta", "telling", "plain"):
        assert word.encode() not in content, word
    # creation and modification time of movie, track and media are zero
    for box in (b"mvhd", b"tkhd", b"mdhd"):
        at = content.index(box)
        assert content[at + 4] in (0, 1)
        assert content[at + 8 : at + 16] == bytes(8), box


@pytest.mark.parametrize(
    "change",
    [
        {"mode": Mode.BLUR},
        {"mask_scale": 1.0},
        {"keep_audio": True},
        {"multi_pass": False},
        {"threshold": 0.9},
        {"performance": Performance.MAXIMUM},
    ],
    ids=str,
)
def test_the_engine_refuses_a_job_that_only_says_hipaa(
    tmp_path: Path, face_clip: FaceClip, change: dict[str, object]
) -> None:
    with pytest.raises(HipaaLockError):
        VideoProcessor(Job(face_clip.path, tmp_path / "out.mp4", Settings(**change)))  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("quarter_turns", [1, 2, 3])
def test_a_face_lying_down_is_covered_in_every_frame(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache, quarter_turns: int
) -> None:
    """Patients lie down; an upright detector alone finds a fifth of them."""
    lying = astronaut.copy()
    # what moving_face cuts out: 280 pixels square, with the face at 80, 40 to 190, 190
    lying[20:300, 90:370] = np.rot90(astronaut[20:300, 90:370], quarter_turns)
    x1, y1, x2, y2 = 80, 40, 190, 190
    for _ in range(quarter_turns):
        x1, y1, x2, y2 = y1, 280 - x2, y2, 280 - x1
    clip = moving_face(tmp_path / "lying.mp4", lying, frames=8, size=(640, 400), speed=3)
    target = tmp_path / "out.mp4"
    settings = Settings(performance=Performance.BALANCED)
    VideoProcessor(Job(clip.path, target, settings), detectors=detectors).run()
    for i, picture in enumerate(decode_rgb(target)):
        face = picture[40 + y1 + 15 : 40 + y2 - 15, 20 + i * 3 + x1 + 15 : 20 + i * 3 + x2 - 15]
        assert face.max() < 40, f"frame {i}"
