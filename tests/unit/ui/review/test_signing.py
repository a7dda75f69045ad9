"""Signing: the new file takes the place of the result, or everything stays as it was."""

from __future__ import annotations

import dataclasses
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_clips import FaceClip, moving_face
from patience import PATIENCE
from unit.review.review_helpers import STEP
from unit.ui.review.test_session import ANALYSIS
from video_helpers import decoded

import anonator
from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job, JobResult
from anonator.core.job_thread import VideoProcessor
from anonator.core.review import tracks_file
from anonator.core.review.edits import Edit, Operation
from anonator.core.review.rendering import Rendering
from anonator.errors import ReviewError
from anonator.ui import review_files
from anonator.ui.review.session import ReviewSession
from anonator.ui.review.signing import Signed, Signing

BOX = (8.0, 6.0, 72.0, 54.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> FaceClip:
    return moving_face(tmp_path_factory.mktemp("clip") / "walk.mp4", astronaut, frames=25, speed=2, half=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, clip: FaceClip, detectors: DetectorCache) -> Path:
    """A folder with the result, its reports and the tracks of one job."""
    folder = tmp_path_factory.mktemp("made")
    settings = Settings(performance=Performance.QUALITY)
    job = Job(clip.path, folder / "out.mp4", settings, save_tracks=folder / "a.tracks")
    VideoProcessor(job, detectors=detectors).run()
    return folder


@pytest.fixture
def reviewed(tmp_path: Path, clip: FaceClip, made: Path, monkeypatch: pytest.MonkeyPatch) -> ReviewSession:
    monkeypatch.setattr(tracks_file, "state_folder", lambda: tmp_path / "state")
    monkeypatch.setattr("anonator.ui.review.signing.state_folder", lambda: tmp_path / "state")
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    session = ReviewSession(clip.path, tmp_path / "a.tracks")
    session.prepared(session.prepare()())
    return session


def ended(signing: Signing, meanwhile: Callable[[], object] = lambda: None) -> Signed:
    limit = time.monotonic() + 3 * PATIENCE
    while (outcome := signing.poll()) is None:
        assert time.monotonic() < limit
        meanwhile()
        time.sleep(0.02)
    return outcome


@pytest.mark.slow
def test_the_result_is_replaced_and_the_review_signed(
    tmp_path: Path, reviewed: ReviewSession, detectors: DetectorCache
) -> None:
    pts = reviewed.analysis.pts
    reviewed.draw(pts[10], BOX)
    reviewed.saw((pts[0], pts[-1]), "1x")

    def make(job: Job, on_progress: Callable[..., None], on_preview: Callable[..., None]) -> VideoProcessor:
        return VideoProcessor(job, detectors=detectors, on_progress=on_progress, on_preview=on_preview)

    outcome = ended(Signing(reviewed, tmp_path / "out.mp4", " AB ", make))
    assert isinstance(outcome.result, JobResult) and outcome.result.reviewed_by == "AB"
    assert reviewed.state.signed == "AB"
    with pytest.raises(ReviewError, match="signed"):
        reviewed.draw(pts[3], BOX)
    x1, y1, x2, y2 = map(int, BOX)
    key = reviewed.analysis.key
    frames = decoded(tmp_path / "out.mp4", (key.width, key.height))
    black = [luma[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].mean() < 20 for luma, _, _ in frames]
    assert black[10] and not black[9] and not black[11]
    assert not list((tmp_path / "state").iterdir()), "the copy is gone"
    report = (tmp_path / "out_report.json").read_text()
    assert '"signed_by": "AB"' in report and '"share_seen": 1.0' in report
    reviewed.close()
    assert tracks_file.read(tmp_path / "a.tracks").edits[-1].reason == "AB"


@pytest.mark.slow
def test_a_signature_that_a_kill_left_half_done_is_completed_or_told(
    tmp_path: Path, reviewed: ReviewSession, clip: FaceClip, detectors: DetectorCache
) -> None:
    """The file bore initials, and its review was open for ever."""
    tracks, result = tmp_path / "a.tracks", tmp_path / "out.mp4"
    reviewed.draw(reviewed.analysis.pts[10], BOX)
    before = tracks.read_bytes()

    def make(job: Job, *_: Callable[..., None]) -> VideoProcessor:
        return VideoProcessor(job, detectors=detectors)

    assert ended(Signing(reviewed, result, "AB", make)).result is not None
    reviewed.close()
    tracks.write_bytes(before)  # as a kill leaves it between the names of the files and the signature
    again = review_files.opened(clip.path, tracks, result)
    assert again.session is None and again.signed == "AB"
    kept = tracks_file.read(tracks).edits[-1]
    assert (kept.operation, kept.reason) == (Operation.SIGN, "AB") and kept.at
    tracks.write_bytes(before)
    other = ReviewSession(clip.path, tracks)
    other.draw(other.analysis.pts[3], BOX)
    other.close()
    told = review_files.opened(clip.path, tracks, result)
    assert told.session is not None and "signed by AB, but not from this review" in told.note
    told.session.close()
    result.with_name("out_report.json").unlink()
    silent = review_files.opened(clip.path, tracks, result)
    assert silent.session is not None and silent.note == ""
    silent.session.close()


@pytest.mark.slow
def test_a_signature_is_completed_from_a_report_in_a_folder_of_its_own(
    tmp_path: Path, reviewed: ReviewSession, clip: FaceClip, detectors: DetectorCache
) -> None:
    tracks, result, reports = tmp_path / "a.tracks", tmp_path / "out.mp4", tmp_path / "reports"
    reports.mkdir()
    before = tracks.read_bytes()

    def make(job: Job, *_: Callable[..., None]) -> VideoProcessor:
        return VideoProcessor(dataclasses.replace(job, report_folder=reports), detectors=detectors)

    assert ended(Signing(reviewed, result, "AB", make)).result is not None
    reviewed.close()
    tracks.write_bytes(before)
    assert (reports / "out_report.json").exists() and not result.with_name("out_report.json").exists()
    again = review_files.opened(clip.path, tracks, result, reports)
    assert again.session is None and again.signed == "AB"


def test_a_new_review_of_a_signed_one_has_its_changes_and_nothing_that_was_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracks_file, "state_folder", lambda: tmp_path / "state")
    path = tracks_file.create(ANALYSIS, tmp_path / "signed.tracks")
    session = ReviewSession(tmp_path / "visit.mp4", path)
    session.prepared(session.prepare()())
    session.assessed(session.assessor()())
    session.saw((0, 10 * STEP), "1x")
    kept = session.draw(20 * STEP, BOX)
    session.draw(30 * STEP, BOX)
    session.undo()
    card = session.doubts()[0]
    session.right(card, card.stops[0])
    session.undo()
    session.sign(Edit(99, Operation.SIGN, reason="AB"))
    session.close()
    new = ReviewSession(tmp_path / "visit.mp4", review_files.begun_anew(path, "AB").tracks)
    assert {id for id, _ in new.state.added} == {kept} and not new.state.signed
    assert not new.state.seen and not new.state.right and not new.state.judged
    new.undo()
    assert not new.state.added, "its changes can still be undone"
    new.close()
    assert tracks_file.read(path).edits[-1].operation is Operation.SIGN, "the signed one stays"


@pytest.mark.slow
def test_a_cancelled_or_failed_signature_leaves_everything(
    tmp_path: Path, reviewed: ReviewSession, detectors: DetectorCache
) -> None:
    before, edits = (tmp_path / "out.mp4").read_bytes(), list(reviewed.edits)

    def make(job: Job, on_progress: Callable[..., None], on_preview: Callable[..., None]) -> VideoProcessor:
        return VideoProcessor(job, detectors=detectors, on_progress=on_progress)

    signing = Signing(reviewed, tmp_path / "out.mp4", "AB", make)
    signing.cancel()
    assert ended(signing).cancelled

    def of_another(job: Job, *rest: Callable[..., None]) -> VideoProcessor:
        return make(Job(tmp_path / "gone.mp4", job.target, job.settings, True, job.tracks), *rest)

    outcome = ended(Signing(reviewed, tmp_path / "out.mp4", "AB", of_another))
    assert isinstance(outcome.error, anonator.errors.AnonatorError)
    assert (tmp_path / "out.mp4").read_bytes() == before and list(reviewed.edits) == edits
    assert not list((tmp_path / "state").iterdir())
    reviewed.draw(reviewed.analysis.pts[3], BOX)  # the review goes on


@pytest.mark.slow
def test_what_the_second_look_covers_meanwhile_is_in_the_tracks_afterwards(
    tmp_path: Path, reviewed: ReviewSession, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    pts = reviewed.analysis.pts
    faces = [track.id for track in reviewed.analysis.tracks]
    reviewed.leave_visible(faces, (pts[0], pts[4]), "consent on file")
    compare = Rendering._compare

    def forgetting(rendering: Rendering, *frame: Any) -> None:
        compare(rendering, *frame)
        rendering.shown = {}  # so the second look does not know that the face may be seen

    monkeypatch.setattr(Rendering, "_compare", forgetting)

    def make(job: Job, *_: Callable[..., None]) -> VideoProcessor:
        return VideoProcessor(job, detectors=detectors)

    outcome = ended(Signing(reviewed, tmp_path / "out.mp4", "AB", make))
    assert outcome.result is not None and outcome.result.covered_more
    own = [edit for edit in reviewed.edits if edit.by_program]
    assert [(edit.span, edit.boxes[0][1]) for edit in own] == list(outcome.result.covered_more)
    assert reviewed.state.signed == "AB" and reviewed.edits[-1].operation is Operation.SIGN
    assert len(reviewed.masks(2)), "the review shows what the file shows"
    reviewed.close()
    assert tracks_file.read(tmp_path / "a.tracks").problem == ""


@pytest.mark.slow
def test_without_initials_nothing_begins(tmp_path: Path, reviewed: ReviewSession) -> None:
    with pytest.raises(ReviewError, match="initials"):
        Signing(reviewed, tmp_path / "out.mp4", " ", lambda *_: pytest.fail("no job"))


@pytest.mark.slow
def test_a_signature_that_the_review_cannot_note_is_told_once(
    tmp_path: Path, reviewed: ReviewSession, detectors: DetectorCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking what came of it raised, again and again."""

    def make(job: Job, *_: Callable[..., None]) -> VideoProcessor:
        return VideoProcessor(job, detectors=detectors)

    def full(*_: object) -> None:
        raise ReviewError("The edit could not be saved. Is the disk full?")

    with monkeypatch.context() as disk:
        disk.setattr(tracks_file.TracksFile, "append", full)
        outcome = ended(Signing(reviewed, tmp_path / "out.mp4", "AB", make))
    assert outcome.result is not None and "disk full" in str(outcome.error)
    assert not reviewed.state.signed and not list((tmp_path / "state").iterdir())
    outcome = ended(Signing(reviewed, tmp_path / "out.mp4", "AB", make))
    assert outcome.error is None and reviewed.state.signed == "AB"
    reviewed.close()
