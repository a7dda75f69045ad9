"""Reads video files for the window; everything here is slow, so call it in a worker."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice, takewhile
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from anonator.core import process_setup
from anonator.core.frames import Frame, UInt8Array
from anonator.core.job import Preview
from anonator.errors import AnonatorError
from anonator.ui.state.job import MediaInfo
from anonator.ui.work import torch_loading as loading

GLIMPSE_SIDE = 640
"""The long side of the picture that is kept for each row, in pixels."""
PICTURE_SIDE = 4096
"""The long side of the picture that is looked at, in pixels: all there is to see, but for 8K."""


@dataclass(frozen=True, slots=True, eq=False)
class Glimpse:
    """What is known about a file after a first look."""

    info: MediaInfo
    first: UInt8Array
    """(H, W, 3) RGB: the first frame, upright, as wide as players show it."""
    thumbnail: Image.Image


@dataclass(frozen=True, slots=True, eq=False)
class Still:
    """One frame of a video."""

    seconds: float
    picture: UInt8Array
    """(H, W, 3) RGB, as wide as players show it."""
    whole: bool = True
    """Whether it has all its detail."""


def glimpse(source: Path, thumbnail_size: tuple[int, int]) -> Glimpse:
    """Length, size, first frame and thumbnail of a video.

    Raises:
        InputError: the file isn't a readable video.
    """
    with video_module().VideoReader(source) as reader:
        info = reader.info
        picture = _picture(reader.frame_at(0.0), GLIMPSE_SIDE)
    seconds = info.duration_seconds
    return Glimpse(
        MediaInfo(
            seconds=None if seconds is None else float(seconds),
            frames=info.header_frames,
            size_bytes=source.stat().st_size,
            width=info.width,
            height=info.height,
        ),
        picture,
        _thumbnail(picture, thumbnail_size),
    )


def still(source: Path, seconds: float) -> Still:
    """The frame shown at a position.

    Raises:
        InputError: the file isn't a readable video.
    """
    with video_module().VideoReader(source) as reader:
        frame = reader.frame_at(seconds)
        return Still(float(frame.seconds), _picture(frame))


def compare(source: Path, result: Path, seconds: float) -> Preview:
    """The same position in a video and in its result.

    Raises:
        InputError: one of the files is gone or can't be read.
    """
    with video_module().VideoReader(result) as reader:
        canvas = reader.info.canvas
        after = _picture(reader.frame_at(seconds))
    # pictures of another shape are framed as in the result, so the two match side by side
    with video_module().VideoReader(source, canvas=canvas) as reader:
        frame = reader.frame_at(seconds)
        before = _picture(frame)
    return Preview(before, after, float(frame.seconds), faces=None)


def neighbour(source: Path, seconds: float, steps: int) -> float:
    """The time of the frame that is so many frames after one, or before it if steps is negative.

    Raises:
        InputError: the file isn't a readable video.
    """
    with video_module().VideoReader(source) as reader:
        tick = float(reader.info.time_base) / 2
        if steps > 0:
            times = (float(frame.seconds) for frame in reader.frames_from(seconds))
            later = (time for time in times if time > seconds + tick)
            return [seconds, *islice(later, steps)][-1]
        begin = seconds + (steps - 0.5) / float(reader.info.average_rate)
        times = (float(frame.seconds) for frame in reader.frames_from(max(0.0, begin)))
        earlier = deque(takewhile(lambda time: time < seconds - tick, times), maxlen=-steps)
        return earlier[0] if earlier else seconds


def is_video(path: Path) -> bool:
    """Whether a file is a video, whatever its suffix."""
    try:
        video_module().probe(path)
    except AnonatorError:
        return False
    return True


def video_module() -> ModuleType:
    """The video reader, which must not be imported at startup, nor while torch is being mapped."""
    with loading.alone:
        from anonator.core.reading import reader as video

        process_setup.prepare_ffmpeg()
    return video


def _picture(frame: Frame, side: int = PICTURE_SIDE) -> UInt8Array:
    from anonator.core.pictures.rgb import to_rgb_within

    return np.asarray(to_rgb_within(frame, side), np.uint8)


def _thumbnail(picture: UInt8Array, size: tuple[int, int]) -> Image.Image:
    """A picture on a black background of exactly this size."""
    image = Image.fromarray(picture)
    image.thumbnail(size)
    ground = Image.new("RGB", size)
    ground.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return ground
