"""Turns whatever a decoder delivers into upright yuv420p pictures of one even size."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.reformatter import VideoReformatter

from anonator.core.frames import UInt8Array
from anonator.core.media.hdr import ToneMapper

LIMITED, FULL = 1, 2
"""AVColorRange: black and white at 16 and 235, or at 0 and 255."""
BT709, UNSPECIFIED, BT601 = 1, 2, 6
"""AVColorSpace: which matrix made YUV from RGB."""
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
"""AVColorTransferCharacteristic of the two kinds of HDR."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pictures must be turned to stand upright: transpose first, then flip."""

    transpose: bool = False
    flip_x: bool = False
    flip_y: bool = False

    @property
    def is_upright(self) -> bool:
        """Nothing to be done."""
        return not (self.transpose or self.flip_x or self.flip_y)

    @property
    def degrees(self) -> int:
        """Clockwise turn in degrees; of a mirrored picture, the turn after mirroring left and right."""
        if not self.transpose:
            return 180 if self.flip_y else 0
        return 270 if self.flip_y else 90

    @classmethod
    def of(cls, picture: Any) -> Orientation:
        """Read a frame's display matrix: x' = a x + c y, y' = b x + d y, in 16.16 fixed point.

        Angles between quarter turns are taken as none.
        """
        data = picture.side_data.get("DISPLAYMATRIX")
        if data is None:
            return cls()
        a, b, _, c, d, *_ = struct.unpack("=9i", bytes(data))
        if a == d == 0 and b and c:
            return cls(True, c < 0, b < 0)
        if b == c == 0 and a and d:
            return cls(False, a < 0, d < 0)
        return cls()

    def apply(self, source: UInt8Array, target: UInt8Array) -> None:
        """Copy a plane, turned, into another one of the turned size."""
        if self.transpose:
            source = np.asarray(cv2.transpose(source), np.uint8)
        if self.flip_x or self.flip_y:
            source = np.asarray(
                cv2.flip(source, -1 if self.flip_x and self.flip_y else int(self.flip_x)), np.uint8
            )
        target[:] = source


def plane_views(picture: Any) -> list[UInt8Array]:
    """Views (rows, columns), uint8, on the planes of an 8-bit planar frame, also of a bottom-up one."""
    views = []
    for plane in picture.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(plane.height, abs(plane.line_size))
        views.append(rows[:: -1 if plane.line_size < 0 else 1, : plane.width])
    return views


def copy_time(source: Any, target: Any) -> None:
    """Give a frame the time of another one; older PyAV knows no durations of frames."""
    target.pts = source.pts
    if getattr(source, "duration", 0):
        target.duration = source.duration


def even(size: int) -> int:
    """The size padded to the next even number."""
    return size + size % 2


class PictureMaker:
    """Makes each decoded picture yuv420p, 8 bit, upright, of the first picture's size padded to even."""

    def __init__(self, first: Any, *, matrix: int, transfer: int, color_range: int) -> None:
        """Plan the conversion from the first decoded picture and the stream's colour tags."""
        self.orientation = Orientation.of(first)
        self._stored = (first.width, first.height)
        size = self._stored[::-1] if self.orientation.transpose else self._stored
        self.display_size = size
        self.size = (even(size[0]), even(size[1]))
        self.hdr = HDR_TRANSFERS.get(transfer)
        self.from_rgb = bool(first.format.is_rgb or first.format.has_palette) and not self.hdr
        self.full_range = first.format.name.startswith("yuvj") or color_range == FULL
        self.color_range = FULL if self.full_range else color_range
        self.matrix = matrix
        if self.from_rgb or self.hdr:
            self.full_range, self.color_range = False, LIMITED
            self.matrix = BT709 if self.hdr or first.height > 576 else BT601
        self._tone_mapper = ToneMapper(self.hdr, full_range=color_range == FULL) if self.hdr else None
        self._reformatter = VideoReformatter()
        self.resized = False
        """True once a picture of another size has come and was scaled to the first one's."""

    def make(self, picture: Any) -> Any:
        """One decoded av.VideoFrame in, one in yuv420p out: the same where nothing is to be done."""
        stored = (picture.width, picture.height) == self._stored
        plain = picture.format.name == "yuv420p" and stored and not self.hdr
        if plain and all(plane.line_size > 0 for plane in picture.planes):
            made = picture
        else:
            self.resized |= not stored
            made = self._converted(picture)
        if not (self.orientation.is_upright and self.size == self._stored):
            made = self._turned_and_padded(made)
        made.color_range, made.colorspace = self.color_range, self.matrix
        if made is not picture:
            copy_time(picture, made)
        return made

    def black(self, pts: int | None, duration: int) -> Any:
        """A black picture like those that make delivers."""
        made = av.VideoFrame(*self.size, "yuv420p")
        for plane, level in zip(plane_views(made), (0 if self.full_range else 16, 128, 128), strict=True):
            plane[:] = level
        made.color_range, made.colorspace = self.color_range, self.matrix
        made.pts = pts
        if duration > 0:
            made.duration = duration
        return made

    def _converted(self, picture: Any) -> Any:
        name = picture.format.name
        same_size = (picture.width, picture.height) == self._stored
        if self._tone_mapper and not picture.format.is_rgb:
            return self._fit(self._tone_mapper.map(picture))
        if name in ("yuvj420p", "yuv420p") and same_size:  # other range tag, or stored bottom-up
            return self._copy(plane_views(picture))
        if name.startswith("gray") and same_size:
            eight = picture if name == "gray" else self._reformatter.reformat(picture, format="gray")
            return self._copy(plane_views(eight))
        if name.startswith("yuvj"):
            relabelled = av.VideoFrame(picture.width, picture.height, name.replace("yuvj", "yuv"))
            picture = self._copy(plane_views(picture), relabelled)
        rgb = picture.format.is_rgb or picture.format.has_palette
        # from YUV, only depth, chroma sampling and size change; equal tags on both sides keep the values
        matrix = 1 if self.matrix == BT709 else 5  # as swscale counts them
        return self._reformatter.reformat(
            picture,
            *self._stored,
            "yuv420p",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=FULL if rgb else LIMITED,
            dst_color_range=FULL if rgb and self.full_range else LIMITED,
            interpolation="BICUBIC" if same_size else "AREA",
        )

    def _fit(self, picture: Any) -> Any:
        if (picture.width, picture.height) == self._stored:
            return picture
        return self._reformatter.reformat(picture, *self._stored, interpolation="AREA")

    def _copy(self, planes: list[UInt8Array], made: Any | None = None) -> Any:
        made = made or av.VideoFrame(*self._stored, "yuv420p")
        for i, target in enumerate(plane_views(made)):
            target[:] = planes[i] if i < len(planes) else 128
        return made

    def _turned_and_padded(self, picture: Any) -> Any:
        made = av.VideoFrame(*self.size, "yuv420p")
        width, height = self.display_size
        for i, (source, target) in enumerate(zip(plane_views(picture), plane_views(made), strict=True)):
            w, h = (width, height) if i == 0 else (even(width) // 2, even(height) // 2)
            self.orientation.apply(source, target[:h, :w])
            if target.shape[1] > w:
                target[:h, w:] = target[:h, w - 1 : w]
            if target.shape[0] > h:
                target[h:] = target[h - 1 : h]
        return made


class Deinterlacer:
    """Turns interlaced pictures into whole ones, one for one, by FFmpeg's bwdif; others pass unchanged."""

    def __init__(self, time_base: Fraction) -> None:
        self._time_base = time_base
        self._graph: Any = None
        self._shape: tuple[int, int, str] | None = None
        self._held: deque[Any] = deque()

    def push(self, picture: Any) -> Iterator[Any]:
        """Give a picture; what comes out is one picture behind."""
        shape = (picture.width, picture.height, picture.format.name)
        if shape != self._shape:
            yield from self.finish()
            self._build(picture)
            self._shape = shape
        self._held.append(picture)
        self._graph.push(picture)
        yield from self._made()

    def finish(self) -> Iterator[Any]:
        """What is still held back."""
        if self._graph is not None:
            self._graph.push(None)
            yield from self._made()
            self._graph = self._shape = None

    def _build(self, like: Any) -> None:
        graph = av.filter.Graph()
        source = graph.add_buffer(
            width=like.width, height=like.height, format=like.format, time_base=self._time_base
        )
        bwdif = graph.add("bwdif", "mode=send_frame:parity=auto:deint=interlaced")
        graph.link_nodes(source, bwdif, graph.add("buffersink")).configure()
        self._graph = graph

    def _made(self) -> Iterator[Any]:
        while True:
            try:
                made = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            # the filter counts time in its own way; order and number are what it keeps
            copy_time(self._held.popleft(), made)
            yield made
