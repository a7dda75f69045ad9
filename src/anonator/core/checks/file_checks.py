"""Checks of the finished file, made before it gets its name: its frames and its contents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av

from anonator.core.config import Settings
from anonator.core.reading.info import VideoInfo
from anonator.core.writing import mp4_finish as mp4_file
from anonator.core.writing.writer import VideoWriter
from anonator.errors import VerificationError

SAID_BY_EVERY_MP4 = {
    "major_brand", "minor_version", "compatible_brands", "language", "handler_name", "vendor_id",
}  # fmt: skip
"""Tags of the format itself that FFmpeg reports."""
ONE_VIDEO = {
    b"moov", b"mvhd", b"trak", b"tkhd", b"edts", b"mdia", b"mdhd", b"hdlr", b"minf", b"vmhd", b"dinf",
    b"stbl", b"stsd", b"stts", b"stss", b"ctts", b"stsc", b"stsz", b"stco", b"co64", b"sdtp",
    b"sgpd", b"sbgp",
}  # fmt: skip
"""What the header of a file with one video track and nothing else may contain."""
AROUND = {b"ftyp", b"moov", b"mdat", b"free"}
"""What may appear outside the header."""


@dataclass(frozen=True, slots=True)
class Check:
    """A check that the finished file has passed, or one that it didn't need."""

    name: str
    """For the report."""
    sentence: str
    """What was checked, for people; or why it wasn't."""
    was_needed: bool = True
    """Whether it was done at all."""


def examine_file(
    writer: VideoWriter, info: VideoInfo, settings: Settings, decoded: int, masked: int
) -> Iterator[Check]:
    """All checks of this module, one after the other.

    Args:
        writer: closed, not yet published.
        info: of the input.
        settings: of the job; HIPAA allows nothing but one video in the file.
        decoded: frames that came out of the decoder.
        masked: frames that went through the anonymizer.

    Raises:
        VerificationError: saying what is wrong.
    """
    yield verify_frames(writer, info.time_base, decoded=decoded, masked=masked)
    yield verify_contents(writer.temporary_path, info, only_video=settings.hipaa)


def verify_frames(writer: VideoWriter, time_base: Fraction, *, decoded: int, masked: int) -> Check:
    """Read the closed file again: it has every frame that was decoded, each at its time, and no others.

    Args:
        writer: closed, not yet published.
        time_base: of the writer's times.
        decoded: frames that came out of the decoder.
        masked: frames that went through the anonymizer.

    Raises:
        VerificationError: saying what differs.
    """
    try:
        with av.open(writer.temporary_path, format="mp4") as container:
            stream = container.streams.video[0]
            tick = Fraction(stream.time_base or 1)
            times = sorted(
                packet.pts * tick
                for packet in container.demux(stream)
                if packet.size and packet.pts is not None
            )
    except (av.FFmpegError, OSError, IndexError) as exc:
        raise unreadable() from exc
    counts = {
        "decoded": decoded,
        "masked": masked,
        "encoded": writer.frames_written,
        "in the file": len(times),
    }
    if len(set(counts.values())) != 1:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        raise VerificationError(
            f"The finished file does not have the frames it should have ({told}), so it was deleted. "
            "Run the job again, and report it if it happens twice."
        )
    for wanted, found in zip(writer.pts, times, strict=True):
        # the container may have a coarser clock than the input
        if abs(wanted * time_base - found) > tick:
            raise VerificationError(
                f"The frame at {float(wanted * time_base):.3f} s is at {float(found):.3f} s in the "
                "finished file, so it was deleted. Please report this."
            )
    return Check(
        "frames", f"All {decoded:,} frames of the input are in the finished file, each at the right time."
    )


def verify_contents(path: Path, info: VideoInfo, *, only_video: bool) -> Check:
    """Look into the closed file: at the picture's size, and for HIPAA that it has nothing but one video.

    Args:
        path: the file.
        info: of the input.
        only_video: whether one video track without any tag is all that it may hold.

    Raises:
        VerificationError: saying what is wrong.
    """
    try:
        with av.open(path, format="mp4") as container:
            kinds = sorted(stream.type for stream in container.streams)
            stream = container.streams.video[0]
            size = stream.codec_context.width, stream.codec_context.height
            said = {*container.metadata, *(key for s in container.streams for key in s.metadata)}
            chapters = len(container.chapters())
            turned = next(container.decode(stream)).rotation
        if only_video:
            _require_bare_header(path)
    except (av.FFmpegError, OSError, IndexError, StopIteration, ValueError) as exc:
        raise unreadable() from exc
    wrong = ""
    if abs(size[0] - info.width) > 1 or abs(size[1] - info.height) > 1 or turned:
        wrong = f"pictures of {size[0]} x {size[1]} instead of {info.width} x {info.height}"
    elif kinds.count("video") != 1 or set(kinds) - {"video", "audio"}:
        wrong = f"the streams {', '.join(kinds)}"
    elif only_video and (len(kinds) > 1 or chapters or said - SAID_BY_EVERY_MP4):
        wrong = "sound, chapters or tags"
    if wrong:
        raise _foreign(wrong)
    if only_video:
        return Check(
            "contents",
            "It contains one video and nothing else: no sound, subtitles, tags, chapters, attachments, "
            "places or dates.",
        )
    return Check("contents", "It contains one video" + (" and its sound." if len(kinds) > 1 else "."))


def _require_bare_header(path: Path) -> None:
    """Go through every box of the header and refuse whatever isn't known to be harmless."""
    with open(path, "rb") as file:
        outer = list(mp4_file.top_level(file))
        kinds = [kind for kind, _, _ in outer]
        if set(kinds) - AROUND or kinds.count(b"moov") != 1:
            raise _foreign("unexpected parts")
        _, start, end = outer[kinds.index(b"moov")]
        file.seek(start)
        header = file.read(end - start)
    for kind, begin, _ in mp4_file.inside(header, 0, len(header)):
        if kind not in ONE_VIDEO:
            raise _foreign("unexpected parts in its header")
        if kind in (b"mvhd", b"tkhd", b"mdhd"):
            width = 8 if header[begin] == 1 else 4
            # times of creation and of modification
            if any(header[begin + 4 : begin + 4 + 2 * width]):
                raise _foreign("a date")


def unreadable() -> VerificationError:
    """The error for a finished file that cannot even be opened."""
    return VerificationError(
        "The finished file cannot be read, so it was deleted. Check the disk and run the job again."
    )


def _foreign(what: str) -> VerificationError:
    return VerificationError(
        f"The finished file contains {what}, which it must not, so it was deleted. Please report this."
    )
