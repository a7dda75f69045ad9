"""A drive that is pulled out while it is used."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from wine import STICK, under_wine


@contextlib.contextmanager
def removable_drive(folder: Path) -> Iterator[tuple[Path, Callable[[], object]]]:
    """The drive and what pulls it out: open files stay open, but nothing on it is found any more.

    Windows gives it a letter; elsewhere it is a folder that goes away.

    Args:
        folder: where it may keep what is on it.
    """
    stick, gone = folder / "stick", folder / "pulled out"
    stick.mkdir()
    if sys.platform != "win32":
        yield stick, lambda: stick.rename(gone)
    elif under_wine():
        # Wine knows no letters but those of its prefix, where R: is a link to this folder
        STICK.mkdir()
        away = STICK.with_name("stick pulled out")
        try:
            yield Path("R:/"), lambda: os.rename(STICK, away)
        finally:
            for left in (STICK, away):
                shutil.rmtree(left, ignore_errors=True)
    else:
        import ctypes

        remove_definition, kernel = 2, ctypes.WinDLL("kernel32")
        letter = next(f"{letter}:" for letter in "RSTUVWXY" if not os.path.exists(f"{letter}:/"))
        assert kernel.DefineDosDeviceW(0, letter, str(stick))
        try:
            yield Path(f"{letter}/"), lambda: kernel.DefineDosDeviceW(remove_definition, letter, None)
        finally:
            kernel.DefineDosDeviceW(remove_definition, letter, None)
