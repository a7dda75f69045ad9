"""The HIPAA card: whether HIPAA mode is on, what it enforces, and what you lose without it."""

from __future__ import annotations

import re
import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.core.catalogue import SETTINGS
from anonator.core.config import Mode, Settings
from anonator.core.hipaa_lock import HIPAA_FIXED, HIPAA_STRICTER, looser_values, waiver_note
from anonator.core.setting import word
from anonator.ui.look.colours import ACCENT, BLACK, SURFACE, WHITE
from anonator.ui.look.switch import Switch
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.panels.choices import MODE

LINES = 7
UNLOCKED_NOTE = "HIPAA mode is off. Faces and voices may remain in the results, so check each one yourself."


def enforced(settings: Settings) -> tuple[str, ...]:
    """What HIPAA mode does with these settings, in at most LINES sentences; also true if it is loosened."""
    looser = looser_values(settings)
    values = {name: SETTINGS[name].of(settings) for name in HIPAA_STRICTER if name not in looser}
    stricter = ", ".join(
        f"{_said(name)} {word(value)}" for name, value in values.items() if value != HIPAA_FIXED[name]
    )
    scores = ", ".join(f"{settings.threshold * factor:.3g}" for factor in settings.pass_factors)
    return (
        "Solid black boxes; blur and mosaic aren't available"
        if settings.mode is Mode.SOLID
        else f"{MODE[settings.mode][0]} instead of black boxes",
        _boxes(settings.mask_scale),
        f"Searches {_times(len(settings.pass_factors))}, also for uncertain faces ({scores})"
        if settings.multi_pass
        else f"Searches once, for faces from the score {settings.threshold:.3g}",
        "Also looks for faces that are sideways or upside down"
        if settings.orientations
        else "Looks for faces in the upright picture only",
        "Sound removed, because voices identify people",  # no signature changes this
        "Maximum Speed, which skips most frames, isn't available",
        *((f"Stricter than HIPAA mode asks for: {stricter}",) if stricter else ()),
    )


def _said(name: str) -> str:
    """A setting's name in words: "bridge seconds", "balanced max resolution"."""
    return re.sub(r"[_.]", " ", re.sub(r"^(tracking|performance)\.", "", name))


def _times(count: int) -> str:
    return {1: "once", 2: "twice", 3: "three times"}.get(count, f"{count} times")


def _boxes(scale: float) -> str:
    return (
        "Boxes the size of the face"
        if scale == 1
        else f"Boxes {100 * (scale - 1):.3g} % larger than the face"
    )


class LockCard(ttk.Frame):
    """A framed card with the switch and an explanation of what it does."""

    def __init__(self, parent: tk.Misc, theme: Theme, on_turn: Callable[[bool], None]) -> None:
        super().__init__(parent)
        self._theme = theme
        px = theme.px
        # a line, not a coloured ground, which would flash up where the card grows
        self._frame = tk.Frame(self, background=SURFACE, highlightthickness=px(1), takefocus=False)
        self._frame.pack(fill="both", expand=True)
        body = ttk.Frame(self._frame, style="Card.TFrame", padding=px(14))
        body.pack(fill="both", expand=True)
        body.columnconfigure(1, weight=1)
        self._picture = ttk.Label(body, style="Card.TLabel")
        self._picture.grid(row=0, column=0, rowspan=2, padx=(0, px(10)))
        ttk.Label(body, text="HIPAA mode", style="Title.Card.TLabel").grid(row=0, column=1, sticky="w")
        self.state_label = ttk.Label(body, style="Accent.Card.TLabel")
        self.state_label.grid(row=1, column=1, sticky="w")
        self.switch = Switch(body, theme, on_turn, style="Card.TLabel")
        self.switch.grid(row=0, column=2, rowspan=2)
        ToolTip(
            self.switch,
            theme,
            "Switches HIPAA mode on or off. While it's on, the settings it enforces are locked. (Ctrl+L)",
        )
        self._list = ttk.Frame(body, style="Card.TFrame")
        self._list.grid(row=2, column=0, columnspan=3, sticky="ew", pady=(px(10), 0))
        self._list.columnconfigure(1, weight=1)
        self._lines: list[tuple[ttk.Label, ttk.Label]] = []
        for row in range(LINES):
            point = ttk.Label(self._list, text="•", style="Accent.Card.TLabel")
            point.grid(row=row, column=0, sticky="nw")
            label = ttk.Label(self._list, style="Dim.Card.TLabel", wraplength=px(292), justify="left")
            label.grid(row=row, column=1, sticky="w", padx=(px(8), 0), pady=px(1))
            self._lines.append((point, label))
        self._note = tk.Label(
            body,
            background=WHITE,
            foreground=BLACK,
            font="AnonatorStrong",
            justify="left",
            wraplength=px(296),
            padx=px(10),
            pady=px(8),
            anchor="w",
        )
        self._note.grid(row=3, column=0, columnspan=3, sticky="ew", pady=(px(10), 0))
        self.show(Settings())

    def show(self, settings: Settings) -> None:
        """Show whether HIPAA mode is on, and what it does with these settings."""
        locked, loosened = settings.hipaa, waiver_note(settings)
        self.switch.set(locked)
        self._picture.configure(image=self._theme.images["lock" if locked else "unlock"])
        closed = "On, with looser values" if loosened else "On, for every video"
        self.state_label.configure(text=closed if locked else "Off", foreground=ACCENT if locked else WHITE)
        colour = ACCENT if locked else WHITE
        self._frame.configure(highlightbackground=colour, highlightcolor=colour)
        if locked:
            sentences = enforced(settings)
            for row, (point, label) in enumerate(self._lines):
                if row < len(sentences):
                    label.configure(text=sentences[row])
                    point.grid()
                    label.grid()
                else:
                    point.grid_remove()
                    label.grid_remove()
            self._list.grid()
        else:
            self._list.grid_remove()
        self._note.configure(text=loosened if locked else UNLOCKED_NOTE)
        if locked and not loosened:
            self._note.grid_remove()
        else:
            self._note.grid()

    @property
    def note(self) -> str:
        """The note shown while HIPAA mode is off or loosened; "" if there is none."""
        return str(self._note.cget("text")) if self._note.winfo_manager() else ""

    def enable(self, yes: bool) -> None:
        """Enable the switch, or disable it while a job runs."""
        self.switch.enable(yes)
        self._picture.configure(background=SURFACE)
