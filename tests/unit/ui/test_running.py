"""What starts jobs, as far as it needs no window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from anonator.core.config import Settings
from anonator.core.job import Job
from anonator.ui.running import with_report_folder
from anonator.ui.state.app_state import AppState, Store


def test_a_result_that_is_made_again_keeps_its_report_where_it_is(tmp_path: Path) -> None:
    """A failure means that signing takes a report out of its archive, or loses the folder for reports."""
    made: list[Job] = []
    folder = tmp_path / "audit"
    make: Any = with_report_folder(Store(AppState(report_folder=folder)), lambda job, *_: made.append(job))  # type: ignore[arg-type, return-value, func-returns-value]
    job = Job(tmp_path / "a.mp4", tmp_path / "a_anonymized.mp4", Settings())
    make(job, None, None)
    job.report_target.write_text("{}")
    make(job, None, None)
    assert [each.report_folder for each in made] == [folder, None]
