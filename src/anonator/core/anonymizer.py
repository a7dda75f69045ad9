"""Makes faces unrecognizable on the planes of a frame: solid boxes, blur or mosaic."""

from __future__ import annotations

import math

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.areas import area
from anonator.core.config import Mode, Settings
from anonator.core.frames import Float32Array, Frame, Masks, UInt8Array

BLUR_CELLS = 2
"""Sigmas of the blur across a face: only its mean colour and a gradient are left, and no detector finds
it."""
LIMITED_BLACK, FULL_BLACK, NEUTRAL_CHROMA = 16, 0, 128


def anonymize(frame: Frame, masks: Masks, settings: Settings) -> None:
    """Cover every mask of a frame, in place; the frame gets its own planes first.

    Args:
        frame: yuv420p with even sides.
        masks: boxes in pixels of the frame, before scaling.
        settings: of the job: how large the masks are, what they are made of, and which areas are covered too.

    Raises:
        SettingsError: an area is outside the picture.
    """
    sar = float(frame.sar)
    # strength follows the whole face, also where the frame's edge cuts it; black has none
    groups = [masks.boxes] if settings.mode is Mode.SOLID else [box[None] for box in masks.boxes]
    covered = [
        (rectangle, _seen_size(boxes[0], sar))
        for boxes in groups
        for rectangle in covered_pixels(boxes, settings.mask_scale, frame.width, frame.height)
    ]
    for each in map(area, settings.areas):
        if each.holds_at(float(frame.seconds)):
            rectangle = each.pixels(frame.width, frame.height)
            covered.append((rectangle, _seen_size(np.array(rectangle, np.float32), sar)))
    if not covered:
        return
    frame.make_writable()
    black = FULL_BLACK if frame.full_range else LIMITED_BLACK
    for index, plane in enumerate(frame.planes()):
        half = 1 if index == 0 else 2
        for (x1, y1, x2, y2), (across, down) in covered:
            face = across / half, down / half
            region = plane[y1 // half : y2 // half, x1 // half : x2 // half]
            if settings.mode is Mode.SOLID:
                region[:] = black if index == 0 else NEUTRAL_CHROMA
            elif settings.mode is Mode.BLUR:
                region[:] = _blurred(region, face, settings.blur_strength)
            else:
                region[:] = _mosaic(region, face, settings.mosaic_blocks)


def cover_picture(
    picture: UInt8Array, boxes: Float32Array, size: tuple[int, int], settings: Settings
) -> None:
    """Cover places of a picture as anonymize() does it on the frame that it shows, in place.

    Args:
        picture: (h, w, 3) RGB with square pixels, usually smaller than the frame.
        boxes: (N, 4) xyxy in pixels of the frame, enlarged already.
        size: width and height of the frame, even.
        settings: of the job; areas are not looked at.
    """
    height, width = picture.shape[:2]
    across, down = width / size[0], height / size[1]
    for x1, y1, x2, y2 in covered_pixels(boxes, 1.0, *size):
        region = picture[
            math.floor(y1 * down) : math.ceil(y2 * down), math.floor(x1 * across) : math.ceil(x2 * across)
        ]
        side = max((x2 - x1) * across, (y2 - y1) * down) / settings.mask_scale
        if settings.mode is Mode.SOLID:
            region[:] = 0
        elif settings.mode is Mode.BLUR:
            region[:] = _blurred(region, (side, side), settings.blur_strength, down)
        else:
            region[:] = _mosaic(region, (side, side), settings.mosaic_blocks, down)


def _seen_size(box: Float32Array, sar: float) -> tuple[float, float]:
    """The longer side of a face as people see it, in columns and in rows of the frame."""
    width, height = (box[2:] - box[:2]).tolist()
    side = max(width * sar, height)
    return side / sar, side


def covered_pixels(
    boxes: Float32Array, mask_scale: float, width: int, height: int
) -> list[tuple[int, int, int, int]]:
    """The pixels that masks cover: scaled, rounded outwards to whole chroma samples, cut at the edges.

    Args:
        boxes: (N, 4) xyxy in pixels.
        mask_scale: factor on both sides of a box.
        width: of the frame, even.
        height: of the frame, even.
    """
    scaled = box_ops.expand(boxes, mask_scale)
    even = np.concatenate([np.floor(scaled[:, :2] / 2) * 2, np.ceil(scaled[:, 2:] / 2) * 2], axis=1)
    return box_ops.to_pixels(even.astype(np.float32), width, height)


def _blurred(
    region: UInt8Array, face: tuple[float, float], strength: float, scale: float = 1.0
) -> UInt8Array:
    """The region, blurred by a fixed part of the face's side, given in columns and in rows."""
    height, width = region.shape[:2]
    small = _weakened(region, face, strength, scale)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)


def _mosaic(region: UInt8Array, face: tuple[float, float], count: int, scale: float = 1.0) -> UInt8Array:
    """Blocks of one value each, a fixed number across the face."""
    height, width = region.shape[:2]
    across, down = (max(side / count, 4.0 * scale) for side in face)
    blocks = (max(1, round(width / across)), max(1, round(height / down)))
    # blocks of the sharp region would give it away: masks shift a little from frame to frame, so each frame
    # samples the face elsewhere, and a few dozen mosaics of one face add up to a sharp picture of it
    small = cv2.resize(_weakened(region, face, scale=scale), blocks, interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


def _weakened(
    region: UInt8Array, face: tuple[float, float], strength: float = 1.0, scale: float = 1.0
) -> UInt8Array:
    """A small picture of the region after a Gaussian blur whose sigma is a fixed part of the face's side.

    Args:
        region: (H, W) or (H, W, 3).
        face: its side in columns and in rows of the region.
        strength: of the blur.
        scale: pixels of the region for each of the video's.
    """
    height, width = region.shape[:2]
    sigmas = [max(side * strength / BLUR_CELLS, 2.0 * scale) for side in face]
    # a wide Gaussian costs as much as its sigma is long; at a quarter of it the picture can shrink first
    across, down = (max(1.0, sigma / 4) for sigma in sigmas)
    size = (max(1, math.ceil(width / across)), max(1, math.ceil(height / down)))
    small = cv2.resize(region, size, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(
        small, (0, 0), sigmas[0] / across, sigmaY=sigmas[1] / down, borderType=cv2.BORDER_REPLICATE
    )
    return blurred.astype(np.uint8, copy=False)
