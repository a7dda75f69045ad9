"""HIPAA mode and the settings; while it is on, they show its values."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from dataclasses import dataclass
from tkinter import ttk

from anonator.ui.look.section import Section
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.panels.free_settings import FreeSettings
from anonator.ui.panels.lock_card import LockCard
from anonator.ui.panels.masking_settings import MaskingSettings
from anonator.ui.state.app_state import AppState


@dataclass(frozen=True, slots=True)
class PanelActions:
    """What the panel asks the window to do."""

    choose: Callable[[str, object], None]
    turn_lock: Callable[[bool], None]
    restore_defaults: Callable[[], None]
    choose_folder: Callable[[], None]
    forget_folder: Callable[[], None]
    download: Callable[[], None]
    use_file: Callable[[], None]
    open_archive: Callable[[], None]
    remove_reviews: Callable[[], None]


class SettingsPanel(Section):
    """Shows the settings of the next job, and reports what people choose."""

    def __init__(self, parent: tk.Misc, theme: Theme, actions: PanelActions) -> None:
        super().__init__(parent, theme)
        self._actions = actions
        self._drawn: AppState | None = None
        self.lock = LockCard(self, theme, actions.turn_lock)
        self.put(self.lock, gap=0)
        self.free = FreeSettings(
            self,
            theme,
            self._choose,
            choose_folder=actions.choose_folder,
            forget_folder=actions.forget_folder,
            download=actions.download,
            use_file=actions.use_file,
        )
        self.put(self.free, gap=0)
        self.masking = MaskingSettings(self, theme, self._choose)
        self.put(self.masking, gap=0)
        self.reset = ttk.Button(self, text="Restore defaults", command=actions.restore_defaults)
        self.put(self.reset, gap=18, sticky="w")
        ToolTip(
            self.reset,
            theme,
            "Resets everything here to the program's defaults, or to your configuration file if there's one. "
            "HIPAA mode stays as it is.",
        )
        self.archive = ttk.Button(
            self, text="Review an archive…", style="Small.TButton", command=actions.open_archive
        )
        self.put(self.archive, gap=18, sticky="w")
        ToolTip(
            self.archive,
            theme,
            "Lists the videos of a folder that `anonator archive` has anonymized and nobody has signed yet: "
            "those without any face first, then the most doubtful. Dropping the folder does the same.",
        )
        self.reviews = ttk.Button(
            self, text="Remove unfinished reviews…", style="Small.TButton", command=actions.remove_reviews
        )
        self.put(self.reviews, gap=10, sticky="w")
        ToolTip(
            self.reviews,
            theme,
            "Says how many reviews this computer keeps that nobody has signed, and removes them if you want. "
            "Videos and results stay.",
        )

    def draw(self, state: AppState) -> None:
        """Show the settings of the next job; while a job runs, they are disabled."""
        self._drawn = state
        settings, free = state.settings, state.idle
        self.lock.show(settings)
        self.lock.enable(free and not state.held)
        self.free.encoder.offer(state.models.encoders)
        self.free.offer_devices(state.models.openvino, settings.device)
        missing = state.models.missing_size(settings.model)
        self.free.show(settings, state.folder, state.report_folder, missing, free=free)
        self.masking.show(settings, state.floor, free=free)
        self.reset.state(["!disabled" if free else "disabled"])

    def _choose(self, name: str, value: object) -> None:
        self._actions.choose(name, value)
        if self._drawn is not None:  # if a choice was refused, the control shows the old value again
            self.draw(self._drawn)
