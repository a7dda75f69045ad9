"""The page that a privacy officer reads: all in sentences, nothing loaded, no value as markup."""

from __future__ import annotations

import copy
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from anonator.core.checks.page_moments import REPAIRED, ROWS
from anonator.core.checks.report_page import NO_REPORT, NO_SECOND_LOOK, UNSEARCHED, to_html
from anonator.core.detection.spare import UNUSED
from anonator.core.wording import NOT_COVERED
from anonator.main import main

FACTS: dict[str, Any] = {
    "schema": "anonator-report",
    "schema_version": 3,
    "reviewed_by": "nobody yet",
    "program": {"name": "Anonator", "version": "1.2.3", "ffmpeg": {}, "second_ffmpeg": "FFmpeg n9"},
    "model": {
        "name": "RetinaNetMobileNetV1",
        "given_by_a_script": False,
        "weights_sha256": "5b97",
        "weights_checked_against": None,
        "weights_origin": None,
        "device": "CPU",
    },
    "settings": {
        "hipaa": True,
        "hipaa_waiver": "",
        "performance": "quality",
        "multi_pass": True,
        "orientations": True,
        "mode": "solid",
        "mask_scale": 1.5,
        "keep_audio": False,
        "lowest_score": 0.35,
    },
    "times": {
        "started": "2026-11-26T11:17:01+00:00",
        "finished": "2026-11-26T11:18:00+00:00",
        "seconds": 59.1,
    },
    "video": {
        "width": 480,
        "height": 270,
        "frames_per_second": 25.0,
        "codec_of_the_input": "h264",
        "audio": "removed",
    },
    "frames": {
        "decoded": 1200,
        "masked": 1200,
        "encoded": 1200,
        "verified": 1200,
        "with_masks": 1100,
        "replaced_by_black": 0,
    },
    "tracks": {"count": 5, "gaps_bridged": 201},
    "moments": [
        {"start_seconds": 12.0, "end_seconds": 13.5, "why": "bridged", "count": 2},
        {"start_seconds": 40.0, "end_seconds": 40.0, "why": "uncertain", "count": 1},
    ],
    "moments_left_out": 3,
    "scene_cuts_seconds": [],
    "verification": [
        {"check": "frames", "passed": True, "detail": "All 1,200 frames are there."},
        {"check": "second look", "passed": True, "detail": "No face was found again."},
    ],
    "repaired": [{"seconds": 3.2, "score": 0.6}],
    "warnings": ["The video is HDR."],
    "output": {"sha256": "ab12", "bytes": 1000},
    "input": {"recorded": False, "sha256": None},
}


class Seen(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.words += data + " "


def changed(**values: Any) -> dict[str, Any]:
    """The facts with some fields of their tables changed, such as settings={"mode": "blur"}."""
    facts = copy.deepcopy(FACTS)
    for name, value in values.items():
        if isinstance(value, dict):
            facts[name].update(value)
        else:
            facts[name] = value
    return facts


def words_of(**values: Any) -> str:
    return " ".join(Seen(to_html(changed(**values))).words.split())


def test_it_says_in_sentences_what_was_done_and_checked() -> None:
    words = words_of()
    for said in (
        "Anonator 1.2.3, HIPAA mode, 26 November 2026, 11:18 UTC. Reviewed by: nobody yet.",
        "Something was covered in 1,100 of 1,200 frames, also through 201 moments in which the face",
        "Faces were covered with solid black boxes, 1.5 times the size of the face.",
        "at least 0.35 (of 1) counted as a face. Performance mode: Quality.",
        "Sound: removed.",
        "Passed Completeness All 1,200 frames are there.",
        "Passed Second look No face was found again.",
        "The video is HDR.",
        "Original SHA-256 not recorded",
        "Name Role Date Signature",
        *UNSEARCHED,
    ):
        assert said in words, said


def test_it_names_the_moments_to_look_at_in_their_order() -> None:
    words = words_of()
    places = [
        words.index(said)
        for said in (
            f"0:03.2 {REPAIRED[0]}",
            "0:12.0 to 0:13.5 Faces were not detected for a while, 2 times",
            "0:40.0 Some",
        )
    ]
    assert places == sorted(places) and "3 more" in words
    assert "None stood out." in words_of(moments=[], repaired=[], moments_left_out=0)


def test_repairs_close_together_are_one_moment_and_crowd_no_other_out() -> None:
    """A failure means that a crowd's page is a list of one sentence, and longer than a page."""
    crowd = [{"seconds": at, "score": 0.6} for at in (9.0, 3.2, 3.3, 4.3, 5.4)]
    words = words_of(repaired=crowd)
    assert f"0:03.2 to 0:04.3 {REPAIRED[1].format(3)}" in words
    assert words.count(REPAIRED[0]) == 2 and "0:12.0 to 0:13.5" in words and "3 more" in words


def test_what_is_left_out_is_what_matters_least() -> None:
    moments = [
        {"start_seconds": at, "end_seconds": at + length, "why": why, "count": 1}
        for at, length, why in (
            *((2.0 * n, 0.5, "uncertain") for n in range(9)),
            *((60 + 2.0 * n, 0.4, "bridged") for n in range(3)),
        )
    ]
    words = words_of(moments=moments, moments_left_out=5)
    assert all(f"1:0{n}.0 to" in words for n in (0, 2, 4)) and f"{5 + 13 - ROWS} more" in words
    assert words.count("could hardly be recognized") == ROWS - 1 - 3


def test_it_says_what_standard_mode_leaves_out() -> None:
    words = words_of(
        settings={"hipaa": False, "mode": "blur", "keep_audio": True, "orientations": False},
        verification=FACTS["verification"][:1],
        video={"audio": "kept unchanged"},
    )
    for said in (
        "standard mode",
        "Faces were blurred",
        "upright picture only",
        f"Not done Second look {NO_SECOND_LOOK}",
        "nobody listened to it",
        NOT_COVERED,
    ):
        assert said in words, said
    assert "nobody listened" not in words_of()


def test_it_says_what_a_reviewer_saw_and_changed() -> None:
    review = {
        "signed_by": "A<B", "signed_at": "2026-11-26T10:00:00+00:00", "share_seen": 0.5, "covers_added": 2,
        "places_moved": 0, "areas_added": 1, "stops_found_right": 3, "covered_only": [],
        "left_visible": [{"start_seconds": 1.0, "end_seconds": 2.5, "track": 4, "reason": "not a face"}],
    }  # fmt: skip
    page = to_html({**FACTS, "review": review})
    for words in (
        "Signed by A&lt;B on", "50 % of the frames were shown", "2 covers were added.",
        "1 fixed area was added.",
        "3 stops at doubts were found right.", "Track 4 was left visible from 0:01.0 to 0:02.5: not a face.",
    ):  # fmt: skip
        assert words in page
    assert "Covers were moved" not in page
    assert to_html({**FACTS, "review": {**review, "signed_by": None}}) == to_html(FACTS)


def test_what_is_out_of_the_ordinary_is_said() -> None:
    assert "nothing was covered" in words_of(frames={"with_masks": 0})
    assert "The original has no sound." in words_of(video={"audio": "the original has no sound"})
    assert "3 frames were damaged" in words_of(frames={"replaced_by_black": 3})
    assert 'signed sentence: "I accept."' in words_of(settings={"hipaa_waiver": "I accept."})
    assert "a detector that a script gave" in words_of(
        model={"given_by_a_script": True, "weights_sha256": None}
    )
    assert "SHA-256 beef" in words_of(input={"recorded": True, "sha256": "beef"})


def test_what_was_not_needed_was_not_passed() -> None:
    """A failure means that a page says "Passed" of a check that nobody made."""
    facts = json.loads(json.dumps(FACTS))
    facts["verification"] = [each for each in facts["verification"] if each["check"] != "second look"]
    facts["not_needed"] = [{"check": "second look", "why": "No mask is smaller."}]
    words = " ".join(Seen(to_html(facts)).words.split())
    assert "Not needed Second look No mask is smaller." in words and NO_SECOND_LOOK not in words


def test_the_detector_of_a_result_made_from_tracks_is_the_one_that_found_them() -> None:
    said = words_of(model={"device": UNUSED, "weights_sha256": "5b97"})
    assert "weights SHA-256 5b97" in said and f"Device {UNUSED}" in said and "unknown" not in said


def test_it_is_complete_in_itself_and_loads_nothing() -> None:
    page = to_html(FACTS)
    seen = Seen(page)
    assert seen.open == []
    assert not {"script", "link", "img", "iframe", "object", "a", "form", "base"} & set(seen.tags)
    assert not {"src", "href", "onload", "srcset", "background"} & set(seen.attributes)
    assert not re.search(r"https?:|//|url\(|@import", page)
    assert "default-src 'none'" in page


def test_no_value_becomes_markup() -> None:
    """A failure means that a changed report can show what it likes, or run a script where it is opened."""
    evil = "<script>alert(1)</script>\"'><img src=x>"

    def poisoned(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: poisoned(each) for name, each in value.items()}
        if isinstance(value, list):
            return [poisoned(each) for each in value]
        return evil if isinstance(value, str) else value

    facts = poisoned(FACTS)
    facts["schema"], facts["times"] = FACTS["schema"], FACTS["times"]
    facts["settings"], facts["moments"] = FACTS["settings"], FACTS["moments"]
    page = to_html(facts)
    assert "alert(1)" in page and "<script" not in page and "<img" not in page
    assert set(Seen(page).tags) == set(Seen(to_html(FACTS)).tags)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"schema": "other"}, NO_REPORT),
        ({"schema_version": 2}, "another version"),
        ({"settings": None}, "damaged"),
        ({"settings": {"mode": "none"}}, "damaged"),
        ({"times": {"finished": "yesterday"}}, "damaged"),
        ({"frames": {"decoded": "many"}}, "damaged"),
        ({"moments": [{}]}, "damaged"),
    ],
    ids=str,
)
def test_what_is_no_report_of_this_version_is_refused(values: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        to_html(changed(**values))


# --- anonator report FILE.json


def test_the_command_makes_the_page_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a_anonymized_report.json"
    file.write_text(json.dumps(FACTS), "utf-8")
    assert main(["report", str(file)]) == 0
    page = file.with_suffix(".html")
    assert page.read_text("utf-8") == to_html(FACTS)
    assert capsys.readouterr().out == f"{page}\n"


def test_the_command_replaces_a_page_only_if_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, page = tmp_path / "a.json", tmp_path / "a.html"
    file.write_text(json.dumps(FACTS), "utf-8")
    page.write_text("signed")
    assert main(["report", str(file)]) == 1
    assert "--overwrite replaces it" in capsys.readouterr().err and page.read_text() == "signed"
    assert main(["report", str(file), "--overwrite"]) == 0
    assert page.read_text("utf-8") == to_html(FACTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "a.json"]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, None],
    ids=["empty", "list", "nothing said", "no text", "too deep", "missing"],
)
def test_the_command_says_what_is_wrong_with_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes | None
) -> None:
    file = tmp_path / "Mrs Miller.json"
    if content is not None:
        file.write_bytes(content)
    assert main(["report", str(file)]) == 1
    told = capsys.readouterr().err
    assert len(told.splitlines()) == 1 and "Miller" not in told
    assert ("cannot be read" if content is None else NO_REPORT) in told
    assert not list(tmp_path.glob("*.html"))
