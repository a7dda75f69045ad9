"""Names of results: the source's with a suffix, or a random one that tells nothing."""

from __future__ import annotations

from pathlib import Path

from anonator.core.config import Settings
from anonator.core.job import Job, default_target, report_target, result_target


def test_the_result_lies_beside_its_source_or_in_the_chosen_folder(tmp_path: Path) -> None:
    source = tmp_path / "visit.mov"
    assert default_target(source) == tmp_path / "visit_anonymized.mp4"
    assert default_target(source, tmp_path / "out") == tmp_path / "out" / "visit_anonymized.mp4"
    assert result_target(source, None, Settings()) == default_target(source)


def test_a_neutral_name_has_nothing_of_the_source_and_never_repeats(tmp_path: Path) -> None:
    source = tmp_path / "Mrs-Miller-1971.mov"
    names = {result_target(source, None, Settings(neutral_name=True)).name for _ in range(50)}
    assert len(names) == 50
    for name in names:
        assert "Miller" not in name
        assert name.endswith("_anonymized.mp4")  # so that the program knows its own results again


def test_the_report_is_named_after_the_result(tmp_path: Path) -> None:
    job = Job(tmp_path / "a.mov", tmp_path / "b (2).mp4", Settings())
    assert job.report_target == tmp_path / "b (2)_report.json" == report_target(job.target)
    assert job.page_target == tmp_path / "b (2)_report.html"
