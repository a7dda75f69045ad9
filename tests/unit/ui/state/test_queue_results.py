"""The results of a queue: names that do not move, and what is replaced, kept or skipped."""

from __future__ import annotations

from pathlib import Path

import pytest
from unit.ui.state.queue_helpers import Bench

from anonator.core.config import Settings
from anonator.errors import DecodeError
from anonator.ui.state.job import Clear, Existing, RunState


@pytest.mark.parametrize(
    ("choice", "name", "overwrite"),
    [(Existing.OVERWRITE, "a_anonymized.mp4", True), (Existing.KEEP_BOTH, "a_anonymized_2.mp4", False)],
)
def test_a_result_that_is_there_already(bench: Bench, choice: Existing, name: str, overwrite: bool) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4")
    assert [job.source.name for job in bench.controller.conflicts(Settings(), None)] == ["a.mp4"]
    bench.start(choice)
    assert (bench.made[0].job.target.name, bench.made[0].job.overwrite) == (name, overwrite)


def test_a_result_that_is_there_already_can_be_skipped(bench: Bench) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4", "b.mp4")
    bench.start(Existing.SKIP)
    assert bench.states() == ["skipped", "running"]
    assert "Skipped" in bench.controller.jobs[0].message


def test_a_report_without_its_result_is_not_written_over(bench: Bench) -> None:
    """The engine would refuse the job at its end, after hours of work."""
    (bench.folder / "a_anonymized_report.json").write_text("{}")
    bench.add("a.mp4")
    assert bench.controller.conflicts(Settings(), None)
    assert not bench.controller.conflicts(Settings.standard(), None)
    bench.start()
    assert bench.made[0].job.target.name == "a_anonymized_2.mp4"


def test_neutral_names_are_random_and_meet_no_older_result(bench: Bench) -> None:
    (bench.folder / "jane_anonymized.mp4").write_bytes(b"old")
    bench.add("jane.mp4", "doe.mp4")
    settings = Settings(neutral_name=True)
    assert not bench.controller.conflicts(settings, None)
    bench.controller.start(settings, None, Existing.OVERWRITE)
    bench.end()
    names = [made.job.target.name for made in bench.made]
    assert len(set(names)) == 2 and all(name.endswith("_anonymized.mp4") for name in names)
    assert not any(word in name for name in names for word in ("jane", "doe"))
    assert not any(made.job.overwrite for made in bench.made)
    assert bench.controller.jobs[0].target == bench.made[0].job.target


def test_a_skipped_job_can_be_run_after_all_and_keeps_both(bench: Bench) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    (number,) = bench.add("a.mp4")
    bench.start(Existing.SKIP)
    assert bench.states() == ["skipped"] and bench.controller.state is RunState.IDLE
    bench.controller.retry(number)
    bench.start()
    assert bench.made[0].job.target.name == "a_anonymized_2.mp4"


def test_two_videos_of_one_name_never_share_a_result(bench: Bench) -> None:
    """Failure would mean that the second job replaces the first one's result."""
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4", "a.mov")
    bench.start(Existing.OVERWRITE)
    bench.end()
    assert [made.job.target.name for made in bench.made] == ["a_anonymized.mp4", "a_anonymized_2.mp4"]
    assert not bench.made[1].job.overwrite


def test_each_replaces_its_own_result_of_an_earlier_session(bench: Bench, tmp_path: Path) -> None:
    """Failure would mean that a second session mixes up the results of videos that share a name."""
    results = tmp_path / "results"
    results.mkdir()
    sources = [bench.folder / name for name in ("x/a.mp4", "x/a.mov", "y/a.mp4")]
    made = []
    for existing in (Existing.KEEP_BOTH, Existing.OVERWRITE):
        session = Bench(tmp_path)
        session.controller.add(sources)
        conflicts = session.controller.conflicts(Settings(), results)
        session.controller.start(Settings(), results, existing)
        for _ in sources:
            session.end()
        made.append([(job.job.source, job.job.target.name) for job in session.made])
        assert [job.job.overwrite for job in session.made] == [existing is Existing.OVERWRITE] * 3
        assert len(conflicts) == (3 if existing is Existing.OVERWRITE else 0)
    assert made[0] == made[1]
    assert [name for _, name in made[0]] == [
        "a_anonymized.mp4",
        "a_anonymized_2.mp4",
        "a_anonymized_3.mp4",
    ]
    assert len(list(results.iterdir())) == 3


def test_a_numbered_result_says_why(bench: Bench) -> None:
    bench.add("a.mp4", "a.mov")
    bench.start()
    bench.end()
    bench.end()
    first, second = bench.controller.jobs
    why = f"named a_anonymized_2.mp4, because a_anonymized.mp4 is the result of {bench.folder / 'a.mp4'}."
    assert "because" not in first.message
    assert second.result is not None and second.result.notes[-1].endswith(why)
    assert why in second.message


def test_names_do_not_move_when_jobs_fail_move_or_go(bench: Bench) -> None:
    """Failure would mean that Replace hits the result of another video than the one it was planned for."""
    for old in ("a_anonymized.mp4", "a_anonymized_2.mp4", "a_anonymized_3.mp4"):
        (bench.folder / old).write_bytes(b"old")
    first, second, third, fourth = bench.add("b.mp4", "a.mp4", "a.mov", "a.avi")
    bench.start(Existing.OVERWRITE)
    bench.controller.move(fourth, -2)
    bench.controller.remove(second)
    bench.end(DecodeError("damaged"))
    bench.end()
    bench.end()
    assert [(made.job.source.name, made.job.target.name, made.job.overwrite) for made in bench.made] == [
        ("b.mp4", "b_anonymized.mp4", False),
        ("a.avi", "a_anonymized_3.mp4", True),
        ("a.mov", "a_anonymized_2.mp4", True),
    ]
    assert (bench.folder / "a_anonymized.mp4").read_bytes() == b"old"
    assert [job.number for job in bench.controller.jobs] == [first, fourth, third]


def test_clearing_the_list_during_a_run_frees_no_name(bench: Bench) -> None:
    """Failure would mean that a result of this run is replaced as soon as its row is gone."""
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4", "a.mov")
    bench.start(Existing.OVERWRITE)
    bench.end()
    bench.controller.clear(Clear.ALL)
    bench.add("a.mp4")
    bench.end()
    bench.end()
    assert [(made.job.target.name, made.job.overwrite) for made in bench.made] == [
        ("a_anonymized.mp4", True),
        ("a_anonymized_2.mp4", False),
        ("a_anonymized_3.mp4", False),
    ]


def test_a_later_run_replaces_nothing_that_this_queue_made(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start()
    bench.end()
    bench.add("a.mp4", "a.mov")
    assert not bench.controller.conflicts(Settings(), None), "what cannot be replaced is not asked about"
    bench.start(Existing.OVERWRITE)
    bench.end()
    bench.end()
    assert [(made.job.target.name, made.job.overwrite) for made in bench.made] == [
        ("a_anonymized.mp4", False),
        ("a_anonymized_2.mp4", False),
        ("a_anonymized_3.mp4", False),
    ]


def test_a_result_that_was_deleted_gives_its_name_back(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start()
    bench.end()
    (bench.folder / "a_anonymized.mp4").unlink()
    bench.add("a.mp4")
    bench.start()
    assert bench.made[1].job.target.name == "a_anonymized.mp4"


def test_trying_again_during_a_run_keeps_clear_of_the_others(bench: Bench) -> None:
    failed, _ = bench.add("a.mp4", "a.mov")
    bench.start(Existing.OVERWRITE)
    bench.end(DecodeError("damaged"))
    bench.controller.retry(failed)
    bench.end()
    assert [made.job.target.name for made in bench.made] == [
        "a_anonymized.mp4",
        "a_anonymized_2.mp4",
        "a_anonymized.mp4",
    ]
    assert not bench.made[2].job.overwrite


def test_a_file_that_appears_during_a_run_is_kept(bench: Bench) -> None:
    bench.add("b.mp4", "a.mp4")
    bench.start()
    (bench.folder / "a_anonymized.mp4").write_bytes(b"from elsewhere")
    bench.end()
    assert (bench.made[1].job.target.name, bench.made[1].job.overwrite) == ("a_anonymized_2.mp4", False)


def test_a_video_that_is_added_during_a_run_is_never_replaced(bench: Bench) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("b.mp4", "a.mp4")
    bench.start(Existing.OVERWRITE)
    bench.add("a_anonymized.mp4")
    bench.end()
    assert (bench.made[1].job.target.name, bench.made[1].job.overwrite) == ("a_anonymized_2.mp4", False)


def test_replace_is_meant_for_the_videos_that_were_asked_about(bench: Bench) -> None:
    """The engine may load for seconds after the question, and videos can be added meanwhile."""
    for old in ("a_anonymized.mp4", "b_anonymized.mp4"):
        (bench.folder / old).write_bytes(b"old")
    asked = bench.add("a.mp4")
    bench.add("b.mp4")
    bench.controller.start(Settings(), None, Existing.OVERWRITE, asked)
    bench.end()
    assert [(made.job.target.name, made.job.overwrite) for made in bench.made] == [
        ("a_anonymized.mp4", True),
        ("b_anonymized_2.mp4", False),
    ]


def test_the_same_video_under_two_paths_is_done_once_unless_tried_again(bench: Bench) -> None:
    (bench.folder / "x").mkdir()
    (bench.folder / "x" / "a.mp4").write_bytes(b"video")
    _, twin = bench.add("x/a.mp4", "x/../x/a.mp4")
    bench.start()
    assert bench.states() == ["running", "skipped"]
    assert "This is the same video as" in bench.controller.jobs[1].message
    bench.controller.retry(twin)
    bench.end()
    assert bench.made[1].job.target.name == "a_anonymized_2.mp4"


def test_skipping_leaves_out_only_what_has_a_result(bench: Bench) -> None:
    (bench.folder / "a_anonymized.mp4").write_bytes(b"old")
    bench.add("a.mp4", "a.mov")
    assert [job.source.name for job in bench.controller.conflicts(Settings(), None)] == ["a.mp4"]
    bench.start(Existing.SKIP)
    assert bench.states() == ["skipped", "running"]
    assert bench.made[0].job.target.name == "a_anonymized_2.mp4"


def test_videos_added_during_a_run_are_run_too_and_keep_both(bench: Bench) -> None:
    bench.add("a.mp4")
    bench.start(Existing.OVERWRITE)
    (bench.folder / "b_anonymized.mp4").write_bytes(b"old")
    bench.add("b.mp4")
    bench.end()
    assert bench.made[1].job.target.name == "b_anonymized_2.mp4"


def test_results_go_to_the_chosen_folder(bench: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    bench.add("a.mp4")
    bench.controller.start(Settings(), folder)
    assert bench.made[0].job.target == folder / "a_anonymized.mp4"


@pytest.mark.parametrize(
    ("existing", "name", "overwrite"),
    [(Existing.KEEP_BOTH, "a_anonymized_2.mp4", False), (Existing.OVERWRITE, "a_anonymized.mp4", True)],
)
def test_a_finished_video_is_run_again_with_other_settings_and_nothing_is_asked(
    bench: Bench, existing: Existing, name: str, overwrite: bool
) -> None:
    (number,) = bench.add("a.mp4")
    bench.start()
    bench.end()
    first = bench.controller.jobs[0].result_file
    assert first is not None and first.path.name == "a_anonymized.mp4" and first.hipaa
    bench.controller.run_again(number, existing)
    assert bench.states() == ["waiting"] and bench.controller.jobs[0].result_file is first
    stricter = Settings(threshold=0.3)
    assert not bench.controller.conflicts(stricter, None)
    bench.controller.start(stricter, None)
    made = bench.made[-1].job
    assert (made.target.name, made.overwrite, made.settings) == (name, overwrite, stricter)
    bench.end()
    result = bench.controller.jobs[0].result_file
    assert result is not None and result.path.name == name


def test_a_second_run_that_fails_leaves_the_first_result_in_its_row(bench: Bench) -> None:
    (number,) = bench.add("a.mp4")
    bench.start()
    bench.end()
    first = bench.controller.jobs[0].result_file
    bench.controller.run_again(number, Existing.OVERWRITE)
    bench.start()
    bench.end(DecodeError("damaged"))
    (job,) = bench.controller.jobs
    assert bench.states() == ["failed"] and job.result_file is first is not None
    assert first.path.read_bytes() == b"result"
    bench.controller.run_again(number, Existing.OVERWRITE)
    bench.start()
    assert bench.made[-1].job.target == first.path and bench.made[-1].job.overwrite


def test_only_what_has_ended_is_run_again(bench: Bench) -> None:
    first, second = bench.add("a.mp4", "b.mp4")
    bench.start()
    for number in (first, second, 99):
        bench.controller.run_again(number, Existing.OVERWRITE)
    assert bench.states() == ["running", "waiting"]
    bench.end(DecodeError("damaged"))
    bench.controller.run_again(first, Existing.OVERWRITE)
    assert bench.controller.jobs[0].again is None, "there is nothing to replace"
    bench.end()
    bench.start()
    assert bench.made[-1].job.source.name == "a.mp4" and not bench.made[-1].job.overwrite


def test_a_result_whose_row_runs_again_is_nobody_elses_to_replace(bench: Bench) -> None:
    """Failure would mean that Replace, said about another video, hits a result that was to be kept."""
    (number,) = bench.add("a.mp4")
    bench.start()
    bench.end()
    bench.controller.run_again(number, Existing.KEEP_BOTH)
    bench.add("a.mov")
    assert not bench.controller.conflicts(Settings(), None)
    bench.start(Existing.OVERWRITE)
    bench.end()
    made = [each.job for each in bench.made[1:]]
    assert [job.source.name for job in made] == ["a.mp4", "a.mov"]
    assert {job.target.name for job in made} == {"a_anonymized_2.mp4", "a_anonymized_3.mp4"}
    assert not any(job.overwrite for job in made)


def test_a_result_that_became_a_video_of_the_queue_is_not_replaced(bench: Bench) -> None:
    (number,) = bench.add("a.mp4")
    bench.start()
    bench.end()
    bench.controller.run_again(number, Existing.OVERWRITE)
    bench.add("a_anonymized.mp4")
    bench.start()
    assert (bench.made[-1].job.target.name, bench.made[-1].job.overwrite) == ("a_anonymized_2.mp4", False)
