"""Checks of the finished file, made before it gets its name."""

from __future__ import annotations

from fractions import Fraction

import av

from anonator.core.media.writer import VideoWriter
from anonator.errors import VerificationError


def verify_frames(writer: VideoWriter, time_base: Fraction, *, decoded: int, masked: int) -> None:
    """Read the closed file again: every frame that was decoded is there, at its time, and none more.

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
        raise VerificationError(
            "The finished file cannot be read, so it was deleted. Check the disk and run the job again."
        ) from exc
    counts = {
        "decoded": decoded,
        "masked": masked,
        "encoded": writer.frames_written,
        "in the file": len(times),
    }
    if len(set(counts.values())) != 1:
        told = ", ".join(f"{count} {name}" for name, count in counts.items())
        raise VerificationError(
            f"The finished file does not have the frames that it must have ({told}), so it was deleted. "
            "Run the job again, and report it if it happens twice."
        )
    for wanted, found in zip(writer.pts, times, strict=True):
        # the container may have a coarser clock than the input
        if abs(wanted * time_base - found) > tick:
            raise VerificationError(
                f"The frame at {float(wanted * time_base):.3f} s is at {float(found):.3f} s in the "
                "finished file, so it was deleted. Please report this."
            )
