"""Windows' file dialog: how it is asked, on every system with a stand-in, and what it answers."""

from __future__ import annotations

import ctypes
import uuid
from pathlib import Path
from typing import Any

import pytest

from anonator.ui.look import windows_com
from anonator.ui.look import windows_file_dialog as dialogs
from anonator.ui.look.windows_file_dialog import Option, Wanted

VIDEOS = ("Videos", ("*.mp4", "*.mov"))
LONG = "C:\\" + "x" * 300 + ".mp4"


class Item:
    """Stands in for a file that was chosen."""

    def __init__(self, path: str) -> None:
        self.path = path

    def call(self, place: int, *arguments: Any) -> None:
        assert (place, arguments[0].value) == (dialogs.GET_NAME, dialogs.PATH_OF_FILE)
        self.text = ctypes.c_wchar_p(self.path)  # it lives until it is freed
        ctypes.memmove(arguments[1], ctypes.byref(self.text), ctypes.sizeof(self.text))

    def close(self) -> None:
        """Nothing to give back."""


class Items(Item):
    """Stands in for several."""

    def __init__(self, paths: list[str]) -> None:
        self.paths = paths

    def call(self, place: int, *arguments: Any) -> None:
        assert place == dialogs.GET_COUNT
        arguments[0].contents.value = len(self.paths)

    def got(self, place: int, at: ctypes.c_uint32) -> Item:
        assert place == dialogs.GET_AT
        return Item(self.paths[at.value])


class Dialog:
    """Stands in for Windows' dialog, and writes down what it was told."""

    def __init__(self, paths: list[str], error: int = 0) -> None:
        self.paths, self.error = paths, error
        self.told: dict[int, Any] = {}
        self.open = False

    def made(self, kind: uuid.UUID, interface: uuid.UUID) -> Dialog:
        self.kind, self.open = (kind, interface), True
        return self

    def call(self, place: int, *arguments: Any) -> None:
        self.told[place] = arguments
        if place == dialogs.SHOW and self.error:
            error = OSError(self.error, "refused")
            error.winerror = self.error  # type: ignore[attr-defined, unused-ignore]
            raise error

    def got(self, place: int) -> Item:
        return Items(self.paths) if place == dialogs.GET_RESULTS else Item(self.paths[0])

    def close(self) -> None:
        self.open = False


@pytest.fixture(autouse=True)
def anywhere(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What of Windows' own functions was called."""
    called: list[str] = []
    monkeypatch.setattr(windows_com, "begin", lambda: called.append("begin"))
    monkeypatch.setattr(windows_com, "end", lambda: called.append("end"))
    monkeypatch.setattr(windows_com, "free", lambda _text: called.append("free"))

    def item(path: Path) -> Any:
        called.append(f"folder {path.name}")
        return windows_com.ComObject(ctypes.c_void_p(0))

    monkeypatch.setattr(dialogs, "_item", item)
    return called


@pytest.mark.parametrize(
    ("wanted", "paths"),
    [
        (Wanted("Add videos", Path("visits"), Option.SEVERAL, (VIDEOS,)), ["C:\\a.mp4", LONG]),
        (Wanted("Tracks", Path("visits"), Option.FILE_EXISTS), ["C:\\名前 é.tracks"]),
        (Wanted("Folder", Path("visits"), Option.FOLDERS), ["\\\\server\\share"]),
        (Wanted("Save", Path("visits"), Option(0), (VIDEOS,), "a.mp4", ".mp4", saves=True), ["C:\\a.mp4"]),
    ],
    ids=["several", "one", "folder", "save"],
)
def test_nothing_is_added_to_the_recent_files(anywhere: list[str], wanted: Wanted, paths: list[str]) -> None:
    """A failure means that Windows shows names of patients' videos to whoever uses the computer next."""
    dialog = Dialog(paths)
    assert dialogs.ask(wanted, 0x1234, dialog.made) == [Path(path) for path in paths]
    (options,) = dialog.told[dialogs.SET_OPTIONS]
    assert options.value & 0x2000000, "FOS_DONTADDTORECENT"
    assert options.value == int(wanted.options) | 0x2000000 | 0x8 | 0x40 | 0x800
    assert dialogs.FORGET in dialog.told, "and the dialog's own memory is cleared"
    assert dialog.told[dialogs.SHOW][0].value == 0x1234
    assert dialog.kind == (dialogs.SAVE if wanted.saves else dialogs.OPEN)
    assert not dialog.open and anywhere[0] == "begin" and anywhere[-1] == "end"
    assert anywhere.count("free") == len(paths) and "folder visits" in anywhere
    assert (dialogs.SET_NAME in dialog.told, dialogs.SET_SUFFIX in dialog.told) == (wanted.saves,) * 2
    assert not wanted.suffix or dialog.told[dialogs.SET_SUFFIX][0].value == "mp4", "Windows adds the dot"


def test_kinds_are_laid_out_as_windows_reads_them() -> None:
    made = dialogs.kinds_of((VIDEOS, ("All files", ("*",))))
    words = ctypes.cast(made, ctypes.POINTER(ctypes.c_wchar_p))
    assert [words[at] for at in range(4)] == ["Videos", "*.mp4;*.mov", "All files", "*"]
    assert ctypes.sizeof(made) == 4 * ctypes.sizeof(ctypes.c_void_p)


def test_cancelled_is_nothing_and_a_refusal_is_told(anywhere: list[str]) -> None:
    wanted = Wanted("Add videos", Path("visits"), Option.SEVERAL)
    assert dialogs.ask(wanted, 1, Dialog([], -2147023673).made) == []
    with pytest.raises(OSError, match="refused"):
        dialogs.ask(wanted, 1, Dialog([], -2147467263).made)
    assert anywhere.count("begin") == anywhere.count("end") == 2
