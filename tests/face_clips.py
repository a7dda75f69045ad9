"""A real face on a known way, and what a file holds: its pictures and their times."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np

FACE = (170, 60, 280, 210)
"""Where the face is in scikit-image's astronaut, xyxy: hair to chin."""


@dataclass(frozen=True)
class FaceClip:
    """A clip with one real face on a known way."""

    path: Path
    boxes: list[tuple[int, int, int, int]]
    """The face's box in every frame, xyxy."""
    size: tuple[int, int]


def moving_face(
    path: Path,
    astronaut: np.ndarray,
    *,
    frames: int = 30,
    size: tuple[int, int] = (640, 360),
    speed: int = 6,
    half: bool = False,
) -> FaceClip:
    """Write the astronaut's head moving to the right over a textured background, H.264 at 25 fps.

    Args:
        half: make everything half as wide and high, for jobs whose subject is not the face.
    """
    width, height = size
    head = astronaut[20:300, 90:370]
    rng = np.random.default_rng(7)
    coarse = rng.integers(60, 180, (height // 20, width // 20, 3), np.uint8)
    background = coarse.repeat(20, 0).repeat(20, 1)
    boxes = []
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "12", "preset": "ultrafast"})
        step = 2 if half else 1
        stream.width, stream.height, stream.pix_fmt = width // step, height // step, "yuv420p"
        for i in range(frames):
            x, y = 20 + i * speed, 40
            picture = background.copy()
            shown = picture[y : y + 280, x : x + 280]
            shown[:] = head[: shown.shape[0], : shown.shape[1]]
            left, top, right, bottom = FACE
            box = (x + left - 90, y + top - 20, x + right - 90, y + bottom - 20)
            boxes.append((box[0] // step, box[1] // step, box[2] // step, box[3] // step))
            if half:
                picture = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
            for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode(None):
            container.mux(packet)
    return FaceClip(path, boxes, (width // step, height // step))


def decode_rgb(path: Path) -> list[np.ndarray]:
    """Every frame of a file as (H, W, 3) RGB."""
    with av.open(path) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def packet_times(path: Path) -> list[float]:
    """Presentation times in seconds of a file's video frames, in order."""
    with av.open(path) as container:
        stream = container.streams.video[0]
        return sorted(float(p.pts * stream.time_base) for p in container.demux(stream) if p.size)
