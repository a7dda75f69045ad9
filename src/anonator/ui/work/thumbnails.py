"""Reads video files for the window; everything here is slow, so call it in a worker."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
from PIL import Image

from anonator.core import process_setup
from anonator.core.frames import Frame, Preview, UInt8Array
from anonator.errors import AnonatorError
from anonator.ui.state.job import MediaInfo
from anonator.ui.work import torch_loading as loading

PICTURE_SIDE = 640
"""The long side of the viewer's pictures, in pixels."""


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


def glimpse(source: Path, thumbnail_size: tuple[int, int]) -> Glimpse:
    """Length, size, first frame and thumbnail of a video.

    Raises:
        InputError: the file isn't a readable video.
    """
    with _video().VideoReader(source) as reader:
        info = reader.info
        picture = _picture(reader.frame_at(0.0))
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
    with _video().VideoReader(source) as reader:
        frame = reader.frame_at(seconds)
        return Still(float(frame.seconds), _picture(frame))


def compare(source: Path, result: Path, seconds: float) -> Preview:
    """The same position in a video and in its result.

    Raises:
        InputError: one of the files is gone or can't be read.
    """
    with _video().VideoReader(result) as reader:
        canvas = reader.info.canvas
        after = _picture(reader.frame_at(seconds))
    # pictures of another shape are framed as in the result, so the two match side by side
    with _video().VideoReader(source, canvas=canvas) as reader:
        frame = reader.frame_at(seconds)
        before = _picture(frame)
    return Preview(before, after, float(frame.seconds), faces=None)


def is_video(path: Path) -> bool:
    """Whether a file is a video, whatever its suffix."""
    try:
        _video().probe(path)
    except AnonatorError:
        return False
    return True


def _video() -> ModuleType:
    """The video reader, which must not be imported at startup, nor while torch is being mapped."""
    with loading.alone:
        from anonator.core.reading import reader as video

        process_setup.silence_ffmpeg()
    return video


def _picture(frame: Frame) -> UInt8Array:
    return np.asarray(_video().to_rgb_within(frame, PICTURE_SIDE), np.uint8)


def _thumbnail(picture: UInt8Array, size: tuple[int, int]) -> Image.Image:
    """A picture on a black background of exactly this size."""
    image = Image.fromarray(picture)
    image.thumbnail(size)
    ground = Image.new("RGB", size)
    ground.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return ground
