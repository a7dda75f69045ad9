"""The ttk style of each widget: flat and black, with a ring in the accent colour for keyboard focus."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from tkinter import ttk
from typing import Any

from PIL import ImageTk

from anonator.ui.look.colours import (
    ACCENT,
    ACCENT_DARK,
    ACCENT_LIGHT,
    BLACK,
    DIM,
    FAINT,
    HOVER,
    LINE,
    RAISED,
    SURFACE,
    WHITE,
)

Scale = Callable[[float], int]
"""Converts design pixels to pixels of this screen."""


def _edges(outer: object, inner: object) -> dict[str, Any]:
    """The options of a border without a bevel: clam would shade its inner edge."""
    return {"bordercolor": outer, "lightcolor": inner, "darkcolor": inner}


def set_style(
    root: tk.Misc, px: Scale, images: Mapping[str, ImageTk.PhotoImage], thumbnail_height: int
) -> None:
    """Style every ttk widget of the program."""
    style = ttk.Style(root)
    style.theme_use("clam")
    _basics(style, px)
    _buttons(style, px)
    _fields(root, style, px)
    _sliders(style, px, images)
    _lists(style, px, thumbnail_height)


def _basics(style: ttk.Style, px: Scale) -> None:
    style.configure(
        ".",
        background=BLACK,
        foreground=WHITE,
        **_edges(LINE, BLACK),
        troughcolor=RAISED,
        focuscolor=ACCENT,
        selectbackground=ACCENT,
        selectforeground=BLACK,
        insertcolor=WHITE,
        font="TkDefaultFont",
    )
    # clam greys out the background of disabled widgets; here only text and knobs fade
    style.map(".", background=[], foreground=[("disabled", FAINT)])
    for name, background in (("", BLACK), ("Card.", SURFACE)):
        style.configure(f"{name}TFrame", background=background)
        style.configure(f"{name}TLabel", background=background, foreground=WHITE)
        style.configure(f"Dim.{name}TLabel", background=background, foreground=DIM, font="AnonatorSmall")
        style.configure(f"Strong.{name}TLabel", background=background, font="AnonatorStrong")
        style.configure(f"Title.{name}TLabel", background=background, font="AnonatorTitle")
        style.configure(
            f"Accent.{name}TLabel", background=background, foreground=ACCENT, font="AnonatorStrong"
        )
        style.configure(f"Hero.{name}TLabel", background=background, font="AnonatorHero")
    style.map("Card.TLabel", foreground=[("disabled", FAINT)])
    style.configure(
        "Horizontal.TProgressbar",
        background=ACCENT,
        troughcolor=RAISED,
        **_edges(RAISED, ACCENT),
        arrowsize=px(8),  # its height
        sliderlength=px(80),
    )


def _buttons(style: ttk.Style, px: Scale) -> None:
    pad = (px(12), px(6))
    common: dict[str, Any] = {"padding": pad, "borderwidth": 1, "relief": "raised", "anchor": "center"}
    for name, fill, text, hover in (
        ("TButton", RAISED, WHITE, HOVER),
        ("Primary.TButton", ACCENT, BLACK, ACCENT_LIGHT),
        ("SmallPrimary.TButton", ACCENT, BLACK, ACCENT_LIGHT),
    ):
        style.configure(
            name,
            background=fill,
            foreground=text,
            **_edges(fill if name != "TButton" else LINE, fill),
            focuscolor=fill,
            **common,
        )
        ring = ACCENT if name == "TButton" else WHITE
        style.map(
            name,
            background=[("disabled", RAISED), ("pressed", hover), ("active", hover)],
            foreground=[("disabled", FAINT)],
            **_edges(
                [("focus", ring), ("disabled", RAISED)],
                [("focus", ring), ("disabled", RAISED), ("active", hover)],
            ),
            focuscolor=[("disabled", RAISED)],
            relief=[],
        )
    style.configure("Primary.TButton", font="AnonatorStrong", padding=(px(22), px(9)))
    style.configure("Big.TButton", padding=(px(16), px(9)))
    style.configure("Small.TButton", padding=(px(9), px(4)), font="AnonatorSmall", width=0)
    style.configure("SmallPrimary.TButton", padding=(px(9), px(4)), font="AnonatorSmall", width=0)
    style.configure(
        "Small.TMenubutton",
        background=RAISED,
        foreground=WHITE,
        **_edges(LINE, RAISED),
        focuscolor=RAISED,
        arrowcolor=DIM,
        arrowsize=px(4),
        padding=(px(9), px(4)),
        font="AnonatorSmall",
        borderwidth=1,
        relief="raised",
    )
    style.map(
        "Small.TMenubutton",
        background=[("pressed", HOVER), ("active", HOVER)],
        **_edges([("focus", ACCENT)], [("focus", ACCENT), ("active", HOVER)]),
        relief=[],
    )
    style.configure(
        "Segment.Toolbutton",
        background=RAISED,
        foreground=WHITE,
        **_edges(LINE, RAISED),
        focuscolor=RAISED,
        **common,
    )
    style.map(
        "Segment.Toolbutton",
        background=[
            ("disabled selected", HOVER),
            ("disabled", SURFACE),
            ("selected", ACCENT),
            ("active", HOVER),
        ],
        foreground=[("disabled selected", DIM), ("disabled", FAINT), ("selected", BLACK)],
        **_edges([("focus", WHITE)], [("focus", WHITE), ("disabled", LINE), ("selected", ACCENT)]),
        relief=[],
    )


def _fields(root: tk.Misc, style: ttk.Style, px: Scale) -> None:
    for name in ("TEntry", "TCombobox"):
        style.configure(
            name,
            fieldbackground=RAISED,
            background=RAISED,
            foreground=WHITE,
            **_edges(LINE, RAISED),
            arrowcolor=WHITE,
            padding=px(5),
            arrowsize=px(13),
            insertwidth=px(1),
        )
        style.map(
            name,
            fieldbackground=[("disabled", SURFACE), ("readonly", RAISED)],
            background=[("disabled", SURFACE), ("active", HOVER)],
            foreground=[("disabled", FAINT), ("readonly", WHITE)],
            arrowcolor=[("disabled", FAINT)],
            **_edges(
                [("invalid", WHITE), ("focus", ACCENT)],
                [("invalid", WHITE), ("focus", ACCENT), ("disabled", SURFACE)],
            ),
            selectbackground=[("readonly", RAISED)],
            selectforeground=[("readonly", WHITE)],
        )
    for option, value in (
        ("background", RAISED),
        ("foreground", WHITE),
        ("selectBackground", ACCENT),
        ("selectForeground", BLACK),
        ("borderWidth", 0),
        ("font", "TkDefaultFont"),
    ):
        root.option_add(f"*TCombobox*Listbox.{option}", value)
    for option, value in (
        ("background", RAISED),
        ("foreground", WHITE),
        ("activeBackground", ACCENT),
        ("activeForeground", BLACK),
        ("disabledForeground", FAINT),
        ("borderWidth", 0),
        ("activeBorderWidth", 0),
    ):
        root.option_add(f"*Menu.{option}", value)


def _sliders(style: ttk.Style, px: Scale, images: Mapping[str, ImageTk.PhotoImage]) -> None:
    trough, thumb = "Anonator.Scale.trough", "Anonator.Scale.slider"
    style.element_create(trough, "image", images["trough"], border=px(3), sticky="ew")
    style.element_create(
        thumb,
        "image",
        images["thumb"],
        ("disabled", images["thumb_off"]),
        ("focus", images["thumb_focus"]),
        ("active", images["thumb_focus"]),
        sticky="",
    )
    inside: Any = [(thumb, {"side": "left", "sticky": ""})]
    style.layout("Horizontal.TScale", [(trough, {"sticky": "ew", "children": inside})])


def _lists(style: ttk.Style, px: Scale, thumbnail_height: int) -> None:
    style.configure(
        "Treeview",
        background=BLACK,
        fieldbackground=BLACK,
        foreground=WHITE,
        **_edges(LINE, BLACK),
        rowheight=px(thumbnail_height + 10),
        borderwidth=0,
    )
    image_and_text: Any = [("Treeitem.image", {"side": "left"}), ("Treeitem.text", {"side": "left"})]
    style.layout("Treeview.Item", [("Treeitem.padding", {"sticky": "nsew", "children": image_and_text})])
    style.map(
        "Treeview",
        background=[("selected", ACCENT_DARK)],
        foreground=[("selected", WHITE)],
        bordercolor=[("focus", ACCENT)],
    )
    style.configure(
        "Treeview.Heading",
        background=BLACK,
        foreground=DIM,
        relief="flat",
        font="AnonatorSmall",
        **_edges(BLACK, BLACK),
        padding=(2, px(4)),
    )
    style.map("Treeview.Heading", background=[("active", BLACK)])
    style.configure(
        "Vertical.TScrollbar",
        background=HOVER,
        troughcolor=BLACK,
        **_edges(BLACK, HOVER),
        arrowcolor=DIM,
        arrowsize=px(11),
        gripcount=0,
    )
    style.map(
        "Vertical.TScrollbar",
        background=[("disabled", BLACK), ("active", LINE)],
        lightcolor=[("disabled", BLACK)],
        darkcolor=[("disabled", BLACK)],
        arrowcolor=[("disabled", BLACK)],
    )
