"""Whole runs in the terminal over videos of one name: each has a result of its own, with its pixels."""

from __future__ import annotations

import io
import json
import os
import sys
import unicodedata
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from face_clips import decode_rgb
from video_helpers import FAST_X264, ffmpeg

from anonator import main as program
from anonator.core.wording import NO_FACE
from anonator.core.writing import leftovers

COLOURS = {"red": (200, 30, 30), "green": (30, 160, 30), "blue": (30, 30, 200), "grey": (120, 120, 120)}
FRAMES = {"red": 4, "green": 5, "blue": 6, "grey": 7}


def make(path: Path, colour: str) -> Path:
    """A clip that can be told from the others by its colour and by its number of frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shade = "0x" + "".join(f"{part:02x}" for part in COLOURS[colour])
    source = f"color=c={shade}:s=96x64:r=25:d={FRAMES[colour] / 25}"
    ffmpeg("-f", "lavfi", "-i", source, *FAST_X264, path)
    return path


def colour_of(path: Path) -> str:
    """Which of the clips a file shows, all of it."""
    frames = decode_rgb(path)
    shade = np.mean(frames, axis=(0, 1, 2))
    colour = min(COLOURS, key=lambda name: float(np.abs(shade - COLOURS[name]).max()))
    assert np.abs(shade - COLOURS[colour]).max() < 8, shade
    assert len(frames) == FRAMES[colour]
    return colour


class Terminal:
    """Runs the program in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self._capsys = capsys
        monkeypatch.setattr(program.logs, "set_up", lambda verbose: None)
        monkeypatch.setattr(leftovers, "sweep", lambda: None)

    def text(self, *args: object) -> tuple[int, str, str]:
        """The exit status, and what was said on both outputs."""
        options = ["--headless", *map(str, args), "--standard", "--performance", "maximum"]
        status = program.main(options)
        return status, *self._capsys.readouterr()

    def lines(self, *args: object) -> tuple[int, list[dict[str, Any]]]:
        """The exit status, and the lines of JSON."""
        status, out, _ = self.text(*args, "--json")
        return status, [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(capsys, monkeypatch)


def shown(folder: Path) -> dict[str, str]:
    """The colour of every video in a folder."""
    return {path.name: colour_of(path) for path in sorted(folder.glob("*.mp4"))}


def test_three_videos_of_one_name_give_three_results_every_time(terminal: Terminal, tmp_path: Path) -> None:
    """Failure would mean that finished results are destroyed by the run that made them."""
    make(Path("x/a.mp4"), "red"), make(Path("x/a.mov"), "green"), make(Path("y/a.mp4"), "blue")
    run = ("x/a.mp4", "x/a.mov", "y/a.mp4", "--overwrite", "--output-dir", "out", "--report")
    for _ in range(2):
        status, lines = terminal.lines(*run)
        assert status == 0
        assert [line["status"] for line in lines] == ["done"] * 3
        assert [Path(line["output"]).name for line in lines] == [
            "a_anonymized.mp4",
            "a_anonymized_2.mp4",
            "a_anonymized_3.mp4",
        ]
        assert shown(Path("out")) == {
            "a_anonymized.mp4": "red",
            "a_anonymized_2.mp4": "green",
            "a_anonymized_3.mp4": "blue",
        }
        first = Path("x/a.mp4")
        assert [line["notes"] for line in lines] == [
            [NO_FACE],
            [
                NO_FACE,
                f"The result is named a_anonymized_2.mp4, because a_anonymized.mp4 is the result of {first}.",
            ],
            [
                NO_FACE,
                f"The result is named a_anonymized_3.mp4, because a_anonymized.mp4 is the result of {first}.",
            ],
        ]
        for line in lines:
            report = json.loads(Path(line["report"]).read_text("utf-8"))
            assert report["output"]["bytes"] == Path(line["output"]).stat().st_size
            assert report["frames"]["encoded"] == line["frames"]
        assert len(list(Path("out").iterdir())) == 9, "each with its report and the report's page"
    # without --overwrite nothing is touched, and what would replace each is told
    before = {path: path.read_bytes() for path in Path("out").iterdir()}
    status, lines = terminal.lines(*(arg for arg in run if arg != "--overwrite"))
    assert status == 1 and [line["status"] for line in lines] == ["failed"] * 3
    assert {path: path.read_bytes() for path in Path("out").iterdir()} == before


def test_people_read_why_a_result_is_numbered(terminal: Terminal) -> None:
    make(Path("a.mp4"), "red"), make(Path("a.mkv"), "green")
    status, out, err = terminal.text("a.mp4", "a.mkv", "./a.mp4")
    assert (status, err) == (0, "Video 1 of 3: a.mp4\nVideo 2 of 3: a.mkv\n")
    assert out.count("Note: The result is named a_anonymized_2.mp4, because a_anonymized.mp4 is the") == 1
    assert "a.mp4: skipped. This is the same video as a.mp4, so it is done only once.\n" in out
    assert shown(Path(".")) == {"a.mp4": "red", "a_anonymized.mp4": "red", "a_anonymized_2.mp4": "green"}


@pytest.mark.parametrize("overwrite", [["--overwrite"], []], ids=["overwrite", "plain"])
def test_a_video_of_the_run_is_never_written_over(terminal: Terminal, overwrite: list[str]) -> None:
    """Failure would mean that an input is gone before it is read."""
    make(Path("a.mp4"), "red"), make(Path("a_anonymized.mp4"), "green")
    before = Path("a_anonymized.mp4").read_bytes()
    for order in (["a.mp4", "a_anonymized.mp4"], ["a_anonymized.mp4", "a.mp4"]):
        status, _ = terminal.lines(*order, *overwrite)
        assert Path("a_anonymized.mp4").read_bytes() == before
        assert shown(Path(".")) == {
            "a.mp4": "red",
            "a_anonymized.mp4": "green",
            "a_anonymized_2.mp4": "red",
            "a_anonymized_anonymized.mp4": "green",
        }
        assert status == (0 if overwrite or order[0] == "a.mp4" else 1), "the results are there already"


def test_names_that_some_disks_take_for_one(terminal: Terminal) -> None:
    sources = ["Ä.mp4", unicodedata.normalize("NFD", "Ä.mov"), "ä.MP4"]
    for name, colour in zip(sources, COLOURS, strict=False):
        make(Path(name), colour)
    if len(list(Path(".").iterdir())) < 3:
        pytest.skip("this disk takes them for one itself")
    status, lines = terminal.lines(*sources, "--output-dir", "out", "--overwrite")
    assert status == 0
    assert [colour_of(Path(line["output"])) for line in lines] == ["red", "green", "blue"]
    folded = {unicodedata.normalize("NFC", path.name).casefold() for path in Path("out").iterdir()}
    assert folded == {"ä_anonymized.mp4", "ä_anonymized_2.mp4", "ä_anonymized_3.mp4"}


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_and_other_paths_to_one_video(terminal: Terminal, tmp_path: Path) -> None:
    make(Path("x/a.mp4"), "red"), make(Path("x/a.mov"), "green")
    Path("z").symlink_to("x", target_is_directory=True)
    Path("x/b.mp4").symlink_to("a.mp4")
    os.link("x/a.mov", "x/a.avi")
    status, lines = terminal.lines(
        "x/a.mp4", "z/a.mp4", tmp_path / "x" / "a.mp4", "x/a.mov", "x/a.avi", "x/b.mp4", "--overwrite"
    )
    assert status == 0
    assert [line["status"] for line in lines] == ["done", "skipped", "skipped", "done", "skipped", "done"]
    assert [line.get("same_as") for line in lines] == [None, "x/a.mp4", "x/a.mp4", None, "x/a.mov", None]
    results = {name: colour for name, colour in shown(Path("x")).items() if "_anonymized" in name}
    assert results == {"a_anonymized.mp4": "red", "a_anonymized_2.mp4": "green", "b_anonymized.mp4": "red"}


def test_a_failed_video_keeps_its_name_free_for_its_next_try(terminal: Terminal) -> None:
    """The others' names do not move, so that a second run replaces each by its own."""
    make(Path("y/a.mp4"), "blue")
    Path("x").mkdir()
    Path("x/a.mp4").write_text("no video")
    status, lines = terminal.lines("x/a.mp4", "y/a.mp4", "--output-dir", "out")
    assert (status, [line["status"] for line in lines]) == (1, ["failed", "done"])
    assert shown(Path("out")) == {"a_anonymized_2.mp4": "blue"}
    make(Path("x/a.mp4"), "red")
    assert terminal.lines("x/a.mp4", "y/a.mp4", "--output-dir", "out", "--overwrite")[0] == 0
    assert shown(Path("out")) == {"a_anonymized.mp4": "red", "a_anonymized_2.mp4": "blue"}


def test_older_results_of_other_videos_stay(terminal: Terminal) -> None:
    make(Path("x/a.mp4"), "red"), make(Path("y/a.mp4"), "green")
    make(Path("out/a_anonymized.mp4"), "grey")
    status, lines = terminal.lines("x/a.mp4", "y/a.mp4", "--output-dir", "out")
    assert (status, [line["status"] for line in lines]) == (1, ["failed", "done"])
    assert "--overwrite replaces it." in lines[0]["error"]
    assert shown(Path("out")) == {"a_anonymized.mp4": "grey", "a_anonymized_2.mp4": "green"}


def test_random_names_do_not_meet(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    make(Path("x/jane.mp4"), "red"), make(Path("y/jane.mp4"), "green")
    make(Path("out/0000aaaa_anonymized.mp4"), "grey")
    drawn = iter(["0000aaaa", "1111bbbb", "1111bbbb", "2222cccc"])
    monkeypatch.setattr("anonator.core.job.secrets", SimpleNamespace(token_hex=lambda _bytes: next(drawn)))
    status, _ = terminal.lines(
        "x/jane.mp4", "y/jane.mp4", "--output-dir", "out", "--neutral-name", "--overwrite"
    )
    assert status == 0
    assert shown(Path("out")) == {
        "0000aaaa_anonymized.mp4": "grey",
        "1111bbbb_anonymized.mp4": "red",
        "2222cccc_anonymized.mp4": "green",
    }


@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_a_name_that_the_terminal_cannot_write_does_not_end_the_run(
    as_json: bool, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pipe of Western Windows knows no Japanese; the videos after that one were not done."""
    make(Path("日本.mp4"), "red"), make(Path("b.mp4"), "green")
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "cp1252"))
    options = ["--standard", "--performance", "maximum", *(["--json"] if as_json else [])]
    assert program.main(["--headless", "日本.mp4", "b.mp4", *options]) == 0
    said = written.getvalue().decode("utf-8")
    monkeypatch.undo()
    if as_json:
        assert [json.loads(line)["input"] for line in said.splitlines()] == ["日本.mp4", "b.mp4"]
    else:
        assert "日本.mp4: done" in said and "b.mp4: done" in said
