"""Turns whatever a decoder delivers into a video's frames, all of one size, each in its own shape."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from av import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from anonator.core.frames import SQUARE, Place, Unfitted
from anonator.core.pictures.colours import range_of, sws_matrix
from anonator.core.pictures.planes import copy_time, plane_views
from anonator.core.pictures.shape import Canvas, Crop, even
from anonator.core.pictures.upright import Kind, UprightMaker

MOST_KINDS = 32
"""So that a hostile file that changes with every picture can't fill the memory with plans."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A picture in the form that a video's frames have."""

    image: VideoFrame
    """av.VideoFrame in yuv420p, of the canvas's size."""
    unfitted: Unfitted | None
    """The picture before it was fitted, or None if there was nothing to fit."""
    own: Canvas
    """The picture's own size, as players show it."""


class PictureMaker:
    """Makes each decoded picture yuv420p, 8 bit and upright, and fits it into one size by its own shape."""

    def __init__(
        self,
        first: VideoFrame,
        *,
        matrix: int,
        transfer: int,
        color_range: int,
        sar: Fraction = SQUARE,
        crop: Crop | None = None,
        canvas: Canvas | None = None,
    ) -> None:
        """Plan the result from the first decoded picture and the stream's colour tags.

        Args:
            first: av.VideoFrame.
            matrix: AVColorSpace of the stream.
            transfer: AVColorTransferCharacteristic of the stream.
            color_range: AVColorRange of the stream.
            sar: width of the first picture's pixels in heights, as stored.
            crop: what the container hides of every picture.
            canvas: the size of all pictures made; None is that of the first.
        """
        self._crop = crop or Crop()
        self._reformatter = VideoReformatter()
        self._makers: dict[Kind, UprightMaker] = {}
        self._told = Kind.of(first, sar)
        as_stream = replace(self._told, matrix=matrix, transfer=transfer, color_range=color_range)
        self.first = self._makers[self._told] = UprightMaker(
            as_stream, self._crop, is_rgb=bool(first.format.is_rgb or first.format.has_palette)
        )
        """How the first picture, and all that are like it, are made upright."""
        self.canvas = canvas or self.first.own

    def make(self, picture: VideoFrame, sar: Fraction | None = None) -> Made:
        """One decoded av.VideoFrame, as the frames of the video have it.

        Args:
            picture: as decoded.
            sar: of its pixels, as stored; None is the first picture's.
        """
        maker = self._maker(picture, sar)
        upright = maker.make(picture)
        if maker is self.first and maker.own == self.canvas:
            return Made(upright, None, maker.own)
        if maker.own == self.canvas and self._same_colours(upright):
            upright.color_range, upright.colorspace = self.first.color_range, self.first.matrix
            return Made(upright, None, maker.own)
        place = self.canvas.place(upright.width, upright.height, maker.own.sar)
        fitted = self._fit(upright, place)
        copy_time(picture, fitted)
        return Made(fitted, Unfitted(upright, maker.own.sar, place), maker.own)

    def alone(self, picture: VideoFrame, sar: Fraction | None = None) -> tuple[VideoFrame, Canvas]:
        """A picture upright in its own size, and that size."""
        maker = self._maker(picture, sar)
        return maker.make(picture), maker.own

    def black(self, pts: int | None, duration: int) -> VideoFrame:
        """A black picture like those that make delivers."""
        made = self._blank()
        made.pts = pts
        if duration > 0:
            made.duration = duration
        return made

    def _maker(self, picture: VideoFrame, sar: Fraction | None) -> UprightMaker:
        kind = Kind.of(picture, self._told.sar if sar is None else sar).completed(self._told)
        found = self._makers.get(kind)
        if found is None:
            if len(self._makers) >= MOST_KINDS:
                self._makers = {self._told: self.first}
            is_rgb = bool(picture.format.is_rgb or picture.format.has_palette)
            found = self._makers[kind] = UprightMaker(kind, self._crop, is_rgb=is_rgb)
        return found

    def _same_colours(self, picture: VideoFrame) -> bool:
        return self._colours(picture, picture.height) == self._colours(None, self.canvas.height)

    def _colours(self, picture: VideoFrame | None, height: int) -> tuple[Colorspace, ColorRange]:
        """swscale's matrix, and the range, of a picture; None is the canvas."""
        tag = self.first.matrix if picture is None else picture.colorspace
        full = self.first.full_range if picture is None else picture.color_range == ColorRange.JPEG
        return sws_matrix(tag, height), range_of(full=full)

    def _fit(self, picture: VideoFrame, place: Place) -> VideoFrame:
        from_matrix, from_range = self._colours(picture, picture.height)
        to_matrix, to_range = self._colours(None, self.canvas.height)
        smaller = place.width < picture.width or place.height < picture.height
        scaled = self._reformatter.reformat(
            picture,
            even(place.width),
            even(place.height),
            "yuv420p",
            src_colorspace=from_matrix,
            dst_colorspace=to_matrix,
            src_color_range=from_range,
            dst_color_range=to_range,
            interpolation="AREA" if smaller else "BICUBIC",
        )
        if (scaled.width, scaled.height) == self.canvas.size:
            scaled.color_range, scaled.colorspace = self.first.color_range, self.first.matrix
            return scaled
        made = self._blank()
        for i, (source, target) in enumerate(zip(plane_views(scaled), plane_views(made), strict=True)):
            half = 1 if i == 0 else 2
            rows, columns = source.shape
            x, y = place.x // half, place.y // half
            target[y : y + rows, x : x + columns] = source
        return made

    def _blank(self) -> VideoFrame:
        made = VideoFrame(*self.canvas.size, "yuv420p")
        levels = (0 if self.first.full_range else 16, 128, 128)
        for plane, level in zip(plane_views(made), levels, strict=True):
            plane[:] = level
        made.color_range, made.colorspace = self.first.color_range, self.first.matrix
        return made
