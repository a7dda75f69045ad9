"""The checks of --self-test that write a second of video: it is read back, and the second FFmpeg plays it."""

from __future__ import annotations

import re
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from anonator.core.config import Encoder

if TYPE_CHECKING:
    from anonator.core.frames import UInt8Array

FRAMES, RATE, SIZE = 25, 25, (320, 180)
TOLERANCE = 4.0
"""Mean difference of brightness, 0..255, between what went into the encoder and what came back."""


def decoded() -> str:
    """A second of video is encoded, and comes back with all its frames, times and brightness."""
    import numpy as np

    from anonator.core.reading.reader import VideoReader

    with tempfile.TemporaryDirectory(prefix="anonator-") as folder:
        path = _write_clip(Path(folder))
        size = path.stat().st_size
        with VideoReader(path) as reader:
            frames = [(float(f.seconds), f.planes()[0].astype(np.int16)) for f in reader]
    if len(frames) != FRAMES:
        raise ValueError(f"{len(frames)} frames came back instead of {FRAMES}")
    for index, (seconds, brightness) in enumerate(frames):
        difference = float(np.abs(brightness - _brightness(index)).mean())
        if abs(seconds - index / RATE) > 0.001 or difference > TOLERANCE:
            raise ValueError(
                f"frame {index} came back at {seconds:.3f} s, {difference:.1f} away in brightness"
            )
    return f"{FRAMES} frames, {size} bytes of H.264"


def played() -> str:
    """The independent FFmpeg that checks results is there, runs, and decodes what the program wrote."""
    import imageio_ffmpeg

    program = imageio_ffmpeg.get_ffmpeg_exe()
    with tempfile.TemporaryDirectory(prefix="anonator-") as folder:
        clip = _write_clip(Path(folder))
        done = subprocess.run(
            [program, "-nostdin", "-xerror", "-i", str(clip), "-map", "0:v", "-f", "null", "-"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            # a program with a window would open a console for it
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            check=False,
        )
    told = done.stderr.decode("utf-8", "replace")
    counts = re.findall(r"frame= *(\d+)", told)
    if done.returncode or not counts or int(counts[-1]) != FRAMES:
        raise ValueError(f"it ended with {done.returncode} after {counts[-1] if counts else 'no'} frames")
    return told.split(" Copyright")[0]


def _brightness(index: int) -> UInt8Array:
    """(H, W) uint8 luma of a frame: a gradient with a moving bar."""
    import numpy as np

    width, height = SIZE
    picture = np.linspace(40, 200, width, dtype=np.float32).astype(np.uint8)[None].repeat(height, 0)
    picture[:, index * 8 : index * 8 + 40] = 235
    return picture


def _write_clip(folder: Path) -> Path:
    """One second of grey pictures, written the way a job's result is."""
    import av
    import numpy as np

    from anonator.core.frames import Frame
    from anonator.core.reading.info import VideoInfo
    from anonator.core.writing.writer import VideoWriter

    (width, height), time_base = SIZE, Fraction(1, RATE)
    info = VideoInfo(
        width=width, height=height, display_width=width, display_height=height, sar=Fraction(1),
        time_base=time_base, average_rate=Fraction(RATE), header_frames=FRAMES, duration_seconds=Fraction(1),
        start_shift=0, codec="h264", pix_fmt="yuv420p", rotation=0, interlaced=False, color_range=1,
        color_space=2, color_primaries=2, color_transfer=2, audio=(), file_id=(0, 0), notes=(),
    )  # fmt: skip
    with VideoWriter(folder / "second.mp4", info, encoder=Encoder.X264, preset="veryfast") as writer:
        for index in range(FRAMES):
            planes = np.full((height * 3 // 2, width), 128, np.uint8)
            planes[:height] = _brightness(index)
            image = av.VideoFrame.from_ndarray(planes, format="yuv420p")
            writer.write(Frame(index, index, time_base, image))
        writer.close()
        return writer.publish()
