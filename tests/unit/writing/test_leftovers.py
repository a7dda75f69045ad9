"""Leftovers: what a killed program left goes away at the next start, and nothing else ever does."""

from __future__ import annotations

import logging
import os
import random
import re
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from patience import PATIENCE, Stopwatch

from anonator.core import file_lock
from anonator.core.writing import leftovers
from anonator.core.writing.leftovers import PREFIX, SUFFIXES, OwnName, sweep
from anonator.core.writing.partial_file import TemporaryFile
from anonator.errors import OutputError

ELSEWHERE = """
import sys
from pathlib import Path
from anonator.core.writing import leftovers
leftovers.marker_folder = lambda: Path(sys.argv[1])
"""
"""The beginning of another program with the same state folder."""
OWNER = f"""{ELSEWHERE}
name = leftovers.OwnName(Path(sys.argv[2]))
for suffix in sys.argv[3:]:
    name.path(suffix).write_bytes(b"unfinished")
print(name.path(".partial.mp4").name, flush=True)
sys.stdin.read()
"""
"""A program with unfinished files that lives until its standard input is closed or it is killed."""


@pytest.fixture(autouse=True)
def markers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for markers of this test's own."""
    folder = tmp_path / "state" / "unfinished"
    monkeypatch.setattr(leftovers, "marker_folder", lambda: folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where results go."""
    path = tmp_path / "results"
    path.mkdir()
    return path


class Owner:
    """Another process with unfinished files."""

    def __init__(self, folder: Path, *suffixes: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", OWNER, leftovers.marker_folder(), folder, *suffixes],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        self.file = folder / self.process.stdout.readline().decode().strip()

    def kill(self) -> None:
        """End it as a power failure would."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def killed(folder: Path) -> Path:
    """The unfinished video of a program that was killed."""
    owner = Owner(folder, ".partial.mp4")
    owner.kill()
    assert owner.file.exists()
    return owner.file


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_killed_program_leaves_nothing_for_longer_than_until_the_next_start(
    folder: Path, markers: Path
) -> None:
    owner = Owner(folder, *SUFFIXES)
    owner.kill()
    assert len(names(folder)) == len(SUFFIXES)
    (folder / "result.mp4").write_bytes(b"the user's")
    sweep()
    assert names(folder) == ["result.mp4"]
    assert names(markers) == []


def test_the_files_of_a_living_program_are_not_touched(folder: Path, markers: Path) -> None:
    owner = Owner(folder, ".partial.mp4")
    own = OwnName(folder)
    own.path(".partial.mp4").write_bytes(b"mine, unfinished")
    before = names(folder)
    assert len(before) == len(names(markers)) == 2
    sweep()
    # another process must not take this one's either
    code = f"{ELSEWHERE}\nleftovers.sweep()"
    subprocess.run([sys.executable, "-c", code, markers], check=True, timeout=60)
    assert names(folder) == before
    assert len(names(markers)) == 2
    owner.kill()
    sweep()
    assert names(folder) == [own.path(".partial.mp4").name]
    own.path(".partial.mp4").unlink()
    own.release()
    assert names(markers) == []


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX")
def test_the_marker_is_private_and_holds_the_folder_and_nothing_else(
    folder: Path, markers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    own = OwnName(Path("results"))  # the next start is made elsewhere
    (marker,) = markers.iterdir()
    assert marker.read_bytes() == os.fsencode(folder) + b"\0"
    assert stat.S_IMODE(marker.stat().st_mode) == 0o600
    assert stat.S_IMODE(markers.stat().st_mode) == 0o700
    assert own.path(".partial.mp4").name == f"{PREFIX}{marker.name}.partial.mp4"
    assert re.fullmatch("[0-9a-f]{16}", marker.name)
    own.release()
    assert names(markers) == []


def test_a_name_is_one_of_the_own_kinds(folder: Path) -> None:
    own = OwnName(folder)
    with pytest.raises(ValueError, match="none of"):
        own.path(".mp4")
    own.release()


@pytest.mark.skipif(os.name != "posix", reason="links need rights on Windows")
@pytest.mark.parametrize("kind", ["link to a file", "link to a folder", "link to nowhere", "folder", "pipe"])
def test_what_is_not_a_regular_file_is_not_ours(folder: Path, killed: Path, markers: Path, kind: str) -> None:
    """A failure means that somebody can make the program remove what is not its own."""
    killed.unlink()
    precious = folder / "precious"
    if kind == "link to a folder":
        precious.mkdir()
        (precious / "video.mp4").write_bytes(b"keep")
    elif kind != "link to nowhere":
        precious.write_bytes(b"keep")
    if kind == "folder":
        killed.mkdir()
    elif kind == "pipe":
        os.mkfifo(killed)
    else:
        killed.symlink_to(precious)
    before = sorted(folder.rglob("*"))
    sweep()
    assert sorted(folder.rglob("*")) == before
    assert names(markers) == []


def test_no_folder_is_searched(folder: Path, killed: Path, markers: Path) -> None:
    """What looks like the program's own but is named by no marker may be another computer's."""
    others = [f"{PREFIX}{'0' * 16}.partial.mp4", f"{killed.name}.bak", f"x{killed.name}"]
    for name in others:
        (folder / name).write_bytes(b"another's")
    (markers / "notes.txt").write_text(str(folder))
    (markers / "short").write_text(str(folder))
    sweep()
    assert names(folder) == sorted(others)
    assert names(markers) == ["notes.txt", "short"]


@pytest.mark.parametrize(
    "content",
    [b"", b"relative\0", b"/\xff\0more\0", b"\0\0", b"{here}", b"{here}\0x"],
    ids=["empty", "relative", "two ends", "only ends", "cut off", "more behind"],
)
def test_a_marker_that_is_not_whole_names_nothing(
    folder: Path, killed: Path, markers: Path, content: bytes
) -> None:
    """It was cut off before its files were made, or written by something else."""
    (marker,) = markers.iterdir()
    marker.write_bytes(content.replace(b"{here}", os.fsencode(folder)))
    sweep()
    assert killed.exists()
    assert names(markers) == []


@pytest.mark.parametrize("system", ["this one", "Windows"])
def test_spoiled_markers_are_swept_and_stop_no_sweep(
    folder: Path, killed: Path, markers: Path, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever bytes a marker holds: Windows decodes names strictly."""
    draw = random.Random(1)
    spoiled = [b"\xff\xfe\0", b"C:\\caf\xe9\0", b"/caf\xe9\0", b"\xed\xb3\0", bytes(range(255, -1, -1))]
    spoiled += [draw.randbytes(draw.randrange(1, 300)) + b"\0" for _ in range(50)]
    for number, content in enumerate(spoiled):
        (markers / f"{number:016x}").write_bytes(content)  # listed before and after the whole one
    if system == "Windows":
        monkeypatch.setattr(os, "fsdecode", lambda name: name.decode("utf-8", "surrogatepass"))
    sweep()
    assert not killed.exists()
    away = map(Path.read_bytes, markers.iterdir())
    assert all(content.startswith(b"/") for content in away), "only a folder that may come back is kept"


def test_a_drive_that_is_away_is_waited_for(
    folder: Path, killed: Path, markers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (marker,) = markers.iterdir()
    away = folder.rename(folder.with_name("unplugged"))
    sweep()
    assert marker.exists()
    month_ago = time.time() - leftovers.KEPT_SECONDS + 60
    os.utime(marker, (month_ago, month_ago))
    sweep()
    assert marker.exists()
    away.rename(folder)
    sweep()
    assert not marker.exists() and not killed.exists()


def test_a_drive_that_never_comes_back_is_forgotten(folder: Path, killed: Path, markers: Path) -> None:
    """A path must not be kept for ever: it may name a patient."""
    (marker,) = markers.iterdir()
    folder.rename(folder.with_name("unplugged"))
    long_ago = time.time() - leftovers.KEPT_SECONDS - 60
    os.utime(marker, (long_ago, long_ago))
    sweep()
    assert names(markers) == []


def test_a_drive_that_does_not_answer_holds_nobody_up(
    folder: Path, killed: Path, markers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()
    original = leftovers._remove_file
    calls: list[str] = []

    def slow(*args: object) -> bool:
        calls.append("slow")
        answer.wait(PATIENCE)
        return original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(leftovers, "_remove_file", slow)
    watch = Stopwatch()
    sweep(patience=0.1)
    sweep(patience=10)  # one sweep at a time: this must not wait behind the first
    assert watch.seconds < 3
    assert killed.exists() and len(calls) == 1
    answer.set()
    assert leftovers._sweeper is not None
    leftovers._sweeper.join(PATIENCE)
    assert not killed.exists()
    assert names(markers) == []


def test_what_cannot_be_removed_now_is_removed_later(
    folder: Path, killed: Path, markers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On Windows another program may have the file open."""
    with monkeypatch.context() as patch:

        def refuse(*_: object, **__: object) -> None:
            raise PermissionError(13, "in use")

        patch.setattr(Path, "unlink", refuse)
        sweep()
    assert killed.exists() and len(names(markers)) == 1
    sweep()
    assert not killed.exists() and names(markers) == []


def test_a_name_whose_file_is_still_there_stays_marked(folder: Path, markers: Path) -> None:
    own = OwnName(folder)
    own.path(".partial.json").write_bytes(b"{}")
    own.release()
    own.release()
    assert len(names(markers)) == 1
    sweep()
    assert names(folder) == names(markers) == []


def test_a_folder_that_is_not_there_is_not_remembered(folder: Path, markers: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        TemporaryFile(folder / "missing")
    assert names(markers) == []


def test_without_a_place_for_markers_the_program_goes_on_and_says_so(
    tmp_path: Path, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "state").write_bytes(b"a file where the folder should be")
    own = OwnName(folder)
    own.path(".partial.mp4").write_bytes(b"")
    own.release()
    sweep()
    (record,) = caplog.records
    assert record.levelno == logging.WARNING and "could not be noted" in record.getMessage()
    assert str(tmp_path) not in caplog.text


@pytest.mark.parametrize("call", ["write", "fsync", "lock"])
def test_a_marker_that_cannot_be_finished_is_taken_back(
    folder: Path,
    markers: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    call: str,
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        if call == "lock":
            patch.setattr(file_lock, "take", lambda _: False)
        else:
            patch.setattr(os, call, full if call == "fsync" else lambda *_: 3)
        own = OwnName(folder)
    assert names(markers) == []
    assert "could not be noted" in caplog.text
    assert leftovers._alive == set()
    own.release()


@pytest.mark.skipif(os.name != "posix", reason="Windows removes no file that is open")
def test_a_sweep_that_is_faster_than_the_lock_only_costs_a_name(
    folder: Path, markers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the making of a marker and its lock another program may take it for an abandoned one."""
    original = file_lock.take
    taken: list[str] = []

    def swept_before(descriptor: int) -> bool:
        if not taken:
            taken.extend(names(markers))
            (markers / taken[0]).unlink()
        return original(descriptor)

    monkeypatch.setattr(file_lock, "take", swept_before)
    own = OwnName(folder)
    (marker,) = markers.iterdir()
    assert marker.name != taken[0]
    assert marker.name in own.path(".partial.mp4").name
    own.release()


@pytest.fixture
def many(folder: Path) -> Iterator[list[Path]]:
    """Leftovers of several programs."""
    owners = [Owner(folder, ".partial.mp4") for _ in range(4)]
    for owner in owners:
        owner.kill()
    yield [owner.file for owner in owners]


def test_two_programs_that_start_together_clean_up_together(
    folder: Path, many: list[Path], markers: Path
) -> None:
    code = f"{ELSEWHERE}\nleftovers.sweep(60)"
    programs = [subprocess.Popen([sys.executable, "-c", code, markers]) for _ in range(3)]
    sweep(PATIENCE)
    assert [program.wait(60) for program in programs] == [0, 0, 0]
    assert names(folder) == names(markers) == []
