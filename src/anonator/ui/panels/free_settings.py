"""The settings that are free in both modes: speed, model, output folder, encoder and files."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tkinter import ttk

from anonator.core.catalogue import SETTINGS
from anonator.core.config import HIPAA_PERFORMANCE, Device, Encoder, Performance, Settings
from anonator.core.hipaa_lock import HIPAA_FIXED
from anonator.core.performance import Presets
from anonator.ui.look.section import Section
from anonator.ui.look.switch import Switch
from anonator.ui.look.theme import Theme
from anonator.ui.look.tooltip import ToolTip
from anonator.ui.panels.choices import (
    DEVICE,
    ENCODER,
    MODEL,
    NO_OPENVINO,
    PICTURE,
    Choice,
    performance_words,
    picture_words,
)

SWITCHES = (
    (
        "report",
        "Write a report",
        "Saves an audit report for each result, for your records: settings, checks and moments worth a look. "
        "It doesn't name the video or its folder.",
    ),
    (
        "neutral_name",
        "Neutral file name",
        "Gives each result a random name, because file names often contain people's names. When "
        "you start, you can keep a key file that tells which result belongs to which video.",
    ),
)
REPORT_LOCKED = "HIPAA mode always writes a report."
REPORTS_GO_TO = "Reports are saved to the folder {}."


class FreeSettings(Section):
    """Shows these settings, and reports what people choose."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        choose: Callable[[str, object], None],
        *,
        choose_folder: Callable[[], None],
        forget_folder: Callable[[], None],
        download: Callable[[], None],
        use_file: Callable[[], None],
    ) -> None:
        super().__init__(parent, theme)
        self.heading("Performance", "How many frames are searched for faces, and at what size.", 18)
        self.performance = Choice(self, theme, performance_words(Presets()), partial(choose, "performance"))
        tip = "More frames and larger pictures find more faces and take longer."
        ToolTip(self.performance.box, theme, tip)
        self.put(self.performance)
        self.heading("Model", SETTINGS["model"].declared.doc)
        self.model = Choice(self, theme, MODEL, partial(choose, "model"))
        ToolTip(self.model.box, theme, "A larger network finds more faces but takes longer.")
        self.model.offer(tuple(MODEL))
        self.put(self.model)
        self._make_fetch(download, use_file)
        self._make_device(choose)
        self._make_folder(choose_folder, forget_folder)
        self.heading("Encoder", SETTINGS["encoder"].declared.doc)
        self.encoder = Choice(self, theme, ENCODER, partial(choose, "encoder"))
        self.encoder.offer((Encoder.X264,))  # the others are added once they have been tried
        ToolTip(self.encoder.box, theme, "Hardware encoders are faster, if this computer has one.")
        self.put(self.encoder)
        self.heading("Picture quality", SETTINGS["crf"].declared.doc)
        self.picture = Choice(self, theme, PICTURE, lambda quality: choose("crf", quality.value))
        ToolTip(self.picture.box, theme, "The black boxes are the same in all three.")
        self.put(self.picture)
        self.switches: dict[str, Switch] = {}
        for name, words, tip in SWITCHES:
            self.switches[name] = self.switch(words, tip, partial(choose, name))
            if name == "report":
                self.report_line = ttk.Label(self, style="Dim.TLabel", wraplength=theme.px(250))
                self._report_tip = ToolTip(self.report_line, theme, "")
                self.put(self.report_line, 2, "w")

    def _make_fetch(self, download: Callable[[], None], use_file: Callable[[], None]) -> None:
        theme = self.theme
        self.fetch = ttk.Frame(self)
        self.download = ttk.Button(self.fetch, style="Small.TButton", command=download)
        self.use_file = ttk.Button(
            self.fetch, text="Use a file I have…", style="Small.TButton", command=use_file
        )
        self.use_file.pack(side="left")
        tip = "Models are the only thing Anonator ever downloads, and it always asks first."
        ToolTip(self.download, theme, tip)
        tip = "Copies a weights file you already have into the program's folder."
        ToolTip(self.use_file, theme, tip)
        self.put(self.fetch, 6)

    def _make_device(self, choose: Callable[[str, object], None]) -> None:
        """The choice of the device, which is there only where OpenVINO adds to it."""
        theme = self.theme
        self.device_part = ttk.Frame(self)
        label = ttk.Label(self.device_part, text="Device", style="Strong.TLabel")
        label.pack(anchor="w")
        ToolTip(label, theme, SETTINGS["device"].declared.doc)
        self.device = Choice(self.device_part, theme, DEVICE, partial(choose, "device"))
        tip = "The next job runs there. OpenVINO runs the standard model only."
        ToolTip(self.device.box, theme, tip)
        self.device.pack(fill="x", pady=(theme.px(4), 0))
        self.put(self.device_part, 14)

    def offer_devices(self, openvino: tuple[Device, ...], chosen: Device) -> None:
        """Offer the devices there are, and show the chosen one even if it isn't one of them.

        Args:
            openvino: those on which OpenVINO could run.
            chosen: of the next job.
        """
        words = dict(DEVICE)
        if chosen in (Device.INTEL_GPU, Device.OPENVINO_CPU) and chosen not in openvino:
            words[chosen] = words[chosen][0], NO_OPENVINO
        self.device.describe(words)
        self.device.offer((Device.AUTO, Device.CPU, *openvino, chosen))
        if openvino or words[chosen][1] is NO_OPENVINO:
            self.device_part.grid()
        else:
            self.device_part.grid_remove()

    def _make_folder(self, choose: Callable[[], None], forget: Callable[[], None]) -> None:
        theme = self.theme
        self.heading("Save results to", "Where the anonymized videos are saved.")
        row = ttk.Frame(self)
        row.columnconfigure(0, weight=1)
        self.folder = ttk.Label(row, justify="left")
        self.folder.grid(row=0, column=0, sticky="w")
        self._folder_tip = ToolTip(self.folder, theme, "")
        self.choose = ttk.Button(row, text="Choose…", style="Small.TButton", command=choose)
        self.choose.grid(row=0, column=1, padx=(theme.px(6), 0))
        self.beside = ttk.Button(row, text="Next to each video", style="Small.TButton", command=forget)
        self.beside.grid(row=0, column=2, padx=(theme.px(6), 0))
        ToolTip(self.choose, theme, "Saves all results to one folder.")
        ToolTip(self.beside, theme, "Saves each result next to its video again.")
        self.put(row)

    def show(
        self,
        settings: Settings,
        folder: Path | None,
        report_folder: Path | None,
        missing_size: str | None,
        *,
        free: bool,
    ) -> None:
        """Show the settings.

        Args:
            settings: of the next job.
            folder: where results are saved; None means next to each video.
            report_folder: where reports are saved, as the configuration file says.
            missing_size: the size of the chosen model in words if it isn't on this computer; "" if it
                can't be downloaded either.
            free: whether settings can be changed now.
        """
        self.performance.describe(performance_words(settings.presets))
        self.performance.offer(HIPAA_PERFORMANCE if settings.hipaa else tuple(Performance))
        for choice, value in (
            (self.performance, settings.performance),
            (self.model, settings.model),
            (self.device, settings.device),
            (self.encoder, settings.encoder),
        ):
            choice.set(value)  # type: ignore[arg-type]
            choice.enable(free)
        quality, words = picture_words(settings.crf)
        self.picture.describe(words)
        self.picture.offer(tuple(PICTURE))
        self.picture.set(quality)
        self.picture.enable(free)
        if missing_size is None:
            self.fetch.grid_remove()
        else:
            if missing_size:
                self.download.configure(text=f"Download ({missing_size})…")
                self.download.pack(side="left", before=self.use_file, padx=(0, self.theme.px(6)))
            else:
                self.download.pack_forget()
            self.fetch.grid()
        self.folder.configure(
            text="next to each video" if folder is None else folder.name or str(folder),
            wraplength=self.theme.px(190 if folder is None else 110),  # the second button needs the rest
        )
        self._folder_tip.say("" if folder is None else str(folder))
        for button in (self.choose, self.beside, self.download, self.use_file):
            button.state(["!disabled" if free else "disabled"])
        if folder is None:
            self.beside.grid_remove()
        else:
            self.beside.grid()
        for name, switch in self.switches.items():
            switch.set(getattr(settings, name))
            switch.enable(free and not (settings.hipaa and name in HIPAA_FIXED))
        self._show_report_line(settings, report_folder)

    def _show_report_line(self, settings: Settings, folder: Path | None) -> None:
        said, tip = [REPORT_LOCKED] if settings.hipaa else [], ""
        if folder is not None and settings.report:
            said.append(REPORTS_GO_TO.format(folder.name or folder))
            tip = f"{folder}, as the configuration file says."
        self.report_line.configure(text=" ".join(said))
        self._report_tip.say(tip)
        (self.report_line.grid if said else self.report_line.grid_remove)()
