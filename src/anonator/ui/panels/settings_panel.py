"""The lock and the settings with their effects; under the lock they show HIPAA's values."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tkinter import ttk
from typing import Any

from anonator.core.config import Encoder, Model, Settings
from anonator.core.config_file import UserConfig
from anonator.errors import SettingsError
from anonator.ui.look.section import Section
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.panels.free_settings import FreeSettings
from anonator.ui.panels.lock_card import LockCard
from anonator.ui.panels.masking_settings import MaskingSettings
from anonator.ui.state.chosen_settings import ChosenSettings
from anonator.ui.state.preferences import Preferences


@dataclass(frozen=True, slots=True)
class PanelActions:
    """What the panel asks the window to do."""

    turn_lock: Callable[[bool], None]
    changed: Callable[[], None]
    choose_folder: Callable[[], None]
    download: Callable[[Model], None]
    use_file: Callable[[Model], None]
    say: Callable[[str], None]


class SettingsPanel(Section):
    """Shows what the next job would do, and takes what people choose."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        config: UserConfig,
        preferences: Preferences,
        actions: PanelActions,
    ) -> None:
        super().__init__(parent, theme)
        self._actions = actions
        self._chosen = ChosenSettings(config, preferences.choices)
        self.output_folder = preferences.output_folder
        self._enabled = True
        self._may_unlock = True
        self._available: dict[Model, bool] = {Model.MOBILENET: True}
        self._sizes: dict[Model, str] = {}
        self.lock = LockCard(self, theme, actions.turn_lock)
        self.put(self.lock, gap=0)
        self.free = FreeSettings(
            self,
            theme,
            self._choose,
            choose_folder=actions.choose_folder,
            forget_folder=lambda: self.set_folder(None),
            download=lambda: actions.download(self.settings().model),
            use_file=lambda: actions.use_file(self.settings().model),
        )
        self.put(self.free, gap=0)
        self.masking = MaskingSettings(self, theme, self._choose)
        self.put(self.masking, gap=0)
        self.reset = ttk.Button(self, text="Restore defaults", command=self._restore_defaults)
        self.put(self.reset, gap=18, sticky="w")
        ToolTip(
            self.reset,
            theme,
            "Sets everything here to what it was when the program was new, or to what the configuration file "
            "says. The lock stays.",
        )
        self._render()

    # --- what the window asks

    @property
    def locked(self) -> bool:
        """Whether the lock is closed."""
        return self._chosen.locked

    def settings(self) -> Settings:
        """The settings of the next job: HIPAA's, or stricter ones, under the lock."""
        return self._chosen.settings()

    def preferences(self) -> Preferences:
        """What is remembered for the next start."""
        return Preferences(self._chosen.choices(), self.output_folder)

    def size_of(self, model: Model) -> str:
        """How large a model is, in words."""
        return self._sizes.get(model, "size unknown")

    # --- what the window tells

    def take_config(self, config: UserConfig) -> None:
        """Start anew from a configuration, keeping what people chose."""
        self._chosen = self._chosen.on(config)
        self._render()
        self._actions.changed()

    def set_locked(self, locked: bool) -> str:
        """Close or open the lock; the sentence that the user should read about it, "" for none."""
        said = self._chosen.turn_lock(locked)
        self._render()
        self._actions.changed()
        return said

    def set_folder(self, folder: Path | None) -> None:
        """Write results into this folder, or beside each video."""
        self.output_folder = folder
        self._render()
        self._actions.changed()

    def set_available(
        self, available: Mapping[Model, bool], sizes: Mapping[Model, str], encoders: tuple[Encoder, ...]
    ) -> str:
        """Note which models are here, how large the others are, and which encoders work; "" or a sentence."""
        self._available.update(available)
        self._sizes.update(sizes)
        self.free.encoder.offer(encoders)
        said = self._chosen.leave_encoder(encoders)
        self._render()
        return said

    def enable(self, yes: bool, *, may_unlock: bool = True) -> None:
        """Let settings be changed, or hold them all while a job runs; the lock can be held alone."""
        if (yes, may_unlock) != (self._enabled, self._may_unlock):
            self._enabled, self._may_unlock = yes, may_unlock
            self._render()

    # --- inside

    def _choose(self, name: str, value: Any) -> None:
        try:
            self._chosen.choose(name, value)
        except SettingsError as error:  # one value of the configuration file forbids another one here
            self._actions.say(str(error))
        self._render()
        self._actions.changed()

    def _restore_defaults(self) -> None:
        self._chosen.restore_defaults()
        self.output_folder = None
        self._render()
        self._actions.changed()

    def _render(self) -> None:
        settings, free = self.settings(), self._enabled
        self.lock.show(settings)
        self.lock.enable(free and self._may_unlock)
        missing = None if self._available.get(settings.model, True) else self._sizes.get(settings.model, "")
        self.free.show(settings, self.output_folder, missing, free=free)
        self.masking.show(settings, free=free)
        self.reset.state(["!disabled" if free else "disabled"])
