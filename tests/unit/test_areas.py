"""Fixed areas: how they are written, what they cover, and for how long."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from face_clips import FaceClip, decode_rgb
from hostile_helpers import Bench

from anonator.command_line import build_parser, settings_from
from anonator.core.anonymizer import anonymize
from anonator.core.areas import area
from anonator.core.config import Settings
from anonator.core.config_file import UserConfig
from anonator.core.frames import Frame, Masks
from anonator.errors import SettingsError


@pytest.mark.parametrize(
    ("text", "pixels"),
    [
        ("10,20,300,40", (10, 20, 310, 60)),
        ("11,21,300,40", (10, 20, 312, 62)),
        ("0%,90%,100%,10%", (0, 324, 640, 360)),
        ("600,0,100,12.5%", (600, 0, 640, 46)),
        ("10 , 20 , 2 , 2", (10, 20, 12, 22)),
    ],
)
def test_it_covers_its_pixels_rounded_outwards(text: str, pixels: tuple[int, ...]) -> None:
    assert area(text).pixels(640, 360) == pixels


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [("1,1,9,9@5-12.5", 5, 12.5), ("1,1,9,9@1:05-1:00:02", 65, 3602), ("1,1,9,9@-3", 0, 3)],
)
def test_it_holds_from_its_first_to_its_last_moment(text: str, begin: float, end: float) -> None:
    each = area(text)
    assert each.holds_at(begin) and each.holds_at(end)
    assert not each.holds_at(end + 0.01) and (begin == 0 or not each.holds_at(begin - 0.01))
    assert area("1,1,9,9@5-").holds_at(1e9) and area("1,1,9,9").holds_at(0)


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,0,4", "1,2,3%,0", "-1,2,3,4", "1;2;3;4", "1,2,3,4@9-5", "1,2,3,4@a-b", "1,2,3,4@5"],
)
def test_what_is_no_area_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(SettingsError, match=r"\.$"):
        area(text)


@pytest.mark.parametrize("mode", ["solid", "blur", "mosaic"])
@pytest.mark.parametrize("at", [1, 3])
def test_a_frame_is_covered_there_and_nowhere_else(mode: str, at: int) -> None:
    picture = np.random.default_rng(1).integers(0, 255, (96, 128, 3), np.uint8)
    image = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format="yuv420p")
    frame = Frame(at, at, Fraction(1), image)
    before = frame.planes()[0].astype(int)
    anonymize(frame, Masks.empty(), Settings.standard(mode=mode, areas=["20,30,40,20@2-4"]))
    changed = np.abs(frame.planes()[0].astype(int) - before) > 8
    expected = at == 3
    assert (changed[30:50, 20:60].mean() > 0.8) == expected
    changed[30:50, 20:60] = False
    assert not changed.any()


def test_the_command_line_adds_to_the_configuration_file() -> None:
    args = build_parser().parse_args(
        ["--headless", "--area", "1,2,3,4", "--area", "0%,0%,5%,5%@1-2", "v.mp4"]
    )
    config = UserConfig(hipaa=Settings(areas=("9,9,9,9",)))
    assert settings_from(args, config).areas == ("9,9,9,9", "1,2,3,4", "0%,0%,5%,5%@1-2")
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--area", "1,2,3", "v.mp4"])


@pytest.mark.quick_cases(1)
@pytest.mark.parametrize("hipaa", [True, False])
def test_a_job_covers_it_in_both_modes(bench: Bench, small_face_clip: FaceClip, hipaa: bool) -> None:
    settings = Settings(hipaa=hipaa, areas=["0%,50%,25%,50%@0.2-"])
    result = bench.run(small_face_clip.path, bench.folder / "out.mp4", settings)
    picture = np.stack(decode_rgb(result.target))
    assert picture[:4, 92:176, 4:76].mean() > 40
    assert picture[6:, 92:176, 4:76].max() < 24


def test_a_job_with_an_area_outside_the_picture_ends_before_it_begins(
    bench: Bench, small_face_clip: FaceClip, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="outside the picture of 320x180"):
        bench.run(small_face_clip.path, tmp_path / "out.mp4", Settings(areas=["400,0,20,20@9-10"]))
