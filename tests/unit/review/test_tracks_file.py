"""The tracks file: what it keeps, what it says of damage, and that a kill loses at most the last edit."""

from __future__ import annotations

import dataclasses
import errno
import gzip
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from unit.review.review_helpers import analysis

from anonator.core import durable_files, file_lock
from anonator.core.review import tracks_file
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.kept_sightings import ROW, Sightings
from anonator.core.review.replay import Replay
from anonator.core.review.reviewed import apply
from anonator.core.review.tracks_file import TracksFile, create, read
from anonator.errors import OpenElsewhereError, ReviewError

ANALYSIS = analysis()
EDITS = [Edit(n, Operation.AREA, None, (0, 9000), ((0, (1.5, 2.0, 30.0, 40.0)),)) for n in range(1, 6)]


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    path = create(ANALYSIS, tmp_path / "t")
    file = TracksFile(path)
    for edit in EDITS:
        file.append(edit)
    file.close()
    return path


def test_it_gives_back_what_it_got(kept: Path) -> None:
    back = read(kept, ANALYSIS.key)
    assert (back.analysis, back.edits, back.problem) == (ANALYSIS, tuple(EDITS), "")
    if sys.platform != "win32":
        assert kept.stat().st_mode & 0o777 == 0o600


def test_an_edit_is_written_as_json_writes_it(kept: Path) -> None:
    (*_, first) = kept.read_bytes().splitlines(keepends=True)[:-4]
    line = json.loads(first)
    assert first.decode() == json.dumps(line, separators=(",", ":")) + "\n"
    assert list(line)[:3] == ["kind", "number", "operation"] and list(line)[-2:] == ["before", "sum"]
    assert {**dataclasses.asdict(EDITS[0]), "operation": "area", "span": [0, 9000]}.items() <= {
        **line,
        "boxes": tuple((pts, tuple(box)) for pts, box in line["boxes"]),
    }.items()


def test_a_torn_last_line_loses_only_itself_and_work_goes_on(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:-20])
    back = read(kept)
    assert back.edits == tuple(EDITS[:4])
    assert "4 edits" in back.problem
    file = TracksFile(kept)
    file.append(EDITS[4])
    file.close()
    assert read(kept).edits == tuple(EDITS)


def test_an_edit_is_added_without_going_over_those_before_it(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = TracksFile(kept)
    monkeypatch.setattr(Replay, "of", None)
    file.append(Edit(6, Operation.AREA, None, (0, 9), ((0, (1.0, 2.0, 3.0, 4.0)),)))
    with pytest.raises(ReviewError, match="order"):
        file.append(Edit(6, Operation.SEEN, None, (0, 9)))
    monkeypatch.undo()
    assert file.state == apply(file.edits, file.analysis)
    file.append(Edit(7, Operation.UNDO, 6))
    assert file.state == apply(EDITS, file.analysis)
    file.close()


def test_a_box_is_kept_to_the_last_bit(tmp_path: Path) -> None:
    rows = np.zeros(1000, ROW)
    rows["box"] = np.random.default_rng(1).uniform(0, 8000, (1000, 4))
    rows["score"] = np.random.default_rng(2).uniform(0, 1, 1000)
    known = dataclasses.replace(ANALYSIS, near_misses=Sightings(rows))
    assert read(create(known, tmp_path / "t")).analysis == known


@pytest.mark.parametrize("line", [-1, -2, -4])
def test_a_changed_line_is_named_and_the_edits_before_it_are_there(kept: Path, line: int) -> None:
    lines = kept.read_bytes().splitlines(keepends=True)
    lines[line] = lines[line].replace(b"1.5", b"1.6")
    kept.write_bytes(b"".join(lines))
    back = read(kept)
    assert back.edits == tuple(EDITS[:line])
    assert f"Line {len(lines) + line + 1} was changed" in back.problem
    with pytest.raises(ReviewError, match="changed"):
        TracksFile(kept)


def test_a_removed_line_shows(kept: Path) -> None:
    lines = kept.read_bytes().splitlines(keepends=True)
    del lines[-2]
    kept.write_bytes(b"".join(lines))
    assert "was changed" in read(kept).problem


def test_a_file_cut_within_the_analysis_cannot_be_used(kept: Path) -> None:
    kept.write_bytes(kept.read_bytes()[:2000])
    with pytest.raises(ReviewError, match="cut off"):
        read(kept)


def test_another_video_is_refused(kept: Path) -> None:
    with pytest.raises(ReviewError, match="another video"):
        read(kept, dataclasses.replace(ANALYSIS.key, file_bytes=1))


@pytest.mark.parametrize("content", [b"", b"no tracks\n", b"{}\n", b"\xff\xfe\n", b"[]\n"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(ReviewError):
        read(tmp_path / "x")


def test_a_compressed_file_that_fills_the_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks_file, "LARGEST_BYTES", 1 << 16)
    (tmp_path / "x").write_bytes(gzip.compress(bytes(1 << 20)))
    with pytest.raises(ReviewError, match="cannot be read"):
        read(tmp_path / "x")


@pytest.mark.parametrize(
    "impossible",
    [
        {"cuts": (0, 999)},
        {"cuts": (30, 0)},
        {"looks": ((-1, True),)},
        {"pts": ANALYSIS.pts[:-1]},
        {"pts": (ANALYSIS.pts[1], *ANALYSIS.pts[1:])},
        {"near_misses": Sightings([(60, (0, 0, 1, 1), 0.2, False, False, True)])},
    ],
    ids=lambda each: next(iter(each)),
)
def test_a_well_written_file_that_says_what_cannot_be_is_refused(
    tmp_path: Path, impossible: dict[str, object]
) -> None:
    path = create(dataclasses.replace(ANALYSIS, **impossible), tmp_path / "t")  # type: ignore[arg-type]
    with pytest.raises(ReviewError, match="does not hold what it must"):
        read(path)


def test_only_one_has_it_open_and_a_drive_without_locks_is_told(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TracksFile(kept), pytest.raises(OpenElsewhereError):
        TracksFile(kept)

    def refuse(_descriptor: int) -> None:
        raise OSError(errno.EOPNOTSUPP, "not supported")

    monkeypatch.setattr(file_lock, "_take", refuse)
    with pytest.raises(ReviewError, match="knows no file locks"):
        TracksFile(kept)


def test_signing_compresses_and_closes(kept: Path) -> None:
    file = TracksFile(kept)
    file.append(Edit(6, Operation.SIGN, reason="AB"))
    file.close()
    assert kept.read_bytes()[:2] == b"\x1f\x8b"
    assert len(read(kept).edits) == 6
    assert read(kept).edits[-1].at.endswith("+00:00")
    with pytest.raises(ReviewError, match="signed"):
        TracksFile(kept)


CHILD = """
import sys
from pathlib import Path
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.kept_sightings import ROW, Sightings
from anonator.core.review.replay import Replay
from anonator.core.review.reviewed import apply
from anonator.core.review.tracks_file import TracksFile
file = TracksFile(Path(sys.argv[1]))
for n in range(1, 1001):
    file.append(Edit(n, Operation.SEEN, None, (n, n)))
    print(n, flush=True)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_a_kill_in_the_middle_of_1000_edits_loses_at_most_the_last(tmp_path: Path) -> None:
    path = create(ANALYSIS, tmp_path / "t")
    with subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        said = 0
        while said < 500:
            said = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        said = max([said, *map(int, child.stdout.read().split())])
    assert said < 1000
    back = read(path)
    assert len(back.edits) in (said, said + 1)
    assert [edit.number for edit in back.edits] == list(range(1, len(back.edits) + 1))


def test_an_older_file_is_read_and_a_newer_one_is_refused(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks_file, "VERSION", 2)
    monkeypatch.setitem(tracks_file.MIGRATIONS, 1, lambda line: {**line, "reason": "migrated"})
    assert {edit.reason for edit in read(kept).edits} == {"migrated"}
    monkeypatch.setattr(tracks_file, "VERSION", 0)
    with pytest.raises(ReviewError, match="newer version"):
        read(kept)


def test_a_signed_file_stays_whole_where_there_is_no_room_to_compress_it(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing failed, and the review could not be left."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(durable_files, "write", full)
    file = TracksFile(kept)
    file.append(Edit(6, Operation.SIGN, reason="MK"))
    file.close()
    assert read(kept).edits[-1].reason == "MK" and kept.read_bytes()[:2] != b"\x1f\x8b"
    monkeypatch.undo()
    TracksFile(kept).close()
    assert read(kept).edits[-1].reason == "MK" and kept.read_bytes()[:2] == b"\x1f\x8b"
    assert list(kept.parent.iterdir()) == [kept]
