"""Results of earlier runs are found again, and told by their reports."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import ui_helpers

from anonator.ui.work.results import find, look_into, original_of


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return ui_helpers.write_clip(tmp_path_factory.mktemp("results") / "a.mp4", frames=20).read_bytes()


def put(path: Path, content: bytes, hours_ago: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    at = path.stat().st_mtime - 3600 * hours_ago
    os.utime(path, (at, at))
    return path


DIGEST = "0123abcd" * 8


def put_report(result: Path, *, hipaa: bool = True, **changes: Any) -> Path:
    said = {
        "schema": "anonator-report",
        "settings": {"hipaa": hipaa},
        "times": {"finished": "2026-11-26T10:12:05+00:00"},
        "output": {"bytes": result.stat().st_size, "sha256": DIGEST},
        **changes,
    }
    report = result.with_name(f"{result.stem}_report.json")
    report.write_text(json.dumps(said), "utf-8")
    return report


@pytest.mark.parametrize("hipaa", [True, False])
def test_the_report_says_how_and_when_it_was_made(tmp_path: Path, hipaa: bool) -> None:
    result = put(tmp_path / "a_anonymized.mp4", b"x" * 99)
    report = put_report(result, hipaa=hipaa)
    found = look_into(result)
    assert found is not None and (found.path, found.report, found.hipaa) == (result, report, hipaa)
    assert found.made is not None and found.made.isoformat() and found.made.timestamp() == 1795687925


def test_the_page_is_shown_unless_it_tells_of_another_file(tmp_path: Path) -> None:
    result = put(tmp_path / "a_anonymized.mp4", b"x" * 99)
    report = put_report(result)
    page = put(tmp_path / "a_anonymized_report.html", f"<td>SHA-256 {DIGEST}, 99 bytes</td>".encode())
    found = look_into(result)
    assert found is not None and found.report == page
    for other in (b"<td>SHA-256 4567, 99 bytes</td>", b"\xff\xfe", b""):
        page.write_bytes(other)
        found = look_into(result)
        assert found is not None and found.report == report


@pytest.mark.parametrize(
    "content",
    [b"{}", b"[1]", b"no json", b"\xff\xfe", b'{"schema": "anonator-report", "output": {"bytes": 98}}'],
    ids=["empty", "a list", "words", "bytes", "another file's"],
)
def test_what_is_no_report_of_this_file_says_nothing(tmp_path: Path, content: bytes) -> None:
    """Failure would mean that a file which was replaced since is called a HIPAA result."""
    result = put(tmp_path / "a_anonymized.mp4", b"x" * 99, hours_ago=30)
    (tmp_path / "a_anonymized_report.json").write_bytes(content)
    found = look_into(result)
    assert found is not None and found.report is None and found.hipaa is None
    assert found.made is not None and found.made.timestamp() == pytest.approx(result.stat().st_mtime)
    assert look_into(tmp_path / "gone_anonymized.mp4") is None


def test_the_newest_result_is_found_where_a_run_would_save_it(tmp_path: Path, clip: bytes) -> None:
    source = put(tmp_path / "a.mp4", clip)
    assert find(source, None, None, [source]) is None
    first = put(tmp_path / "a_anonymized.mp4", clip, hours_ago=5)
    second = put(tmp_path / "a_anonymized_2.mp4", clip, hours_ago=2)
    put(tmp_path / "a_anonymized_4.mp4", clip)  # somebody else's counting
    found = find(source, None, None, [source])
    assert found is not None and found.path == second
    os.utime(first)
    found = find(source, None, None, [source])
    assert found is not None and found.path == first
    assert find(source, tmp_path / "elsewhere", None, [source]) is None


def test_videos_of_one_name_have_the_results_that_a_run_gives_them(tmp_path: Path, clip: bytes) -> None:
    sources = [put(tmp_path / name, clip) for name in ("a.mp4", "a.mov")]
    made = [put(tmp_path / name, clip) for name in ("a_anonymized.mp4", "a_anonymized_2.mp4")]
    found = [find(source, None, None, sources) for source in sources]
    assert [result.path if result else None for result in found] == made


def test_a_result_of_another_length_is_another_videos(tmp_path: Path, clip: bytes) -> None:
    """Failure would mean one patient's result beside another one's video, because both are called "visit"."""
    source = ui_helpers.write_clip(tmp_path / "visit.mp4", frames=60)
    put(tmp_path / "results" / "visit_anonymized.mp4", clip)
    assert find(source, tmp_path / "results", None, [source]) is None
    put(tmp_path / "results" / "visit_anonymized.mp4", b"no video")
    assert find(source, tmp_path / "results", None, [source]) is None


@pytest.mark.parametrize("name", ["a b_anonymized.mp4", "a b_anonymized_12.mp4", "a b_ANONYMIZED.MP4"])
def test_the_original_of_a_result_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    result = put(tmp_path / "results" / name, b"")
    put(tmp_path / "results" / "a b.txt", b"")
    assert original_of(result, []) is None
    known = [tmp_path / "x.mov", tmp_path / "a b.mov"]
    assert original_of(result, known) == known[1]
    beside = put(tmp_path / "results" / "a b.mkv", b"")
    assert original_of(result, []) == beside
    assert original_of(tmp_path / "a b.mp4", [beside]) is None


def test_a_report_in_the_folder_for_reports_is_found(tmp_path: Path) -> None:
    result = put(tmp_path / "a_anonymized.mp4", b"x" * 99)
    (tmp_path / "audit").mkdir()
    there = put_report(result).rename(tmp_path / "audit" / "a_anonymized_report.json")
    alone, found = look_into(result), look_into(result, tmp_path / "audit")
    assert alone is not None and (alone.report, alone.hipaa) == (None, None)
    assert found is not None and (found.report, found.hipaa) == (there, True)
    beside = put_report(result, hipaa=False)  # from before the folder was chosen
    there.unlink()
    found = look_into(result, tmp_path / "audit")
    assert found is not None and (found.report, found.hipaa) == (beside, False)
