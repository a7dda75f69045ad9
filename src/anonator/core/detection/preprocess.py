"""How a picture is shown to the network: its size there, resizing, padding of tiny ones, turning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, cast

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from anonator.core.config import MAX_UPSCALE
from anonator.core.frames import UInt8Array

Pictures: TypeAlias = Sequence[UInt8Array] | UInt8Array
"""N pictures (H, W, 3), or one array (N, H, W, 3)."""
SMALLEST_SIDE = 32
"""Pictures are padded to this: below it the network's coarsest level has nothing to look at."""
TURNS = (None, cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_180, cv2.ROTATE_90_CLOCKWISE)


def network_size(width: int, height: int, max_resolution: int) -> tuple[int, int]:
    """Width and height at which the network sees a picture: long side max_resolution, at most 2x up."""
    scale = min(max_resolution / max(width, height), MAX_UPSCALE)
    return max(1, round(width * scale)), max(1, round(height * scale))


def require_pictures(pictures: Pictures) -> None:
    """Refuse, by ValueError, what is no uint8 picture, RGB or grey."""
    for picture in pictures:
        if picture.dtype != np.uint8 or picture.shape[2:] not in ((), (3,)) or picture.ndim < 2:
            raise ValueError(f"expected uint8 pictures, RGB or grey, got {picture.dtype} {picture.shape}")


def padded(size: tuple[int, int]) -> tuple[int, int]:
    """A width and height with the padding of tiny pictures."""
    return max(size[0], SMALLEST_SIDE), max(size[1], SMALLEST_SIDE)


def stage(
    picture: UInt8Array,
    size: tuple[int, int],
    means: tuple[float, float, float],
    interpolation: int | None = None,
    target: UInt8Array | None = None,
) -> UInt8Array:
    """The picture as the network sees it.

    Args:
        picture: (H, W, 3) uint8 RGB, or grey (H, W).
        size: width and height to give it.
        means: the colour, RGB, of the padding at the right and below.
        interpolation: OpenCV's method; None chooses area for shrinking and bilinear for enlarging.
        target: where to put it; None allocates, and may return the picture itself.

    Returns:
        (h, w, 3) uint8 RGB of the padded size, contiguous.
    """
    height, width = picture.shape[:2]
    if picture.ndim == 2:
        picture = cast(UInt8Array, cv2.cvtColor(picture, cv2.COLOR_GRAY2RGB))
    if size != (width, height):
        if interpolation is None:
            interpolation = cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR
        picture = cast(UInt8Array, cv2.resize(picture, size, interpolation=interpolation))
    w, h = padded(size)
    if target is None:
        if (w, h) == size:
            return np.ascontiguousarray(picture)
        target = np.empty((h, w, 3), np.uint8)
    if (w, h) != size:
        target[:] = np.array(means, np.uint8)
    target[: size[1], : size[0]] = picture
    return target


def turn(picture: UInt8Array, quarter_turns: int) -> UInt8Array:
    """The picture turned counter-clockwise, as np.rot90 does it, but contiguous and five times as fast."""
    code = TURNS[quarter_turns % 4]
    return picture if code is None else cast(UInt8Array, cv2.rotate(picture, code))


def halve(picture: UInt8Array) -> UInt8Array:
    """A (H, W, 3) picture at half its size, by area."""
    height, width = picture.shape[:2]
    half = cv2.resize(picture, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    return cast(UInt8Array, half)


def halve_batch(batch: Tensor, dtype: torch.dtype) -> Tensor:
    """The same for a (N, H, W, 3) uint8 batch on its own device; dtype is what that computes fast in."""
    size = batch.shape[1] // 2, batch.shape[2] // 2
    planes = batch.permute(0, 3, 1, 2).to(dtype)
    # rounded half up, as OpenCV does
    small = nn.functional.interpolate(planes, size=size, mode="area").add_(0.5)
    return small.to(torch.uint8).permute(0, 2, 3, 1).contiguous()
