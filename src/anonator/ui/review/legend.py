"""The legend: what each kind of mark on the picture means."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.ui.look.colours import BLACK, FAINT, LINE, TRACKS, WHITE
from anonator.ui.look.theme import Theme
from anonator.ui.review import look_here, pointing

MARKS = (
    ("wanted", "Look here: the program isn't sure (O: under covers)"),
    ("covered", "Covered; each track has a colour"),
    ("selected", "Selected"),
    ("visible", "Left visible by you"),
    ("held", "A cover that couldn't be followed here"),
)
"""What there is, and what it means."""
WIDE, HIGH = 44, 34


class Legend(ttk.Frame):
    """A small picture and a few words for each mark, beside one another."""

    def __init__(self, parent: tk.Misc, theme: Theme, columns: int = 3) -> None:
        super().__init__(parent)
        px = theme.px
        for number, (mark, words) in enumerate(MARKS):
            row, column = divmod(number, columns)
            canvas = tk.Canvas(
                self, width=px(WIDE), height=px(HIGH), background=FAINT, highlightthickness=px(1),
                highlightbackground=LINE,
            )  # fmt: skip
            _draw(canvas, mark, px)
            canvas.grid(row=row, column=2 * column, padx=(0, px(8)), pady=px(3))
            ttk.Label(self, text=words, font="AnonatorSmall").grid(
                row=row, column=2 * column + 1, sticky="w", padx=(0, px(18))
            )


def _draw(canvas: tk.Canvas, mark: str, px: Callable[[float], int]) -> None:
    """A mark as the picture draws it."""
    box = px(14), px(9), px(32), px(27)
    colour = TRACKS[1]
    if mark == "wanted":
        look_here.draw(canvas, [(px(13), px(16), px(25), px(28))], px, "mark")
        return
    dash = (px(5), px(4)) if mark == "visible" else ()
    canvas.create_rectangle(box, fill="" if mark == "visible" else BLACK, width=0)
    if mark == "held":
        canvas.create_line(pointing.hatching(box, px(6)), fill=colour, width=px(1))
    if mark == "selected":
        canvas.create_rectangle(box, outline=WHITE, width=px(5))
    canvas.create_rectangle(box, outline=colour, width=px(3 if mark == "selected" else 2), dash=dash)
