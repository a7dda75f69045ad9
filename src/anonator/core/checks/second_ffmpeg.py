"""A second FFmpeg, from imageio-ffmpeg, plays the finished file to its end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import imageio_ffmpeg

from anonator.core.checks.file_checks import Check, unreadable
from anonator.core.privacy import without_path
from anonator.errors import VerificationError

STALLED_SECONDS = 60.0
"""The second FFmpeg is given up after playing nothing for this long."""
HELD_SECONDS = 10.0
"""How long a player's last words are waited for after its end: whoever inherited its pipe holds that open."""
CANNOT_START = (
    "The second FFmpeg, which checks finished files, is missing or cannot be started. Install Anonator "
    "again, and check that no antivirus program holds it back."
)
if sys.platform == "win32":
    NO_CONSOLE = subprocess.CREATE_NO_WINDOW
else:
    NO_CONSOLE = 0


class Playback:
    """A second FFmpeg, not the one that wrote the file, plays it to the end in its own process.

    A context manager; left early it ends the process.
    """

    def __init__(self, path: Path) -> None:
        """Start playing.

        Raises:
            VerificationError: the second FFmpeg cannot be started, or the file cannot be opened.
        """
        self.frames = 0
        """Frames played so far."""
        self._decodes = True
        self._seen = time.monotonic()
        command = [
            second_ffmpeg(), "-hide_banner", "-nostats", "-v", "error", "-xerror",
            "-protocol_whitelist", "pipe", "-f", "mp4", "-i", "pipe:0",
            "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "null",
            "-progress", "pipe:1", "-stats_period", "0.2", "-",
        ]  # fmt: skip
        try:
            file = open(path, "rb")  # noqa: SIM115 - closed below
        except OSError as exc:
            raise unreadable() from without_path(exc)
        # through a pipe: no name reaches the list of processes, and none can be too long for it
        with file:
            try:
                self._process = subprocess.Popen(
                    command,
                    stdin=file,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    encoding="utf-8",
                    errors="replace",
                    creationflags=NO_CONSOLE,
                )
            except OSError as exc:
                raise VerificationError(CANNOT_START) from without_path(exc)
        self._reader = threading.Thread(target=self._read, name="anonator-playback", daemon=True)
        self._reader.start()

    def __enter__(self) -> Playback:
        return self

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join(HELD_SECONDS)

    def finish(self, frames: int, tick: Callable[[], None]) -> Check:
        """Wait for the end.

        Args:
            frames: that it must have played.
            tick: called repeatedly meanwhile; may raise to end it.

        Raises:
            VerificationError: it could not be played to the end, or other frames were seen; or the player
                itself does not run.
        """
        while self._reader.is_alive():
            self._reader.join(0.05)
            tick()
            # a paused job returns from tick much later; the player has kept running meanwhile
            if self._reader.is_alive() and time.monotonic() - self._seen > STALLED_SECONDS:
                raise VerificationError(
                    "A second program could not play the finished file in reasonable time, so it was "
                    "deleted. Check the disk or network drive, and run the job again."
                )
        status = self._process.wait()
        if not self.frames:
            second_ffmpeg_version()  # a program that cannot even tell this says nothing about the file
        if status != 0 or not self._decodes or self.frames != frames:
            raise VerificationError(
                f"A second program could not play the finished file to its end ({self.frames:,} of "
                f"{frames:,} frames), so it was deleted. Check the disk and run the job again."
            )
        return Check(
            "playback", f"A second program ({second_ffmpeg_version()}) played all {frames:,} frames."
        )

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                key, _, value = line.strip().partition("=")
                if key == "frame" and value.strip().isdigit():
                    played = int(value)
                    if played > self.frames:
                        self.frames, self._seen = played, time.monotonic()
                elif line.startswith("[h264"):  # a damaged picture, which it may have patched up with a guess
                    self._decodes = False


def second_ffmpeg() -> str:
    """The executable of the FFmpeg that comes with imageio-ffmpeg.

    Raises:
        VerificationError: it is not there.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as exc:
        raise VerificationError(CANNOT_START) from exc


def second_ffmpeg_version() -> str:
    """Such as "FFmpeg 7.0.2".

    Raises:
        VerificationError: it is not there, or does not run.
    """
    second_ffmpeg()
    try:
        return f"FFmpeg {imageio_ffmpeg.get_ffmpeg_version().split('-')[0]}"
    except (OSError, subprocess.SubprocessError) as exc:
        raise VerificationError(CANNOT_START) from without_path(exc)
