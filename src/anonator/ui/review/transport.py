"""The row under the review's slider: play and step, the time, and what is going on."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import ttk

from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.review.review_state import ReviewState
from anonator.ui.state import text

PLAY, STOP = "▶", "■"
BACK = "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}"
ON = "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}"
PREPARING = "Preparing…"
DRAW_AREA = "Drag over what stays in one place; F cancels"


@dataclass(frozen=True, slots=True)
class TransportActions:
    """What the row asks for."""

    play: Callable[[], object]
    step: Callable[[int], object]
    """So many frames on."""
    faster: Callable[[], object]
    right: Callable[[], object]
    next_doubt: Callable[[], object]
    unseen: Callable[[], object]
    area: Callable[[], object]


class Transport(ttk.Frame):
    """Buttons for what the keys do, and the time."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: TransportActions) -> None:
        super().__init__(parent)
        px = theme.px
        self.columnconfigure(5, weight=1)
        self.buttons: dict[str, ttk.Button] = {}
        step = "One frame {} ({} arrow). With Shift, a second."
        for column, (key, label, width, command, tip) in enumerate(
            (
                ("back", BACK, 2, lambda: actions.step(-1), step.format("back", "left")),
                ("play", PLAY, 2, actions.play, "Plays, or stops (Space). J plays backwards, L forwards."),
                ("on", ON, 2, lambda: actions.step(1), step.format("on", "right")),
                (
                    "speed",
                    "1\N{MULTIPLICATION SIGN}",
                    3,
                    actions.faster,
                    "How fast it plays: 1, 2, 4 or 8 times (L). At 8 times, nothing counts as seen.",
                ),
            )
        ):
            button = ttk.Button(self, text=label, style="Small.TButton", width=width, command=command)
            button.grid(row=0, column=column, padx=(px(4) if column else 0, 0))
            ToolTip(button, theme, tip)
            self.buttons[key] = button
        self.time = ttk.Label(self, style="Dim.TLabel")
        self.time.grid(row=0, column=4, padx=(px(10), 0))
        self._status_width = px(110)
        self.status = ttk.Label(self, style="Accent.TLabel", anchor="e", width=1)
        self.status.grid(row=0, column=5, sticky="ew", padx=px(10))
        for column, (key, label, command, tip) in enumerate(
            (
                (
                    "area",
                    "Fixed area",
                    actions.area,
                    "Then drag over a name tag, a clock or a monitor to cover that place (F).",
                ),
                (
                    "unseen",
                    "Next unseen",
                    actions.unseen,
                    "Goes to the next stretch that you haven't seen (U).",
                ),
                (
                    "right",
                    "Right, next",
                    actions.right,
                    "All is right at this stop; goes on to the next one (Enter).",
                ),
                (
                    "next",
                    "Next stop",
                    actions.next_doubt,
                    "Starts a second before the next stop, plays, and stops on it (N).",
                ),
            ),
            6,
        ):
            button = ttk.Button(self, text=label, style="Small.TButton", command=command)
            button.grid(row=0, column=column, padx=(px(6), 0))
            ToolTip(button, theme, tip)
            self.buttons[key] = button
        self.bind("<Configure>", self._fit)

    def draw(self, state: ReviewState) -> None:
        """Show the time, the speed and what is going on."""
        self.buttons["play"].configure(text=STOP if state.speed else PLAY)
        speed = abs(state.speed) or 1
        arrow = "\N{MINUS SIGN}" if state.speed < 0 else ""
        self.buttons["speed"].configure(text=f"{arrow}{speed:g}\N{MULTIPLICATION SIGN}")
        self.time.configure(
            text=f"{text.moment(state.seconds)} of {text.duration(state.length)}, "
            f"frame {state.index + 1:,} of {state.frames:,}"
        )
        self.status.configure(text=_status(state))
        self.buttons["area"].state(["pressed" if state.drawing_area else "!pressed"])
        self.buttons["unseen"].state(["!disabled" if state.unseen_seconds > 0 else "disabled"])
        self.buttons["right"].state(["!disabled" if state.card is not None else "disabled"])
        self.buttons["next"].state(["!disabled" if state.cards else "disabled"])

    def _fit(self, event: tk.Event[tk.Misc]) -> None:
        """In a narrow window, leave out buttons whose keys are in the line below anyway."""
        left = event.width - sum(
            widget.winfo_reqwidth() + 8
            for widget in (*(self.buttons[k] for k in ("back", "play", "on", "speed")), self.time)
        )
        for key in ("next", "right", "unseen", "area"):
            left -= self.buttons[key].winfo_reqwidth() + 8
            if key == "unseen":
                left -= self._status_width  # it must never be cut off
            (self.buttons[key].grid if left > 0 else self.buttons[key].grid_remove)()


def _status(state: ReviewState) -> str:
    """What is going on, in a few words."""
    if state.drawing_area:
        return DRAW_AREA
    if not state.ready:
        return PREPARING
    if state.following:
        return "Following…" if state.following == 1 else f"Following {state.following}…"
    return ""
