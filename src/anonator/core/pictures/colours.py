"""Names for FFmpeg's colour tags, and what players take where there is none."""

from __future__ import annotations

LIMITED, FULL = 1, 2
"""AVColorRange: black and white at 16 and 235, or at 0 and 255."""
BT709, UNSPECIFIED, BT601 = 1, 2, 6
"""AVColorSpace: which matrix made YUV from RGB."""
SWS_MATRIX = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9, 10: 9}
"""AVColorSpace to swscale's number for the same matrix."""
HD_HEIGHT = 576
"""Taller pictures without a tag are taken as BT.709, others as BT.601, as players do."""
HDR_TRANSFERS = {16: "PQ", 18: "HLG"}
"""AVColorTransferCharacteristic of the two kinds of HDR."""


def sws_matrix(tag: int, height: int) -> int:
    """swscale's number of the matrix that a tag names, or that players take for a picture without one."""
    return SWS_MATRIX.get(tag) or (1 if height > HD_HEIGHT else 5)
