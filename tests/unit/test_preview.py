"""Pictures for people have the shape that players show, whatever the shape of the stored pixels."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from anonator.core.config import Performance, Settings
from anonator.core.detection.cache import DetectorCache
from anonator.core.job import Job, Preview
from anonator.core.job_thread import VideoProcessor
from anonator.core.pictures.rgb import picture_within, to_rgb_within
from anonator.core.preview import preview_frame
from anonator.core.reading.reader import VideoReader
from anonator.ui.work import thumbnails as media

STORED = (320, 180)
BLOCK = (0.25, 0.25, 0.5, 0.75)
"""The white part of the picture: left, top, right and bottom as parts of the whole."""


def clip(path: Path, sar: Fraction, frames: int = 12) -> Path:
    """A black picture with a white block, with pixels that are sar times as wide as high."""
    width, height = STORED
    picture = np.zeros((height, width, 3), np.uint8)
    left, top, right, bottom = BLOCK
    picture[int(top * height) : int(bottom * height), int(left * width) : int(right * width)] = 255
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "10"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.sample_aspect_ratio = sar
        for _ in range(frames):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    return path


def require_shown(picture: np.ndarray, size: tuple[int, int]) -> None:
    """The picture has this size, and the block is where it must be in it."""
    width, height = size
    assert picture.shape == (height, width, 3)
    rows, columns = np.nonzero(picture[..., 0] > 128)
    left, top, right, bottom = BLOCK
    assert columns.min() == pytest.approx(left * width, abs=1.5)
    assert columns.max() + 1 == pytest.approx(right * width, abs=1.5)
    assert rows.min() == pytest.approx(top * height, abs=1.5)
    assert rows.max() + 1 == pytest.approx(bottom * height, abs=1.5)


@pytest.mark.parametrize(
    ("sar", "size"),
    [
        (Fraction(1), (320, 180)),
        (Fraction(2), (640, 180)),
        (Fraction(1, 2), (320, 360)),
        (Fraction(4, 3), (427, 180)),
    ],
)
def test_first_looks_thumbnails_and_stills_have_the_shape_that_players_show(
    tmp_path: Path, sar: Fraction, size: tuple[int, int]
) -> None:
    source = clip(tmp_path / "a.mp4", sar)
    glimpse = media.glimpse(source, (64, 36))
    require_shown(glimpse.first, size)
    require_shown(media.still(source, 0.2).picture, size)
    compared = media.compare(source, source, 0.2)
    require_shown(compared.original, size)
    require_shown(compared.anonymized, size)
    bright = np.asarray(glimpse.thumbnail)[..., 0] > 100
    block = bright.any(0).sum() / bright.any(1).sum()
    assert block == pytest.approx(size[0] / size[1] / 2, rel=0.25)


def test_the_tested_frame_and_the_running_job_are_shown_so_too(
    tmp_path: Path, detectors: DetectorCache
) -> None:
    source = clip(tmp_path / "a.mp4", Fraction(2))
    seen = list[Preview]()
    settings = Settings(performance=Performance.BALANCED)
    preview = preview_frame(source, 0.1, settings, detectors)
    job = Job(source, tmp_path / "b.mp4", settings)
    VideoProcessor(job, detectors=detectors, on_preview=seen.append).run()
    for shown in (preview, *seen):
        require_shown(shown.original, (640, 180))
        require_shown(shown.anonymized, (640, 180))
    assert seen


@pytest.mark.parametrize(
    ("sar", "full", "small"),
    [
        (Fraction(1), (320, 180), (160, 90)),
        (Fraction(2), (640, 180), (160, 45)),
        (Fraction(1, 2), (320, 360), (142, 160)),
        (Fraction(4), (1280, 180), (160, 22)),
        (Fraction(1, 4), (320, 720), (71, 160)),
    ],
)
def test_the_detector_sees_the_shape_that_players_show_without_losing_detail(
    tmp_path: Path, sar: Fraction, full: tuple[int, int], small: tuple[int, int]
) -> None:
    with VideoReader(clip(tmp_path / "a.mp4", sar)) as reader:
        frame = next(iter(reader))
    for long_side, (width, height) in ((1920, full), (160, small)):
        picture, place = picture_within(frame, long_side)
        assert picture.shape == (height, width, 3)
        assert (place.x, place.y, place.width, place.height) == (0, 0, *STORED)
        require_shown(picture, (width, height))
        np.testing.assert_array_equal(picture, to_rgb_within(frame, long_side))
