"""The known answer: a picture drawn for an engine, and whether it answers as PyTorch does in float32."""

from __future__ import annotations

from itertools import cycle

import cv2
import numpy as np

from anonator.core.frames import Float32Array, UInt8Array

SIDES = (20, 32, 48, 72, 110, 160, 240)
"""Heights of the drawn faces, one row each: every level of the network has something to see."""
SKIN = ((224, 172, 140), (141, 85, 56), (198, 134, 100), (90, 56, 38), (240, 200, 175))
IN_A_ROW = 6
EXACT = 0.01
"""How far any number of an answer in float32 may be off; OpenVINO on a CPU is off by 0.00003 (2026-11-27)."""
CANDIDATE = 0.1
"""Score from which an answer in fewer bits must be close to that in float32."""
CLOSE = 0.25
"""How far its numbers may be off there: 0.06 of a score, 0.025 of a prior's side. 0.07 was measured."""
ANYWHERE = 1.0
"""How far they may be off elsewhere, where nothing looks like a face; 0.12 was measured."""


def known_picture(width: int, height: int) -> UInt8Array:
    """(height, width, 3) RGB, always the same: drawn faces of many sizes before a wall with some grain."""
    across, down = np.linspace(0, 1, width, dtype=np.float32), np.linspace(0, 1, height, dtype=np.float32)
    base, right, below = np.array([(90, 110, 130), (60, 20, -40), (10, 50, -20)], np.float32)
    wall = base + right * across[None, :, None] + below * down[:, None, None]
    grain = np.random.default_rng(7).normal(0, 5, (256, 256)).astype(np.float32)
    wall += np.tile(grain, (-(-height // 256), -(-width // 256)))[:height, :width, None]
    picture = np.clip(wall, 0, 255).astype(np.uint8)
    skins, top = cycle(SKIN), 2
    for side in cycle(SIDES):
        if top + 1.3 * side > height and side > SIDES[0]:
            break
        centre = int(0.6 * side)
        for _ in range(IN_A_ROW):
            if centre + 0.6 * side > width:
                break
            _draw_face(picture, (centre, top + int(0.7 * side)), side, next(skins))
            centre += int(1.5 * side) + 11
        top += int(1.35 * side) + 3
        if top > height:
            break
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 0.8), np.uint8)


def _draw_face(picture: UInt8Array, centre: tuple[int, int], side: int, skin: tuple[int, int, int]) -> None:
    def part(share: float) -> int:
        return max(1, round(share * side))

    def oval(right: float, below: float, width: float, height: float, colour: tuple[int, ...]) -> None:
        # a shift to the left or up is no smaller than a pixel either
        at = round(x + right * side), round(y + below * side)
        cv2.ellipse(picture, at, (part(width), part(height)), 0, 0, 360, colour, cv2.FILLED)

    x, y = centre
    hair, white, shade = (50, 35, 25), (235, 235, 230), tuple(int(0.35 * c) for c in skin)
    oval(0, -0.08, 0.42, 0.55, hair)
    oval(0, 0, 0.36, 0.48, skin)
    for eye in (-0.15, 0.15):
        oval(eye, -0.17, 0.09, 0.02, hair)
        oval(eye, -0.08, 0.07, 0.035, white)
        oval(eye, -0.08, 0.03, 0.03, hair)
    oval(0, 0.04, 0.02, 0.08, shade)
    oval(0, 0.11, 0.05, 0.02, shade)
    oval(0, 0.24, 0.12, 0.04, (int(0.75 * skin[0]), int(0.4 * skin[1]), int(0.4 * skin[2])))
    oval(0, 0.24, 0.11, 0.01, shade)


def disagreement(
    answer: tuple[Float32Array, Float32Array], expected: tuple[Float32Array, Float32Array], *, exact: bool
) -> str:
    """How an engine's answer to the known picture differs too much from the expected one, or "".

    Args:
        answer: (P, 4) regressions and (P,) logits.
        expected: the same, by PyTorch in float32.
        exact: whether the engine computed in float32.
    """
    if any(a.shape != e.shape for a, e in zip(answer, expected, strict=True)):
        return "it has another shape"
    if not all(np.isfinite(a).all() for a in answer):
        return "it is not finite"
    (regressions, logits), (boxes, scores) = answer, expected
    off = np.maximum(abs(logits - scores), abs(regressions - boxes).max(axis=1))
    if exact:
        return f"it is off by {off.max():.3g}" if off.max() > EXACT else ""
    seen = np.maximum(logits, scores) >= np.log(CANDIDATE / (1 - CANDIDATE))
    if (worst := off[seen].max(initial=0)) > CLOSE:
        return f"it is off by {worst:.3g} where a face may be"
    return f"it is off by {off.max():.3g}" if off.max() > ANYWHERE else ""
