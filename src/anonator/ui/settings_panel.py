"""The settings with their effects; under the lock they show HIPAA's values and cannot be changed."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tkinter import ttk
from typing import Any

from anonator.core.config import HIPAA_PERFORMANCE, Encoder, Mode, Model, Performance, Settings
from anonator.ui.choices import ENCODER, MODE, MODEL, PERFORMANCE, Choice
from anonator.ui.colours import LINE
from anonator.ui.lock_card import LockCard
from anonator.ui.preferences import Preferences
from anonator.ui.theme import Theme
from anonator.ui.widgets import NumberField, Switch, ToolTip

MODE_VARIABLE = "anonator_mode"
"""In Tcl by name: a tkinter.Variable calls Tk in whatever thread happens to collect it."""
CHANGED_PERFORMANCE = "Maximum Speed is not offered in HIPAA mode, so the performance mode is now Balanced."


@dataclass(frozen=True, slots=True)
class PanelActions:
    """What the panel asks the window to do."""

    turn_lock: Callable[[bool], None]
    changed: Callable[[], None]
    choose_folder: Callable[[], None]
    download: Callable[[Model], None]
    use_file: Callable[[Model], None]


class SettingsPanel(ttk.Frame):
    """Holds the lock, the settings for the open lock, and the output folder."""

    def __init__(
        self, parent: tk.Misc, theme: Theme, preferences: Preferences, actions: PanelActions
    ) -> None:
        super().__init__(parent)
        self._theme, self._actions = theme, actions
        self.locked = True
        self.standard = preferences.standard
        self.output_folder = preferences.output_folder
        self._speed_under_lock = Performance.QUALITY
        self._enabled = True
        self._available: dict[Model, bool] = {Model.MOBILENET: True}
        self._sizes: dict[Model, str] = {}
        self._row = 0
        self.columnconfigure(0, weight=1)
        self.lock = LockCard(self, theme, actions.turn_lock)
        self._place(self.lock, gap=0)
        self._make_free_settings()
        self._make_masking_settings()
        self.reset = ttk.Button(self, text="Restore defaults", command=self._restore_defaults)
        self._place(self.reset, gap=18, sticky="w")
        ToolTip(
            self.reset, theme, "Sets everything here to what it was when the program was new. The lock stays."
        )
        if self.standard.performance in HIPAA_PERFORMANCE:
            self._speed_under_lock = self.standard.performance
        self._render()

    # --- layout

    def _place(self, widget: tk.Widget, gap: float = 4, sticky: str = "ew") -> None:
        widget.grid(row=self._row, column=0, sticky=sticky, pady=(self._theme.px(gap), 0))
        self._row += 1

    def _label(self, words: str, tip: str, gap: float = 14) -> None:
        label = ttk.Label(self, text=words, style="Strong.TLabel")
        self._place(label, gap, "w")
        ToolTip(label, self._theme, tip)

    def _make_free_settings(self) -> None:
        theme = self._theme
        self._label("Performance", "How many frames are searched for faces, and how large.", 18)
        self.performance = Choice(self, theme, PERFORMANCE, lambda v: self._set(performance=v))
        ToolTip(
            self.performance.box, theme, "More frames and larger pictures find more faces and take longer."
        )
        self._place(self.performance)
        self._label("Model", "The network that looks for faces.")
        self.model = Choice(self, theme, MODEL, lambda v: self._set(model=v))
        ToolTip(self.model.box, theme, "A larger network finds more faces and needs more time.")
        self.model.offer(tuple(MODEL))
        self._place(self.model)
        self.fetch = ttk.Frame(self)
        self.download = ttk.Button(
            self.fetch, style="Small.TButton", command=lambda: self._actions.download(self.standard.model)
        )
        self.download.pack(side="left")
        use = ttk.Button(
            self.fetch,
            text="Use a file I have…",
            style="Small.TButton",
            command=lambda: self._actions.use_file(self.standard.model),
        )
        use.pack(side="left", padx=theme.px(6))
        ToolTip(
            self.download,
            theme,
            "The only thing that Anonator ever fetches from a network, after a question.",
        )
        ToolTip(use, theme, "Copies a weights file that you already have into the program's folder.")
        self._place(self.fetch, 6)
        self._label("Results go", "Where <name>_anonymized.mp4 is written.")
        row = ttk.Frame(self)
        row.columnconfigure(0, weight=1)
        self.folder = ttk.Label(row, style="TLabel", wraplength=theme.px(190), justify="left")
        self.folder.grid(row=0, column=0, sticky="w")
        self.choose = ttk.Button(
            row, text="Choose…", style="Small.TButton", command=self._actions.choose_folder
        )
        self.choose.grid(row=0, column=1, padx=(theme.px(6), 0))
        self.beside = ttk.Button(
            row, text="Beside", style="Small.TButton", command=lambda: self.set_folder(None)
        )
        self.beside.grid(row=0, column=2, padx=(theme.px(6), 0))
        ToolTip(self.choose, theme, "One folder for all results.")
        ToolTip(self.beside, theme, "Each result beside its video again.")
        self._place(row)
        self._label("Encoder", "What writes the H.264 video.")
        self.encoder = Choice(self, theme, ENCODER, lambda v: self._set(encoder=v))
        self.encoder.offer((Encoder.X264,))  # the others once they have been tried
        ToolTip(self.encoder.box, theme, "Hardware encoders are faster, where this computer has them.")
        self._place(self.encoder)

    def _make_masking_settings(self) -> None:
        theme = self._theme
        self._place(tk.Frame(self, background=LINE, height=theme.px(1)), 18)
        self.masking = ttk.Label(self, style="Dim.TLabel")
        self._place(self.masking, 10, "w")
        self._label("Faces are covered by", "What is put over a face.", 8)
        segments = ttk.Frame(self)
        self.modes: dict[Mode, ttk.Radiobutton] = {}
        for column, (mode, (label, tip)) in enumerate(MODE.items()):
            button = ttk.Radiobutton(
                segments,
                text=label,
                value=mode.value,
                variable=MODE_VARIABLE,  # type: ignore[arg-type]
                style="Segment.Toolbutton",
                command=partial(self._set_one, "mode", mode),
            )
            segments.columnconfigure(column, weight=1, uniform="mode")
            button.grid(row=0, column=column, sticky="ew")
            ToolTip(button, theme, tip)
            self.modes[mode] = button
        self._place(segments)
        self._label(
            "Threshold",
            "The score from which something counts as a face. Lower finds more faces, and "
            "sometimes covers what is none.",
        )
        self.threshold = NumberField(self, theme, 0.5, 0.9, 0.05, lambda v: self._set(threshold=v))
        self._place(self.threshold)
        self._label("Mask scale", "The size of a mask, in sizes of the face that was found.")
        self.mask_scale = NumberField(self, theme, 1.0, 3.0, 0.1, lambda v: self._set(mask_scale=v))
        self._place(self.mask_scale)
        ToolTip(self.threshold.entry, theme, "0.5 finds the most faces, 0.9 only the clearest.")
        ToolTip(self.mask_scale.entry, theme, "1 covers the face itself; 1.5 also hair, ears and chin.")
        self.switches: dict[str, Switch] = {}
        for name, words, tip in (
            (
                "multi_pass",
                "Three passes",
                "Also accepts faces at 0.7 of the threshold. Finds more; no slower.",
            ),
            (
                "orientations",
                "Faces that are not upright",
                "Also looks at the turned picture: people who lie down.",
            ),
            ("keep_audio", "Keep the sound", "Voices identify people, too."),
        ):
            row = ttk.Frame(self)
            row.columnconfigure(0, weight=1)
            ttk.Label(row, text=words).grid(row=0, column=0, sticky="w")
            switch = Switch(row, theme, partial(self._set_one, name))
            switch.grid(row=0, column=1)
            ToolTip(switch, theme, tip)
            self.switches[name] = switch
            self._place(row, 12)

    # --- what the window tells and asks

    def settings(self) -> Settings:
        """The settings of the next job: HIPAA's under the lock."""
        chosen = self.standard
        if not self.locked:
            return chosen
        return Settings(
            model=chosen.model,
            performance=self._speed_under_lock,
            device=chosen.device,
            encoder=chosen.encoder,
            crf=chosen.crf,
        )

    def preferences(self) -> Preferences:
        """What is remembered for the next start."""
        return Preferences(self.standard, self.output_folder)

    def set_locked(self, locked: bool) -> str:
        """Close or open the lock; the sentence that the user should read about it, "" for none."""
        self.locked = locked
        said = ""
        if locked:
            self._speed_under_lock = self.standard.performance
            if self._speed_under_lock not in HIPAA_PERFORMANCE:
                self._speed_under_lock = Performance.BALANCED
                self.standard = replace(self.standard, performance=Performance.BALANCED)
                said = CHANGED_PERFORMANCE
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
    ) -> None:
        """Note which models are on this computer, how large the others are, and which encoders work."""
        self._available.update(available)
        self._sizes.update(sizes)
        self.encoder.offer(encoders)
        if self.standard.encoder not in encoders:
            # remembered from a time when this computer had the hardware
            self.standard = replace(self.standard, encoder=Encoder.X264)
        self._render()

    def model_is_missing(self) -> bool:
        """Whether the chosen model must be fetched before it can be used."""
        return not self._available.get(self.standard.model, True)

    def size_of(self, model: Model) -> str:
        """How large a model is, in words."""
        return self._sizes.get(model, "size unknown")

    def enable(self, yes: bool) -> None:
        """Let settings be changed, or hold them all while a job runs."""
        self._enabled = yes
        self._render()

    # --- inside

    def _set_one(self, name: str, value: Any) -> None:
        self._set(**{name: value})

    def _set(self, **values: Any) -> None:
        self.standard = replace(self.standard, **values)
        if self.locked and "performance" in values:
            self._speed_under_lock = values["performance"]
        self._render()
        self._actions.changed()

    def _restore_defaults(self) -> None:
        self.standard, self.output_folder = Settings.standard(), None
        self._speed_under_lock = self.standard.performance
        self._render()
        self._actions.changed()

    def _render(self) -> None:
        settings, free = self.settings(), self._enabled
        unlocked = free and not self.locked
        self.lock.show(self.locked)
        self.lock.enable(free)
        self.performance.offer(HIPAA_PERFORMANCE if self.locked else tuple(PERFORMANCE))
        for choice, value in (
            (self.performance, settings.performance),
            (self.model, settings.model),
            (self.encoder, settings.encoder),
        ):
            choice.set(value)  # type: ignore[arg-type]
            choice.enable(free)
        if self.model_is_missing():
            size = self._sizes.get(settings.model, "")
            self.download.configure(text=f"Download ({size})…" if size else "Download…")
            self.fetch.grid()
        else:
            self.fetch.grid_remove()
        self.folder.configure(
            text="beside each video" if self.output_folder is None else self.output_folder.name
        )
        for button in (self.choose, self.reset, self.download):
            button.state(["!disabled" if free else "disabled"])
        if self.output_folder is None:
            self.beside.grid_remove()
        else:
            self.beside.grid()
        self.masking.configure(text="Locked by HIPAA mode" if self.locked else "Masking")
        self.setvar(MODE_VARIABLE, settings.mode.value)
        for radio in self.modes.values():
            radio.state(["!disabled" if unlocked else "disabled"])
        for field, number in ((self.threshold, settings.threshold), (self.mask_scale, settings.mask_scale)):
            field.set(number)
            field.enable(unlocked)
        for name, switch in self.switches.items():
            switch.set(getattr(settings, name))
            switch.enable(unlocked)
