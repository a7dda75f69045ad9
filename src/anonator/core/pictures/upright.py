"""Makes the pictures of one kind upright yuv420p ones, whatever they were stored as."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from av import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from anonator.core.frames import UInt8Array
from anonator.core.pictures.colours import BT601, BT709, HD_HEIGHT, HDR_TRANSFERS, UNSPECIFIED, range_of
from anonator.core.pictures.hdr import ToneMapper
from anonator.core.pictures.planes import copy_time, plane_views
from anonator.core.pictures.shape import Canvas, Crop, Orientation, even


@dataclass(frozen=True, slots=True)
class Kind:
    """What pictures that are made upright in the same way have in common."""

    width: int
    """As stored."""
    height: int
    pix_fmt: str
    orientation: Orientation
    sar: Fraction
    """As stored: not turned yet."""
    matrix: int
    """AVColorSpace; 2 not said."""
    transfer: int
    """AVColorTransferCharacteristic; 2 not said."""
    color_range: int
    """AVColorRange; 0 not said."""

    @classmethod
    def of(cls, picture: VideoFrame, sar: Fraction) -> Kind:
        """Read it from a decoded picture."""
        return cls(
            picture.width,
            picture.height,
            picture.format.name,
            Orientation.of(picture),
            sar,
            int(picture.colorspace),
            int(picture.color_trc),
            int(picture.color_range),
        )

    def completed(self, first: Kind) -> Kind:
        """The same, with the first picture's colours if it is otherwise alike and doesn't say its own."""
        if (self.width, self.height, self.pix_fmt) != (first.width, first.height, first.pix_fmt):
            return self
        # a filter on the way may have lost the tags
        return replace(
            self,
            matrix=first.matrix if self.matrix == UNSPECIFIED else self.matrix,
            transfer=first.transfer if self.transfer == UNSPECIFIED else self.transfer,
            color_range=self.color_range or first.color_range,
        )


class UprightMaker:
    """Makes pictures of one kind yuv420p, 8 bit, upright, and even by a repeated row or column."""

    def __init__(self, kind: Kind, crop: Crop, *, is_rgb: bool) -> None:
        """Plan the conversion.

        Args:
            kind: of the pictures.
            crop: what the container hides of them.
            is_rgb: they hold colours, perhaps from a palette, instead of luma and chroma.
        """
        self.kind = kind
        self.orientation = kind.orientation
        self._stored = (kind.width, kind.height)
        self._crop = crop.within(*self._stored)
        width = kind.width - self._crop.left - self._crop.right
        height = kind.height - self._crop.top - self._crop.bottom
        turned = self.orientation.transpose
        self.own = Canvas(*((height, width, 1 / kind.sar) if turned else (width, height, kind.sar)))
        """The picture's own size, as players show it."""
        self.hdr = HDR_TRANSFERS.get(kind.transfer)
        from_rgb = is_rgb and not self.hdr
        # grey pictures have all 256 shades unless marked otherwise, as cameras and microscopes make them
        grey = kind.pix_fmt.startswith("gray") and not kind.color_range
        self.full_range = grey or kind.pix_fmt.startswith("yuvj") or kind.color_range == ColorRange.JPEG
        self.color_range = int(ColorRange.JPEG) if self.full_range else kind.color_range
        self.matrix = kind.matrix
        if from_rgb or self.hdr:
            self.full_range, self.color_range = False, int(ColorRange.MPEG)
            self.matrix = BT709 if self.hdr or kind.height > HD_HEIGHT else BT601
        self._tone_mapper = (
            ToneMapper(self.hdr, full_range=kind.color_range == ColorRange.JPEG) if self.hdr else None
        )
        self._reformatter = VideoReformatter()

    def make(self, picture: VideoFrame) -> VideoFrame:
        """One decoded av.VideoFrame in, one in yuv420p out: the same if there is nothing to do."""
        plain = picture.format.name == "yuv420p" and not self.hdr
        if plain and all(plane.line_size > 0 for plane in picture.planes):
            made = picture
        else:
            made = self._converted(picture)
        if not (self.orientation.is_upright and self.own.size == self._stored):
            made = self._turned_and_padded(made)
        made.color_range, made.colorspace = self.color_range, self.matrix
        if made is not picture:
            copy_time(picture, made)
        return made

    def _converted(self, picture: VideoFrame) -> VideoFrame:
        name = picture.format.name
        if self._tone_mapper and not picture.format.is_rgb:
            return self._tone_mapper.map(picture)
        if name in ("yuvj420p", "yuv420p"):  # other range tag, or stored bottom-up
            return self._copy(plane_views(picture))
        if name.startswith("gray"):
            eight = picture if name == "gray" else self._reformatter.reformat(picture, format="gray")
            return self._copy(plane_views(eight))
        if name.startswith("yuvj"):
            relabelled = VideoFrame(picture.width, picture.height, name.replace("yuvj", "yuv"))
            picture = self._copy(plane_views(picture), relabelled)
        rgb = picture.format.is_rgb or picture.format.has_palette
        # from YUV, only depth and chroma sampling change; equal tags on both sides keep the values
        matrix = Colorspace.ITU709 if self.matrix == BT709 else Colorspace.ITU601
        return self._reformatter.reformat(
            picture,
            *self._stored,
            "yuv420p",
            src_colorspace=matrix,
            dst_colorspace=matrix,
            src_color_range=range_of(full=rgb),
            dst_color_range=range_of(full=rgb and self.full_range),
            interpolation="BICUBIC",
        )

    def _copy(self, planes: list[UInt8Array], made: VideoFrame | None = None) -> VideoFrame:
        made = made or VideoFrame(*self._stored, "yuv420p")
        for i, target in enumerate(plane_views(made)):
            target[:] = planes[i] if i < len(planes) else 128
        return made

    def _turned_and_padded(self, picture: VideoFrame) -> VideoFrame:
        made = VideoFrame(*self.own.size, "yuv420p")
        width, height = self.own.width, self.own.height
        for i, (source, target) in enumerate(zip(plane_views(picture), plane_views(made), strict=True)):
            w, h = (width, height) if i == 0 else (even(width) // 2, even(height) // 2)
            self.orientation.apply(self._cropped(source, (w, h), 1 if i == 0 else 2), target[:h, :w])
            if target.shape[1] > w:
                target[:h, w:] = target[:h, w - 1 : w]
            if target.shape[0] > h:
                target[h:] = target[h - 1 : h]
        return made

    def _cropped(self, plane: UInt8Array, upright_size: tuple[int, int], subsampling: int) -> UInt8Array:
        width, height = upright_size[::-1] if self.orientation.transpose else upright_size
        left, top = self._crop.left // subsampling, self._crop.top // subsampling
        return plane[top : top + height, left : left + width]
