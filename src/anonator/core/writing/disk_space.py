"""Disk space: a job that cannot fit is refused, and a running one stops before the disk is full."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

from anonator.core.reading.info import VideoInfo
from anonator.core.windows_files import reachable
from anonator.errors import DiskFullError, OutputError

RESERVE_BYTES = 256 * 1024 * 1024
"""Left free for the system and other programs, which may lose data on a full disk."""
RESERVE_SHARE = 0.02
"""Of the whole disk; smaller ones keep this part of themselves free."""
WATCH_SECONDS = 2.0
"""Between two looks; an encoder writes some ten megabytes in that time, far less than the reserve."""

# Bits per pixel of real outputs at CRF 17: 0.10 to 0.29 with the slowest preset in use, 0.28 to 0.94 with
# the fastest, and half as much every six steps of CRF (measured on four videos, moving and still).
_EXPECTED_BITS, _LEAST_BITS, _MEASURED_CRF = 0.25, 0.02, 17
# The same outputs had 0.5 to 5 times the size of their inputs; a still picture has few bytes both times.
_EXPECTED_GROWTH, _LEAST_GROWTH = 4.0, 0.25
_WAY_OUT = "Free space, or choose an output folder on another disk, and try again."


def expected_bytes(info: VideoInfo, file_bytes: int, crf: int = _MEASURED_CRF) -> tuple[int, int]:
    """What the result will take: (at the least, probably), in bytes.

    Args:
        info: of the input.
        file_bytes: size of the input.
        crf: quality of the output.
    """
    quality = 2 ** ((_MEASURED_CRF - crf) / 6)
    least, probably = file_bytes * _LEAST_GROWTH, file_bytes * _EXPECTED_GROWTH
    frames = info.header_frames or float((info.duration_seconds or 0) * info.average_rate)
    if frames:
        bits = frames * info.width * info.height / 8
        least, probably = min(least, bits * _LEAST_BITS), min(probably, bits * _EXPECTED_BITS)
    else:
        # nothing is known of the length: a mastering format may shrink to a twentieth
        least, probably = least / 5, probably / 4
    return round(least * min(quality, 1)), round(probably * quality)


def require_room(folder: Path, info: VideoInfo, file_bytes: int, crf: int = _MEASURED_CRF) -> None:
    """Refuse a job whose result cannot fit; judged by a low estimate, so that none is refused that would fit.

    Args:
        folder: of the result.
        info: of the input.
        file_bytes: size of the input.
        crf: quality of the output.

    Raises:
        OutputError: about how much is needed and how much is free.
        DiskFullError: the same, where there is no room for any video.
    """
    room = _free_and_reserve(folder)
    if room is None:
        return
    free, reserve = room
    least, probably = expected_bytes(info, file_bytes, crf)
    if free - reserve < least:
        needed = max(least, probably, 1_000_000) + reserve
        # other videos may be smaller; on a disk that is full, none is small enough
        kind = DiskFullError if free <= reserve else OutputError
        raise kind(
            f"There is not enough space for the result: it needs about {_words(needed)}, and "
            f"{_words(free)} is free. "
            f"{_WAY_OUT}"
        )


class SpaceWatch:
    """Looks at the disk from time to time while a job writes."""

    def __init__(self, folder: Path) -> None:
        """Watch the disk that holds a folder; nothing is looked at yet."""
        self._folder = folder
        self._next = 0.0

    def check(self) -> None:
        """Stop the job while there is still a little space; cheap enough to be called for every frame.

        Raises:
            DiskFullError: the disk is nearly full.
        """
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + WATCH_SECONDS
        room = _free_and_reserve(self._folder)
        if room is not None and room[0] < room[1]:
            raise DiskFullError(
                f"The disk is nearly full ({_words(room[0])} free), so the job was stopped. {_WAY_OUT}"
            )


def _free_and_reserve(folder: Path) -> tuple[int, int] | None:
    """Bytes that are free and those that must stay so, or None if the drive does not say."""
    try:
        usage = shutil.disk_usage(reachable(folder))
    except OSError:  # the writer finds out whether the folder can be written to
        return None
    if not usage.total:  # some network drives don't report a size
        return None
    return usage.free, round(min(RESERVE_BYTES, usage.total * RESERVE_SHARE))


def _words(number: float) -> str:
    """A size in words."""
    return f"{number / 1e9:.1f} GB" if number >= 1e9 else f"{number / 1e6:.0f} MB"
