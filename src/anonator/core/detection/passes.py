"""Turns what several looks at a picture found into its Detections: rotates back, scales, clips,
suppresses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torchvision.ops import nms  # type: ignore[import-untyped]

from anonator.core import boxes as box_ops
from anonator.core.config import NMS_THRESHOLD
from anonator.core.detection.seams import Layout
from anonator.core.frames import APART, Detections, Float32Array

WITHIN = 0.7
"""Share of a part's box that must be within a face's for them to be one face."""
SURE, HELD, SWOLLEN = 0.9, 0.9, 4.0
"""An upright face of this score, of which this share is within a turned one up to so many times as large, is
all there is of that one."""
UPRIGHT_SHARE = 0.7
"""Part of a turned box's score that an upright one needs to count as the same face."""


LARGE_FACE = 128
"""Long side, in pixels that the network sees, from which a face is judged at half the size."""
OVERLAP = 0.75
"""The half-size picture counts from this part of LARGE_FACE on, so that no face falls between the two."""
SMALLEST_HALVED = 64
"""A picture with a shorter side than this is too small for a large face."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One way of looking at a picture, and the faces it is responsible for."""

    turns: int
    """Quarter turns, counter-clockwise."""
    halved: bool
    """At half the size."""
    smallest: float = 0.0
    """Long side, in pixels of the full-size picture that the network sees, from which a face counts."""
    largest: float = math.inf
    """Long side from which it no longer counts."""
    apart: bool = False
    """With its parts apart; see seams."""


def plan_passes(turns: Sequence[int], seen: tuple[int, int], *, halves: bool) -> list[Pass]:
    """All passes over a picture: small faces at full size, large ones at half of it, at every turn.

    A large face is as easy to see at half the size, while hair, shirts and trees that look like faces
    when enlarged do not; measured on the reference clips this halves the masked area without a leak.

    Where the picture is turned, it is also looked at with its parts apart, for faces that an edge cuts off.
    At half the size that costs little, and a face that is so small that it needs the full size is small
    enough to be found with what surrounds it.

    Args:
        turns: quarter turns.
        seen: width and height of the full-size picture that the network sees.
        halves: False makes the full size speak for all faces.
    """
    if not halves or min(seen) < SMALLEST_HALVED or max(seen) < 2 * LARGE_FACE:
        return [Pass(k, False) for k in turns]
    small = [Pass(k, False, largest=LARGE_FACE) for k in turns]
    large = [Pass(k, True, smallest=LARGE_FACE * OVERLAP) for k in turns]
    return small + large + ([Pass(0, True, apart=True)] if len(turns) > 1 else [])


def merge(
    found: Sequence[Float32Array],
    passes: Sequence[Pass],
    seen: tuple[int, int],
    scale: tuple[float, float],
    size: tuple[int, int],
    layout: Layout | None = None,
    nms_threshold: float = NMS_THRESHOLD,
) -> Detections:
    """One picture's Detections.

    Args:
        found: for each pass (K, 5) xyxy in 0..1 of the picture as it was turned, and the score.
        passes: how each was made.
        seen: width and height in pixels of the upright picture that the network saw, padding included.
        scale: factors from those pixels to the picture's own, for x and y.
        size: width and height of the picture itself.
        layout: of its parts, for passes that saw them apart.
        nms_threshold: boxes that overlap more than this are one face.
    """
    rows, origin = [], []
    for faces, p in zip(found, passes, strict=True):
        sides = np.array([seen[1], seen[0]] * 2 if p.turns % 2 else [*seen] * 2, np.float32)
        pixels = (layout.gather(faces) if p.apart and layout else faces[:, :4]) * sides
        long_side = (pixels[:, 2:] - pixels[:, :2]).max(axis=1, initial=0)
        spoken_for = (long_side >= p.smallest) & (long_side < p.largest)
        upright = box_ops.turn_back(pixels[spoken_for], p.turns, *seen)
        scaled = box_ops.clip(box_ops.rescale(upright, *scale), *size)
        rows.append(np.concatenate([scaled, faces[spoken_for, 4:]], axis=1))
        origin.append(np.full(len(scaled), APART if p.apart else p.turns % 4, np.int32))
    merged, turned = np.concatenate(rows), np.concatenate(origin)
    real = box_ops.areas(merged[:, :4]) > 0
    merged, turned = merged[real], turned[real]
    apart = turned == APART
    whole = suppress(merged[~apart, :4], merged[~apart, 4], turned[~apart], nms_threshold)
    whole = without_swollen(whole)
    if not apart.any():
        return whole
    parts = suppress(merged[apart, :4], merged[apart, 4], turned[apart], nms_threshold)
    return add_parts(whole, parts, nms_threshold)


def without_swollen(faces: Detections) -> Detections:
    """The faces of a picture but for turned ones that are a sure upright face and its hands or hair.

    Where hands come near a face, the turned picture shows both as one large face, up to four times as large
    as the one that is surely there. It would hide the hands for as long as the track goes on.
    """
    sure = (faces.turns == 0) & (faces.scores >= SURE)
    if not sure.any() or sure.all():
        return faces
    certain = faces.select(sure)
    holds = box_ops.inside(certain.boxes, faces.boxes) >= HELD
    alike = box_ops.areas(faces.boxes)[None] <= SWOLLEN * box_ops.areas(certain.boxes)[:, None]
    weaker = faces.scores[None] < certain.scores[:, None]
    swollen = (holds & alike & weaker).any(axis=0) & (faces.turns != 0)
    return faces.select(~swollen)


def add_parts(faces: Detections, parts: Detections, nms_threshold: float = NMS_THRESHOLD) -> Detections:
    """The faces of a picture and those that were seen with its parts apart, best first.

    One that was seen both ways is covered as far as either box says: the better score must not make the
    mask smaller.
    """
    boxes, scores, turns = faces.boxes.copy(), faces.scores.copy(), faces.turns.copy()
    overlap = box_ops.iou(parts.boxes, faces.boxes)
    # a line across a face makes a small face of its half, which is within the whole one
    whole = (faces.turns == 0) & (faces.scores >= UPRIGHT_SHARE * parts.scores[:, None])
    overlap = np.where(whole & (box_ops.inside(parts.boxes, faces.boxes) > WITHIN), 1.0, overlap)
    same = overlap.argmax(axis=1) if len(faces) else np.zeros(len(parts), np.int64)
    seen = overlap.max(axis=1, initial=0) > nms_threshold
    for i in np.flatnonzero(seen):
        face = same[i]
        boxes[face] = box_ops.hull(boxes[face][None], parts.boxes[i][None])[0]
        if faces.scores[face] < UPRIGHT_SHARE * parts.scores[i]:
            turns[face] = APART
        scores[face] = max(scores[face], parts.scores[i])
    new = parts.select(~seen)
    scores = np.concatenate([scores, new.scores])
    order = np.argsort(-scores, kind="stable")
    boxes, turns = np.concatenate([boxes, new.boxes]), np.concatenate([turns, new.turns])
    return Detections(boxes[order], scores[order], turns[order])


def suppress(
    boxes: Float32Array, scores: Float32Array, turns: np.ndarray, nms_threshold: float = NMS_THRESHOLD
) -> Detections:
    """Non-maximum suppression of all boxes of one picture, best first.

    A box that stays counts as upright as soon as an upright box of a similar score is the same
    face: a turned pass that scores a little higher must not make an ordinary face look doubtful.

    Args:
        boxes: (N, 4) float32 xyxy in pixels.
        scores: (N,) float32.
        turns: (N,) quarter turns of the picture in which each was found, or APART.
        nms_threshold: boxes that overlap more than this are one face.
    """
    keep = nms(torch.from_numpy(boxes), torch.from_numpy(scores), nms_threshold).numpy()
    kept_turns = turns[keep].astype(np.int32)
    upright = np.flatnonzero(turns == 0)
    if len(upright) and (kept_turns != 0).any():
        same = box_ops.iou(boxes[keep], boxes[upright]) > nms_threshold
        best = np.where(same, scores[upright][None, :], 0).max(axis=1)
        kept_turns[best >= UPRIGHT_SHARE * scores[keep]] = 0
    return Detections(boxes[keep].astype(np.float32), scores[keep].astype(np.float32), kept_turns)
