"""Box geometry in pure NumPy: boxes are (N, 4) float32 xyxy in pixels, half-open, and N may be 0."""

from __future__ import annotations

import numpy as np

from anonator.core.frames import Float32Array


def areas(boxes: Float32Array) -> Float32Array:
    """(N,) areas in square pixels; a box of negative width or height has none."""
    sides = np.maximum(boxes[:, 2:] - boxes[:, :2], 0)
    return np.asarray(sides[:, 0] * sides[:, 1], np.float32)


def centres(boxes: Float32Array) -> Float32Array:
    """(N, 2) centres as x, y."""
    return np.asarray((boxes[:, :2] + boxes[:, 2:]) / 2, np.float32)


def sizes(boxes: Float32Array) -> Float32Array:
    """(N,) side of the square of the same area, in pixels."""
    return np.sqrt(areas(boxes))


def iou(a: Float32Array, b: Float32Array) -> Float32Array:
    """(N, M) intersection over union of every box of a (N, 4) with every box of b (M, 4)."""
    inter = _intersections(a, b)
    union = areas(a)[:, None] + areas(b)[None, :] - inter
    return np.where(union > 0, inter / np.maximum(union, 1e-9), 0).astype(np.float32)


def inside(a: Float32Array, b: Float32Array) -> Float32Array:
    """(N, M) the share of every box of a (N, 4) that is inside every box of b (M, 4)."""
    own = areas(a)[:, None]
    return np.where(own > 0, _intersections(a, b) / np.maximum(own, 1e-9), 0).astype(np.float32)


def _intersections(a: Float32Array, b: Float32Array) -> Float32Array:
    sides = np.maximum(
        np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2]), 0
    )
    return np.asarray(sides[..., 0] * sides[..., 1], np.float32)


def clip(boxes: Float32Array, width: int, height: int) -> Float32Array:
    """(N, 4) boxes cut at the edges of a picture of that size."""
    limits = np.array([width, height, width, height], np.float32)
    return np.clip(boxes, 0, limits).astype(np.float32)


def expand(boxes: Float32Array, scale: float) -> Float32Array:
    """(N, 4) boxes with both sides multiplied by scale about their centres; not clipped."""
    half = (boxes[:, 2:] - boxes[:, :2]) * (scale / 2)
    middle = centres(boxes)
    return np.concatenate([middle - half, middle + half], axis=1).astype(np.float32)


def rescale(boxes: Float32Array, x_factor: float, y_factor: float) -> Float32Array:
    """(N, 4) boxes scaled to a picture whose sides are that many times longer."""
    return boxes * np.array([x_factor, y_factor, x_factor, y_factor], np.float32)


def interpolate(a: Float32Array, b: Float32Array, fraction: float) -> Float32Array:
    """(N, 4) boxes between a and b, row by row: a at fraction 0, b at 1."""
    return (a * np.float32(1 - fraction) + b * np.float32(fraction)).astype(np.float32)


def hull(a: Float32Array, b: Float32Array) -> Float32Array:
    """(N, 4) smallest boxes that hold a and b, row by row."""
    return np.concatenate([np.minimum(a[:, :2], b[:, :2]), np.maximum(a[:, 2:], b[:, 2:])], axis=1)


def turn_back(boxes: Float32Array, quarter_turns: int, width: int, height: int) -> Float32Array:
    """(N, 4) boxes found in a picture that np.rot90 turned counter-clockwise, as boxes of the upright one.

    Args:
        boxes: boxes in the turned picture.
        quarter_turns: how often it was turned.
        width: width of the upright picture in pixels.
        height: its height in pixels.
    """
    x1, y1, x2, y2 = boxes.T
    turned = {
        0: (x1, y1, x2, y2),
        1: (width - y2, x1, width - y1, x2),
        2: (width - x2, height - y2, width - x1, height - y1),
        3: (y1, height - x2, y2, height - x1),
    }[quarter_turns % 4]
    return np.stack(turned, axis=1).astype(np.float32)


def to_pixels(boxes: Float32Array, width: int, height: int) -> list[tuple[int, int, int, int]]:
    """The whole pixels that boxes touch, cut at the picture's edges; empty boxes are left out."""
    outer = np.concatenate([np.floor(boxes[:, :2]), np.ceil(boxes[:, 2:])], axis=1)
    rows = clip(outer.astype(np.float32), width, height).astype(int).tolist()
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in rows if x2 > x1 and y2 > y1]
