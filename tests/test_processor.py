"""The whole job on real decoding, detection and encoding: what the finished file holds."""

from __future__ import annotations

import hashlib
import itertools
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from face_clips import FaceClip, decode_rgb, moving_face, packet_times
from patience import Stopwatch, prompt
from video_helpers import ffmpeg

from anonator.core.checks import file_checks
from anonator.core.config import Mode, Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job, Preview, Progress, Stage, default_target
from anonator.core.job_thread import VideoProcessor
from anonator.core.pictures.rgb import to_rgb_within
from anonator.core.preview import PREVIEW_SIDE, anonymize_and_show, preview_frame
from anonator.core.reading.reader import VideoReader
from anonator.core.tracking.linking import Tracker
from anonator.core.tracking.schedule import look
from anonator.errors import (
    AnonatorError,
    DetectionError,
    HipaaLockError,
    InputError,
    JobCancelled,
    OutputExistsError,
)


def files_in(folder: Path) -> list[str]:
    return sorted(p.name for p in folder.iterdir())


def inside(box: tuple[int, int, int, int], picture: np.ndarray, share: float = 1.0) -> np.ndarray:
    """The pixels of a box, or of its middle part."""
    x1, y1, x2, y2 = box
    cx, cy, w, h = (x1 + x2) / 2, (y1 + y2) / 2, (x2 - x1) * share / 2, (y2 - y1) * share / 2
    height, width = picture.shape[:2]
    rows = slice(max(0, int(cy - h)), min(height, int(cy + h)))
    return picture[rows, max(0, int(cx - w)) : min(width, int(cx + w))]


@pytest.mark.slow
@pytest.mark.parametrize("performance", [Performance.ORIGINAL, Performance.QUALITY, Performance.BALANCED])
def test_hipaa_covers_the_face_in_every_frame(
    tmp_path: Path, face_clip: FaceClip, detectors: DetectorCache, performance: Performance
) -> None:
    """A failure means that a face can be seen in a finished file."""
    target = tmp_path / "out.mp4"
    result = VideoProcessor(
        Job(face_clip.path, target, Settings(performance=performance)), detectors=detectors
    ).run()
    pictures = decode_rgb(target)
    assert len(pictures) == len(face_clip.boxes) == result.frames == result.masked_frames
    for box, picture in zip(face_clip.boxes, pictures, strict=True):
        assert inside(box, picture, 0.9).max() < 40
    assert result.tracks >= 1


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("mode", [Mode.BLUR, Mode.MOSAIC])
def test_soft_modes_take_the_detail_out_of_the_face(
    tmp_path: Path, face_clip: FaceClip, detectors: DetectorCache, mode: Mode
) -> None:
    target = tmp_path / "out.mp4"
    settings = Settings.standard(mode=mode, performance=Performance.MAXIMUM)
    VideoProcessor(Job(face_clip.path, target, settings), detectors=detectors).run()
    for box, before, after in zip(
        face_clip.boxes, decode_rgb(face_clip.path), decode_rgb(target), strict=True
    ):
        # how much each pixel differs from its neighbour to the right, on average
        detail = [
            np.abs(np.diff(inside(box, picture, 0.7).mean(2), axis=1)).mean() for picture in (before, after)
        ]
        assert detail[1] < 0.5 * detail[0]


@pytest.mark.slow
def test_the_rest_of_the_picture_keeps_its_quality_and_its_times(
    tmp_path: Path, face_clip: FaceClip, detectors: DetectorCache
) -> None:
    target = tmp_path / "out.mp4"
    VideoProcessor(Job(face_clip.path, target, Settings.standard()), detectors=detectors).run()
    assert packet_times(target) == pytest.approx(packet_times(face_clip.path), abs=1e-9)
    errors = []
    for before, after in zip(decode_rgb(face_clip.path), decode_rgb(target), strict=True):
        assert after.shape == before.shape
        black = (after.max(2) < 40) & (before.max(2) >= 40)
        rows, columns = np.nonzero(black)
        keep = np.ones(black.shape, bool)
        margin = slice(max(0, rows.min() - 16), rows.max() + 17)
        keep[margin, max(0, columns.min() - 16) : columns.max() + 17] = False
        errors.append(((before.astype(float) - after)[keep] ** 2).mean())
    psnr = 10 * np.log10(255**2 / np.mean(errors))
    assert psnr > 38


def test_a_video_without_faces_comes_out_uncovered(tmp_path: Path, detectors: DetectorCache) -> None:
    source = tmp_path / "empty.mp4"
    moving_face(source, np.full((512, 512, 3), 120, np.uint8), frames=12, half=True)
    target = tmp_path / "out.mp4"
    result = VideoProcessor(Job(source, target, Settings()), detectors=detectors).run()
    assert result.masked_frames == 0
    assert not any((picture.max(2) < 30).any() for picture in decode_rgb(target))


def test_progress_and_preview_tell_the_truth(
    tmp_path: Path, small_face_clip: FaceClip, detectors: DetectorCache
) -> None:
    told: list[Progress] = []
    shown: list[Preview] = []
    processor = VideoProcessor(
        Job(small_face_clip.path, tmp_path / "out.mp4", Settings()),
        detectors=detectors,
        on_progress=told.append,
        on_preview=shown.append,
    )
    processor.start()
    result = processor.wait(60)
    assert processor.done
    stages = [stage for stage, _ in itertools.groupby(p.stage for p in told)]
    assert stages == [Stage.WORKING, Stage.CHECKING]
    for stage in stages:
        frames = [p.frame for p in told if p.stage is stage]
        assert frames == sorted(frames)
        last = [p for p in told if p.stage is stage][-1]
        assert (last.frame, last.total) == (12, 12)
    done = [p.done for p in told]
    assert done == sorted(done) and done[0] >= 0 and 0.9 < done[-1] < 1
    assert result.frames == 12
    assert shown and shown[0].original.shape == shown[0].anonymized.shape == (180, 320, 3)
    assert shown[0].faces >= 1
    assert np.abs(shown[0].original.astype(int) - shown[0].anonymized).max() > 100


def test_cancel_answers_at_once_and_leaves_nothing(
    tmp_path: Path, small_face_clip: FaceClip, detectors: DetectorCache
) -> None:
    long = tmp_path / "long.mp4"
    ffmpeg("-stream_loop", 33, "-i", small_face_clip.path, "-c", "copy", long)
    under_way = threading.Event()
    folder = tmp_path / "results"
    folder.mkdir()
    processor = VideoProcessor(
        Job(long, folder / "out.mp4", Settings()),
        detectors=detectors,
        on_progress=lambda _: under_way.set(),
    )
    processor.start()
    assert under_way.wait(60)
    watch = Stopwatch()
    processor.cancel()
    with pytest.raises(JobCancelled):
        processor.wait(30)
    assert watch.seconds < prompt(0.5)
    assert files_in(folder) == []


@pytest.mark.slow
def test_pause_holds_the_job_and_resume_lets_it_go_on(
    tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache
) -> None:
    clip = moving_face(tmp_path / "clip.mp4", astronaut, frames=80, speed=1, half=True)
    told: list[Progress] = []
    processor = VideoProcessor(
        Job(clip.path, tmp_path / "out.mp4", Settings(performance=Performance.BALANCED)),
        detectors=detectors,
        on_progress=told.append,
    )
    processor.start()
    while not told:
        time.sleep(0.01)
    processor.pause()
    time.sleep(0.5)
    held = told[-1].frame
    assert held < 80, "too short a clip"
    time.sleep(1.0)
    assert told[-1].frame - held <= 1
    processor.resume()
    result = processor.wait(60)
    assert result.frames == 80


class Broken:
    """Fails at one place of the pipeline, from the n-th call on."""

    def __init__(self, original: Callable[..., Any], after: int) -> None:
        self.original, self.left = original, after

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("broken on purpose")
        return self.original(*args, **kwargs)


FILE_CHECKS = [name for name in vars(file_checks) if name.startswith("verify_")]


@pytest.mark.quick_cases(3)
@pytest.mark.parametrize(
    "place",
    [
        "anonator.core.pictures.convert.PictureMaker.make",
        "anonator.core.tracking.cuts.CutDetector.is_cut",
        "anonator.core.tracking.schedule.picture_within",
        "anonator.core.tracking.linking.Tracker._take",
        "anonator.core.anonymizer.covered_pixels",
        "anonator.core.writing.writer.VideoWriter.write",
        "anonator.core.writing.writer.VideoWriter.close",
        "anonator.core.writing.writer.VideoWriter.publish",
        "anonator.core.tracking.mask_record.MaskRecord.add",
        *(f"anonator.core.checks.file_checks.{name}" for name in FILE_CHECKS),
        "anonator.core.checks.second_look.find_faces",
        "anonator.core.checks.second_ffmpeg.Playback.finish",
        "anonator.core.checks.report.to_json",
        "anonator.core.checks.report_page.to_html",
    ],
)
def test_an_exception_in_any_stage_ends_the_job_and_leaves_nothing(
    tmp_path: Path,
    small_face_clip: FaceClip,
    detectors: DetectorCache,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    place: str,
) -> None:
    """A failure means that an exception became "no faces", or that half a file was left."""
    owner, name = place.rsplit(".", 1)
    at_the_end = (
        "close", "publish", *FILE_CHECKS, "find_faces", "finish", "to_json", "to_html",
    )  # fmt: skip
    for_each_look = ("picture_within", "_take")  # at every third of the 12 frames
    after = 0 if name in at_the_end else 2 if name in for_each_look else 8
    original = _resolve(place)
    broken = Broken(original, after)
    monkeypatch.setattr(_resolve(owner), name, lambda *a, **k: broken(*a, **k))
    target = tmp_path / "out.mp4"
    settings = Settings(performance=Performance.BALANCED)
    processor = VideoProcessor(Job(small_face_clip.path, target, settings), detectors=detectors)
    processor.start()
    with pytest.raises(AnonatorError) as failure:
        processor.wait(30)
    assert isinstance(failure.value.__cause__, RuntimeError)
    assert files_in(tmp_path) == []
    assert str(small_face_clip.path) not in caplog.text and small_face_clip.path.name not in caplog.text
    caplog.clear()  # the error that this test is about


def _resolve(dotted: str) -> Any:
    import importlib

    parts = dotted.split(".")
    for i in range(len(parts), 0, -1):
        try:
            found: Any = importlib.import_module(".".join(parts[:i]))
        except ModuleNotFoundError:
            continue
        for part in parts[i:]:
            found = getattr(found, part)
        return found
    raise AssertionError(dotted)


def test_a_detector_that_fails_never_becomes_no_faces(tmp_path: Path, face_clip: FaceClip) -> None:
    class Failing:
        batch_size, max_resolution, notes, device_line = 1, 1920, (), "none"

        def __init__(self) -> None:
            self.calls = 0

        def detect(self, pictures: Any, turns: Any = (0,), **more: Any) -> Any:
            raise DetectionError("The face detector failed.")

    class Cache(DetectorCache):
        def get(self, settings: Settings) -> Any:
            return Failing()

    with pytest.raises(DetectionError):
        VideoProcessor(Job(face_clip.path, tmp_path / "out.mp4", Settings()), detectors=Cache()).run()
    assert files_in(tmp_path) == []


def test_an_existing_result_is_never_replaced_silently(
    tmp_path: Path, small_face_clip: FaceClip, detectors: DetectorCache
) -> None:
    target = tmp_path / "out.mp4"
    target.write_bytes(b"precious")
    with pytest.raises(OutputExistsError):
        VideoProcessor(Job(small_face_clip.path, target, Settings()), detectors=detectors).run()
    assert target.read_bytes() == b"precious"
    VideoProcessor(Job(small_face_clip.path, target, Settings(), overwrite=True), detectors=detectors).run()
    assert len(decode_rgb(target)) == 12
    assert files_in(tmp_path) == ["out.mp4", "out_report.html", "out_report.json"]


def test_the_input_is_never_touched(tmp_path: Path, astronaut: np.ndarray, detectors: DetectorCache) -> None:
    clip = moving_face(tmp_path / "in.mp4", astronaut, frames=5, half=True)
    before = hashlib.sha256(clip.path.read_bytes()).hexdigest(), clip.path.stat().st_mtime_ns
    VideoProcessor(Job(clip.path, default_target(clip.path), Settings()), detectors=detectors).run()
    with pytest.raises(AnonatorError):
        VideoProcessor(Job(clip.path, clip.path, Settings(), overwrite=True), detectors=detectors).run()
    assert (hashlib.sha256(clip.path.read_bytes()).hexdigest(), clip.path.stat().st_mtime_ns) == before
    assert files_in(tmp_path) == [
        "in.mp4",
        "in_anonymized.mp4",
        "in_anonymized_report.html",
        "in_anonymized_report.json",
    ]


@pytest.mark.parametrize("kind", ["missing", "text", "folder", "empty", "sound only"])
def test_bad_input_is_one_clear_sentence_and_leaves_nothing(
    tmp_path: Path, detectors: DetectorCache, kind: str
) -> None:
    source, folder = tmp_path / "input.mp4", tmp_path / "results"
    folder.mkdir()
    if kind == "text":
        source.write_text("these are only words\n" * 100)
    elif kind == "folder":
        source.mkdir()
    elif kind == "empty":
        source.touch()
    elif kind == "sound only":
        with av.open(source, "w") as container:
            stream = container.add_stream("aac", rate=48000)
            frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
            frame.sample_rate = 48000
            for packet in [*stream.encode(frame), *stream.encode(None)]:
                container.mux(packet)
    with pytest.raises(InputError) as failure:
        VideoProcessor(Job(source, folder / "out.mp4", Settings()), detectors=detectors).run()
    assert str(source) not in str(failure.value)
    assert 20 < len(str(failure.value)) < 250
    assert files_in(folder) == []


def test_settings_that_break_the_lock_are_refused_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(HipaaLockError):
        VideoProcessor(Job(tmp_path / "none.mp4", tmp_path / "out.mp4", Settings(keep_audio=True)))


def test_one_frame_can_be_tried_before_a_job(small_face_clip: FaceClip, detectors: DetectorCache) -> None:
    preview = preview_frame(small_face_clip.path, 0.4, Settings(), detectors)
    assert preview.seconds == pytest.approx(0.4)
    assert preview.faces >= 1
    assert inside(small_face_clip.boxes[10], preview.anonymized, 0.9).max() < 40
    assert inside(small_face_clip.boxes[10], preview.original).max() > 100


@pytest.mark.slow
def test_the_tried_frame_has_the_masks_of_the_job(
    small_face_clip: FaceClip, detectors: DetectorCache
) -> None:
    settings = Settings()
    with VideoReader(small_face_clip.path) as reader:
        job = list(Tracker(settings).run(look(reader, detectors.get(settings), settings)))
    for seconds in (0.0, 0.4):
        preview = preview_frame(small_face_clip.path, seconds, settings, detectors)
        frame, masks = min(job, key=lambda each: abs(float(each[0].seconds) - seconds))
        assert preview.faces == len(masks) > 0
        before = to_rgb_within(frame, PREVIEW_SIDE)
        wanted = anonymize_and_show(frame, masks, settings)
        assert (preview.original == before).all() and (preview.anonymized == wanted.anonymized).all()
