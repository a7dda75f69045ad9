"""Names of a whole run: no two alike, no input among them, and the same again the next time."""

from __future__ import annotations

import os
import sys
import unicodedata
from pathlib import Path
from types import SimpleNamespace

import pytest

from anonator.core import result_names
from anonator.core.config import Settings
from anonator.core.result_names import ResultName, is_taken, plan

STANDARD = Settings()
OUT = Path("out")


def make(folder: Path, *names: str) -> list[Path]:
    """Files that differ."""
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(str(path))
    return paths


def targets(names: tuple[ResultName, ...]) -> list[str]:
    return [name.target.name for name in names]


def test_different_names_stay_plain_and_say_nothing(tmp_path: Path) -> None:
    sources = make(tmp_path, "a.mp4", "b.mov")
    assert plan(sources, None, STANDARD) == (
        ResultName(sources[0], tmp_path / "a_anonymized.mp4"),
        ResultName(sources[1], tmp_path / "b_anonymized.mp4"),
    )


def test_equal_names_are_numbered_in_their_order_and_say_why(tmp_path: Path) -> None:
    sources = make(tmp_path, "x/a.mp4", "x/a.mov", "y/a.mp4", "y/b.mp4")
    names = plan(sources, tmp_path / "out", STANDARD)
    assert targets(names) == [
        "a_anonymized.mp4",
        "a_anonymized_2.mp4",
        "a_anonymized_3.mp4",
        "b_anonymized.mp4",
    ]
    assert {name.target.parent for name in names} == {tmp_path / "out"}
    assert [name.why for name in names] == [
        "",
        f"The result is named a_anonymized_2.mp4, because a_anonymized.mp4 is the result of {sources[0]}.",
        f"The result is named a_anonymized_3.mp4, because a_anonymized.mp4 is the result of {sources[0]}.",
        "",
    ]
    assert plan(sources, tmp_path / "out", STANDARD) == names, "the next run would not replace its own"


def test_beside_their_videos_only_those_of_one_folder_are_numbered(tmp_path: Path) -> None:
    sources = make(tmp_path, "x/a.mp4", "x/a.mov", "y/a.mp4")
    names = plan(sources, None, STANDARD)
    assert [name.target for name in names] == [
        tmp_path / "x" / "a_anonymized.mp4",
        tmp_path / "x" / "a_anonymized_2.mp4",
        tmp_path / "y" / "a_anonymized.mp4",
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Visit", "visit"),
        ("STRASSE", "straße"),
        (unicodedata.normalize("NFC", "Müller"), unicodedata.normalize("NFD", "Müller")),
        (unicodedata.normalize("NFC", "MÜLLER"), unicodedata.normalize("NFD", "müller")),
        ("ΟΔΟΣ", "οδος"),  # the last small letter has two forms
        ("a\N{ZERO WIDTH JOINER}b", "ab"),
        ("\N{LATIN SMALL LIGATURE FI}lm", "film"),
        ("\N{KELVIN SIGN}2", "k2"),
    ],
)
def test_names_that_are_one_on_some_disks_are_numbered(first: str, second: str, tmp_path: Path) -> None:
    """Failure would mean a lost result on Windows, on a Mac or on a memory stick."""
    sources = [tmp_path / f"{first}.mp4", tmp_path / f"{second}.mov"]
    one, two = plan(sources, tmp_path, STANDARD)
    assert one.target.name == f"{first}_anonymized.mp4"
    assert two.target.name == f"{second}_anonymized_2.mp4"
    assert f"some disks treat {second}_anonymized.mp4 and {first}_anonymized.mp4" in two.why


def test_letters_that_every_disk_tells_apart_are_not_numbered(tmp_path: Path) -> None:
    sources = [tmp_path / name for name in ("Müller.mp4", "Muller.mp4", "a-1.mp4", "a_1.mp4", "a 1.mp4")]
    assert not any(name.why for name in plan(sources, tmp_path, STANDARD))


@pytest.mark.skipif(sys.platform == "win32", reason="names are Unicode there")
def test_a_name_that_is_no_text_is_named_all_the_same(tmp_path: Path) -> None:
    source = tmp_path / os.fsdecode(b"b\xff.mp4")
    assert targets(plan([source, source.with_suffix(".mov")], OUT, STANDARD)) == [
        os.fsdecode(b"b\xff_anonymized.mp4"),
        os.fsdecode(b"b\xff_anonymized_2.mp4"),
    ]


def test_folders_are_one_under_whatever_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "x/a.mp4", "x/a.mov", "x/a.avi", "x/inside/b.mp4")
    try:
        (tmp_path / "link").symlink_to("x", target_is_directory=True)
    except OSError:
        pytest.skip("no symbolic links here")
    monkeypatch.chdir(tmp_path)
    sources = [Path("x/a.mp4"), tmp_path / "link" / "a.mov", Path("x/inside/../a.avi")]
    assert targets(plan(sources, None, STANDARD)) == [
        "a_anonymized.mp4",
        "a_anonymized_2.mp4",
        "a_anonymized_3.mp4",
    ]


@pytest.mark.parametrize("kind", ["again", "relative", "symbolic", "hard"])
def test_the_same_video_is_done_once(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = make(tmp_path, "x/a.mp4")
    monkeypatch.chdir(tmp_path)
    twin = {"again": source, "relative": Path("x/../x/a.mp4")}.get(kind, tmp_path / "z" / "a.mov")
    if kind in ("symbolic", "hard"):
        twin.parent.mkdir()
        try:
            twin.symlink_to(source) if kind == "symbolic" else os.link(source, twin)
        except OSError:
            pytest.skip("no such links here")
    one, two = plan([source, twin], tmp_path / "out", STANDARD)
    assert (one.same_as, two.same_as) == (None, source)
    assert two.target == one.target
    assert two.why == f"This is the same video as {source}, so it is done only once."


def test_a_link_of_another_name_has_a_result_of_its_own(tmp_path: Path) -> None:
    (source,) = make(tmp_path, "a.mp4")
    link = tmp_path / "b.mp4"
    try:
        link.symlink_to(source)
    except OSError:
        pytest.skip("no symbolic links here")
    names = plan([source, link], None, STANDARD)
    assert targets(names) == ["a_anonymized.mp4", "b_anonymized.mp4"]
    assert not any(name.same_as for name in names)


def test_copies_are_not_the_same_video(tmp_path: Path) -> None:
    """Only the file itself is done once; what merely holds the same bytes may differ in what it is for."""
    sources = make(tmp_path, "x/a.mp4", "y/a.mp4")
    for source in sources:
        source.write_text("the same")
        os.utime(source, (1, 1))
    assert targets(plan(sources, OUT, STANDARD)) == ["a_anonymized.mp4", "a_anonymized_2.mp4"]


def test_drives_that_number_nothing_lose_no_video(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network drives give every file and folder the number 0."""
    sources = make(tmp_path, "x/a.mp4", "y/a.mp4", "y/a.mov")
    real = os.stat

    def unnumbered(path: os.PathLike[str]) -> os.stat_result:
        status = list(real(path))
        status[1] = 0
        return os.stat_result(status)

    monkeypatch.setattr(result_names.os, "stat", unnumbered)
    beside = plan([*sources, sources[0]], None, STANDARD)
    assert targets(beside) == [
        "a_anonymized.mp4",
        "a_anonymized.mp4",
        "a_anonymized_2.mp4",
        "a_anonymized.mp4",
    ]
    assert [name.same_as for name in beside] == [None, None, None, sources[0]]
    assert len(set(targets(plan(sources, OUT, STANDARD)))) == 3


@pytest.mark.parametrize("order", [1, -1])
def test_a_video_of_the_run_is_never_a_result(order: int, tmp_path: Path) -> None:
    sources = make(tmp_path, "a.mp4", "a_anonymized.mp4", "a_anonymized_2.mp4")[::order]
    named = {name.source.name: name for name in plan(sources, None, STANDARD)}
    assert named["a.mp4"].target.name == "a_anonymized_3.mp4"
    assert named["a.mp4"].why.endswith("because a_anonymized.mp4 is itself one of the videos.")
    assert not {name.target for name in named.values()} & set(sources)


def test_a_video_in_capitals_is_never_a_result_either(tmp_path: Path) -> None:
    sources = make(tmp_path, "a.mp4", "A_ANONYMIZED.MP4")
    assert plan(sources, None, STANDARD)[0].target.name == "a_anonymized_2.mp4"


def test_the_file_behind_a_link_is_never_a_result(tmp_path: Path) -> None:
    source, behind = make(tmp_path, "a.mp4", "a_anonymized.mp4")
    link = tmp_path / "sub" / "other.mp4"
    link.parent.mkdir()
    try:
        link.symlink_to(behind)
    except OSError:
        pytest.skip("no symbolic links here")
    assert plan([source, link], None, STANDARD)[0].target.name == "a_anonymized_2.mp4"


@pytest.mark.parametrize("kind", ["json", "html"])
def test_a_video_with_the_name_of_a_report_is_not_written_over(tmp_path: Path, kind: str) -> None:
    sources = make(tmp_path, "a.mp4", f"a_anonymized_report.{kind}")
    assert plan(sources, None, STANDARD)[0].target.name == "a_anonymized_2.mp4"


def test_more_inputs_and_results_are_kept_clear_of(tmp_path: Path) -> None:
    (source,) = make(tmp_path, "a.mp4")
    made = ResultName(tmp_path / "old.mp4", tmp_path / "a_anonymized_2.mp4")
    (name,) = plan([source], None, STANDARD, inputs=[tmp_path / "a_anonymized.mp4"], results=[made])
    assert name.target.name == "a_anonymized_3.mp4"


def test_what_lies_on_the_disk_counts_only_where_it_is_to_be_kept(tmp_path: Path) -> None:
    sources = make(tmp_path, "a.mp4", "a.mov")
    make(tmp_path, "a_anonymized.mp4", "a_anonymized_3_report.json")
    assert targets(plan(sources, None, STANDARD)) == ["a_anonymized.mp4", "a_anonymized_2.mp4"]
    kept = plan(sources, None, STANDARD, avoid_existing=True)
    assert targets(kept) == ["a_anonymized_2.mp4", "a_anonymized_4.mp4"]
    assert kept[0].why.endswith("because a_anonymized.mp4 or its report already exists.")


def test_a_result_a_report_or_a_dead_link_takes_a_name(tmp_path: Path) -> None:
    target = tmp_path / "a_anonymized.mp4"
    assert not is_taken(target, STANDARD)
    for kind in ("json", "html"):
        report = tmp_path / f"a_anonymized_report.{kind}"
        report.write_text("{}")
        assert is_taken(target, STANDARD)
        assert not is_taken(target, Settings.standard())
        report.unlink()
    try:
        target.symlink_to("nowhere")
    except OSError:
        pytest.skip("no symbolic links here")
    assert is_taken(target, STANDARD)


def test_random_names_do_not_meet_each_other_nor_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = make(tmp_path, "jane.mp4", "x/jane.mp4")
    make(tmp_path, "00000001_anonymized.mp4")
    drawn = iter(["00000001", "00000002", "00000002", "00000003"])
    monkeypatch.setattr("anonator.core.job.secrets", SimpleNamespace(token_hex=lambda _bytes: next(drawn)))
    names = plan(sources, tmp_path, Settings(neutral_name=True))
    assert targets(names) == ["00000002_anonymized.mp4", "00000003_anonymized.mp4"]
    assert not any(name.why for name in names)


def test_thousands_of_equal_names_are_planned_at_once(tmp_path: Path) -> None:
    """Cameras count from 1 in every folder; a failure means a frozen window."""
    sources = [tmp_path / str(folder) / "00001.mts" for folder in range(3000)]
    names = plan(sources, tmp_path / "out", STANDARD)
    assert len(set(targets(names))) == 3000
    assert names[-1].target.name == "00001_anonymized_3000.mp4"


def test_reports_in_one_folder_never_share_a_name(tmp_path: Path) -> None:
    """A failure means that a job fails, or replaces another patient's report."""
    sources = make(tmp_path, "x/a.mp4", "y/A.mp4", "z/b.mp4")
    names = plan(sources, None, STANDARD, report_folder=tmp_path / "audit")
    assert targets(names) == ["a_anonymized.mp4", "A_anonymized_2.mp4", "b_anonymized.mp4"]
    assert names[1].why.endswith(
        f"because the report of {sources[0]} has the same name in the folder for reports."
    )
    assert (
        targets(plan(sources, None, STANDARD))
        == targets(plan(sources, None, Settings.standard(), report_folder=tmp_path / "audit"))
        == ["a_anonymized.mp4", "A_anonymized.mp4", "b_anonymized.mp4"]
    )


def test_a_report_elsewhere_takes_the_name_too(tmp_path: Path) -> None:
    (source,) = make(tmp_path, "a.mp4")
    make(tmp_path / "audit", "a_anonymized_report.json")
    target = tmp_path / "a_anonymized.mp4"
    assert is_taken(target, STANDARD, tmp_path / "audit") and not is_taken(target, STANDARD)
    assert not is_taken(target, Settings.standard(), tmp_path / "audit")
    (name,) = plan([source], None, STANDARD, avoid_existing=True, report_folder=tmp_path / "audit")
    assert name.target.name == "a_anonymized_2.mp4"


def test_the_report_of_a_result_elsewhere_is_not_replaced(tmp_path: Path) -> None:
    """A failure means that a run which may replace results takes another patient's report away."""
    first, other = make(tmp_path, "x/a.mp4", "y/a.mp4")
    make(tmp_path / "audit", "a_anonymized_report.json")
    make(tmp_path, "x/a_anonymized.mp4")
    (again,) = plan([first], None, STANDARD, report_folder=tmp_path / "audit")
    assert again.target.name == "a_anonymized.mp4", "it is its own"
    (name,) = plan([other], None, STANDARD, report_folder=tmp_path / "audit")
    assert name.target.name == "a_anonymized_2.mp4"
    assert name.why.endswith("because the folder for reports has one of that name already.")
    (without,) = plan([other], None, Settings.standard(), report_folder=tmp_path / "audit")
    assert without.target.name == "a_anonymized.mp4"
