"""Kept reviews: a video's own is found again, and removing leaves signed and open ones alone."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from unit.review.review_helpers import analysis
from video_helpers import clip

from anonator.core.config import Settings
from anonator.core.reading.reader import VideoReader
from anonator.core.review import kept_reviews, tracks_file
from anonator.core.review.analysis import Analysis, Collector
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.kept_reviews import Standing, Unfinished
from anonator.core.review.tracks_file import TracksFile, create
from anonator.errors import ReviewError


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "reviews"
    monkeypatch.setattr(tracks_file, "state_folder", lambda: place)
    monkeypatch.setattr(kept_reviews, "state_folder", lambda: place)
    return place


def read_to_its_end(video: Path) -> Analysis:
    taken = Collector()
    with VideoReader(video) as reader:
        for frame in reader:
            taken.see(frame)
        return taken.finished(Settings(), "", reader.file_bytes)


def add(path: Path, *edits: Edit) -> None:
    with TracksFile(path) as file:
        for edit in edits:
            file.append(edit)


AREA = Edit(1, Operation.AREA, None, (0, 9000), ((0, (1.0, 2.0, 30.0, 40.0)),))
REPAIR = dataclasses.replace(AREA, operation=Operation.ADD, by_program=True)


def test_the_reviews_of_a_video_are_found_with_how_far_they_are(tmp_path: Path) -> None:
    video = clip(tmp_path / "a.mp4", seconds=20 / 25)
    other = clip(tmp_path / "b.mp4", seconds=30 / 25)
    kept = read_to_its_end(video)
    path = create(kept)
    create(read_to_its_end(other))
    assert kept_reviews.of_video(video) == [path]
    assert kept_reviews.standing(path) == Standing(0.0, begun=False, signed="")
    add(path, Edit(1, Operation.SEEN, None, (kept.pts[0], kept.pts[4])))
    assert kept_reviews.standing(path) == Standing(0.25, begun=True, signed="")
    add(path, Edit(2, Operation.SIGN, reason="AB"))
    assert kept_reviews.of_video(video) == [path]
    assert kept_reviews.standing(path).signed == "AB"
    with pytest.raises(ReviewError, match="read"):
        kept_reviews.of_video(tmp_path / "gone.mp4")


def test_a_video_of_the_same_length_with_other_times_is_another(tmp_path: Path) -> None:
    video = clip(tmp_path / "a.mp4", seconds=20 / 25)
    kept = read_to_its_end(video)
    base = dataclasses.replace(kept, key=dataclasses.replace(kept.key, time_base=(1, 7)))
    create(base)
    later = tuple(pts * 100 for pts in kept.pts)
    create(dataclasses.replace(kept, pts=later))
    assert kept_reviews.of_video(video) == []


def test_the_latest_comes_first_but_signed_ones_come_last(tmp_path: Path) -> None:
    video = clip(tmp_path / "a.mp4", seconds=20 / 25)
    paths = [create(read_to_its_end(video)) for _ in range(3)]
    for age, path in zip((20, 10, 30), paths, strict=True):
        os.utime(path, (1e9 - age, 1e9 - age))  # file systems don't tell moments apart
    assert kept_reviews.of_video(video) == [paths[1], paths[0], paths[2]]
    add(paths[2], Edit(1, Operation.SIGN, reason="AB"))
    os.utime(paths[2])
    assert kept_reviews.of_video(video) == [paths[1], paths[0], paths[2]]


def test_only_what_nobody_has_signed_is_unfinished(folder: Path) -> None:
    untouched, repaired, begun, signed, undone = (create(analysis()) for _ in range(5))
    add(repaired, REPAIR)
    add(begun, AREA)
    add(signed, AREA, Edit(2, Operation.SIGN, reason="AB"))
    undone_file = TracksFile(undone)
    undone_file.append(Edit(1, Operation.SIGN, reason="AB"))
    undone_file.append(Edit(2, Operation.UNDO, 1))
    undone_file.close()
    broken = folder / "broken.tracks"
    broken.write_bytes(b"nothing")
    (folder / ".anonator-1.tracks").write_bytes(b"")
    left = kept_reviews.unfinished()
    assert set(left.begun) == {begun, undone}
    assert set(left.untouched) == {untouched, repaired, broken}


def test_removing_leaves_signed_and_open_ones_alone(folder: Path) -> None:
    free, is_open, signed = (create(analysis()) for _ in range(3))
    add(signed, Edit(1, Operation.SIGN, reason="AB"))
    with TracksFile(is_open) as file:
        assert kept_reviews.unfinished() == Unfinished(untouched=(free,))
        assert kept_reviews.remove((free, is_open)) == 1
        file.append(AREA)
    assert sorted(folder.iterdir()) == sorted([is_open, signed])
    assert kept_reviews.remove([free]) == 0


def test_without_reviews_there_is_nothing(tmp_path: Path) -> None:
    assert kept_reviews.unfinished() == Unfinished((), ())
    assert kept_reviews.of_video(clip(tmp_path / "a.mp4", seconds=3 / 25)) == []
