"""Turns what several looks at a picture found into its Detections: rotates back, scales, clips,
suppresses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from anonator.core import boxes as box_ops
from anonator.core.config import NMS_THRESHOLD
from anonator.core.detection.seams import Layout
from anonator.core.frames import APART, Detections, Float32Array

WITHIN = 0.7
"""Share of a part's box that must be within a face's for them to be one face."""
SURE, HELD, SWOLLEN = 0.9, 0.9, 5.0
"""An upright face of this score, of which this share is within a turned one up to so many times as large, is
all there is of that one."""
UPRIGHT_SHARE = 0.7
"""Part of a turned box's score that an upright one needs to count as the same face."""


LARGE_FACE = 128
"""Long side, in pixels that the network sees, from which a face is judged at half the size."""
HUGE_FACE = 256
"""Long side from which a face is also looked for at a quarter of the size."""
OVERLAP = 0.75
"""A smaller picture counts from this part of LARGE_FACE or HUGE_FACE on: no face falls between two."""
SMALLEST_SHRUNK = 64
"""A picture with a shorter side than this is too small for a large face."""
HINT = 0.2
"""A large face that is seen with this score at a quarter of the size is worth a look at half of it."""
SURELY_TURNED = 0.5
"""A small face that lies on its side and has this score at half the size is worth looking for its like."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One way of looking at a picture, and the faces it is responsible for."""

    turns: int
    """Quarter turns, counter-clockwise."""
    halvings: int = 0
    """How often the picture was halved in size."""
    smallest: float = 0.0
    """Long side, in pixels of the full-size picture that the network sees, from which a face counts."""
    largest: float = math.inf
    """Long side from which it no longer counts."""
    apart: bool = False
    """With its parts apart; see seams."""


def plan_passes(turns: Sequence[int], seen: tuple[int, int], *, halves: bool) -> list[Pass]:
    """The passes that every picture gets; what they find decides on others, see further_passes.

    A large face is as easy to see at half the size, while hair, shirts and trees that look like faces
    when enlarged do not; measured on the reference clips this halves the masked area without a leak. A face
    that fills the picture, above all a dark one, is seen only at a quarter of the size.

    Where the picture is turned, it is also looked at with its parts apart, for faces that an edge cuts off.
    Both are done at half the size: people who lie are usually near, and a face that is so small that it
    needs the full size is small enough to be found with what surrounds it.

    Args:
        turns: quarter turns.
        seen: width and height of the full-size picture that the network sees.
        halves: with False, the full size is looked at for all faces.
    """
    if not _is_shrunk(seen, halves):
        return [Pass(k) for k in turns]
    passes = [Pass(k, 1) for k in turns if k % 4]
    if len(passes) < len(turns):
        passes = [Pass(0, largest=LARGE_FACE), *passes]
        has_quarter = min(seen) >= 4 * SMALLEST_SHRUNK
        if passes[1:] or not has_quarter:  # nothing else would hint at a face that fills a small picture
            passes.append(_large(0))
        if has_quarter:
            # turned pictures of a quarter of the size make faces of shoulders
            passes.append(Pass(0, 2, smallest=HUGE_FACE * OVERLAP))
    return passes + ([Pass(0, 1, apart=True)] if len(turns) > 1 else [])


def further_passes(
    found: Sequence[Float32Array], passes: Sequence[Pass], seen: tuple[int, int]
) -> list[Pass]:
    """The passes that are worth their time after the first ones, over the same picture.

    A large upright face is judged at half the size where anything hints at one. Where a small face lies on
    its side, there may be smaller ones, so the picture is looked at in full size at that turn.

    Args:
        found: for each pass (K, 5), as for merge.
        passes: those of plan_passes.
        seen: as for plan_passes.
    """
    if not any(p.halvings for p in passes):
        return []
    more = []
    first = {(p.turns % 4, p.halvings): faces for p, faces in zip(passes, found, strict=True) if not p.apart}
    if (0, 0) in first and (0, 1) not in first:
        full, quarter = first[0, 0], first[0, 2]
        large = _long_sides(quarter, 0, seen) >= LARGE_FACE * OVERLAP
        if (_long_sides(full, 0, seen) >= LARGE_FACE * OVERLAP).any() or (quarter[large, 4] >= HINT).any():
            more.append(_large(0))
    turned = [k for k, halvings in first if k and halvings == 1]
    if turned:
        looks = [(p, each) for p, each in zip(passes, found, strict=True) if p.halvings < 2 and not p.apart]
        faces = merge([each for _, each in looks], [p for p, _ in looks], seen, (1.0, 1.0), seen)
        small = (faces.boxes[:, 2:] - faces.boxes[:, :2]).max(axis=1, initial=0) < LARGE_FACE
        sure = small & (faces.scores >= SURELY_TURNED)
        more += [Pass(k, largest=LARGE_FACE) for k in turned if (sure & (faces.turns == k)).any()]
    return more


def all_passes(turns: Sequence[int], seen: tuple[int, int], *, halves: bool) -> list[Pass]:
    """All passes at once, for a device on which waiting for an answer costs more than a pass.

    Args:
        turns, seen, halves: as for plan_passes.
    """
    passes = plan_passes(turns, seen, halves=halves)
    if _is_shrunk(seen, halves):
        passes += [Pass(k, largest=LARGE_FACE) for k in turns if k % 4]
        passes += [] if _large(0) in passes or all(k % 4 for k in turns) else [_large(0)]
    return passes


def _is_shrunk(seen: tuple[int, int], halves: bool) -> bool:
    return halves and min(seen) >= SMALLEST_SHRUNK and max(seen) >= 2 * LARGE_FACE


def _large(turns: int) -> Pass:
    return Pass(turns, 1, smallest=LARGE_FACE * OVERLAP)


def _long_sides(faces: Float32Array, turns: int, seen: tuple[int, int]) -> Float32Array:
    """(K,) in pixels of the full-size picture that the network sees."""
    pixels = _in_pixels(faces, turns, seen)
    longest: Float32Array = (pixels[:, 2:] - pixels[:, :2]).max(axis=1, initial=0)
    return longest


def _in_pixels(faces: Float32Array, turns: int, seen: tuple[int, int]) -> Float32Array:
    """(K, 4) xyxy in pixels of the turned picture that the network sees in full size."""
    sides = np.array([seen[1], seen[0]] * 2 if turns % 2 else [*seen] * 2, np.float32)
    pixels: Float32Array = faces[:, :4] * sides
    return pixels


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
    full = {p.turns % 4 for p in passes if not p.halvings}
    for faces, p in zip(found, passes, strict=True):
        pixels = _in_pixels(layout.gather(faces) if p.apart and layout else faces, p.turns, seen)
        long_side = (pixels[:, 2:] - pixels[:, :2]).max(axis=1, initial=0)
        # the full size, where it was looked at, speaks for small faces
        judged = p.halvings and not p.apart and p.turns % 4 in full
        smallest = max(p.smallest, LARGE_FACE * OVERLAP) if judged else p.smallest
        spoken_for = (long_side >= smallest) & (long_side < p.largest)
        upright = box_ops.turn_back(pixels[spoken_for], p.turns, *seen)
        scaled = box_ops.clip(box_ops.rescale(upright, *scale), *size)
        rows.append(np.concatenate([scaled, faces[spoken_for, 4:]], axis=1))
        origin.append(np.full(len(scaled), APART if p.apart else p.turns % 4, np.int32))
    merged, turned = np.concatenate(rows), np.concatenate(origin)
    real = box_ops.areas(merged[:, :4]) > 0
    merged, turned = merged[real], turned[real]
    apart = turned == APART
    whole, keep = _suppressed(merged[~apart, :4], merged[~apart, 4], turned[~apart], nms_threshold)
    whole = without_swollen(whole, turned[~apart][keep])
    if not apart.any():
        return whole
    parts = suppress(merged[apart, :4], merged[apart, 4], turned[apart], nms_threshold)
    return add_parts(whole, parts, nms_threshold)


def without_swollen(faces: Detections, found: np.ndarray) -> Detections:
    """The faces of a picture but for turned ones that are a sure upright face and its hands or hair.

    Where hands come near a face, the turned picture shows both as one large face, up to five times as large
    as the one that is surely there. It would hide the hands for as long as the track goes on.

    Args:
        faces: after suppression.
        found: (N,) quarter turns of the picture in which each was found: the sure face itself, which overlaps
            it, may have made a swollen one count as upright.
    """
    sure = (faces.turns == 0) & (faces.scores >= SURE)
    if not sure.any() or sure.all():
        return faces
    certain = faces.select(sure)
    holds = box_ops.inside(certain.boxes, faces.boxes) >= HELD
    alike = box_ops.areas(faces.boxes)[None] <= SWOLLEN * box_ops.areas(certain.boxes)[:, None]
    weaker = faces.scores[None] < certain.scores[:, None]
    swollen = (holds & alike & weaker).any(axis=0) & (found != 0)
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


def best_of_each(boxes: Float32Array, scores: Float32Array, nms_threshold: float) -> np.ndarray:
    """(K,) indices of the boxes that no better one overlaps by more than the threshold, best first.

    OpenCV's, because torchvision's, which keeps the same boxes, takes a second and a half to import.

    Args:
        boxes: (N, 4) float32 xyxy in pixels.
        scores: (N,) float32 in 0..1.
        nms_threshold: IoU.
    """
    sides = boxes.astype(np.float64)
    sides[:, 2:] -= sides[:, :2]
    above_nothing = np.maximum(scores, np.finfo(np.float32).tiny)  # it leaves out what is not above 0
    return np.array(cv2.dnn.NMSBoxes(sides, above_nothing, 0.0, nms_threshold), np.intp)  # type: ignore[arg-type]


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
    return _suppressed(boxes, scores, turns, nms_threshold)[0]


def _suppressed(
    boxes: Float32Array, scores: Float32Array, turns: np.ndarray, nms_threshold: float
) -> tuple[Detections, np.ndarray]:
    """What suppress says, and which of the boxes stay."""
    keep = best_of_each(boxes, scores, nms_threshold)
    kept_turns = turns[keep].astype(np.int32)
    upright = np.flatnonzero(turns == 0)
    if len(upright) and (kept_turns != 0).any():
        same = box_ops.iou(boxes[keep], boxes[upright]) > nms_threshold
        best = np.where(same, scores[upright][None, :], 0).max(axis=1)
        kept_turns[best >= UPRIGHT_SHARE * scores[keep]] = 0
    faces = Detections(boxes[keep].astype(np.float32), scores[keep].astype(np.float32), kept_turns)
    return faces, keep
