"""Files get their names complete and on the disk, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from anonator.core import durable_files


def test_a_file_is_on_the_disk_before_it_has_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, done = tmp_path / "window.json", list[str]()
    target.write_bytes(b"old")
    fsync, replace = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        done.append("sync")
        fsync(descriptor)

    def renamed(source: Path, name: Path) -> None:
        assert (Path(source).read_bytes(), target.read_bytes()) == (b"new", b"old")
        done.append("name")
        replace(source, name)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    durable_files.write(target, b"new")
    assert done[:2] == ["sync", "name"]
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"new"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    target = tmp_path / "window.json"
    target.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="no space"):
        durable_files.write(target, b"new")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"old"]
