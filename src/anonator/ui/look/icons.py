"""The small pictures of the style, drawn for the screen's scaling so they are always sharp."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from importlib import resources

from PIL import Image, ImageDraw, ImageTk

from anonator.ui.look.colours import ACCENT, ACCENT_DARK, BLACK, FAINT, HOVER, LINE, SURFACE, WHITE

Paint = Callable[[ImageDraw.ImageDraw, int, int], None]
OVERSAMPLE = 4
"""Pictures are drawn this many times larger and scaled down, which smooths their edges."""


def draw_all(root: tk.Misc, images: dict[str, ImageTk.PhotoImage], px: Callable[[float], int]) -> None:
    """Fill images with every picture that the style and the widgets use."""

    def keep(name: str, width: float, height: float, paint: Paint) -> None:
        size = (px(width), px(height))
        big = Image.new("RGBA", (size[0] * OVERSAMPLE, size[1] * OVERSAMPLE))
        paint(ImageDraw.Draw(big), *big.size)
        images[name] = ImageTk.PhotoImage(big.resize(size, Image.Resampling.LANCZOS), master=root)

    for on, track, knob in ((True, ACCENT, BLACK), (False, LINE, WHITE)):
        name = "switch_on" if on else "switch_off"
        keep(name, 44, 24, _switch(track, knob, on))
        keep(f"{name}_focus", 44, 24, _switch(track, knob, on, WHITE))
        keep(f"{name}_disabled", 44, 24, _switch(ACCENT_DARK if on else HOVER, FAINT, on))
    keep("lock", 28, 28, _padlock(ACCENT, open_=False))
    keep("unlock", 28, 28, _padlock(WHITE, open_=True))
    keep("drop", 96, 72, _drop_sign)
    keep("thumb", 18, 18, _thumb(WHITE, BLACK))
    keep("thumb_focus", 18, 18, _thumb(WHITE, ACCENT))
    keep("thumb_off", 18, 18, _thumb(FAINT, BLACK))
    keep("trough", 12, 18, _trough)


def _switch(track: str, knob: str, on: bool, ring: str | None = None) -> Paint:
    def paint(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
        edge = h // 10
        if ring:
            draw.rounded_rectangle((0, 0, w - 1, h - 1), h // 2, fill=ring)
            draw.rounded_rectangle(
                (edge // 2, edge // 2, w - 1 - edge // 2, h - 1 - edge // 2), h // 2, fill=BLACK
            )
        draw.rounded_rectangle((edge, edge, w - 1 - edge, h - 1 - edge), h // 2, fill=track)
        diameter, margin = h - 5 * edge, (5 * edge) // 2
        x = w - margin - diameter if on else margin
        draw.ellipse((x, margin, x + diameter, margin + diameter), fill=knob)

    return paint


def _thumb(fill: str, ring: str) -> Paint:
    def paint(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
        draw.ellipse((0, 0, w - 1, h - 1), fill=ring)
        edge = w // 8
        draw.ellipse((edge, edge, w - 1 - edge, h - 1 - edge), fill=fill)

    return paint


def _trough(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    draw.rounded_rectangle((0, h * 7 // 18, w - 1, h * 11 // 18), h * 2 // 18, fill=LINE)


def _padlock(colour: str, *, open_: bool) -> Paint:
    def paint(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
        thick, left, right = w * 11 // 100, w * 28 // 100, w * 72 // 100
        top = h * 2 // 100 if open_ else h * 8 // 100
        draw.arc((left, top, right, top + right - left), 180, 360, colour, thick)
        middle = top + (right - left) // 2
        draw.rectangle((left, middle, left + thick - 1, h // 2), fill=colour)
        if not open_:
            draw.rectangle((right - thick + 1, middle, right, h // 2), fill=colour)
        draw.rounded_rectangle(
            (w * 16 // 100, h * 46 // 100, w * 84 // 100, h * 94 // 100), w // 12, fill=colour
        )
        draw.ellipse((w * 43 // 100, h * 62 // 100, w * 57 // 100, h * 76 // 100), fill=SURFACE)

    return paint


def _drop_sign(draw: ImageDraw.ImageDraw, w: int, h: int) -> None:
    """An arrow into a tray."""
    line = h // 18
    middle = w // 2
    draw.rounded_rectangle((middle - line, h // 12, middle + line, h * 5 // 9), line, fill=ACCENT)
    draw.polygon(
        ((middle - h // 5, h * 4 // 9), (middle + h // 5, h * 4 // 9), (middle, h * 25 // 36)), fill=ACCENT
    )
    left, right, top, bottom = w // 6, w * 5 // 6, h * 7 // 12, h * 11 // 12
    for box in (
        (left, top, left + 2 * line, bottom),
        (right - 2 * line, top, right, bottom),
        (left, bottom - 2 * line, right, bottom),
    ):
        draw.rounded_rectangle(box, line, fill=WHITE)


def set_window_icon(root: tk.Tk, images: dict[str, ImageTk.PhotoImage]) -> None:
    """Set the program's icon for the window and its dialogs; images keeps it alive for Tk."""
    with resources.files("anonator.ui").joinpath("assets/icon.png").open("rb") as file:
        image = Image.open(file).convert("RGBA")
    names = {f"icon_{side}": side for side in (16, 32, 64, 256)}
    for name, side in names.items():
        images[name] = ImageTk.PhotoImage(image.resize((side, side)), master=root)
    root.iconphoto(True, *(images[name] for name in names))  # type: ignore[arg-type]
