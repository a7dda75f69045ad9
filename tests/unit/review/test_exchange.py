"""Exchange with other programs: what goes out, what comes back, and what is refused."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from pathlib import Path

import numpy as np
import pytest
from unit.review.review_helpers import FRAMES, STEP, analysis

from anonator.core import boxes as box_ops
from anonator.core.anonymizer import covered_pixels
from anonator.core.review.analysis import Analysis
from anonator.core.review.corrected import Corrected
from anonator.core.review.covered import covered
from anonator.core.review.cvat import from_cvat, to_cvat
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.lists import to_mot, to_redaction_list
from anonator.core.review.reviewed import apply
from anonator.core.review.tracks_file import create, read
from anonator.errors import ReviewError
from anonator.main import main

ANALYSIS = dataclasses.replace(analysis(), key=dataclasses.replace(analysis().key, width=1280, height=720))
EDITS = (
    Edit(1, Operation.ADD, None, (3 * STEP, 9 * STEP), ((3 * STEP, (700.0, 300.0, 760.0, 380.0)),)),
    Edit(2, Operation.LEAVE_VISIBLE, 1, (0, 20 * STEP), reason="=consent on file"),
    Edit(3, Operation.AREA, None, (0, FRAMES * STEP), ((0, (0.0, 680.0, 200.0, 720.0)),)),
)
BY_HAND = """<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <id>7</id>
      <name>Miller_Jane-1971-03-02.mp4</name>
      <size>60</size>
      <mode>interpolation</mode>
      <owner><username>ward7</username><email>ward7@example.org</email></owner>
      <original_size><width>1280</width><height>720</height></original_size>
    </task>
    <dumped>2026-11-26 10:00:00.000000+00:00</dumped>
  </meta>
  <track id="0" label="face" source="manual">
    <box frame="10" keyframe="1" outside="0" occluded="0" xtl="100.0" ytl="100.0" xbr="140.0" ybr="160.0"
         z_order="0"><attribute name="who">Jane</attribute></box>
    <box frame="20" keyframe="1" outside="0" occluded="1" xtl="200.0" ytl="100.0" xbr="240.0" ybr="160.0"
         z_order="0"></box>
    <box frame="21" keyframe="1" outside="1" occluded="0" xtl="200.0" ytl="100.0" xbr="240.0" ybr="160.0"
         z_order="0"></box>
    <box frame="40" keyframe="1" outside="0" occluded="0" xtl="300.0" ytl="300.0" xbr="340.0" ybr="320.0"
         rotation="90.0" z_order="0"></box>
  </track>
</annotations>
"""


def rectangles(given: Analysis, edits: tuple[Edit, ...] | list[Edit]) -> list[set[tuple[int, ...]]]:
    """What is black on each frame."""
    state, scale = Corrected(apply(edits, given), 1.5), 1.5
    return [
        set(covered_pixels(state.masks(pts, found).boxes, scale, 1280, 720))
        for pts, found in zip(given.pts, given.masks(), strict=True)
    ]


def test_a_round_trip_through_cvat_covers_the_same() -> None:
    bare = dataclasses.replace(ANALYSIS, tracks=())
    back = from_cvat("".join(to_cvat(ANALYSIS, EDITS)).encode(), bare, 1)
    there, again = covered(ANALYSIS, EDITS), covered(bare, back)
    for index, (one, other) in enumerate(zip(there, again, strict=True)):
        first, second = (np.array(sorted(each.values()), np.float32).reshape(-1, 4) for each in (one, other))
        assert len(first) == len(second), index
        np.testing.assert_allclose(first, second, atol=0.05)
    assert any(rectangles(bare, back))


def test_what_another_program_wrote_is_covered_where_it_says_and_nowhere_else() -> None:
    bare = dataclasses.replace(ANALYSIS, tracks=())
    edits = from_cvat(BY_HAND.encode(), bare, 5)
    assert [edit.number for edit in edits] == [5, 6]
    assert "Jane" not in repr(edits) and "Miller" not in repr(edits)
    black = rectangles(bare, edits)
    assert [i for i, each in enumerate(black) if each] == [*range(10, 21), *range(40, 60)]
    assert black[10] == {(100, 100, 140, 160)} and black[20] == {(200, 100, 240, 160)}
    assert black[15] == {(150, 100, 190, 160)}
    assert black[59] == {(310, 290, 330, 330)}  # turned by a quarter


def test_no_name_and_no_date_goes_out() -> None:
    text = "".join(to_cvat(ANALYSIS, EDITS))
    assert set(re.findall(r"<(\w+)", text)) == {
        "annotations", "version", "meta", "job", "size", "mode", "labels", "label", "name", "type",
        "original_size", "width", "height", "track", "box", "xml",
    } - {"xml"}  # fmt: skip
    assert re.findall("<name>(.+)</name>", text) == ["covered"]
    assert not re.search(r"20\d\d-", text)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not a file"),
        (b"<html></html>", "not a file"),
        (b"<annotations><track><box frame='1'/></track></annotations>", "not a file"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><annotations>&x;</annotations>', "document type"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotations/>', "document type"),
        (BY_HAND.replace('frame="40"', 'frame="60"').encode(), "longer video"),
        (BY_HAND.replace("1280", "1920").encode(), "another size"),
        (BY_HAND.replace('xbr="140.0"', 'xbr="90.0"').encode(), "no width"),
        (BY_HAND.replace('xbr="140.0"', 'xbr="nan"').encode(), "no width"),
        (b"<annotations><track><polygon frame='1'/></track></annotations>", "polygon"),
        (b"<annotations><image id='0'/></annotations>", "pictures"),
    ],
)  # fmt: skip
def test_other_files_are_refused_whole(content: bytes, says: str) -> None:
    with pytest.raises(ReviewError, match=says):
        from_cvat(content, ANALYSIS, 1)


def test_mot_has_a_line_for_every_place_of_every_frame() -> None:
    lines = [line.split(",") for line in to_mot(ANALYSIS, EDITS)]
    places = list(covered(ANALYSIS, EDITS))
    assert len(lines) == sum(map(len, places))
    frame, number, left, top, width, height, *rest = lines[0]
    assert (frame, number) == ("1", "1") and rest == ["1\n".strip(), "-1", "-1", "-1\n"]
    x1, y1, x2, y2 = next(iter(places[0].values()))
    given = np.array([[left, top, width, height]], float)
    np.testing.assert_allclose(given, [[x1, y1, x2 - x1, y2 - y1]], atol=0.01)
    assert box_ops.areas(given.astype(np.float32)).shape == (1,)


def test_the_list_says_what_is_covered_or_visible_why_and_by_whom() -> None:
    rows = list(csv.DictReader(io.StringIO(to_redaction_list(ANALYSIS, EDITS))))
    states = {(row["what"], row["state"], row["by"]) for row in rows}
    assert ("cover 1", "covered", "person") in states
    assert ("area 3", "covered", "person") in states
    assert ("face 0", "covered", "program") in states
    (visible,) = (row for row in rows if row["state"] == "visible")
    assert visible["reason"] == "'=consent on file", "a spreadsheet would compute it"
    drawn = next(row for row in rows if row["what"] == "cover 1")
    assert (drawn["from_seconds"], drawn["to_seconds"]) == ("0.120", "0.360")


def test_the_commands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = create(ANALYSIS, tmp_path / "kept")
    (tmp_path / "in.xml").write_text(BY_HAND)
    assert main(["tracks", "import", str(file), str(tmp_path / "in.xml")]) == 0
    assert len(read(file).edits) == 2
    for kind in ("cvat", "mot", "list"):
        assert main(["tracks", "export", str(file), str(tmp_path / kind), "--format", kind]) == 0
        assert (tmp_path / kind).stat().st_size > 200
    assert main(["tracks", "show", str(file)]) == 0
    told = capsys.readouterr()
    assert "60 frames of 1280x720" in told.out and "2 add" in told.out and "To check:" in told.out
    assert main(["tracks", "export", str(file), str(tmp_path / "mot")]) == 1
    assert main(["tracks", "show", str(tmp_path / "in.xml")]) == 1
    told = capsys.readouterr()
    assert (
        "exists already" in told.err and "not a file of tracks" in told.err and str(tmp_path) not in told.err
    )
