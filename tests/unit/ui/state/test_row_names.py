"""Rows are called like their files; equal names show their folders."""

from __future__ import annotations

from pathlib import Path

from anonator.ui.state.job import JobView
from anonator.ui.state.row_names import row_names


def names(*paths: str) -> list[str]:
    return list(row_names([JobView(number, Path(path)) for number, path in enumerate(paths)]).values())


def test_equal_names_show_as_many_folders_as_it_takes() -> None:
    assert names("/x/a.mp4", "/y/b.mp4") == ["a.mp4", "b.mp4"]
    assert names("/x/a.mp4", "/y/a.mp4", "/y/b.mp4") == ["a.mp4 (in x)", "a.mp4 (in y)", "b.mp4"]
    deep = names("/v/mon/cam/a.mp4", "/v/tue/cam/a.mp4")
    assert deep == [f"a.mp4 (in {Path('mon/cam')})", f"a.mp4 (in {Path('tue/cam')})"]
    assert names("/x/a.mp4", "/x/a.mp4") == ["a.mp4", "a.mp4"], "one video, twice"
    assert names("/a.mp4", "/x/a.mp4")[1] == "a.mp4 (in x)"
