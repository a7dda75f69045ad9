"""The choices of each setting in words, and the list that offers them."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Mapping
from enum import Enum
from tkinter import ttk
from typing import Generic, TypeVar

from anonator.core.config import Device, Encoder, Mode, Model, Performance
from anonator.core.performance import Presets
from anonator.ui.look.theme import Theme

PERFORMANCE = {
    Performance.ORIGINAL: (
        "Original",
        "{frames} at full size, one at a time. Slow; use it to check results of the other modes.",
    ),
    Performance.QUALITY: (
        "Quality",
        "{frames}, every second one at full size. The best choice for most videos.",
    ),
    Performance.BALANCED: (
        "Balanced",
        "{frames}, following faces in between. About twice as fast; may miss small faces.",
    ),
    Performance.MAXIMUM: (
        "Maximum Speed",
        "{frames}, in a smaller picture. Fastest; only for large faces that move slowly.",
    ),
}
"""Names and effects; {frames} becomes the frames that are searched."""
MODEL = {
    Model.MOBILENET: (
        "MobileNet (RetinaFace)",
        "Fast and accurate enough for most videos. Comes with the program.",
    ),
    Model.RESNET50: (
        "ResNet50 (RetinaFace)",
        "Several times slower. Not tried by us with its real weights.",
    ),
    Model.DSFD: ("DSFD", "Very slow without a graphics card. Not tried by us with its real weights."),
}
DEVICE = {
    Device.AUTO: ("Automatic", "An NVIDIA graphics card if there's one, otherwise the processor."),
    Device.CPU: ("Processor", "Works on every computer."),
    Device.CUDA: ("NVIDIA graphics card", "Jobs fail where there's none."),
    Device.INTEL_GPU: ("Intel graphics (OpenVINO)", "Used if it finds what the processor finds in a trial."),
    Device.OPENVINO_CPU: ("Processor (OpenVINO)", "Used if it finds what PyTorch finds in a trial."),
}
NO_OPENVINO = "Can't be used here: OpenVINO isn't installed, or it finds no such device."
ENCODER = {
    Encoder.X264: ("Processor (x264)", "Works on every computer."),
    Encoder.NVENC: ("NVIDIA (NVENC)", "Needs an NVIDIA graphics card; faster, larger files."),
    Encoder.QSV: ("Intel (Quick Sync)", "Needs an Intel graphics unit; faster, larger files."),
    Encoder.AMF: ("AMD (AMF)", "Needs an AMD graphics card; faster, larger files."),
}


class PictureQuality(Enum):
    """What people choose from; the values are CRF."""

    SMALLER = 24
    SOURCE = 21
    BEST = 17


PICTURE = {
    PictureQuality.SMALLER: ("Smaller file", "Slightly softer than the original."),
    PictureQuality.SOURCE: ("Like the original", "Looks like the original, in a file of about its size."),
    PictureQuality.BEST: ("Best picture", "Hardly any loss; files are often twice as large as the original."),
}
MODE = {
    Mode.SOLID: ("Solid", "A black box; nothing of the face remains. The safest choice."),
    Mode.BLUR: ("Blur", "A blur, in proportion to the face."),
    Mode.MOSAIC: ("Mosaic", "Coarse blocks in proportion to the face."),
}


def performance_words(presets: Presets) -> dict[Performance, tuple[str, str]]:
    """The performance modes in words, with the numbers from the configuration file if it changes them."""
    return {
        mode: (name, effect.format(frames=_every(presets.of(mode.value).detect_every)))
        for mode, (name, effect) in PERFORMANCE.items()
    }


def _every(n: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(n % 10, "th") if n // 10 != 1 else "th"
    return "Every frame" if n == 1 else f"Every {n}{ending} frame"


def picture_words(crf: int) -> tuple[PictureQuality, dict[PictureQuality, tuple[str, str]]]:
    """The quality that comes closest to this CRF, and all of them in words."""
    nearest = min(PictureQuality, key=lambda each: abs(each.value - crf))
    name, effect = PICTURE[nearest]
    words = dict(PICTURE)
    if nearest.value != crf:
        words[nearest] = f"{name} (CRF {crf})", effect
    return nearest, words


EnumT = TypeVar("EnumT", bound=Enum)


class Choice(ttk.Frame, Generic[EnumT]):
    """A drop-down list, with a line below that explains the selected choice."""

    def __init__(
        self,
        parent: tk.Misc,
        theme: Theme,
        words: Mapping[EnumT, tuple[str, str]],
        command: Callable[[EnumT], None],
    ) -> None:
        super().__init__(parent)
        self._words, self._command = words, command
        self._offered: list[EnumT] = list(words)
        self.box = ttk.Combobox(self, state="readonly", height=8)
        self.box.pack(fill="x")
        self.line = ttk.Label(self, style="Dim.TLabel", wraplength=theme.px(346), justify="left")
        self.line.pack(anchor="w", pady=(theme.px(4), 0))
        self.box.bind("<<ComboboxSelected>>", self._chosen)

    def describe(self, words: Mapping[EnumT, tuple[str, str]]) -> None:
        """Describe the same choices in other words."""
        self._words = words

    def offer(self, choices: tuple[EnumT, ...]) -> None:
        """Offer only these choices."""
        self._offered = [choice for choice in self._words if choice in choices]
        self.box.configure(values=[self._words[choice][0] for choice in self._offered])

    def set(self, choice: EnumT) -> None:
        """Show a choice without calling the command."""
        self.box.set(self._words[choice][0])
        self.line.configure(text=self._words[choice][1])

    def enable(self, yes: bool) -> None:
        """Enable or disable the list."""
        self.box.state(["!disabled"] if yes else ["disabled"])

    def _chosen(self, _event: object) -> None:
        self.box.selection_clear()
        self._command(self._offered[self.box.current()])
