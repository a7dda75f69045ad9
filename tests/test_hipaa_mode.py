"""HIPAA mode: the lock in the engine, and a finished file that holds one video stream and nothing else."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from face_clips import FaceClip, decode_rgb, moving_face
from PIL import Image
from pymediainfo import MediaInfo

from anonator.core.config import Mode, Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.errors import HipaaLockError

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
TELLING = "Mrs-Miller-1971"
"""Stands in every tag, chapter, subtitle and file of the input, and must be nowhere in the output."""


def telling_clip(kind: str, folder: Path, astronaut: np.ndarray) -> Path:
    """A clip whose container tells a name, a place and a time wherever it can."""
    plain = moving_face(folder / "plain.mp4", astronaut, frames=10, half=True).path
    (folder / "words.srt").write_text(f"1\n00:00:00,000 --> 00:00:00,300\n{TELLING}\n")
    (folder / "tags.txt").write_text(
        f";FFMETADATA1\ntitle={TELLING}\nartist={TELLING}\ncomment={TELLING}\nlocation=+48.2+016.3/\n"
        f"com.apple.quicktime.location.ISO6709=+48.2082+016.3738+171.000/\n"
        f"com.apple.quicktime.author={TELLING}\n"
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle={TELLING}\n"
    )
    (folder / "note.txt").write_text(TELLING)
    Image.fromarray(astronaut[:64, :64]).save(folder / "cover.png")
    path = folder / f"telling.{kind}"
    inputs: list[object] = ["-i", plain, "-f", "lavfi", "-i", "sine=f=440:d=0.4", "-i", folder / "words.srt",
                            "-i", folder / "tags.txt", "-i", folder / "cover.png"]  # fmt: skip
    tags = ["-map_metadata", "3", "-map_chapters", "3", "-metadata:s:v:0", f"title={TELLING}",
            "-metadata", "creation_time=1999-12-31T23:59:59Z"]  # fmt: skip
    streams = ["-map", "0:v", "-map", "1:a"]
    text, cover = ["-map", "2:s"], ["-map", "4:v", "-disposition:v:1", "attached_pic"]
    options = {
        "mp4": [*streams, *text, *cover, *tags, "-c:v", "copy", "-c:a", "aac", "-c:s", "mov_text"],
        # what an iPhone writes: moov/meta with mdta keys; and what action cameras add: a time code track
        "mov": [*streams, *text, *tags, "-c:v", "copy", "-c:a", "aac", "-c:s", "mov_text",
                "-movflags", "use_metadata_tags", "-timecode", "10:00:00:00"],
        "mkv": [*streams, *text, *tags, "-c:v", "copy", "-c:a", "aac", "-c:s", "srt",
                "-attach", folder / "note.txt", "-metadata:s:t", "mimetype=text/plain"],
        "avi": [*streams, *tags, "-c:v", "mpeg4", "-q:v", "2", "-r", "25", "-c:a", "mp3"],
        "webm": [*streams, *text, *tags, "-c:v", "libvpx-vp9", "-cpu-used", "8", "-deadline", "realtime",
                 "-c:a", "libopus", "-c:s", "webvtt"],
        # telemetry: packets of position data beside the pictures
        "ts": ["-f", "data", "-i", folder / "note.txt", *streams, *tags, "-map", "5:d",
               "-metadata", f"service_name={TELLING}", "-c:v", "copy", "-c:a", "aac", "-c:d", "copy"],
    }[kind]  # fmt: skip
    command = [FFMPEG, "-v", "error", "-y", *inputs, *options, path]
    subprocess.run([str(part) for part in command], check=True)
    return path


HARMLESS = re.compile("^(file_|other_file_|complete_name|folder_name|format|codec|internet|commercial)")
"""Fields in which MediaInfo tells of the file's own name and of the formats."""
NEVER = re.compile(
    "title|movie|performer|artist|author|comment|description|location|recorded|encoded|tagged|date|"
    "writing|library|cover|chapter|menu|copyright|make|model|service"
)
"""Fields that would tell something."""


def said(path: Path) -> tuple[list[str], dict[str, str]]:
    """Kinds of tracks in a file, and every field of them, as MediaInfo reads it."""
    tracks = MediaInfo.parse(str(path)).tracks
    fields = {
        f"{track.track_type}.{key}": str(value)
        for track in tracks
        for key, value in track.to_data().items()
        if value and not HARMLESS.match(key)
    }
    return [track.track_type for track in tracks], fields


@pytest.mark.parametrize(
    "kind",
    ["mp4", "mkv", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("mov", "avi", "webm", "ts"))],
)
def test_nothing_but_the_pictures_survives(
    tmp_path: Path, detectors: DetectorCache, astronaut: np.ndarray, kind: str
) -> None:
    """A failure means that a finished file tells a name, a place or a time."""
    source = telling_clip(kind, tmp_path, astronaut)
    kinds, _ = said(source)
    assert len(kinds) > 2 and "Audio" in kinds
    content = source.read_bytes()
    assert TELLING.encode() in content
    place = {"mp4": b"loci", "mov": b"+48.2"}.get(kind, b"")
    assert place in content, "the input does not tell its place"
    target = tmp_path / "out.mp4"
    result = VideoProcessor(
        Job(source, target, Settings(performance=Performance.BALANCED)), detectors=detectors
    ).run()
    assert result.audio == "removed"
    kinds, after = said(target)
    assert kinds == ["General", "Video"]
    told = {key: value for key, value in after.items() if NEVER.search(key.split(".")[1])}
    assert told == {}
    assert not any(TELLING in value or "48.2" in value for value in after.values())
    content = target.read_bytes()
    for word in (TELLING, "48.2", "Lavf", "Lavc", "x264", "1999", "udta", "telling", "plain", "mdta", "loci"):
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


@pytest.mark.parametrize(
    "quarter_turns", [1, *(pytest.param(turns, marks=pytest.mark.slow) for turns in (2, 3))]
)
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
