"""The settings that are free in both modes: speed, model, where results go and what is written."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tkinter import ttk
from typing import Any

from anonator.core.catalogue import SETTINGS
from anonator.core.config import HIPAA_PERFORMANCE, Encoder, Performance, Settings
from anonator.core.performance import Presets
from anonator.ui.look.section import Section
from anonator.ui.look.switch import Switch
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.panels.choices import ENCODER, MODEL, Choice, performance_words

SWITCHES = (
    (
        "report",
        "Write a report",
        "An audit report (JSON) beside each result, for your records: settings, checks, every face that was "
        "followed. It names no video and no folder.",
    ),
    (
        "neutral_name",
        "Neutral file name",
        "Gives each result a random name, because names of files often name people. You find the result by "
        "its row in the list.",
    ),
)


class FreeSettings(Section):
    """Renders the settings that it is given, and tells what people choose."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        choose: Callable[[str, Any], None],
        *,
        choose_folder: Callable[[], None],
        forget_folder: Callable[[], None],
        download: Callable[[], None],
        use_file: Callable[[], None],
    ) -> None:
        super().__init__(parent, theme)
        self.heading("Performance", "How many frames are searched for faces, and how large.", 18)
        self.performance = Choice(self, theme, performance_words(Presets()), partial(choose, "performance"))
        tip = "More frames and larger pictures find more faces and take longer."
        ToolTip(self.performance.box, theme, tip)
        self.put(self.performance)
        self.heading("Model", SETTINGS["model"].declared.doc)
        self.model = Choice(self, theme, MODEL, partial(choose, "model"))
        ToolTip(self.model.box, theme, "A larger network finds more faces and needs more time.")
        self.model.offer(tuple(MODEL))
        self.put(self.model)
        self._make_fetch(download, use_file)
        self._make_folder(choose_folder, forget_folder)
        self.heading("Encoder", SETTINGS["encoder"].declared.doc)
        self.encoder = Choice(self, theme, ENCODER, partial(choose, "encoder"))
        self.encoder.offer((Encoder.X264,))  # the others once they have been tried
        ToolTip(self.encoder.box, theme, "Hardware encoders are faster, where this computer has them.")
        self.put(self.encoder)
        self.switches: dict[str, Switch] = {
            name: self.switch(words, tip, partial(choose, name)) for name, words, tip in SWITCHES
        }

    def _make_fetch(self, download: Callable[[], None], use_file: Callable[[], None]) -> None:
        theme = self.theme
        self.fetch = ttk.Frame(self)
        self.download = ttk.Button(self.fetch, style="Small.TButton", command=download)
        self.use_file = ttk.Button(
            self.fetch, text="Use a file I have…", style="Small.TButton", command=use_file
        )
        self.use_file.pack(side="left")
        tip = "The only thing that Anonator ever fetches from a network, after a question."
        ToolTip(self.download, theme, tip)
        tip = "Copies a weights file that you already have into the program's folder."
        ToolTip(self.use_file, theme, tip)
        self.put(self.fetch, 6)

    def _make_folder(self, choose: Callable[[], None], forget: Callable[[], None]) -> None:
        theme = self.theme
        self.heading("Results go", "Where the anonymized videos are written.")
        row = ttk.Frame(self)
        row.columnconfigure(0, weight=1)
        self.folder = ttk.Label(row, wraplength=theme.px(190), justify="left")
        self.folder.grid(row=0, column=0, sticky="w")
        self._folder_tip = ToolTip(self.folder, theme, "")
        self.choose = ttk.Button(row, text="Choose…", style="Small.TButton", command=choose)
        self.choose.grid(row=0, column=1, padx=(theme.px(6), 0))
        self.beside = ttk.Button(row, text="Beside", style="Small.TButton", command=forget)
        self.beside.grid(row=0, column=2, padx=(theme.px(6), 0))
        ToolTip(self.choose, theme, "One folder for all results.")
        ToolTip(self.beside, theme, "Each result beside its video again.")
        self.put(row)

    def show(self, settings: Settings, folder: Path | None, missing_size: str | None, *, free: bool) -> None:
        """Render.

        Args:
            settings: of the next job.
            folder: where results go; None is beside each video.
            missing_size: how large the chosen model is in words, where it is not on this computer; "" where
                it cannot be downloaded either.
            free: whether anything may be changed now.
        """
        self.performance.describe(performance_words(settings.presets))
        self.performance.offer(HIPAA_PERFORMANCE if settings.hipaa else tuple(Performance))
        for choice, value in (
            (self.performance, settings.performance),
            (self.model, settings.model),
            (self.encoder, settings.encoder),
        ):
            choice.set(value)  # type: ignore[arg-type]
            choice.enable(free)
        if missing_size is None:
            self.fetch.grid_remove()
        else:
            if missing_size:
                self.download.configure(text=f"Download ({missing_size})…")
                self.download.pack(side="left", before=self.use_file, padx=(0, self.theme.px(6)))
            else:
                self.download.pack_forget()
            self.fetch.grid()
        self.folder.configure(text="beside each video" if folder is None else folder.name or str(folder))
        self._folder_tip.say("" if folder is None else str(folder))
        for button in (self.choose, self.beside, self.download, self.use_file):
            button.state(["!disabled" if free else "disabled"])
        if folder is None:
            self.beside.grid_remove()
        else:
            self.beside.grid()
        for name, switch in self.switches.items():
            switch.set(getattr(settings, name))
            switch.enable(free)
