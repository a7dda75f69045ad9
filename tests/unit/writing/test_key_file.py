"""The key file: a row for each result, durable and for its owner only, and no other file is touched."""

from __future__ import annotations

import csv
import os
import sys
from pathlib import Path

import pytest

from anonator.core.writing.key_file import HEADER, NOT_OURS, KeyFile
from anonator.errors import OutputError


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def test_it_has_a_row_for_each_result(tmp_path: Path) -> None:
    key = KeyFile(tmp_path / "key.csv")
    assert rows(key.path) == [["result", "source"]]
    pairs = [
        (tmp_path / "1a.mp4", tmp_path / 'Müller, "Jane"\n日本.mp4'),
        (tmp_path / "2b.mp4", tmp_path / "b.mp4"),
    ]
    for pair in pairs:
        key.add(*pair)
        assert rows(key.path)[-1] == list(map(str, pair)), "on the disk at once"
    assert len(rows(key.path)) == 3


def test_another_run_continues_it(tmp_path: Path) -> None:
    KeyFile(tmp_path / "key.csv").add(tmp_path / "1.mp4", tmp_path / "a.mp4")
    KeyFile(tmp_path / "key.csv").add(tmp_path / "2.mp4", tmp_path / "b.mp4")
    assert [row[0] for row in rows(tmp_path / "key.csv")] == [
        "result",
        *(str(tmp_path / f"{n}.mp4") for n in (1, 2)),
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """A failure means that others on this computer can read whose videos these are."""
    before = os.umask(0)
    try:
        key = KeyFile(tmp_path / "key.csv")
        key.add(tmp_path / "1.mp4", tmp_path / "a.mp4")
    finally:
        os.umask(before)
    assert key.path.stat().st_mode & 0o777 == 0o600
    key.path.chmod(0o644)
    assert KeyFile(key.path).path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", [b"", b"precious", HEADER[3:]])
def test_another_file_of_that_name_is_left_alone(tmp_path: Path, content: bytes) -> None:
    other = tmp_path / "key.csv"
    other.write_bytes(content)
    with pytest.raises(OutputError, match=NOT_OURS):
        KeyFile(other)
    assert other.read_bytes() == content


def test_a_place_where_it_cannot_be_is_told_without_names(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="Choose another place") as refused:
        KeyFile(tmp_path / "Miller" / "key.csv")
    assert "Miller" not in str(refused.value) and refused.value.__cause__ is None


def test_a_row_that_is_lost_is_told_and_no_new_file_made(tmp_path: Path) -> None:
    key = KeyFile(tmp_path / "key.csv")
    key.path.unlink()
    with pytest.raises(OutputError, match="Write down yourself") as refused:
        key.add(tmp_path / "1.mp4", tmp_path / "Miller.mp4")
    assert "Miller" not in str(refused.value) and not key.path.exists()
