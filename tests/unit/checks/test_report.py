"""The audit report tells what happened, in figures that agree with the files, and names nobody."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from face_clips import FaceClip, decode_rgb, moving_face

from anonator.core.checks import old_report
from anonator.core.checks.report_page import CHECKS, to_html
from anonator.core.config import Mode, Model, Performance, Settings
from anonator.core.detection import weights
from anonator.core.detection.cache import DetectorCache
from anonator.core.finishing import NO_REPORT
from anonator.core.job import Job, JobResult, report_target
from anonator.core.job_thread import VideoProcessor
from anonator.core.preflight import NO_FOLDER
from anonator.core.wording import NO_FACE
from anonator.core.writing.partial_file import TemporaryFile
from anonator.errors import OutputError, OutputExistsError

TELLING = "Mrs-Miller-1971"


@pytest.fixture(scope="module")
def done(
    tmp_path_factory: pytest.TempPathFactory, small_face_clip: FaceClip, detectors: DetectorCache
) -> tuple[JobResult, Path, dict[str, object]]:
    """A HIPAA job with a telling name: its result, its input and its report."""
    folder = tmp_path_factory.mktemp(TELLING)
    source = folder / f"{TELLING}.mp4"
    source.write_bytes(small_face_clip.path.read_bytes())
    result = VideoProcessor(
        Job(source, folder / f"{TELLING}_anonymized.mp4", Settings()), detectors=detectors
    ).run()
    assert result.report is not None
    return result, source, json.loads(result.report.read_text("utf-8"))


def test_it_lies_beside_the_result(done: tuple[JobResult, Path, dict[str, object]]) -> None:
    result, _, audit = done
    assert result.report == result.target.with_name(f"{TELLING}_anonymized_report.json")
    assert (audit["schema"], audit["schema_version"]) == ("anonator-report", 3)
    assert audit["reviewed_by"] == "nobody yet"


def test_its_figures_are_those_of_the_file(done: tuple[JobResult, Path, dict[str, object]]) -> None:
    result, _, audit = done
    content = result.target.read_bytes()
    assert audit["output"] == {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    pictures = decode_rgb(result.target)
    frames = dict.fromkeys(("decoded", "masked", "encoded", "verified"), len(pictures))
    assert audit["frames"] == {**frames, "with_masks": 12, "replaced_by_black": 0}
    assert audit["tracks"] == {"count": 1, "gaps_bridged": 0}
    assert (audit["moments"], audit["moments_left_out"]) == ([], 0)
    assert audit["scene_cuts_seconds"] == []
    names = [check["check"] for check in audit["verification"]]  # type: ignore[attr-defined]
    expected = ["frames", "contents", "second look", "second detector", "playback"]
    assert names == expected, "another check? name it here, too"
    assert names == list(CHECKS), "what does the report's page call it?"
    assert audit["near_misses"] == []
    assert [check["detail"] for check in audit["verification"]] == list(result.checks)  # type: ignore[attr-defined]


def test_it_says_what_worked_and_with_what(done: tuple[JobResult, Path, dict[str, object]]) -> None:
    _, _, audit = done
    model = audit["model"]
    assert model["name"] == "RetinaNetMobileNetV1"  # type: ignore[index]
    bundled = weights.find(Model.MOBILENET)
    assert model["weights_sha256"] == bundled.sha256 == hashlib.sha256(bundled.path.read_bytes()).hexdigest()  # type: ignore[index]
    settings = audit["settings"]
    assert settings["hipaa"] is True and settings["mode"] == "solid" and settings["mask_scale"] == 1.5  # type: ignore[index]
    assert settings["damaged_frames_limit"] == 0  # type: ignore[index]
    assert settings["tracking"]["bridge_seconds"] == 1.0  # type: ignore[index]
    times = audit["times"]
    started = datetime.datetime.fromisoformat(times["started"])  # type: ignore[index]
    finished = datetime.datetime.fromisoformat(times["finished"])  # type: ignore[index]
    assert started <= finished and started.tzinfo is not None
    assert set(audit["program"]["ffmpeg"]) >= {"libavcodec", "libavformat"}  # type: ignore[index]
    assert "FFmpeg" in audit["program"]["second_ffmpeg"]  # type: ignore[index]


def test_it_names_nobody(done: tuple[JobResult, Path, dict[str, object]]) -> None:
    """A failure means that a report tells whose video it was."""
    result, source, audit = done
    assert result.report is not None
    assert result.report_page is not None
    text = result.report.read_text("utf-8") + result.report_page.read_text("utf-8")
    for word in (TELLING, "Miller", source.name, str(source.parent)):
        assert word not in text
    assert audit["input"] == {"recorded": False, "sha256": None}
    assert hashlib.sha256(source.read_bytes()).hexdigest() not in text


def test_the_inputs_hash_is_there_where_it_was_asked_for(
    tmp_path: Path, small_face_clip: FaceClip, detectors: DetectorCache
) -> None:
    settings = Settings.standard(report=True, hash_input=True, performance=Performance.MAXIMUM)
    VideoProcessor(Job(small_face_clip.path, tmp_path / "out.mp4", settings), detectors=detectors).run()
    audit = json.loads((tmp_path / "out_report.json").read_text("utf-8"))
    digest = hashlib.sha256(small_face_clip.path.read_bytes()).hexdigest()
    assert audit["input"] == {"recorded": True, "sha256": digest}
    names = [check["check"] for check in audit["verification"]]
    assert names == ["frames", "contents", "second detector", "playback"]


def test_standard_mode_writes_one_only_if_asked(
    tmp_path: Path, small_face_clip: FaceClip, detectors: DetectorCache
) -> None:
    settings = Settings.standard(mode=Mode.MOSAIC, performance=Performance.MAXIMUM)
    result = VideoProcessor(
        Job(small_face_clip.path, tmp_path / "out.mp4", settings), detectors=detectors
    ).run()
    assert result.report is None
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


@pytest.mark.parametrize("stuck", [False, True])
def test_a_replaced_result_leaves_no_report_of_the_one_before(
    tmp_path: Path,
    small_face_clip: FaceClip,
    detectors: DetectorCache,
    done: tuple[JobResult, Path, dict[str, object]],
    monkeypatch: pytest.MonkeyPatch,
    stuck: bool,
) -> None:
    """A failure means that a report of HIPAA mode lies beside a result that was made without it."""
    first = done[0]
    assert first.report is not None and first.report_page is not None
    job = Job(
        small_face_clip.path,
        tmp_path / "out.mp4",
        Settings.standard(performance=Performance.MAXIMUM),
        overwrite=True,
    )
    job.target.write_bytes(b"old")
    job.report_target.write_bytes(first.report.read_bytes())
    job.page_target.write_bytes(first.report_page.read_bytes())
    if stuck:
        monkeypatch.setattr(Path, "unlink", _refuse)
    result = VideoProcessor(job, detectors=detectors).run()
    monkeypatch.undo()
    kept = {job.report_target, job.page_target} if stuck else set()
    assert set(tmp_path.iterdir()) == {job.target} | kept
    assert (old_report.KEPT in result.notes) == stuck


def _refuse(self: Path, *, missing_ok: bool = False) -> None:
    if self.name.startswith("out_report"):
        raise PermissionError("no")
    os.unlink(self)


def test_another_file_of_the_report_s_name_is_not_removed(
    tmp_path: Path, small_face_clip: FaceClip, detectors: DetectorCache
) -> None:
    settings = Settings.standard(performance=Performance.MAXIMUM)
    job = Job(small_face_clip.path, tmp_path / "out.mp4", settings, overwrite=True)
    for paper in (job.report_target, job.page_target):
        paper.write_text("precious")
    result = VideoProcessor(job, detectors=detectors).run()
    assert job.report_target.read_text() == job.page_target.read_text() == "precious"
    assert old_report.KEPT not in result.notes


def test_its_page_is_made_of_it(done: tuple[JobResult, Path, dict[str, object]]) -> None:
    result, _, audit = done
    assert result.report_page == result.target.with_name(f"{TELLING}_anonymized_report.html")
    assert result.report_page.read_text("utf-8") == to_html(audit)


@pytest.mark.slow
def test_it_can_go_to_a_folder_of_its_own(
    tmp_path: Path,
    small_face_clip: FaceClip,
    detectors: DetectorCache,
    done: tuple[JobResult, Path, dict[str, object]],
) -> None:
    reports, results = tmp_path / "audit", tmp_path / "results"
    results.mkdir()
    target = results / "out.mp4"
    job = Job(small_face_clip.path, target, Settings(), overwrite=True, report_folder=reports)
    with pytest.raises(OutputError, match=re.escape(NO_FOLDER)):
        VideoProcessor(job, detectors=detectors).run()
    assert not list(results.iterdir()) and not reports.exists()
    reports.mkdir()
    old = report_target(target)  # of an earlier result, from before the folder was chosen
    assert done[0].report is not None
    old.write_bytes(done[0].report.read_bytes())
    result = VideoProcessor(job, detectors=detectors).run()
    assert list(results.iterdir()) == [target], "the replaced result's report is gone"
    assert {path.name for path in reports.iterdir()} == {"out_report.json", "out_report.html"}
    assert (result.report, result.report_page) == (job.report_target, job.page_target)
    assert str(tmp_path) not in job.report_target.read_text("utf-8") + job.page_target.read_text("utf-8")
    with pytest.raises(OutputExistsError):
        VideoProcessor(dataclasses.replace(job, overwrite=False), detectors=detectors).run()


@pytest.mark.parametrize("own", [False, True])
def test_in_a_folder_for_all_only_the_report_of_the_replaced_result_is_removed(
    tmp_path: Path,
    small_face_clip: FaceClip,
    detectors: DetectorCache,
    done: tuple[JobResult, Path, dict[str, object]],
    own: bool,
) -> None:
    """A failure means that another patient's report is deleted."""
    reports, target = tmp_path / "audit", tmp_path / "out.mp4"
    reports.mkdir()
    earlier, settings = done[0], Settings.standard(performance=Performance.MAXIMUM)
    assert earlier.report is not None and earlier.report_page is not None and not settings.report
    job = Job(small_face_clip.path, target, settings, overwrite=True, report_folder=reports)
    job.report_target.write_bytes(earlier.report.read_bytes())
    job.page_target.write_bytes(earlier.report_page.read_bytes())
    target.write_bytes(earlier.target.read_bytes() if own else b"another result")
    VideoProcessor(job, detectors=detectors).run()
    assert len(list(reports.iterdir())) == (0 if own else 2)


@pytest.mark.parametrize("name", ["out_report.json", "out_report.html"])
def test_a_report_that_is_there_is_not_replaced_unasked(
    tmp_path: Path, small_face_clip: FaceClip, detectors: DetectorCache, name: str
) -> None:
    report = tmp_path / name
    report.write_text("precious")
    job = Job(small_face_clip.path, tmp_path / "out.mp4", Settings())
    with pytest.raises(OutputExistsError, match="audit report"):
        VideoProcessor(job, detectors=detectors).run()
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert report.read_text() == "precious"


@pytest.mark.slow
def test_scene_cuts_are_told(tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache) -> None:
    first = moving_face(tmp_path / "a.mp4", astronaut, frames=12, half=True)
    second = moving_face(tmp_path / "b.mp4", 255 - astronaut // 4, frames=12, speed=0, half=True)
    from video_helpers import ffmpeg

    both = tmp_path / "both.mp4"
    joined = "[1]eq=brightness=0.4:saturation=3,hue=h=120[c];[0][c]concat=n=2:v=1"
    ffmpeg("-i", first.path, "-i", second.path, "-filter_complex", joined, both)
    settings = Settings(performance=Performance.BALANCED)
    VideoProcessor(Job(both, tmp_path / "out.mp4", settings), detectors=detectors).run()
    audit = json.loads((tmp_path / "out_report.json").read_text("utf-8"))
    assert audit["scene_cuts_seconds"] == [pytest.approx(12 / 25)]


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("lost", [".json", ".html"])
def test_a_report_that_gets_no_name_is_told_and_the_checked_video_kept(
    tmp_path: Path,
    small_face_clip: FaceClip,
    detectors: DetectorCache,
    monkeypatch: pytest.MonkeyPatch,
    lost: str,
) -> None:
    publish = TemporaryFile.publish

    def fail(file: TemporaryFile, target: Path, overwrite: bool) -> None:
        if target.suffix == lost:
            raise OSError("no")
        publish(file, target, overwrite)

    monkeypatch.setattr(TemporaryFile, "publish", fail)
    job = Job(small_face_clip.path, tmp_path / "out.mp4", Settings(performance=Performance.BALANCED))
    result = VideoProcessor(job, detectors=detectors).run()
    kept = ({".json", ".html"} - {lost}).pop()
    assert {path.name for path in tmp_path.iterdir()} == {"out.mp4", f"out_report{kept}"}
    assert NO_REPORT in result.notes
    assert (result.report is None, result.report_page is None) == (lost == ".json", lost == ".html")


def test_a_video_without_faces_is_noted(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache
) -> None:
    """A failure means that a job that covered nothing looks like any other."""
    clip = moving_face(tmp_path / "grey.mp4", np.full_like(astronaut, 90), frames=6, half=True)
    job = Job(clip.path, tmp_path / "out.mp4", Settings(performance=Performance.BALANCED))
    result = VideoProcessor(job, detectors=detectors).run()
    assert result.masked_frames == 0 and NO_FACE in result.notes
    assert NO_FACE in json.loads((tmp_path / "out_report.json").read_text("utf-8"))["warnings"]
    assert result.report_page is not None and NO_FACE in result.report_page.read_text("utf-8")
