"""Draws the throughput tables as two bar charts, with Pillow."""

from __future__ import annotations

import statistics
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from common import STAGES
from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from throughput import Runs

WIDTH, LEFT, RIGHT, ROW, TOP = 1100, 210, 150, 34, 90
INK, PALE, PAPER = "#1f2933", "#9aa5b1", "#ffffff"
PLAIN, MODE = "#9aa5b1", "#2563a8"
COLOURS = ("#4e79a7", "#e15759", "#f28e2b", "#76b7b2", "#59a14f", "#b07aa1")
"""One for each stage."""


def draw(path: Path, results: dict[str, Runs], header: str) -> None:
    """Save a PNG: frames per second of every contender, and the stages' times of every mode."""
    staged = {name: runs for name, runs in results.items() if any(runs.stages)}
    lines = textwrap.wrap(header, 130)
    height = TOP + 20 * len(lines) + ROW * (len(results) + len(staged)) + 170
    picture = Image.new("RGB", (WIDTH, height), PAPER)
    pen = ImageDraw.Draw(picture)
    title, text, small = (ImageFont.load_default(size) for size in (22, 15, 13))
    y = 20
    for line in lines:
        pen.text((20, y), line, INK, small)
        y += 20
    y += 14
    pen.text((20, y), "Frames per second", INK, title)
    y += 40
    speeds = {name: statistics.median(runs.fps) for name, runs in results.items()}
    scale = (WIDTH - LEFT - RIGHT) / max(speeds.values())
    for name, fps in speeds.items():
        pen.text((LEFT - 10, y + 14), name, INK, text, anchor="rm")
        pen.rectangle((LEFT, y + 3, LEFT + fps * scale, y + 25), MODE if name in staged else PLAIN)
        pen.text((LEFT + fps * scale + 8, y + 14), f"{fps:.1f}", INK, text, anchor="lm")
        y += ROW
    y += 24
    pen.text((20, y), "Milliseconds per frame and stage (stages run at the same time)", INK, title)
    y += 36
    x = 20.0
    for stage, colour in zip(STAGES, COLOURS, strict=True):
        pen.rectangle((x, y + 3, x + 14, y + 17), colour)
        pen.text((x + 20, y + 10), stage, INK, small, anchor="lm")
        x += 40 + pen.textlength(stage, small)
    y += 30
    times = {
        name: [statistics.median(r.get(s, 0.0) for r in runs.stages) for s in STAGES]
        for name, runs in staged.items()
    }
    scale = (WIDTH - LEFT - RIGHT) / max(max(sum(v) for v in times.values()), 1e-9) if times else 1.0
    for name, values in times.items():
        pen.text((LEFT - 10, y + 14), name, INK, text, anchor="rm")
        x = float(LEFT)
        for value, colour in zip(values, COLOURS, strict=True):
            pen.rectangle((x, y + 3, x + max(value, 0) * scale, y + 25), colour)
            x += max(value, 0) * scale
        pen.text((x + 8, y + 14), f"{sum(values):.1f}", PALE, text, anchor="lm")
        y += ROW
    picture.crop((0, 0, WIDTH, y + 20)).save(path)
