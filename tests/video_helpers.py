"""Clips for the video tests, made by the second FFmpeg (imageio-ffmpeg's), which also reads results back."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import numpy.typing as npt

from anonator.core.frames import Frame
from anonator.core.reading.info import VideoInfo
from anonator.core.reading.reader import VideoReader
from anonator.core.writing.writer import VideoWriter

FAST_X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
B_FRAMES = "veryfast"
"""A preset with three B-frames, so that decoding times start below zero."""
GOP = ("-c:v", "libx264", "-preset", "fast", "-bf", "3", "-g", "12", "-pix_fmt", "yuv420p")
"""H.264 with three B-frames and a key frame every twelve."""
UInt8Array = npt.NDArray[np.uint8]


def ffmpeg(*args: object) -> bytes:
    """Run imageio-ffmpeg's program; its standard output, or a test failure with what it said."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-v", "error", "-y", *map(str, args)]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=60)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout


def picture_source(size: str = "96x64", seconds: float = 1, rate: object = 25) -> list[object]:
    """Input arguments: a moving test pattern."""
    return ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}:d={seconds}"]


def tone(seconds: float = 1, hertz: int = 440, rate: int = 44100) -> list[object]:
    """Input arguments: a sine tone."""
    return ["-f", "lavfi", "-i", f"sine=f={hertz}:r={rate}:d={seconds}"]


def clip(path: Path, *options: object, **source: object) -> Path:
    """A clip of the test pattern; H.264 unless the options name another codec."""
    codec = () if "-c:v" in options else FAST_X264
    ffmpeg(*picture_source(**source), *codec, *options, path)  # type: ignore[arg-type]
    return path


def frame_times(path: Path) -> list[Fraction]:
    """Presentation times of all frames in seconds, as the second FFmpeg sees them."""
    text = ffmpeg(
        *("-copyts", "-i", path, "-map", "0:V:0", "-fps_mode", "passthrough", "-enc_time_base", "demux"),
        *("-f", "framecrc", "-"),
    ).decode()
    base = Fraction(re.search(r"#tb 0: (\d+/\d+)", text)[1])  # type: ignore[index]
    rows = [line.split(",") for line in text.splitlines() if not line.startswith("#")]
    return [int(row[2]) * base for row in rows]


def stream_seconds(path: Path) -> Fraction:
    """Length of the video stream in seconds, as its header says."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return Fraction(stream.duration or 0) * Fraction(stream.time_base or 0)


def decoded(
    path: Path, size: tuple[int, int], pix_fmt: str = "yuv420p", filters: str = "null"
) -> list[list[UInt8Array]]:
    """All frames as [Y, U, V], upright, as the second FFmpeg decodes them."""
    width, height = size
    raw = ffmpeg(
        *("-i", path, "-map", "0:V:0", "-fps_mode", "passthrough"),
        *("-vf", f"{filters},scale={width}:{height}:flags=bicubic+accurate_rnd"),
        *("-pix_fmt", pix_fmt, "-f", "rawvideo", "-"),
    )
    chroma = ((height + 1) // 2, (width + 1) // 2)
    shapes = [(height, width), chroma, chroma]
    lengths = [h * w for h, w in shapes]
    assert len(raw) % sum(lengths) == 0
    frames = []
    for row in np.frombuffer(raw, np.uint8).reshape(-1, sum(lengths)):
        parts = np.split(row, np.cumsum(lengths)[:-1])
        frames.append([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])
    return frames


def psnr(a: UInt8Array, b: UInt8Array) -> float:
    """Peak signal-to-noise ratio in dB; 99 for equal pictures."""
    error = float(np.mean((a.astype(np.float64) - b) ** 2))
    return 99.0 if error == 0 else float(10 * np.log10(255**2 / error))


def packets(path: Path, kind: str = "audio") -> dict[int, list[bytes]]:
    """The payload of every packet, by stream."""
    found: dict[int, list[bytes]] = {}
    with av.open(str(path)) as container:
        streams = [s for s in container.streams if s.type == kind]
        for packet in container.demux(streams):
            if packet.size:
                found.setdefault(packet.stream.index, []).append(bytes(packet))
    return found


def info_for(
    size: tuple[int, int] = (96, 64), time_base: Fraction = Fraction(1, 25), **changes: object
) -> VideoInfo:
    """What a reader would say of a plain video of this size."""
    width, height = size
    values: dict[str, object] = {
        "width": width + width % 2, "height": height + height % 2,
        "display_width": width, "display_height": height,
        "sar": Fraction(1), "time_base": time_base, "average_rate": Fraction(25),
        "header_frames": None, "duration_seconds": None, "start_shift": 0,
        "codec": "h264", "pix_fmt": "yuv420p", "rotation": 0, "interlaced": False,
        "color_range": 1, "color_space": 1, "color_primaries": 1, "color_transfer": 1,
        "audio": (), "file_id": (0, 0), "notes": (),
    }  # fmt: skip
    return VideoInfo(**{**values, **changes})  # type: ignore[arg-type]


def drawn_frames(info: VideoInfo, times: Sequence[int]) -> Iterator[Frame]:
    """Frames with a bar that moves, at the given pts."""
    for index, pts in enumerate(times):
        image = av.VideoFrame(info.width, info.height, "yuv420p")
        frame = Frame(index, pts, info.time_base, image)
        y, u, v = frame.planes()
        y[:], u[:], v[:] = 60, 120, 130
        y[:, (index * 7) % (info.width - 8) :][:, :8] = 200
        yield frame


def mp4_boxes(path: Path) -> list[tuple[str, bytes]]:
    """All boxes of an MP4 file, depth first, as (path, body); bodies of mdat and parents are left empty."""
    parents = {"moov", "trak", "mdia", "minf", "stbl", "edts", "dinf", "udta", "meta"}
    data = path.read_bytes()

    def walk(start: int, end: int, where: str) -> Iterator[tuple[str, bytes]]:
        while start + 8 <= end:
            length, kind = (
                int.from_bytes(data[start : start + 4], "big"),
                data[start + 4 : start + 8].decode("latin1"),
            )
            body = start + 8
            if length == 1:
                length, body = int.from_bytes(data[start + 8 : start + 16], "big"), start + 16
            assert length >= 8, f"a box of {length} bytes"
            name = f"{where}/{kind}"
            if kind in parents:
                yield name, b""
                yield from walk(body, start + length, name)
            else:
                yield name, b"" if kind == "mdat" else data[body : start + length]
            start += length
        assert start == end, f"{where} does not end with its last box"

    return list(walk(0, len(data), ""))


def write(
    target: Path, info: VideoInfo, times: list[int], *, preset: str = B_FRAMES, **options: object
) -> VideoWriter:
    """A finished file with drawn frames at these times."""
    with VideoWriter(target, info, preset=preset, **options) as writer:  # type: ignore[arg-type]
        for frame in drawn_frames(info, times):
            writer.write(frame)
        writer.close()
        writer.publish()
    return writer


def copy(source: Path, target: Path, *, sound: bool = True) -> VideoWriter:
    """Read and write a file again."""
    with (
        VideoReader(source) as reader,
        VideoWriter(
            target, reader.info, preset=B_FRAMES, crf=16, audio_from=source if sound else None
        ) as writer,
    ):
        for frame in reader:
            writer.write(frame)
        writer.close()
        writer.publish()
    return writer
