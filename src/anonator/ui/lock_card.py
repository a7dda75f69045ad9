"""The HIPAA lock as people see it: whether it is on, what it enforces, and what is lost without it."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from tkinter import ttk

from anonator.core.config import HIPAA_FIXED, PASS_FACTORS
from anonator.ui.colours import ACCENT, BLACK, SURFACE, WHITE
from anonator.ui.theme import Theme
from anonator.ui.widgets import Switch, ToolTip

_THRESHOLD, _SCALE = HIPAA_FIXED["threshold"], HIPAA_FIXED["mask_scale"]
ENFORCED = (
    "Solid black boxes: blur and mosaic cannot be chosen",
    f"Boxes {_SCALE:g} times as large as the face",
    "Three passes, at the scores " + ", ".join(f"{_THRESHOLD * factor:g}" for factor in PASS_FACTORS),
    "Faces lying on their side or upside down are looked for too",
    "Sound removed, because voices identify people",
    "Maximum Speed, which skips most frames, is not offered",
)
UNLOCKED_NOTE = "HIPAA mode is off. Faces and voices may remain in the results: check every one yourself."
LOSSES = (
    "Without HIPAA mode you can lower the protection:\n\n"
    "•  sound can be kept, and voices identify people\n"
    "•  blur and mosaic can be chosen, which show more than a black box\n"
    "•  masks can be smaller and the search for faces less strict\n"
    "•  faces that are not upright may be missed\n"
    "•  Maximum Speed can be chosen, which looks at few frames\n\n"
    "A note stays in the window while HIPAA mode is off, and it is on again at the next start."
)


class LockCard(ttk.Frame):
    """A framed card with the switch and, in words, what it does."""

    def __init__(self, parent: tk.Misc, theme: Theme, on_turn: Callable[[bool], None]) -> None:
        super().__init__(parent)
        self._theme = theme
        px = theme.px
        self._frame = tk.Frame(self, background=ACCENT, padx=px(1), pady=px(1))
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
        ToolTip(self.switch, theme, "The lock. On, it holds every setting at its safest value. (Ctrl+L)")
        self._list = ttk.Frame(body, style="Card.TFrame")
        self._list.grid(row=2, column=0, columnspan=3, sticky="ew", pady=(px(10), 0))
        self._list.columnconfigure(1, weight=1)
        for row, words in enumerate(ENFORCED):
            ttk.Label(self._list, text="•", style="Accent.Card.TLabel").grid(row=row, column=0, sticky="nw")
            label = ttk.Label(
                self._list, text=words, style="Dim.Card.TLabel", wraplength=px(292), justify="left"
            )
            label.grid(row=row, column=1, sticky="w", padx=(px(8), 0), pady=px(1))
        self._note = tk.Label(
            body,
            text=UNLOCKED_NOTE,
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
        self.show(True)

    def show(self, locked: bool) -> None:
        """Show the lock closed or open."""
        self.switch.set(locked)
        self._picture.configure(image=self._theme.images["lock" if locked else "unlock"])
        self.state_label.configure(
            text="On, for every video" if locked else "Off",
            foreground=ACCENT if locked else WHITE,
        )
        self._frame.configure(background=ACCENT if locked else WHITE)
        if locked:
            self._list.grid()
            self._note.grid_remove()
        else:
            self._list.grid_remove()
            self._note.grid()

    @property
    def note_shown(self) -> bool:
        """Whether the standing note of the open lock is in sight."""
        return bool(self._note.winfo_manager())

    def enable(self, yes: bool) -> None:
        """Let the lock be turned, or not, while a job runs."""
        self.switch.enable(yes)
        self._picture.configure(background=SURFACE)
