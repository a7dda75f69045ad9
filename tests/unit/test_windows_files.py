"""Windows' rules for names and long paths, held on every system."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from video_helpers import clip

from anonator.core.windows_files import extended, for_people, is_too_long, refusal, told_by_windows


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


@pytest.mark.parametrize("path", [r"C:\a\b.mp4", r"\\server\share\a.mp4"])
def test_people_see_the_plain_path(path: str) -> None:
    assert str(for_people(Path(extended(path)))) == path


LIMITED = """
import os, sys

def refuse_long(path):
    if isinstance(path, (str, bytes, os.PathLike)) and len(os.fsdecode(path)) > 259:
        if not os.fsdecode(path).startswith(chr(92) * 2 + "?" + chr(92)):
            raise FileNotFoundError(2, "longer than Windows opens", None, 3)

def hook(event, args):
    if event in ("open", "os.rename", "os.remove", "os.chmod", "os.mkdir", "os.listdir", "os.scandir"):
        for path in args[:2]:
            refuse_long(path)

stat = os.stat
os.stat = lambda path, *rest, **more: (refuse_long(path), stat(path, *rest, **more))[1]
sys.addaudithook(hook)
from pathlib import Path
from anonator.main import main
from anonator.ui.state.dropped_paths import sort_out
folder = Path(sys.argv[1])
(found,) = sort_out([folder]).videos
status = main(["--headless", "--json", "--report", "--overwrite", str(found), "--performance", "balanced"])
sys.exit(status)
"""
"""The program where paths of more than 259 characters cannot be opened, as on most Windows computers."""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "win32", reason="only Windows has the limit")
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_video_at_a_path_of_any_length_is_done(tmp_path: Path, overwrite: bool) -> None:
    folder = tmp_path.joinpath(*["名前 of a folder" * 3] * 6)
    os.makedirs(extended(str(folder)))
    video = clip(tmp_path / "a.mp4", size="160x120", seconds=0.2)
    os.replace(video, extended(str(folder / "a.mp4")))
    if overwrite:
        Path(extended(str(folder / "a_anonymized.mp4"))).write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", LIMITED, tmp_path], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    told = json.loads(done.stdout)
    assert told["output"] == str(folder / "a_anonymized.mp4") and len(told["output"]) > 300
    report = "a_anonymized_report"
    names = ["a.mp4", "a_anonymized.mp4", f"{report}.html", f"{report}.json"]
    assert sorted(os.listdir(extended(str(folder)))) == names


def test_errors_pass_through_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, told_by_windows():
        os.open(tmp_path / "none", os.O_RDONLY)
    assert caught.value.errno == errno.ENOENT
