"""Every number with which a system refuses a file has its sentence; the place tells what numbers do not."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from video_helpers import clip, drawn_frames, info_for

from anonator.core import file_faults, windows_files
from anonator.core.file_faults import READING, REASONS, WRITING, Fault, fault_of, reason
from anonator.core.reading.reader import probe
from anonator.core.writing import partial_file
from anonator.core.writing.partial_file import output_error
from anonator.core.writing.writer import VideoWriter
from anonator.errors import InputError, OutputError

windows = pytest.mark.skipif(sys.platform != "win32", reason="asks Windows itself")


def said(number: int, winerror: int | None = None) -> OSError:
    """An error as Python makes it, on every system."""
    error = OSError(number, "said by the system")
    error.winerror = winerror  # type: ignore[attr-defined]
    return error


WINDOWS = {
    2: "does not exist", 3: "does not exist",
    5: "cannot be written to", 65: "cannot be written to", 1326: "cannot be written to",
    15: "drive is not connected", 20: "drive is not connected", 21: "drive is not connected",
    55: "drive is not connected", 433: "drive is not connected", 1112: "drive is not connected",
    1167: "drive is not connected",
    19: "disk is read-only",
    32: "open in another program", 33: "open in another program", 1224: "open in another program",
    39: "disk is full", 112: "disk is full",
    51: "network drive", 53: "network drive", 59: "network drive", 64: "network drive", 67: "network drive",
    121: "network drive", 1203: "network drive", 1231: "network drive", 1232: "network drive",
    111: "too long", 206: "too long",
    123: "not allowed", 161: "not allowed",
    223: "a file this large",
    225: "antivirus", 226: "antivirus",
    267: "not a folder",
    362: "cloud", 363: "cloud", 388: "cloud", 395: "cloud", 404: "cloud", 426: "cloud",
    1295: "quota",
    1117: "Check the disk", 23: "Check the disk", 87: "Check the disk",
}  # fmt: skip
ERRNO = {
    "ENOENT": "does not exist", "ENOTDIR": "not a folder", "EACCES": "cannot be written to",
    "EPERM": "cannot be written to", "EROFS": "read-only", "EBUSY": "open in another",
    "ENOSPC": "disk is full", "EDQUOT": "quota", "EFBIG": "a file this large", "ENAMETOOLONG": "too long",
    "ENODEV": "not connected", "ENXIO": "not connected", "EHOSTDOWN": "network drive",
    "ETIMEDOUT": "network drive", "ENOTCONN": "network drive",
    "EIO": "Check the disk", "ESTALE": "Check the disk",
}  # fmt: skip


@pytest.mark.parametrize("number", WINDOWS)
def test_what_windows_says_is_understood(number: int) -> None:
    """Whatever errno came with it: for most of its numbers Python has only EINVAL."""
    for plain in (errno.EINVAL, errno.EACCES, errno.ENOENT):
        assert WINDOWS[number] in str(output_error(said(plain, number))) or number in (1117, 23, 87)
    assert WINDOWS[number] in str(output_error(said(errno.EINVAL, number)))


@pytest.mark.parametrize("name", [name for name in ERRNO if hasattr(errno, name)])
def test_what_other_systems_say_is_understood(name: str) -> None:
    assert ERRNO[name] in str(output_error(said(getattr(errno, name))))


def test_every_fault_has_a_sentence_that_says_what_to_do() -> None:
    for sentences in (WRITING, READING):
        assert set(sentences) == set(Fault)
        for sentence in sentences.values():
            assert sentence.endswith(".") and sentence.count(". ") >= 1, sentence


def test_every_fault_has_a_reason_for_other_files(tmp_path: Path) -> None:
    assert set(REASONS) == set(Fault)
    assert reason(said(errno.ENOSPC), tmp_path / "key.csv") == "the disk is full"
    assert reason(said(errno.ENOENT), tmp_path / "no" / "key.csv") == "the file or its folder was not found"


@pytest.mark.parametrize(
    ("number", "words"),
    [(32, "open in another"), (362, "cloud"), (53, "network drive"), (21, "drive is not"), (206, "Rename"),
     (5, "permission"), (2, "not found"), (225, "antivirus"), (1117, "cannot be read")],
)  # fmt: skip
def test_a_video_that_cannot_be_read_has_its_own_sentences(
    number: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = clip(tmp_path / "Miller.mp4")

    def refuse(*_: object, **__: object) -> None:
        raise said(errno.EINVAL, number)

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(InputError, match=words) as caught:
        probe(video)
    monkeypatch.undo()
    assert "Miller" not in str(caught.value)


def test_what_is_missing_is_looked_for_on_the_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows calls all of these "not found"."""
    (tmp_path / "file").touch()

    def fault(place: Path) -> Fault:
        return fault_of(said(errno.ENOENT, 3), place)

    assert fault(tmp_path / "none" / "a.mp4") is Fault.MISSING
    assert fault(tmp_path / "a.mp4") is Fault.MISSING
    for place in ("file/a.mp4", "file/b/a.mp4"):
        assert fault(tmp_path / place) is Fault.NOT_A_FOLDER
    for rule in ("is_too_long", "refusal"):
        original = getattr(windows_files, rule)
        monkeypatch.setattr(windows_files, rule, lambda name, rule=original: rule(name, windows=True))
    assert fault(tmp_path / ("x" * 300) / "a.mp4") is fault(tmp_path / ("x" * 300)) is Fault.NAME_TOO_LONG
    assert fault(tmp_path / "aux" / "a.mp4") is fault(tmp_path / "a?.mp4") is Fault.BAD_NAME


def test_access_denied_is_not_always_a_matter_of_permission(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A result that is open elsewhere is refused by Windows with number 5 when it is replaced."""
    denied, target = said(errno.EACCES, 5), tmp_path / "a.mp4"
    assert fault_of(denied, target) is Fault.NO_PERMISSION
    monkeypatch.setattr(windows_files, "is_open_elsewhere", lambda path: path == target)
    assert fault_of(denied, target) is Fault.IN_USE
    monkeypatch.setattr(windows_files, "is_read_only", lambda path: path == target)
    assert fault_of(denied, target) is Fault.PROTECTED


def finished(target: Path) -> Iterator[VideoWriter]:
    info = info_for()
    with VideoWriter(target, info, overwrite=True) as writer:
        writer.write(next(drawn_frames(info, [0])))
        writer.close()
        yield writer


finished_writer = contextmanager(finished)


@pytest.mark.parametrize("held", [2, 100], ids=["for a moment", "for good"])
def test_a_name_is_given_as_soon_as_a_virus_scanner_lets_go(
    held: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, calls = os.replace, 0

    def refuse(*paths: Path) -> None:
        nonlocal calls
        calls += 1
        if calls <= held:
            raise said(errno.EACCES, 32)
        replace(*paths)

    (tmp_path / "a.mp4").write_bytes(b"old")
    monkeypatch.setattr(partial_file, "BETWEEN_TRIES", 0)
    with finished_writer(tmp_path / "a.mp4") as writer:
        monkeypatch.setattr(os, "replace", refuse)
        if held == 2:
            writer.publish()
        else:
            with pytest.raises(OutputError, match="open in another program"):
                writer.publish()
    assert ((tmp_path / "a.mp4").read_bytes() == b"old") == (held == 100)
    assert os.listdir(tmp_path) == ["a.mp4"] and calls == min(held + 1, partial_file.TRIES)


HOLDER = "import sys, time; file = open(sys.argv[1], 'rb'); print('open', flush=True); time.sleep(60)"


@windows
def test_an_old_result_that_another_program_has_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partial_file, "BETWEEN_TRIES", 0.01)
    target = tmp_path / "名前.mp4"
    target.write_bytes(b"old")
    with finished_writer(target) as writer:
        holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(target)], stdout=subprocess.PIPE)
        try:
            assert holder.stdout is not None and holder.stdout.readline().strip() == b"open"
            with pytest.raises(OutputError, match="The old result is open in another program"):
                writer.publish()
        finally:
            holder.kill()
            holder.communicate()
    assert target.read_bytes() == b"old" and os.listdir(tmp_path) == [target.name]


@windows
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("file/a.mp4", "not a folder"), ("none/a.mp4", "does not exist"), ("x" * 300 + ".mp4", "too long"),
        ("x" * 300 + "/a.mp4", "too long"), ("aux/a.mp4", "not allowed"), ("a?/a.mp4", "not allowed"),
        ("Q:/a.mp4", "drive is not connected"), (r"\\nosuch\share\a.mp4", "network drive"),
        ("aux.mp4", "device"), ("CON", "device"), ("visit:1.mp4", "characters"), ("a.mp4.", "at the end"),
        ("a.mp4 ", "at the end"),
    ],
)  # fmt: skip
def test_places_that_windows_itself_refuses(name: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=words):
        VideoWriter(tmp_path / name, info_for())
    assert os.listdir(tmp_path) == ["file"]


@windows
def test_a_video_that_a_recorder_keeps_to_itself(tmp_path: Path) -> None:
    import _winapi

    video = clip(tmp_path / "a.mp4")
    handle = _winapi.CreateFile(str(video), _winapi.GENERIC_READ, 0, 0, _winapi.OPEN_EXISTING, 0, 0)
    try:
        with pytest.raises(InputError, match="open in another program"):
            probe(video)
    finally:
        _winapi.CloseHandle(handle)
    assert probe(video).width


@windows
def test_errors_of_the_c_runtime_get_windows_own_number(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, windows_files.told_by_windows():
        os.open(tmp_path / "none" / "a", os.O_RDONLY)
    assert caught.value.winerror == 3
    with pytest.raises(OSError, match="full") as raised, windows_files.told_by_windows():
        raise OSError(errno.ENOSPC, "full")  # of nobody's call
    assert raised.value.winerror is None
    assert file_faults.fault_of(raised.value) is Fault.FULL
