"""What may be dropped: sorting files, folders and addresses, and the window's drop area."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anonator.ui.state.dropped_paths import sort_out, to_path


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
    "quo'te\".ts",
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
    assert to_path(f"{prefix}{str(file).replace(' ', '%20')}") == file


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
