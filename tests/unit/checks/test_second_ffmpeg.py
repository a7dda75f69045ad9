"""The second FFmpeg must find what the first one would pass over, and never hold a job up for ever."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from patience import Stopwatch
from video_helpers import GOP, clip
from wine import skip_under_wine

from anonator.core.checks import second_ffmpeg as playback
from anonator.core.checks.second_ffmpeg import Playback, second_ffmpeg_version
from anonator.core.config import Settings
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.errors import JobCancelled, VerificationError


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "out.mp4"
    return clip(path, *GOP, "-movflags", "+faststart", size="160x120", seconds=2)


def nothing() -> None:
    pass


def test_a_whole_file_is_played_to_its_end(video: Path) -> None:
    with Playback(video) as played:
        check = played.finish(50, nothing)
    assert played.frames == 50
    assert "all 50 frames" in check.sentence and "FFmpeg" in check.sentence


@pytest.mark.parametrize("frames", [49, 51])
def test_another_number_of_frames_is_refused(video: Path, frames: int) -> None:
    with Playback(video) as played, pytest.raises(VerificationError, match=f"50 of {frames} frames"):
        played.finish(frames, nothing)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_a_file_without_its_end_is_refused(video: Path, tmp_path: Path, kept: float) -> None:
    cut = tmp_path / "cut.mp4"
    content = video.read_bytes()
    cut.write_bytes(content[: int(len(content) * kept)])
    with Playback(cut) as played, pytest.raises(VerificationError, match="could not play"):
        played.finish(50, nothing)


def test_a_damaged_picture_is_refused(video: Path, tmp_path: Path) -> None:
    """A failure means that pictures which the player has to guess would be handed out."""
    content = bytearray(video.read_bytes())
    middle = (content.index(b"mdat") + len(content)) // 2
    content[middle : middle + 400] = bytes(400)
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    with Playback(damaged) as played, pytest.raises(VerificationError, match="could not play"):
        played.finish(50, nothing)


@skip_under_wine("a process that is killed while it starts sometimes goes on")
def test_a_cancelled_job_does_not_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Stopwatch()
    with pytest.raises(JobCancelled), waiting(tmp_path, monkeypatch) as played:

        def cancel() -> None:
            raise JobCancelled("cancelled")

        played.finish(50, cancel)
    assert watch.seconds < 5
    assert played._process.poll() is not None, "the process was left running"


def test_a_player_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playback, "STALLED_SECONDS", 0.3)
    with (
        waiting(tmp_path, monkeypatch) as played,
        pytest.raises(VerificationError, match="reasonable time"),
    ):
        played.finish(50, nothing)
    assert played._process.poll() is not None


def test_without_a_second_ffmpeg_nothing_is_verified(monkeypatch: pytest.MonkeyPatch, video: Path) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(video.with_name("no-such-program")))
    for call in (lambda: Playback(video), second_ffmpeg_version):
        with pytest.raises(VerificationError, match=r"second FFmpeg.* is missing or cannot be started"):
            call()
    assert not [t for t in threading.enumerate() if t.name == "anonator-playback"]


def test_a_second_ffmpeg_that_is_no_program_is_told_as_itself(
    monkeypatch: pytest.MonkeyPatch, video: Path, tmp_path: Path
) -> None:
    """An antivirus program may leave an empty file, and a copy may be cut off; the video is not to blame."""
    broken = tmp_path / "ffmpeg.exe"
    broken.write_bytes(b"MZ no program")
    broken.chmod(0o700)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(broken))
    with pytest.raises(VerificationError, match="second FFmpeg"):
        Playback(video)


def test_a_second_ffmpeg_that_ends_at_once_is_told_as_itself(
    monkeypatch: pytest.MonkeyPatch, video: Path
) -> None:
    """As a program whose DLLs are missing: it starts, ends with an error, and has played nothing."""
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", sys.executable)  # knows none of the options, nor -version
    with Playback(video) as played, pytest.raises(VerificationError, match="second FFmpeg"):
        played.finish(50, nothing)


def test_a_file_that_cannot_be_opened_is_not_blamed_on_the_player(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="finished file") as caught:
        Playback(tmp_path / "Miller.mp4")
    assert "Miller" not in str(caught.value.__cause__)


def test_a_job_does_not_begin_without_a_second_ffmpeg_that_runs(
    monkeypatch: pytest.MonkeyPatch, video: Path, tmp_path: Path
) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", sys.executable)
    job = Job(tmp_path / "not looked at.mp4", tmp_path / "out.mp4", Settings())
    with pytest.raises(VerificationError, match="second FFmpeg"):
        VideoProcessor(job).run()


def waiting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Playback:
    """A second FFmpeg that says nothing and never ends."""
    start = subprocess.Popen

    def sleeper(_command: list[str], **options: Any) -> subprocess.Popen[str]:
        return start([sys.executable, "-c", "import time; time.sleep(600)"], **options)

    monkeypatch.setattr(playback.subprocess, "Popen", sleeper)
    (tmp_path / "any").write_bytes(b"x")
    return Playback(tmp_path / "any")
