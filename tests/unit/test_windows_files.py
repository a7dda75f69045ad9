"""Windows' rules for names and long paths, held on every system."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from anonator.core.windows_files import extended, is_too_long, refusal, told_by_windows


@pytest.mark.parametrize(
    "name",
    ["CON", "con.mp4", "aux.mp4", "NUL .mp4", "Prn.tar.gz", "com1.mp4", "LPT9", "COM¹.mp4", "CONIN$",
     "a:b.mp4", "a?.mp4", "a*.mp4", 'a".mp4', "a<b", "a|b", "a\tb.mp4", "a.mp4.", "a.mp4 ", "..a."],
)  # fmt: skip
def test_names_that_windows_does_not_give(name: str) -> None:
    assert refusal(name, windows=True)
    assert not refusal(name, windows=False)


@pytest.mark.parametrize(
    "name",
    ["console.mp4", "auxiliary.mp4", "com10.mp4", "com.mp4", "名前 é.mp4", ".a", "..", " a", "a..mp4"],
)
def test_names_that_windows_gives(name: str) -> None:
    assert not refusal(name, windows=True)


def test_the_length_of_a_name_is_counted_as_windows_does() -> None:
    assert not is_too_long("x" * 255, windows=True) and is_too_long("x" * 256, windows=True)
    assert not is_too_long("名" * 255, windows=True)
    assert is_too_long("😀" * 128, windows=True)  # two units each
    assert not is_too_long("x" * 300, windows=False)


@pytest.mark.parametrize(
    ("path", "long"),
    [
        (r"C:\a\b.mp4", r"\\?\C:\a\b.mp4"),
        ("C:/a/../b.mp4", r"\\?\C:\b.mp4"),
        (r"\\server\share\a.mp4", r"\\?\UNC\server\share\a.mp4"),
        (r"\\?\C:\a.mp4", r"\\?\C:\a.mp4"),
        (r"\\.\PhysicalDrive0", r"\\.\PhysicalDrive0"),
    ],
)
def test_the_long_form_of_a_path(path: str, long: str) -> None:
    assert extended(path) == long


def test_errors_pass_through_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, told_by_windows():
        os.open(tmp_path / "none", os.O_RDONLY)
    assert caught.value.errno == errno.ENOENT
