"""Sizes, fonts and scaling in one place; colours.py and style.py have the rest of the look."""

from __future__ import annotations

import sys
import tkinter as tk
from dataclasses import dataclass
from tkinter import font

from PIL import ImageTk

from anonator.ui.look import icons
from anonator.ui.look.colours import BLACK
from anonator.ui.look.style import set_style

MIN_WIDTH, MIN_HEIGHT = 1000, 700
LOW_HEIGHT = 620
"""Below this the parts of the window move closer together."""
START_WIDTH, START_HEIGHT = 1240, 800
PANEL_WIDTH = 356
THUMBNAIL = (64, 36)


def make_dpi_aware() -> None:
    """Tell Windows, before the first window opens, that this program handles scaling itself."""
    if sys.platform == "win32":
        import ctypes

        try:
            ctypes.windll.shcore.SetProcessDpiAwareness(1)
        except (AttributeError, OSError):
            ctypes.windll.user32.SetProcessDPIAware()


def darken_title_bar(window: tk.Misc) -> None:
    """Ask Windows for a dark title bar; elsewhere the desktop decides."""
    if sys.platform == "win32":
        import ctypes

        window.update_idletasks()
        use_dark_mode = 20
        handle = ctypes.windll.user32.GetParent(window.winfo_id())
        value = ctypes.c_int(1)
        ctypes.windll.dwmapi.DwmSetWindowAttribute(
            handle, use_dark_mode, ctypes.byref(value), ctypes.sizeof(value)
        )


@dataclass(frozen=True, slots=True)
class Theme:
    """The scale of the screen, and the pictures the style uses."""

    scale: float
    """Pixels per design pixel: 1.0 at 96 dpi, 2.0 at 200 %."""
    images: dict[str, ImageTk.PhotoImage]
    """Pictures by name; Tk shows a picture only while Python keeps a reference to it."""

    def px(self, design_pixels: float) -> int:
        """Convert design pixels to pixels of this screen."""
        return round(design_pixels * self.scale)


def apply(root: tk.Tk) -> Theme:
    """Style the whole program, and return the theme with its sizes and pictures."""
    scale = min(3.0, max(1.0, root.winfo_fpixels("1i") / 96))
    root.tk.call("tk", "scaling", scale * 96 / 72)
    theme = Theme(scale, {})
    icons.draw_all(root, theme.images, theme.px)
    _set_fonts(root)
    root.configure(background=BLACK)
    for event in ("<MouseWheel>", "<Button-4>", "<Button-5>"):
        root.unbind_class("TCombobox", event)  # scrolling past a list must not change it
    set_style(root, theme.px, theme.images, THUMBNAIL[1])
    return theme


def _set_fonts(root: tk.Tk) -> None:
    base = font.nametofont("TkDefaultFont", root)
    family = "Segoe UI" if sys.platform == "win32" else base.actual("family")
    for name in ("TkDefaultFont", "TkTextFont", "TkMenuFont", "TkHeadingFont"):
        font.nametofont(name, root).configure(family=family, size=10, weight="normal")
    for name, size, weight in (
        ("Small", 9, "normal"),
        ("Strong", 10, "bold"),
        ("Title", 13, "bold"),
        ("Hero", 19, "bold"),
    ):
        # made by Tcl, because Tk deletes a named font together with its Python object
        root.tk.call("font", "create", f"Anonator{name}", "-family", family, "-size", size, "-weight", weight)
