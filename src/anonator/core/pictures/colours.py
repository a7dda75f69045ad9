"""Names for FFmpeg's colour tags, and what players assume if there is none."""

from __future__ import annotations

from av.video.reformatter import ColorRange, Colorspace, ColorTrc

BT709, UNSPECIFIED, BT601 = 1, 2, 6
"""AVColorSpace: which matrix made YUV from RGB. PyAV names only swscale's numbers of them, as Colorspace."""
SWS_MATRIX = {
    1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601,
    7: Colorspace.SMPTE240M, 9: Colorspace.BT2020, 10: Colorspace.BT2020,
}  # fmt: skip
"""AVColorSpace to swscale's number for the same matrix."""
HD_HEIGHT = 576
"""Taller pictures without a tag are taken as BT.709, others as BT.601, as players do."""
HDR_TRANSFERS = {int(ColorTrc.SMPTE2084): "PQ", int(ColorTrc.ARIB_STD_B67): "HLG"}
"""The two kinds of HDR."""


def sws_matrix(tag: int, height: int) -> Colorspace:
    """swscale's number of the matrix that a tag names, or that players take for a picture without one."""
    return SWS_MATRIX.get(tag) or (Colorspace.ITU709 if height > HD_HEIGHT else Colorspace.ITU601)


def range_of(*, full: bool) -> ColorRange:
    """Black and white at 0 and 255, or at 16 and 235."""
    return ColorRange.JPEG if full else ColorRange.MPEG
