"""What the tests of the window share: making one, its videos, and what it shows."""

from __future__ import annotations

import tkinter as tk
from collections.abc import Callable, Iterator
from pathlib import Path

from ui_helpers import Driver

Drive = Callable[..., Driver]


def copies(clip: Path, folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(clip.read_bytes())
    return [folder / name for name in names]


def states(driver: Driver) -> list[str]:
    return [job.state.value for job in driver.window.controller.jobs]


def all_widgets(widget: tk.Misc) -> Iterator[tk.Misc]:
    for child in widget.winfo_children():
        yield child
        yield from all_widgets(child)
