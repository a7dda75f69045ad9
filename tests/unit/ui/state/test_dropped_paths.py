"""What may be dropped: sorting files, folders and addresses, and the window's drop area."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from anonator.ui.state.dropped_paths import posix_address, sort_out, to_path, windows_address


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


NAMES = [
    "a.mp4",
    "my clip.MOV",
    "br{a}ce.mkv",
    "un}bal{.avi",
    "Größe 日本語.webm",
    "quo'te.ts" if os.name == "nt" else "quo'te\".ts",
    "-dash.m4v",
]


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_in_as_a_path_and_as_an_address(tmp_path: Path, name: str) -> None:
    file = touch(tmp_path / name)
    assert sort_out([str(file)]).videos == (file,)
    assert sort_out([file.as_uri()]).videos == (file,)


@pytest.mark.parametrize("prefix", ["file://localhost", "file:", "file://", "FILE://"])
def test_every_way_to_write_a_file_address(tmp_path: Path, prefix: str) -> None:
    file = touch(tmp_path / "a b.mp4")
    plain = str(file).replace(" ", "%20")
    if os.name == "nt" and prefix.endswith("localhost"):
        plain = f"/{plain}"
    assert to_path(f"{prefix}{plain}") == file


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("///C:/x/a.mp4", r"C:\x\a.mp4"), ("//C:/x/a.mp4", r"C:\x\a.mp4"), ("/C:/x/a.mp4", r"C:\x\a.mp4"),
        ("C:/x/a.mp4", r"C:\x\a.mp4"), (r"//C:\x\a.mp4", r"C:\x\a.mp4"), (r"///C:\x\a.mp4", r"C:\x\a.mp4"),
        (r"\\C:\x\a.mp4", r"C:\x\a.mp4"), ("///c|/x/a.mp4", r"c:\x\a.mp4"),
        ("///C%3A/x/a.mp4", r"C:\x\a.mp4"),
        ("//localhost/C:/x/a.mp4", r"C:\x\a.mp4"), ("//LOCALHOST/C:/x/a.mp4", r"C:\x\a.mp4"),
        ("///C:/a%20b%23%25%7B.mp4", r"C:\a b#%{.mp4"), ("///C:/a#1?{b}.mp4", r"C:\a#1?{b}.mp4"),
        ("///C:/%E5%90%8D%E5%89%8D.mp4", r"C:\名前.mp4"), ("///C:/名前 100%.mp4", r"C:\名前 100%.mp4"),
        ("///C:/", "C:\\"),
        ("//server/share/x/a.mp4", r"\\server\share\x\a.mp4"), ("////server/share/a", r"\\server\share\a"),
        ("/////server/share/a", r"\\server\share\a"), (r"\\server\share\a.mp4", r"\\server\share\a.mp4"),
        ("//10.0.0.7/scans/a.mp4", r"\\10.0.0.7\scans\a.mp4"), ("//server/C$/a.mp4", r"\\server\C$\a.mp4"),
        ("", None), ("//", None), ("///", None), ("////", None), ("a.mp4", None), ("//a.mp4", None),
        ("///x/a.mp4", None), ("C:", None), ("///C:", None), ("C:a.mp4", None), ("//C:a.mp4", None),
        ("//localhost/", None), ("//./pipe/x", None), ("//server", None), ("//server/", None),
    ],
)  # fmt: skip
def test_addresses_on_windows_are_whole_paths_or_refused(address: str, path: str | None) -> None:
    """As they should be, and as programs write them; none may become the current folder."""
    assert windows_address(address) == path


@pytest.mark.parametrize(
    ("address", "path"),
    [
        ("///x/a.mp4", "/x/a.mp4"), ("/x/a.mp4", "/x/a.mp4"), ("//localhost/x/a.mp4", "/x/a.mp4"),
        (f"//{socket.gethostname()}/x/a.mp4", "/x/a.mp4"), ("///x/a%20b%23%7B.mp4", "/x/a b#{.mp4"),
        ("///x/a#1?.mp4", "/x/a#1?.mp4"), ("///x/100%.mp4", "/x/100%.mp4"),
        ("//another-computer/x/a.mp4", None), ("", None), ("//", None), ("a.mp4", None), ("//a.mp4", None),
    ],
)  # fmt: skip
def test_addresses_on_other_systems_are_whole_paths_or_refused(address: str, path: str | None) -> None:
    assert posix_address(address) == path


@pytest.mark.parametrize("item", ["", "file:", "file://", "file:a.mp4", "file:///a%00.mp4", "a\0.mp4"])
def test_what_names_no_file_never_becomes_the_current_folder(
    item: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "a.mp4")
    monkeypatch.chdir(tmp_path)
    assert to_path(item) is None
    assert sort_out([item]).videos == ()


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_not_utf8(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.mp4"))
    try:
        file.write_bytes(b"")
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    assert sort_out([f"file://{tmp_path}/caf%E9.mp4"]).videos == (file,)


def test_other_things_are_named_in_one_message(tmp_path: Path) -> None:
    notes, gone = touch(tmp_path / "notes.txt"), tmp_path / "gone.mp4"
    came = sort_out([notes, gone, "http://example.com/x.mp4", touch(tmp_path / "a.mp4")])
    assert [path.name for path in came.videos] == ["a.mp4"]
    assert (
        came.message() == "notes.txt, gone.mp4, http://example.com/x.mp4 aren't videos, so they were skipped."
    )
    assert sort_out([notes]).message() == "notes.txt isn't a video, so it was skipped."


def test_many_other_things_do_not_fill_the_screen(tmp_path: Path) -> None:
    came = sort_out([touch(tmp_path / f"{n}.txt") for n in range(30)])
    assert came.message() == "0.txt, 1.txt, 2.txt, 3.txt and 26 more aren't videos, so they were skipped."


def test_folders_are_expanded_without_dot_files_own_results_and_other_files(tmp_path: Path) -> None:
    wanted = [touch(tmp_path / name) for name in ("in/a.mp4", "in/b/c d.mov")]
    for name in (
        "in/.hidden.mp4",
        "in/.trash/x.mp4",
        "in/a_anonymized.mp4",
        "in/a_anonymized_2.mp4",
        "in/notes.txt",
    ):
        touch(tmp_path / name)
    came = sort_out([tmp_path / "in"])
    assert sorted(came.videos) == sorted(wanted)
    assert [path.name for path in came.results_in_folders] == ["a_anonymized.mp4", "a_anonymized_2.mp4"]
    assert came.results == () and came.message() == ""


def test_a_dot_file_and_an_own_result_are_left_out_by_name(tmp_path: Path) -> None:
    came = sort_out([touch(tmp_path / ".a.mp4"), touch(tmp_path / "b_anonymized.mp4")])
    assert came.videos == ()
    assert came.not_videos == (".a.mp4",)
    assert [path.name for path in came.results] == ["b_anonymized.mp4"]


def test_an_empty_folder_says_what_to_do(tmp_path: Path) -> None:
    assert "Drop a video file" in sort_out([tmp_path]).message()


def test_a_file_whose_name_says_nothing_is_looked_into(tmp_path: Path) -> None:
    file = touch(tmp_path / "recording")
    assert sort_out([file], is_video=lambda path: True).videos == (file,)
    assert sort_out([file], is_video=lambda path: False).videos == ()


def test_the_same_file_twice_comes_in_once(tmp_path: Path) -> None:
    file = touch(tmp_path / "a.mp4")
    assert sort_out([file, file.as_uri(), tmp_path]).videos == (file,)
