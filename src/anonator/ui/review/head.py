"""The review's upper edge: which video it is, how much was seen, and what can be done with all of it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from tkinter import font, ttk

from anonator.ui.look.colours import BLACK, WHITE
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.review.review_state import ReviewState
from anonator.ui.review.sheet import seen_words
from anonator.ui.review.taking_along import Export
from anonator.ui.state import text

LEAST_NAME = 80
"""Pixels that the video's name keeps in a narrow window."""


@dataclass(frozen=True, slots=True)
class HeadActions:
    """What the upper edge asks for."""

    leave: Callable[[], object]
    sign: Callable[[], object]
    sheet: Callable[[], object]
    undo: Callable[[], object]
    redo: Callable[[], object]
    save_picture: Callable[[], object]
    save_tracks: Callable[[], object]
    open_tracks: Callable[[], object]
    export: Callable[[Export], object]
    show_keys: Callable[[], object]


class Head(ttk.Frame):
    """The name on the left, buttons on the right."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: HeadActions) -> None:
        super().__init__(parent)
        self._theme, px = theme, theme.px
        self._font = font.nametofont("TkDefaultFont", self)
        self._name = ""
        self.columnconfigure(3, weight=1)
        self.back = ttk.Button(
            self, text="\N{LEFTWARDS ARROW} Queue", style="Small.TButton", command=actions.leave
        )
        self.back.grid(row=0, column=0)
        ToolTip(self.back, theme, "Back to the queue; everything that you did is kept (Escape).")
        ttk.Label(self, text="Review", style="Title.TLabel").grid(row=0, column=1, padx=(px(14), px(12)))
        # white, as the main window's warning: whoever sees it must know that no lock holds here
        self.lock = tk.Label(
            self, background=WHITE, foreground=BLACK, font="AnonatorSmall", padx=px(8), pady=px(2),
            text="HIPAA mode is off",
        )  # fmt: skip
        self.lock.grid(row=0, column=2, padx=(0, px(12)))
        self.name = ttk.Label(self, style="Dim.TLabel", width=1)
        self.name.grid(row=0, column=3, sticky="ew")
        self.name.bind("<Configure>", lambda _event: self._fit_name())
        self.stop = ttk.Label(self, style="Strong.TLabel")
        self.stop.grid(row=0, column=4, padx=(px(10), 0))
        ToolTip(
            self.stop,
            theme,
            "A stop is a frame with one or more places where the program isn't sure. N goes to the next one, "
            "Enter says that all is right there.",
        )
        self.seen = ttk.Label(self, style="Accent.TLabel")
        self.seen.grid(row=0, column=5, padx=(px(10), px(12)))
        self._seen_tip = ToolTip(self.seen, theme, "")
        self.buttons: dict[str, ttk.Button] = {}
        self._tips: dict[str, ToolTip] = {}
        for column, (key, label, command, tip) in enumerate(
            (
                ("undo", "Undo", actions.undo, ""),
                ("redo", "Redo", actions.redo, ""),
                (
                    "sheet",
                    "Sheet",
                    actions.sheet,
                    "30 finished pictures a page from what you haven't seen. A click goes there (G).",
                ),
            ),
            6,
        ):
            button = ttk.Button(self, text=label, style="Small.TButton", command=command)
            button.grid(row=0, column=column, padx=(px(6), 0))
            self._tips[key] = ToolTip(button, theme, tip)
            self.buttons[key] = button
        self.more = self._make_menu(actions)
        self.more.grid(row=0, column=9, padx=(px(6), 0))
        self.sign = ttk.Button(
            self, text="Sign\N{HORIZONTAL ELLIPSIS}", style="Sign.Primary.TButton", command=actions.sign
        )
        ttk.Style(self).configure("Sign.Primary.TButton", padding=(px(14), px(4)))
        self.sign.grid(row=0, column=10, padx=(px(10), 0))
        ToolTip(
            self.sign,
            theme,
            "Signs the review with your initials, and makes the final file from what you decided "
            "(Ctrl+Enter).",
        )

    def _make_menu(self, actions: HeadActions) -> ttk.Menubutton:
        button = ttk.Menubutton(self, text="More", width=5, style="Small.TMenubutton")
        self.menu = menu = tk.Menu(button, tearoff=False)
        for label, command in (
            ("Save this picture\N{HORIZONTAL ELLIPSIS}", actions.save_picture),
            ("", None),
            ("Save tracks as\N{HORIZONTAL ELLIPSIS}", actions.save_tracks),
            ("Open tracks\N{HORIZONTAL ELLIPSIS}", actions.open_tracks),
            ("", None),
            ("Export for CVAT (XML)\N{HORIZONTAL ELLIPSIS}", partial(actions.export, Export.CVAT)),
            ("Export as MOT (CSV)\N{HORIZONTAL ELLIPSIS}", partial(actions.export, Export.MOT)),
            ("Export a redaction list (CSV)\N{HORIZONTAL ELLIPSIS}", partial(actions.export, Export.LIST)),
            ("", None),
            ("All keys (F1)", actions.show_keys),
        ):
            if command is None:
                menu.add_separator()
            else:
                menu.add_command(label=label, command=command)
        button.configure(menu=menu)
        ToolTip(
            button,
            self._theme,
            "Saves the finished picture that you see, and takes your work to another computer or program.",
        )
        return button

    def draw(self, state: ReviewState) -> None:
        """Show the name, what was seen, and which buttons make sense."""
        if state.name != self._name:
            self._name = state.name
            self._fit_name()
        (self.lock.grid_remove if state.hipaa else self.lock.grid)()
        self.stop.configure(text=state.stop_words)
        sheet = round(state.share_on_sheet * 100)
        more = f" + {sheet} % on the sheet" if sheet else ""
        self.seen.configure(text=f"{seen_words(state.share_seen)}{more}")
        left = text.duration(state.unseen_seconds)
        self._seen_tip.say(
            "Shown to you at four times the speed or slower. A picture of the sheet stands for 0.5 s. "
            + (
                f"{left} left; U goes to the next stretch."
                if state.unseen_seconds > 0
                else "Nothing is left."
            )
        )
        for key, what, shortcut in (("undo", state.undo, "Ctrl+Z"), ("redo", state.redo, "Ctrl+Y")):
            self.buttons[key].state(["!disabled" if what else "disabled"])
            word = "Undoes" if key == "undo" else "Does again"
            self._tips[key].say(f"{word}: {what} ({shortcut})." if what else f"Nothing to {key}.")
        self.buttons["sheet"].configure(text="Picture" if state.sheet else "Sheet")
        self.sign.state(["!disabled" if state.ready and not state.following else "disabled"])

    def _fit_name(self) -> None:
        room = max(self._theme.px(LEAST_NAME), self.name.winfo_width() - 4)
        self.name.configure(text=text.shortened(self._name, room, self._font.measure))
