"""Rendering again: the same file without edits, exactly what edits ask for with them, and nobody looks."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from face_clips import decode_rgb
from unit.review.spot_clip import FRAMES, Spotter, Unasked, spot_clip
from unit.tracking.test_linking import random_scene
from unit.tracking.tracker_helpers import looks

import anonator
from anonator.command_line import build_parser, settings_from
from anonator.core.catalogue import SETTINGS
from anonator.core.config import DECIDED, Settings
from anonator.core.frames import TrackSummary
from anonator.core.job import JobResult
from anonator.core.review import tracks_file
from anonator.core.review.analysis import Collector
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.rendering import Rendering, settings_for
from anonator.core.review.tracks_file import TracksFile, read
from anonator.core.setting import Topic
from anonator.core.tracking import linking
from anonator.errors import HipaaLockError, ReviewError, SettingsError

HIPAA = Settings()
STANDARD = Settings.standard(report=True)
STEP = 512
"""PTS of one frame of the clip."""
WHOLE = (0, FRAMES * STEP)


class Kept:
    """A first run with its result and tracks, and renderings of it."""

    def __init__(self, folder: Path, settings: Settings, blind: range = range(0)) -> None:
        self.folder = folder
        self.video = spot_clip(folder / "in.mp4")
        self.file = folder / "kept"
        first = folder / "first.mp4"
        self.first = anonator.anonymize(
            self.video, first, settings=settings, detector=Spotter(blind), save_tracks=self.file
        )

    def edit(self, *edits: Edit) -> None:
        with TracksFile(self.file) as file:
            for edit in edits:
                file.append(edit)

    def again(self, detector: Spotter | None = None, **more: object) -> JobResult:
        return anonator.anonymize(
            more.pop("video", self.video),  # type: ignore[arg-type]
            self.folder / "again.mp4",
            tracks=self.file,
            detector=detector or Unasked(),
            overwrite=True,
            **more,  # type: ignore[arg-type]
        )

    def pictures(self, result: JobResult) -> np.ndarray:
        return np.stack(decode_rgb(result.target)).astype(int)


@pytest.fixture(scope="module")
def standard_run(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("standard"), STANDARD)


@pytest.fixture(scope="module")
def hipaa_run(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    return Kept(tmp_path_factory.mktemp("hipaa"), HIPAA)


@pytest.fixture
def standard(standard_run: Kept, tmp_path: Path) -> Kept:
    return fresh(standard_run, tmp_path)


@pytest.fixture
def hipaa(hipaa_run: Kept, tmp_path: Path) -> Kept:
    return fresh(hipaa_run, tmp_path)


def fresh(run: Kept, folder: Path) -> Kept:
    """The same run, its tracks not yet edited."""
    shutil.copy(run.file, folder / "kept")
    copy = object.__new__(Kept)
    copy.__dict__.update(run.__dict__, folder=folder, file=folder / "kept")
    return copy


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("mode", ["hipaa", "standard"])
def test_without_edits_every_pixel_is_the_first_run_s_and_nobody_looks(
    mode: str, request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    kept: Kept = request.getfixturevalue(mode)
    result = kept.again()
    np.testing.assert_array_equal(kept.pictures(result), kept.pictures(kept.first))
    assert "no detector was loaded" in caplog.text
    assert (result.tracks, result.masked_frames) == (kept.first.tracks, kept.first.masked_frames) == (2, 60)
    assert result.gaps_bridged == kept.first.gaps_bridged
    first, again = (json.loads(r.report.read_text("utf-8")) for r in (kept.first, result) if r.report)
    assert first["tracks"] == again["tracks"]
    assert first["reviewed_by"] == again["reviewed_by"] == "nobody yet"
    assert first["model"]["given_by_a_script"] and again["model"]["given_by_a_script"]
    assert "review" not in first and again["review"]["left_visible"] == []


@pytest.mark.parametrize("seed", range(20))
def test_tracks_are_summed_up_as_by_the_first_run(monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    """Also those that no sighting made sure, which may count where a scene ends."""
    monkeypatch.setattr(linking, "LARGE", 20)
    rng = np.random.default_rng(seed)
    frames = int(rng.integers(5, 60))
    cuts = sorted({0, *rng.integers(0, frames, 3).tolist()})
    tracker, taken = linking.Tracker(Settings()), Collector()
    stream = looks(random_scene(rng, frames, 64), frames=frames, cuts=cuts, turned_every=2)
    for frame, _ in tracker.run(stream, taken.hear):
        taken.see(frame)
    rendering = Rendering(tracks_file.Kept(taken.finished(Settings(), "", 1), ()), Settings())

    def told(summaries: list[TrackSummary]) -> list[tuple[float, float, int, float]]:
        return sorted((s.first_seconds, s.last_seconds, s.sightings, s.lowest_score) for s in summaries)

    assert told(rendering.summaries()) == told(tracker.summaries)


@pytest.mark.slow
def test_what_the_second_look_covered_is_covered_on_the_same_frames(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = Kept(tmp_path, HIPAA, blind=range(30, 60))
    assert any("wider masks" in note for note in kept.first.notes)
    repairs = read(kept.file).edits
    assert repairs and all(edit.by_program for edit in repairs)
    caplog.clear()
    np.testing.assert_array_equal(kept.pictures(kept.again()), kept.pictures(kept.first))
    assert "no detector was loaded" in caplog.text
    with pytest.raises(ReviewError, match="second look saw a face"):
        kept.edit(Edit(9, Operation.UNDO, 1))


def test_a_drawn_box_is_black_in_exactly_its_frames_and_all_else_is_as_it_was(hipaa: Kept) -> None:
    box = (130.0, 20.0, 160.0, 50.0)
    hipaa.edit(Edit(1, Operation.ADD, None, (20 * STEP, 29 * STEP), ((20 * STEP, box),)))
    before, after = hipaa.pictures(hipaa.first), hipaa.pictures(hipaa.again())
    black = after[:, 22:48, 132:158].max((1, 2, 3)) < 24
    assert np.flatnonzero(black).tolist() == list(range(20, 30))
    after[:, 20:50, 130:160] = before[:, 20:50, 130:160]
    assert np.abs(after - before).mean() < 0.5 and np.percentile(np.abs(after - before), 99.9) < 12


def test_what_stays_visible_under_the_lock_has_a_reason_in_the_report_and_the_second_look_knows_it(
    hipaa: Kept, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ReviewError, match="why"):
        hipaa.edit(Edit(1, Operation.LEAVE_VISIBLE, 0, WHOLE))
    track = next(t.id for t in read(hipaa.file).analysis.tracks if t.sightings[0].frame == 10)
    hipaa.edit(
        Edit(1, Operation.LEAVE_VISIBLE, track, WHOLE, reason="consent on file"),
        Edit(2, Operation.SEEN, None, (0, 29 * STEP), reason="2x"),
        Edit(3, Operation.SIGN, reason="AB"),
    )
    looking = Spotter()
    result = hipaa.again(looking)
    assert looking.pictures > 3 and "the second look ran" in caplog.text
    pictures = hipaa.pictures(result)
    assert pictures[15:45, 70:90, 70:90].min() > 180
    assert pictures[:, 60:100, 190:228].max() < 24
    assert result.report and result.reviewed_by == "AB"
    report = json.loads(result.report.read_text("utf-8"))
    assert report["reviewed_by"] == "AB" and report["review"]["signed_at"].endswith("+00:00")
    assert report["review"]["share_seen"] == 0.5 and report["review"]["seen_how"] == {"2x": 0.5}
    (visible,) = report["review"]["left_visible"]
    assert visible["reason"] == "consent on file"


def test_a_face_that_comes_to_light_is_covered_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path, dataclasses.replace(HIPAA, areas=("180,50,60,60",)), blind=range(60))
    assert kept.first.tracks == 1
    result = kept.again(Spotter(), settings=HIPAA)
    assert kept.pictures(result)[:, 66:94, 194:222].max() < 24
    assert any("wider masks" in note for note in result.notes)


@pytest.mark.parametrize("change", ["shorter", "longer", "bytes"])
def test_another_video_is_refused_and_leaves_nothing(standard: Kept, change: str) -> None:
    other = standard.folder / "other.mp4"
    spot_clip(other, frames={"shorter": 59, "longer": 61}.get(change, FRAMES))
    size = standard.video.stat().st_size + (change == "bytes")
    content = other.read_bytes()
    box = size - len(content)
    # a box that players skip makes the length of the file the same
    other.write_bytes(content + max(box, 8).to_bytes(4, "big") + b"free" + bytes(max(box, 8) - 8))
    if change == "shorter":
        assert other.stat().st_size == size
    with pytest.raises(ReviewError, match="another video"):
        standard.again(video=other)
    assert sorted(p.name for p in standard.folder.iterdir()) == ["kept", "other.mp4"]


def test_a_changed_edit_is_not_left_out_in_silence(standard: Kept) -> None:
    standard.edit(Edit(1, Operation.AREA, None, WHOLE, ((0, (1.5, 2.0, 30.0, 40.0)),)))
    standard.file.write_bytes(standard.file.read_bytes().replace(b"1.5,2.0,30.0", b"1.5,2.0,20.0"))
    with pytest.raises(ReviewError, match="was changed"):
        standard.again()


def test_masks_may_get_larger_and_areas_more_without_a_look(hipaa: Kept) -> None:
    settings = dataclasses.replace(HIPAA, mask_scale=2.0, areas=("0,0,32,32",))
    pictures = hipaa.pictures(hipaa.again(settings=settings))
    assert pictures[:, 50:110, 178:238].max() < 24 and pictures[:, 2:30, 2:30].max() < 24


def test_smaller_masks_are_looked_at_again(tmp_path: Path) -> None:
    kept = Kept(tmp_path, dataclasses.replace(HIPAA, mask_scale=2.0))
    looking = Spotter()
    kept.again(looking, settings=HIPAA)
    assert looking.pictures == 6 + 1  # every tenth frame, and the last one


def test_tracks_found_without_the_lock_are_refused_under_it(standard: Kept) -> None:
    with pytest.raises(HipaaLockError, match="without the HIPAA lock"):
        standard.again(settings=HIPAA)
    args = build_parser().parse_args(["--headless", "--from-tracks", "t", "v.mp4"])
    with pytest.raises(HipaaLockError, match="--standard"):
        settings_from(args, None, STANDARD)


def test_what_was_found_cannot_be_asked_for_otherwise(standard: Kept) -> None:
    args = build_parser().parse_args(["--headless", "--from-tracks", "t", "--threshold", "0.3", "v.mp4"])
    with pytest.raises(SettingsError, match="--threshold decides"):
        settings_from(args, None, HIPAA)
    finding = {n.partition(".")[0] for n, s in SETTINGS.items() if s.declared.topic is Topic.FINDING}
    assert finding <= set(DECIDED), "a setting that decides what is found belongs to DECIDED"
    changed = dataclasses.replace(STANDARD, threshold=0.8, mode="blur")
    assert settings_for(STANDARD, changed) == dataclasses.replace(STANDARD, mode="blur")


def test_a_job_either_makes_tracks_or_uses_them(standard: Kept) -> None:
    with pytest.raises(SettingsError, match="either"):
        standard.again(save_tracks=standard.folder / "new")


def test_nothing_is_kept_unasked_and_a_failed_job_keeps_nothing(tmp_path: Path) -> None:
    video = spot_clip(tmp_path / "in.mp4")
    anonator.anonymize(video, tmp_path / "out.mp4", settings=STANDARD, detector=Spotter())
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "in.mp4",
        "out.mp4",
        "out_report.html",
        "out_report.json",
    ]
    with pytest.raises(anonator.errors.OutputError):
        anonator.anonymize(
            video, tmp_path / "out.mp4", settings=STANDARD, detector=Spotter(), save_tracks=tmp_path / "t"
        )
    assert not (tmp_path / "t").exists()
