"""A plan has one row for each video, private, and planning again changes no row."""

from __future__ import annotations

import csv
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from archive_helpers import Planner, rows_of
from video_helpers import clip

from anonator.archive import header, lock
from anonator.archive.folder import About, Archive, open_archive
from anonator.archive.lock import Busy
from anonator.archive.plan import plan
from anonator.archive.rows import HEADER, Row, Shard, read_rows, write_rows
from anonator.core.config import Mode, Settings
from anonator.errors import ArchiveError

STANDARD = Settings.standard()


def results(archive: Archive) -> list[str]:
    return [row.result for row in read_rows(archive)]


def test_folders_are_mirrored_and_headers_read(planned: Planner, videos: Path) -> None:
    about, rows = rows_of(archive := planned())
    assert [row.video for row in rows] == ["day 1/a.mp4", "day 1/b.mp4", "day 2/a.mp4"]
    assert results(archive)[0] == "videos/day 1/a_anonymized.mp4"
    assert [row.number for row in rows] == [1, 2, 3]
    assert rows[0].seconds == pytest.approx(0.24, abs=0.001)
    assert rows[0].bytes == (videos / "day 1/a.mp4").stat().st_size
    assert rows[0].source(about) == videos / "day 1/a.mp4"
    assert about.settings_of(rows[0].settings) == STANDARD


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps other permissions")
def test_only_its_owner_can_read_the_plan(planned: Planner) -> None:
    archive = planned()
    assert stat.S_IMODE(archive.private.stat().st_mode) == 0o700
    assert stat.S_IMODE(archive.plan_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(archive.about_file.stat().st_mode) == 0o600


def test_planning_again_adds_what_is_new_and_leaves_the_rest(
    planned: Planner, videos: Path, tmp_path: Path
) -> None:
    archive = planned()
    before = read_rows(archive)
    shutil.copy(videos / "day 1/a.mp4", videos / "day 1/0.mp4")
    again = plan([videos], archive.path, Settings.standard(mode=Mode.BLUR))
    about, rows = rows_of(archive)
    assert (again.added, again.known, again.changed) == (1, 3, 0)
    assert rows[:3] == before
    assert rows[3].number == 4 and rows[3].video == "day 1/0.mp4"
    assert about.settings_of(rows[3].settings).mode is Mode.BLUR
    assert about.settings_of(rows[0].settings).mode is Mode.SOLID


def test_a_video_that_changed_is_told_and_its_row_stays(planned: Planner, videos: Path) -> None:
    archive = planned()
    before = read_rows(archive)
    with (videos / "day 2/a.mp4").open("ab") as file:
        file.write(b"\0\0\0\x08free")
    assert plan([videos], archive.path, STANDARD).changed == 1
    assert read_rows(archive) == before


def test_touching_a_video_does_not_change_it(planned: Planner, videos: Path) -> None:
    archive = planned()
    os.utime(videos / "day 2/a.mp4", (1, 1))
    assert plan([videos], archive.path, STANDARD).changed == 0


def test_rows_never_share_a_result(tmp_path: Path, tiny: Path) -> None:
    for folder in ("x/visits", "y/visits"):
        for name in ("a.mp4", "a.mov", "A.mp4"):
            (tmp_path / folder).mkdir(parents=True, exist_ok=True)
            shutil.copy(tiny, tmp_path / folder / name)
    both = [tmp_path / "x/visits", tmp_path / "y/visits"]
    archive = plan(both, tmp_path / "archive", STANDARD).archive
    names = results(archive)
    assert len(names) == len({name.casefold() for name in names}) == len(read_rows(archive))
    assert len(names) >= (4 if sys.platform == "win32" else 6)
    # also a row that is added later
    shutil.copy(tiny, tmp_path / "x/visits/a.mkv")
    plan(both, archive.path, STANDARD)
    names = results(archive)
    assert len(names) == len({name.casefold() for name in names})


def test_a_file_that_is_there_keeps_its_name(tmp_path: Path, videos: Path) -> None:
    taken = tmp_path / "archive/results/videos/day 1/a_anonymized.mp4"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"somebody else's")
    archive = plan([videos], tmp_path / "archive", STANDARD).archive
    assert results(archive)[0] == "videos/day 1/a_anonymized_2.mp4"


def test_neutral_names_tell_nothing(planned: Planner) -> None:
    archive = planned(Settings.standard(neutral_name=True))
    for name in results(archive):
        assert len(name) == len("3f/0123abcd_anonymized.mp4") and "day" not in name
    assert len(set(results(archive))) == 3


def test_a_file_under_two_paths_is_done_once(tmp_path: Path, tiny: Path) -> None:
    (tmp_path / "v").mkdir()
    shutil.copy(tiny, tmp_path / "v/a.mp4")
    again = plan([tmp_path / "v", tmp_path / "v/a.mp4", tmp_path / "v/../v"], tmp_path / "archive", STANDARD)
    assert (again.rows, again.added) == (1, 1)


def test_results_and_the_archive_itself_are_not_planned(tmp_path: Path, videos: Path, tiny: Path) -> None:
    shutil.copy(tiny, videos / "old_anonymized.mp4")
    archive = plan([videos], videos / "archive", STANDARD).archive
    shutil.copy(tiny, archive.results / "stray.mp4")
    again = plan([videos], videos / "archive", STANDARD)
    assert (again.rows, again.results) == (3, 1)


def test_what_cannot_be_read_gets_a_row_all_the_same(tmp_path: Path, videos: Path) -> None:
    (videos / "broken.mp4").write_bytes(b"\0\0\0\x18ftypisom no video")
    (videos / "empty.mkv").write_bytes(b"")
    again = plan([videos], tmp_path / "archive", STANDARD)
    assert again.added == 5
    assert [row.seconds for row in read_rows(again.archive) if "day" not in row.video] == [None, None]


def test_a_private_folder_of_somebody_else_is_left_alone(tmp_path: Path, videos: Path) -> None:
    (tmp_path / "archive/private").mkdir(parents=True)
    (tmp_path / "archive/private/letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(ArchiveError, match="private"):
        plan([videos], tmp_path / "archive", STANDARD)
    assert os.listdir(tmp_path / "archive") == ["private"]


def test_two_cannot_plan_at_once(planned: Planner, videos: Path) -> None:
    archive = planned()
    with lock.planning(archive), pytest.raises(Busy, match="plan"):
        plan([videos], archive.path, STANDARD)
    assert os.listdir(archive.locks) == []


@pytest.mark.parametrize("suffix", ["mp4", "mov", "mkv", "avi", "ts", "webm"])
def test_a_header_tells_the_length(tmp_path: Path, suffix: str) -> None:
    codec = ("-c:v", "libvpx", "-b:v", "200k") if suffix == "webm" else ()
    video = clip(tmp_path / f"a.{suffix}", *codec, size="96x64", seconds=1)
    assert header.look_at(video)[1] == pytest.approx(1, abs=0.1)


def test_a_file_in_fragments_tells_its_length_too(tmp_path: Path) -> None:
    video = clip(tmp_path / "a.mp4", "-movflags", "frag_keyframe+empty_moov", size="96x64", seconds=1)
    assert header.look_at(video)[1] == pytest.approx(1, abs=0.1)


def test_a_key_follows_the_content(tmp_path: Path, tiny: Path) -> None:
    copy = Path(shutil.copy(tiny, tmp_path / "b.mp4"))
    assert header.key_of(copy) == header.key_of(tiny) == header.look_at(tiny)[0]
    content = bytearray(tiny.read_bytes())
    for changed in (content[:-1], content + b"\0", bytes([content[0] ^ 1]) + content[1:]):
        copy.write_bytes(changed)
        assert header.key_of(copy) != header.key_of(tiny)


@pytest.mark.parametrize("name", ["a,b.mp4", 'a"b.mp4', "a\nb.mp4", "=1+1.mp4", "é\u202e.mp4", "\udcff.mp4"])
def test_every_name_comes_back_from_the_plan(tmp_path: Path, name: str) -> None:
    archive = Archive(tmp_path)
    archive.private.mkdir()
    rows = [Row(1, 0, name, 5, 6, None, "k", "s", "r.mp4"), Row(2, 0, "b", 5, 6, 1.5, "k", "s", "r_2.mp4")]
    write_rows(archive, rows)
    assert read_rows(archive) == rows
    with archive.plan_file.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        assert next(csv.reader(file)) == list(HEADER)


@pytest.mark.parametrize(
    "content", [b"number\r\n", b"", b"\xef\xbb\xbf" + ",".join(HEADER).encode() + b"\nx,y\n"]
)
def test_a_damaged_plan_is_refused(tmp_path: Path, content: bytes) -> None:
    archive = Archive(tmp_path)
    archive.private.mkdir()
    archive.plan_file.write_bytes(content)
    with pytest.raises(ArchiveError, match="damaged"):
        read_rows(archive)


def test_a_row_never_shows_its_names() -> None:
    """Engines log what they are given."""
    assert repr(Row(7, 0, "Ann Smith.mp4", 5, 6, None, "k", "s", "Ann.mp4")) == "row 7"


@pytest.mark.parametrize("parts", [1, 2, 3, 7])
def test_shards_share_all_rows(parts: int) -> None:
    rows = [Row(number, 0, "v", 5, 6, None, "k", "s", "r") for number in range(1, 30)]
    shares = [Shard(part, parts).of(rows) for part in range(1, parts + 1)]
    assert sorted(row.number for share in shares for row in share) == list(range(1, 30))


def test_an_archive_of_another_version_is_refused(planned: Planner) -> None:
    archive = planned()
    text = archive.about_file.read_text("utf-8")
    archive.about_file.write_text(text.replace('"version": 1', '"version": 2'), "utf-8")
    with pytest.raises(ArchiveError, match="another version"):
        open_archive(archive.path)
    with pytest.raises(ArchiveError, match="another version"):
        About("x", settings={"s": {"no such setting": 1}}).settings_of("s")
