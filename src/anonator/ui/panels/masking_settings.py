"""The settings for what is covered and how, which HIPAA mode locks or only lets be stricter."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from tkinter import ttk

from anonator.core.catalogue import SETTINGS, legal_range
from anonator.core.config import Mode, Settings
from anonator.core.hipaa_lock import lock_range
from anonator.ui.look.colours import LINE
from anonator.ui.look.keys import on_enter
from anonator.ui.look.number_field import NumberField
from anonator.ui.look.section import Section
from anonator.ui.look.switch import Switch
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.panels.choices import MODE

MODE_VARIABLE = "anonator_mode"
"""A Tcl variable by name: a tkinter.Variable calls Tk in whichever thread happens to collect it."""
LOCKED = "Locked by HIPAA mode, which lets you make threshold and mask scale stricter"
SWITCHES = {
    "multi_pass": "Several passes",
    "orientations": "Faces that aren't upright",
    "keep_audio": "Keep the sound",
}


class MaskingSettings(Section):
    """Shows these settings, and reports what people choose."""

    def __init__(self, parent: tk.Misc, theme: Theme, choose: Callable[[str, object], None]) -> None:
        super().__init__(parent, theme)
        self.put(tk.Frame(self, background=LINE, height=theme.px(1)), 18)
        self.title = ttk.Label(self, style="Dim.TLabel", wraplength=theme.px(346), justify="left")
        self.put(self.title, 10, "w")
        self.heading("Faces are covered by", SETTINGS["mode"].declared.doc, 8)
        segments = ttk.Frame(self)
        self.modes: dict[Mode, ttk.Radiobutton] = {}
        for column, (mode, (label, tip)) in enumerate(MODE.items()):
            button = ttk.Radiobutton(
                segments,
                text=label,
                value=mode.value,
                variable=MODE_VARIABLE,  # type: ignore[arg-type]
                style="Segment.Toolbutton",
                command=partial(choose, "mode", mode),
            )
            segments.columnconfigure(column, weight=1, uniform="mode")
            button.grid(row=0, column=column, sticky="ew")
            on_enter(button, lambda _event, pressed=button: pressed.invoke())  # type: ignore[misc]
            ToolTip(button, theme, tip)
            self.modes[mode] = button
        self.put(segments)
        tip = (
            "The score at which something counts as a face. A lower value finds more faces, but may cover "
            "things that aren't faces."
        )
        self.heading("Threshold", tip)
        self.threshold = NumberField(self, theme, 0.05, partial(choose, "threshold"))
        self.put(self.threshold)
        self.heading("Mask scale", SETTINGS["mask_scale"].declared.doc)
        self.mask_scale = NumberField(self, theme, 0.1, partial(choose, "mask_scale"))
        self.put(self.mask_scale)
        for field, tip in (
            (self.threshold, "A lower score finds more faces; 0.9 finds only the clearest."),
            (
                self.mask_scale,
                "1 covers the face itself; 1.5 is 50 % larger and also covers hair, ears and chin.",
            ),
        ):
            ToolTip(field.entry, theme, tip)
            ToolTip(field.scale, theme, tip)
        self.switches: dict[str, Switch] = {
            name: self.switch(words, SETTINGS[name].declared.doc, partial(choose, name))
            for name, words in SWITCHES.items()
        }

    def show(self, settings: Settings, floor: Settings, *, free: bool) -> None:
        """Show the settings.

        Args:
            settings: of the next job.
            floor: what HIPAA mode asks for at the least.
            free: whether settings can be changed now.
        """
        unlocked = free and not settings.hipaa
        self.title.configure(text=LOCKED if settings.hipaa else "Masking")
        self.setvar(MODE_VARIABLE, settings.mode.value)
        for radio in self.modes.values():
            radio.state(["!disabled" if unlocked else "disabled"])
        for field, name in ((self.threshold, "threshold"), (self.mask_scale, "mask_scale")):
            stricter = lock_range(name, floor) if settings.hipaa else None
            field.set_range(*(stricter or legal_range(name)))
            field.set(getattr(settings, name))
            field.enable(free)
        for name, switch in self.switches.items():
            switch.set(getattr(settings, name))
            switch.enable(unlocked)
