"""Finds the size for a result whose pictures vary in size: a phone that is turned, a call that gets
sharper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from av import VideoFrame

from anonator.core.pictures.shape import Canvas, Crop, believable
from anonator.core.pictures.upright import Kind, UprightMaker
from anonator.core.reading.av_types import Packet
from anonator.core.reading.container_crop import container_crop
from anonator.core.reading.description import frame_rate
from anonator.core.reading.late_streams import packets_of
from anonator.core.reading.opening import OpenedVideo, open_video
from anonator.core.reading.parameter_sets import fingerprint

WORTHWHILE_SECONDS, WORTHWHILE_PART = 1.0, 0.1
"""A size counts for the result if it is shown this long, or for this part of a short video."""
LOOK_EVERY_SECONDS = 1.0
"""How often a key frame is decoded for its size if its bytes do not tell."""
MOST_SHAPES = 256
"""Of a hostile file that changes with every picture."""
SHAPES_TOLD = 4
OWN_SHAPE = ("mov", "matroska", "avi", "asf", "mxf", "flv")
"""Containers that give the shape of pixels themselves, once for the whole video."""


class ShapeTimes:
    """How long pictures of each shape are shown, and which shape sets the size of the result."""

    def __init__(self, canvas: Canvas | None = None, total_seconds: float | None = None) -> None:
        """Start with nothing seen.

        Args:
            canvas: the size that the result has.
            total_seconds: how long the video is, where that is known beforehand.
        """
        self._canvas, self._total = canvas, total_seconds
        self._seconds: dict[Canvas, float] = {}
        self.outgrown_by: Canvas | None = None
        """A better size than the result's, if larger pictures are shown long enough."""

    def enter(self, shape: Canvas, seconds: float) -> None:
        """Record one picture, or many."""
        if shape in self._seconds or len(self._seconds) < MOST_SHAPES:
            self._seconds[shape] = self._seconds.get(shape, 0.0) + seconds
        if self._canvas is not None and shape.pixels > self._canvas.pixels and self._is_worthwhile(shape):
            self.outgrown_by = shape

    def best(self) -> Canvas | None:
        """The largest size that is shown long enough; of equal ones, the one shown longest."""
        shapes = [shape for shape in self._seconds if self._is_worthwhile(shape)] or list(self._seconds)
        return max(shapes, key=lambda shape: (shape.pixels, self._seconds[shape]), default=None)

    def notes(self) -> Iterator[str]:
        """A sentence for people if there were several."""
        shapes = list(self._seconds)
        if len(shapes) < 2 or self._canvas is None:
            return
        names = [f"{shape.width} x {shape.height}" for shape in shapes]
        if len(set(names)) == 1:
            yield (
                "The shape of the picture changes within the video, as between 4:3 and 16:9 on television; "
                "each part keeps its own, with black bars where it doesn't fill the frame."
            )
            return
        more = f" and {len(names) - SHAPES_TOLD} more" if len(names) > SHAPES_TOLD else ""
        yield (
            f"The picture's size changes within the video ({', '.join(names[:SHAPES_TOLD])}{more}). "
            f"The result is {self._canvas.width} x {self._canvas.height} throughout; each picture keeps its "
            "own shape, with black bars where it doesn't fill the frame."
        )

    def _is_worthwhile(self, shape: Canvas) -> bool:
        total = self._total or sum(self._seconds.values())
        return self._seconds.get(shape, 0.0) >= min(WORTHWHILE_SECONDS, WORTHWHILE_PART * total)


class PixelShape:
    """Follows the sample aspect ratio of a stream, which transport streams may change midway."""

    def __init__(self, video: OpenedVideo) -> None:
        self._stream = video.stream
        self._follows = not any(name in video.container.format.name for name in OWN_SHAPE)
        self._sar = believable(self._stream.sample_aspect_ratio)

    def of(self, picture: VideoFrame) -> Fraction:
        """Width of a decoded picture's pixels in heights; pictures come in presentation order."""
        # the decoder may be ahead of its pictures, but a new ratio begins with an independent one
        if self._follows and picture.key_frame:
            now = self._stream.codec_context.sample_aspect_ratio
            self._sar = believable(now) if now else self._sar
        return self._sar


def find_canvas(path: Path, tick: Callable[[], None]) -> Canvas | None:
    """Scan a video's key frames, mostly without decoding them, for the size that its result should have.

    Args:
        path: the video.
        tick: called for every packet; may raise to end it.

    Returns:
        The size, or None if nothing was found that differs from the first picture. Damage doesn't
        matter here: it is reported when the video is read.

    Raises:
        InputError: the file cannot be opened.
    """
    video = open_video(path)
    try:
        times = _times(video, container_crop(video), tick)
    except (av.FFmpegError, OSError, ValueError):
        return None
    finally:
        video.close()
    return times.best()


def _times(video: OpenedVideo, crop: Crop, tick: Callable[[], None]) -> ShapeTimes:
    context, time_base = video.stream.codec_context, video.time_base
    context.thread_type = "SLICE"  # a single picture must come out right away
    usual = 1 / frame_rate(video.stream)
    extradata = bytes(context.extradata or b"")
    look = _KeyFrameLook(video, crop)
    known: dict[bytes, Canvas] = {}
    times = ShapeTimes()
    shape: Canvas | None = None
    since_look = Fraction(0)
    for packet in packets_of(video.container, video.stream):
        tick()
        if not packet.size:
            continue
        # lengths, not times, because times jump back where recordings were joined
        length = packet.duration * time_base if packet.duration else usual
        since_look += length
        if packet.is_keyframe:
            mark = fingerprint(context.name, bytes(packet), extradata)
            if packet.has_sidedata("new_extradata"):
                extradata = bytes(packet.get_sidedata("new_extradata"))
                mark = (mark or b"") + extradata
            if mark is not None and mark in known:
                shape = known[mark]
            elif mark is not None or shape is None or since_look >= LOOK_EVERY_SECONDS:
                shape, since_look = look.shape(packet) or shape, Fraction(0)
                if mark is not None and shape is not None and len(known) < MOST_SHAPES:
                    known[mark] = shape
        if shape is not None:
            times.enter(shape, float(length))
    return times


class _KeyFrameLook:
    """Decodes single key frames."""

    def __init__(self, video: OpenedVideo, crop: Crop) -> None:
        self._context, self._crop = video.stream.codec_context, crop
        self._pixels = PixelShape(video)

    def shape(self, packet: Packet) -> Canvas | None:
        """The size at which players show a key frame, or None if it cannot be decoded."""
        try:
            pictures = [*self._context.decode(packet), *self._context.decode(None)]
        except av.FFmpegError:
            pictures = []
        self._context.flush_buffers()
        if not pictures:
            return None
        kind = Kind.of(pictures[0], self._pixels.of(pictures[0]))
        return UprightMaker(kind, self._crop, is_rgb=False).own
