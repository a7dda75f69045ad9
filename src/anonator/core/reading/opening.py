"""Opens an untrusted file: regular files only, known containers only, and nothing but that file."""

from __future__ import annotations

import os
import stat
import time
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from anonator.core.file_faults import READING, Fault, fault_of
from anonator.core.privacy import without_path
from anonator.core.reading import containers, recognition
from anonator.core.reading.av_types import Container
from anonator.core.reading.late_streams import FORMATS, LateStreams
from anonator.core.reading.length import (
    hides_another_video,
    only_data_runs_over,
    promised_bytes,
)
from anonator.core.reading.matroska import MatroskaWalk
from anonator.core.reading.protection import is_encrypted
from anonator.core.reading.transport_stream import (
    BUFFER,
    SCRAMBLED,
    Part,
    TransportStream,
    open_transport_stream,
)
from anonator.core.windows_files import reachable, told_by_windows
from anonator.errors import AnonatorError, InputError

MAX_PIXELS = 32 * 1024 * 1024
"""Largest picture that is decoded: 8K (7680 x 4320) fits, a decompression bomb does not."""
ENCRYPTED = (
    "The video is encrypted (protected against copying), so no picture in it can be seen. "
    "Export it without protection from the program that it came from, and choose that file."
)
GROWING = (
    "The file has changed since it was opened: it is still being written. "
    "Wait until the recording or the copy is finished, then start again."
)
JUST_WRITTEN = 60
"""Seconds since the last change within which a recording or copy may still be in progress."""
HIDDEN_VIDEO = (
    "Another video follows in the same file, as when files are joined by simple copying; players do not "
    "show it, and it is not in the result."
)
MAX_STREAMS = 64
"""Most tracks that a file may have; FFmpeg silently ignores any others."""


@dataclass(frozen=True, slots=True)
class OpenedVideo:
    """An open container and the stream in it that is the video."""

    container: Container
    stream: VideoStream
    file_id: tuple[int, int]
    """(device, inode): tells whether another path is the same file."""
    file_size: int
    """Bytes."""
    promised_size: int | None
    """Bytes that the container's outer structure says there are, or None."""
    other_videos: int
    """Further video streams, cover art not counted."""
    structure: MatroskaWalk | None
    """Follows the packets of a Matroska file; to be closed."""
    notes: list[str]
    """Sentences about the file that arise while it is read."""

    data_runs_over: bool
    """Only the last box of data of an MP4 file says more than is there; its samples may all be."""
    path: Path
    """As it was opened."""
    changed_at: int
    """Nanoseconds: when the file was last written to, at opening."""

    @property
    def time_base(self) -> Fraction:
        """Seconds per unit of the video's times; open_video refuses a stream without one."""
        return Fraction(self.stream.time_base or 1)

    def lacks_samples(self) -> bool:
        """Whether samples are beyond the file's end, as far as the table of contents has been read."""
        return self.data_runs_over and _end_of_samples(self.container) > self.file_size

    def has_grown(self) -> bool:
        """Whether the file is longer now than at opening."""
        return (status := _status(self.path)) is not None and status.st_size > self.file_size

    def is_being_written(self) -> bool:
        """Whether something has been written to the file since, other than its being cut short."""
        status = _status(self.path)
        return status is not None and (
            status.st_size > self.file_size
            or (status.st_size == self.file_size and status.st_mtime_ns > self.changed_at)
        )

    def why_out_of_reach(self) -> str:
        """A sentence where the file cannot be found any more, as when its drive was pulled out; else ""."""
        try:
            os.stat(self.path)
        except OSError as exc:
            return READING[fault_of(exc, self.path)]
        return ""

    def close(self) -> None:
        """Close everything; safe to call twice."""
        self.container.close()
        if self.structure is not None:
            self.structure.close()


def as_file_url(path: Path) -> str:
    """The path in the only form that FFmpeg always takes for a plain file, whatever its characters."""
    return "file:" + os.path.abspath(path)


def _regular_file(path: Path) -> os.stat_result:
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise InputError("This is a folder, not a video. Choose a video file in it.")
        if not stat.S_ISREG(status.st_mode):
            raise InputError("This is not an ordinary file. Copy the video to a folder and choose it there.")
        with told_by_windows(), open(path, "rb") as file:
            file.read(1)
    except OSError as exc:
        raise InputError(READING[fault_of(exc, path)]) from without_path(exc)
    except ValueError as exc:  # a null character in the name
        raise InputError(READING[Fault.BAD_NAME]) from without_path(exc)
    if status.st_size == 0:
        raise InputError("The file is empty. Copy the video again from its source.")
    return status


def open_container(path: Path) -> tuple[Container, os.stat_result]:
    """Open a file for demuxing, with no access to anything but the file itself.

    Raises:
        InputError: missing, a folder, unreadable, empty, or no video container.
    """
    path = reachable(path)
    status = _regular_file(path)
    try:
        _refuse_by_head(path, status.st_size)
        container = open_transport_stream(path, status.st_size, _open, main_video) or _open_file(path)
    except (av.FFmpegError, OSError, ValueError) as exc:
        raise InputError(_why_not_opened(path, status)) from without_path(exc)
    if isinstance(container, TransportStream) and container.is_scrambled:
        container.close()
        raise InputError(SCRAMBLED)
    if len(container.streams) > MAX_STREAMS:
        container.close()
        raise InputError(
            f"The file has more than {MAX_STREAMS} tracks. Copy the picture and the sound that you need into "
            "a new file first."
        )
    return container, status


def _open_file(path: Path) -> Container:
    container = _open(as_file_url(path), {})
    return LateStreams(path, container) if container.format.name in FORMATS else container


def _refuse_by_head(path: Path, size: int) -> None:
    with open(path, "rb") as file:
        refusal = recognition.refusal(file)
        if refusal is None and is_encrypted(file, size):
            refusal = ENCRYPTED
    if refusal is not None:
        raise InputError(refusal)


def _open(file: str | Part, more: dict[str, str]) -> InputContainer:
    """Open an address or a part of a file, with no access to anything but the file itself."""
    return av.open(
        file,
        mode="r",
        options={"max_pixels": str(MAX_PIXELS)},
        container_options={
            "format_whitelist": containers.DEMUXERS,
            "protocol_whitelist": "file",
            "max_streams": str(MAX_STREAMS + 1),
            **more,
        },
        buffer_size=BUFFER,
        metadata_errors="replace",
    )


def _why_not_opened(path: Path, status: os.stat_result) -> str:
    now = _status(path) or status
    if now.st_size > status.st_size:
        return GROWING
    if not _is_mp4(path):
        return (
            "This is not a video that can be read, or it is damaged. "
            f"Copy it again from its source, or choose another {containers.COMMON} file."
        )
    text = "The video is incomplete: its table of contents is missing, as when a recording or a copy "
    if time.time() - now.st_mtime < JUST_WRITTEN:
        return (
            f"{text}is not finished or was interrupted. If it is still being written, wait until that is "
            "finished; otherwise copy it again from its source."
        )
    return f"{text}was interrupted. Copy it again from its source."


def _is_mp4(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return file.read(12)[4:8] == b"ftyp"
    except OSError:
        return False


def open_video(path: Path) -> OpenedVideo:
    """Open a file and find the video stream in it.

    Raises:
        InputError: as open_container, or no video stream, an unknown codec, a picture that is too large.
    """
    path = reachable(path)
    container, status = open_container(path)
    try:
        stream, others = _video_stream(container)
    except AnonatorError:
        container.close()
        raise
    with open(path, "rb") as file:
        promised = promised_bytes(file, status.st_size)
        runs_over = only_data_runs_over(file, status.st_size)
        joined = hides_another_video(file, status.st_size)

    if runs_over:
        promised = _end_of_samples(container)
    file_id = (status.st_dev, status.st_ino)
    walk = MatroskaWalk(path) if "matroska" in container.format.name else None
    notes = container.notes if isinstance(container, TransportStream) else []
    if joined:
        notes.append(HIDDEN_VIDEO)
    return OpenedVideo(
        container, stream, file_id, status.st_size, promised, others, walk, notes, runs_over,
        path, status.st_mtime_ns,
    )  # fmt: skip


def _end_of_samples(container: Container) -> int:
    """The byte at which the last sample ends, of all tracks."""
    return max((e.pos + e.size for s in container.streams for e in s.index_entries), default=0)


def _status(path: Path) -> os.stat_result | None:
    try:
        return os.stat(path)
    except (OSError, ValueError):
        return None


def _videos(container: Container) -> list[VideoStream]:
    not_video = av.stream.Disposition.attached_pic | av.stream.Disposition.timed_thumbnails
    return [s for s in container.streams.video if not s.disposition & not_video]


def main_video(container: Container) -> VideoStream | None:
    """The stream that players show, or None."""
    videos = _videos(container)
    best = container.streams.best("video")
    return next((video for video in videos if video == best), videos[0] if videos else None)


def _video_stream(container: Container) -> tuple[VideoStream, int]:
    stream = main_video(container)
    if stream is None:
        if container.streams.audio:
            raise InputError("This file has sound but no picture. Choose a video.")
        raise InputError("There is no video in this file. Choose another one.")
    context = stream.codec_context
    if context is None:
        raise InputError("The video's format can't be decoded here. Convert it to MP4 with H.264 first.")
    if not context.width or not context.height or not stream.time_base:
        raise InputError(
            "The pictures are damaged, or larger than the limit of 32 megapixels. "
            "Copy the video again from its source, or scale it down first."
        )
    if context.width * context.height > MAX_PIXELS:
        raise InputError(
            f"The video is {context.width} x {context.height} pixels; the limit is 32 megapixels. "
            "Scale it down first."
        )
    return stream, len(_videos(container)) - 1
