"""Single pictures of the video under review: crops for cards and lists, finished pictures for the sheet.

All of it is slow, so a worker calls it. Pictures stay in memory, except the finished one that somebody saves.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from anonator.core import boxes as box_ops
from anonator.core import durable_files
from anonator.core.config import Mode, Settings
from anonator.core.frames import Masks, UInt8Array
from anonator.core.privacy import without_path
from anonator.errors import JobCancelled, ReviewError
from anonator.ui.work.thumbnails import video_module

if TYPE_CHECKING:
    from anonator.core.frames import Frame
    from anonator.core.reading.frame_access import FrameAccess
    from anonator.core.review.analysis import Analysis

Box = tuple[float, float, float, float]
AROUND = 1.7
"""A crop shows so much more than the box it is about."""
NEAR_SECONDS = 2.0
"""A picture so little later is reached by decoding on, not by seeking."""
CROP_SIDE = 1920
"""Crops are cut out of a picture whose long side is at most this, in pixels."""
NOT_SAVED = "The picture couldn't be saved. Choose another folder, or check that the disk isn't full."


class Stills:
    """Decodes single frames, exactly those asked for; for one thread at a time."""

    def __init__(self, video: Path, analysis: Analysis) -> None:
        """Remember what to read; nothing is opened yet."""
        self._video, self._a = video, analysis
        self._access: FrameAccess | None = None
        self._frames: Iterator[Frame | None] = iter(())
        self._last: tuple[int, Frame] | None = None
        """Index and frame."""
        self._used_up = False
        """Whether the last frame was changed."""
        self._stopping = False

    def frame(self, index: int) -> Frame:
        """The frame with this index in the analysis, of the analysis' size.

        Raises:
            AnonatorError: it can't be read, or stop was called.
        """
        self._end_if_stopping()
        last, self._last = self._last, None
        if last is not None and last[0] == index and not self._used_up:
            self._last = last
            return last[1]
        self._used_up = False
        pts, base = self._a.pts, self._a.key.time_base[0] / self._a.key.time_base[1]
        if last is None or not 0 < (pts[index] - pts[last[0]]) * base <= NEAR_SECONDS:
            self._frames = self._opened().frames_on(index)
        for frame in self._frames:
            self._end_if_stopping()
            if frame is not None and frame.pts >= pts[index]:
                if frame.pts > pts[index]:
                    break
                self._last = index, frame
                return frame
        raise ReviewError("A picture of this video can't be read.")

    def finished(
        self, index: int, places: Sequence[Sequence[float]], settings: Settings, side: int
    ) -> UInt8Array:
        """A frame as it will be in the finished file.

        Args:
            index: of the frame.
            places: what is covered, in pixels of the frame, enlarged already.
            settings: of the job.
            side: long side of the picture, in pixels.

        Returns:
            (H, W, 3) RGB.

        Raises:
            AnonatorError: it can't be read.
        """
        frame = self.frame(index)
        self._used_up = True
        return _finished(frame, places, settings, side)

    def stop(self) -> None:
        """End what another thread reads just now, and all that it would read later."""
        self._stopping = True

    def close(self) -> None:
        """Close the file, which no other thread may be reading; it is opened again when it's needed."""
        self._frames, self._last = iter(()), None
        if self._access is not None:
            self._access.close()
            self._access = None

    def _opened(self) -> FrameAccess:
        if self._access is None:
            self._access = open_frames(self._video, self._a, self._end_if_stopping)
        return self._access

    def _end_if_stopping(self) -> None:
        if self._stopping:
            raise JobCancelled()


def open_frames(video: Path, analysis: Analysis, tick: Callable[[], None] = lambda: None) -> FrameAccess:
    """The frames of a video as its job got them.

    Args:
        video: the original.
        analysis: of it.
        tick: called while the file is gone through; may raise to end it.

    Raises:
        AnonatorError: it can't be used, or it isn't that video.
    """
    video_module()
    from anonator.core.reading.frame_access import FrameAccess

    key, limit = analysis.key, analysis.settings.replaceable_frames
    return FrameAccess(video, analysis.pts, (key.width, key.height), limit, tick)


def crop(frame: Frame, box: Box | None, side: int) -> Image.Image:
    """What is in a box and around it, as a square of that side; no box means the whole picture."""
    from anonator.core.pictures.rgb import to_rgb_within

    picture = to_rgb_within(frame, CROP_SIDE)
    height, width = picture.shape[:2]
    image = Image.fromarray(picture)
    if box is not None:
        across, down = width / frame.width, height / frame.height
        x, y = (box[0] + box[2]) / 2 * across, (box[1] + box[3]) / 2 * down
        half = max((box[2] - box[0]) * across, (box[3] - box[1]) * down, 8.0) * AROUND / 2
        half = min(half, width / 2, height / 2)
        x, y = min(max(x, half), width - half), min(max(y, half), height - half)
        image = image.crop((round(x - half), round(y - half), round(x + half), round(y + half)))
        return image.resize((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    image.thumbnail((side, side), reducing_gap=2.0)
    return image


def _finished(frame: Frame, places: Sequence[Sequence[float]], settings: Settings, side: int) -> UInt8Array:
    from anonator.core.anonymizer import anonymize
    from anonator.core.pictures.rgb import to_rgb_within

    boxes = np.array(places, np.float32).reshape(-1, 4)
    scale = 1.0
    if settings.mode is not Mode.SOLID:  # their strength is by the face, which is smaller than its cover
        scale = settings.mask_scale
        boxes = box_ops.expand(boxes, 1 / scale)
    as_they_are = Settings(
        hipaa=False,
        mode=settings.mode,
        mask_scale=scale,
        blur_strength=settings.blur_strength,
        mosaic_blocks=settings.mosaic_blocks,
        areas=settings.areas,
    )
    anonymize(frame, Masks(boxes, np.zeros(len(boxes), np.int32)), as_they_are)
    return np.asarray(to_rgb_within(frame, side), np.uint8)


def save_png(picture: UInt8Array, path: Path) -> None:
    """Write a finished picture, with nothing else in the file.

    Raises:
        ReviewError: it can't be written.
    """
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "PNG")
    try:
        durable_files.write(path, data.getvalue())
    except OSError as exc:
        raise ReviewError(NOT_SAVED) from without_path(exc)
