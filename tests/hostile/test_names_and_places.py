"""Names and files that are not what they seem, and places where the output cannot be."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hostile.healthy import plain, posix
from hostile_helpers import HIPAA, STANDARD, Bench, can_link
from patience import Stopwatch
from video_helpers import decoded

from anonator.core.config import Settings
from anonator.core.job import default_target
from anonator.errors import InputError, OutputError, OutputExistsError


@pytest.mark.quick_cases(6)
@posix
@pytest.mark.parametrize(
    "name",
    [
        b"-i.mp4", b"--help.mp4", b"-", b"concat:a.mp4|b.mp4", b"pipe:0", b"https:x.mp4", b"%05d.mp4",
        b"a'b\"c;$(touch x).mp4", b"line\nbreak.mp4", b"\xff\xfe.mp4", "Größe 日本語 👩‍⚕️.mp4".encode(),
        b" .mp4", b"*.mp4", b"x" * 246 + b".mp4",
    ],
    ids=repr,
)  # fmt: skip
def test_any_name_is_a_plain_file(bench: Bench, name: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    path = plain(bench.folder / "plain.mp4")
    try:
        path = path.rename(Path(os.fsdecode(os.path.join(os.fsencode(bench.folder), name))))
    except OSError:
        pytest.skip("this file system takes no such name")
    monkeypatch.chdir(bench.folder)
    target = default_target(path) if len(name) < 200 else bench.folder / "out.mp4"
    result = bench.done(Path(os.fsdecode(name)), target=target)
    assert (result.target, result.frames) == (target, 10)


def test_a_path_of_300_characters_is_no_different(bench: Bench) -> None:
    folder = bench.folder / ("p" * 100) / ("q" * 100) / ("r" * 100)
    folder.mkdir(parents=True)
    path = plain(folder / "patient.mp4")
    assert len(str(path)) > 300
    result = bench.done(path, target=default_target(path))
    assert result.frames == len(decoded(result.target, (96, 64))) == 10


def test_a_name_that_grows_too_long_by_what_is_added_is_refused(bench: Bench) -> None:
    path = plain(bench.folder / ("x" * 246 + ".mp4"))
    text = bench.refused(path, "name is too long", kind=OutputError, target=default_target(path))
    assert "shorter" in text


@posix
def test_links_are_followed_to_a_video_and_left_alone(bench: Bench) -> None:
    path, link = plain(bench.folder / "patient.mp4"), bench.folder / "pointer.mp4"
    link.symlink_to(path.name)
    assert bench.done(link).frames == 10
    (bench.folder / "out.mp4").unlink()
    link.unlink()
    link.symlink_to("gone.mp4")
    bench.refused(link, "not found")
    link.unlink()
    link.symlink_to(link.name)
    bench.refused(link, "cannot be read|not found")


@posix
@pytest.mark.parametrize("kind", ["pipe", "zero", "socket", "folder", "missing", "terminal"])
def test_what_is_no_ordinary_file_is_refused_at_once(bench: Bench, kind: str) -> None:
    path, says = bench.folder / "patient.mp4", "not an ordinary file"
    if kind == "pipe":
        os.mkfifo(path)  # opened for reading, it would wait for a writer for ever
    elif kind == "zero":
        path.symlink_to("/dev/zero")
    elif kind == "terminal":
        path.symlink_to("/dev/tty")
    elif kind == "folder":
        path.mkdir()
        says = "a folder"
    elif kind == "missing":
        says = "not found"
    else:
        with socket.socket(socket.AF_UNIX) as end:
            end.bind(str(path))
    watch = Stopwatch()
    bench.refused(path, says)
    assert watch.seconds < 5


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() == 0, reason="root may read everything")
def test_an_input_without_permission_is_refused(bench: Bench) -> None:
    path = plain(bench.folder / "patient.mp4")
    path.chmod(0o200)
    with pytest.raises(InputError, match="permission"):
        bench.run(path, bench.folder / "out.mp4", HIPAA)
    assert os.listdir(bench.folder) == ["patient.mp4"]


@pytest.mark.parametrize("settings", [HIPAA, STANDARD], ids=["HIPAA", "standard"])
def test_the_output_never_replaces_the_input_under_whatever_name(bench: Bench, settings: Settings) -> None:
    path = plain(bench.folder / "patient.mp4")
    hard, soft = bench.folder / "hard.mp4", bench.folder / "soft.mp4"
    os.link(path, hard)
    names = [path, hard, bench.folder / "." / "patient.mp4"]
    if linked := can_link(soft, path):
        names.append(soft)
    for target in names:
        for overwrite_it in (False, True):
            bench.refused(
                path, "replace the input itself", kind=OutputError, settings=settings, target=target,
                overwrite=overwrite_it,
            )  # fmt: skip
    if linked:
        bench.refused(soft, "replace the input itself", kind=OutputError, settings=settings, target=path)


def test_a_file_that_is_there_already_stays(bench: Bench) -> None:
    path, other = plain(bench.folder / "patient.mp4"), bench.folder / "out.mp4"
    other.write_bytes(b"somebody's work")
    bench.refused(path, "already", kind=OutputExistsError)
    other.unlink()
    if can_link(other, Path("elsewhere.mp4")):
        bench.refused(path, "already", kind=OutputExistsError)
        other.unlink()
    other.mkdir()
    bench.refused(path, "folder with the output's name", kind=OutputError, overwrite=True)


def test_a_folder_that_is_no_folder_or_is_not_there_is_refused(bench: Bench) -> None:
    path = plain(bench.folder / "patient.mp4")
    file = bench.folder / "file"
    file.write_bytes(b"")
    bench.refused(path, "not a folder", kind=OutputError, target=file / "out.mp4")
    bench.refused(path, "does not exist", kind=OutputError, target=bench.folder / "new" / "out.mp4")


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder in which nobody may write")
def test_a_folder_that_cannot_be_written_to_is_refused(bench: Bench) -> None:
    """/sys refuses new files even to root; an ordinary user would meet the same error anywhere."""
    path = plain(bench.folder / "patient.mp4")
    bench.refused(path, "cannot be written to", kind=OutputError, target=Path("/sys/kernel/out.mp4"))
