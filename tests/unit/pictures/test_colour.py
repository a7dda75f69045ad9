"""Colour: tone mapping, depth, and the RGB that detector and preview see."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from video_helpers import clip, ffmpeg

from anonator.core.frames import Frame
from anonator.core.pictures.hdr import hlg_to_light, light_to_pq, pq_to_light, roll_off, tone_mapped
from anonator.core.pictures.rgb import to_rgb
from anonator.core.reading.reader import VideoReader, probe


def test_hdr_curves_have_the_values_of_their_standards() -> None:
    np.testing.assert_allclose(
        pq_to_light(np.array([0.0, 0.5081, 0.7518, 1.0])), [0, 100, 1000, 10000], rtol=2e-3
    )
    np.testing.assert_allclose(light_to_pq(pq_to_light(np.array([0.2, 0.7]))), [0.2, 0.7], atol=1e-6)
    np.testing.assert_allclose(hlg_to_light(np.full((1, 3), 1.0)), np.full((1, 3), 1000.0), rtol=1e-3)
    np.testing.assert_allclose(hlg_to_light(np.full((1, 3), 0.75)), np.full((1, 3), 203.0), rtol=1e-2)
    light = np.linspace(0.01, 1000, 500)
    assert np.all(np.diff(roll_off(light)) > 0)
    np.testing.assert_allclose(roll_off(np.array([1.0, 50.0, 1000.0])), [1.0, 50.0, 203.0], rtol=1e-3)


@pytest.mark.parametrize(("transfer", "number"), [("smpte2084", 16), ("arib-std-b67", 18)])
def test_hdr_is_tone_mapped_to_bt709_and_the_user_is_told(tmp_path: Path, transfer: str, number: int) -> None:
    # three flat fields: middle grey, a saturated red and blue, in BT.2020 signal values
    fields = "color=0x808080:s=32x32[a];color=0xA02020:s=32x32[b];color=0x2020A0:s=32x32[c];[a][b][c]hstack=3"
    path = tmp_path / "a.mkv"
    ffmpeg(
        *("-f", "lavfi", "-i", f"{fields},scale=out_color_matrix=bt2020:out_range=tv,format=yuv420p10le"),
        *("-frames:v", "3", "-c:v", "libx265", "-x265-params"),
        f"lossless=1:log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc:range=limited",
        path,
    )
    with VideoReader(path) as reader:
        info = reader.info
        frames = list(reader)
    assert (info.color_range, info.color_space, info.color_primaries, info.color_transfer) == (1, 1, 1, 1)
    assert "HDR" in info.notes[0]
    assert len(frames) == 3
    for i, rgb in enumerate([(0x80, 0x80, 0x80), (0xA0, 0x20, 0x20), (0x20, 0x20, 0xA0)]):
        wanted = tone_mapped(np.array(rgb) / 255, "PQ" if number == 16 else "HLG") * 255
        shown = to_rgb(frames[1])[16, 16 + 32 * i].astype(int)
        assert np.abs(shown - wanted).max() < 6  # 8-bit chroma and a table of 64 nodes


def test_ten_bits_without_hdr_are_told(tmp_path: Path) -> None:
    assert "10 bits" in probe(clip(tmp_path / "a.mp4", "-c:v", "libx265", "-pix_fmt", "yuv420p10le")).notes[0]


def _exact_rgb(y: float, u: float, v: float, kr: float, kb: float, full: bool) -> np.ndarray:
    if not full:
        y, u, v = (y - 16) * 255 / 219, (u - 128) * 255 / 224, (v - 128) * 255 / 224
    else:
        u, v = u - 128, v - 128
    r, b = y + 2 * (1 - kr) * v, y + 2 * (1 - kb) * u
    return np.clip([r, (y - kr * r - kb * b) / (1 - kr - kb), b], 0, 255)


@pytest.mark.parametrize("size", [None, (48, 32), (64, 48), (192, 128)])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize(
    ("tag", "height", "kr", "kb"),
    [(1, 64, 0.2126, 0.0722), (6, 64, 0.299, 0.114), (5, 64, 0.299, 0.114), (2, 64, 0.299, 0.114),
     (2, 640, 0.2126, 0.0722), (9, 64, 0.2627, 0.0593)],
)  # fmt: skip
def test_rgb_follows_the_frames_matrix_and_range(
    tag: int, height: int, kr: float, kb: float, full: bool, size: tuple[int, int] | None
) -> None:
    image = av.VideoFrame(96, height, "yuv420p")
    image.colorspace, image.color_range = tag, 2 if full else 1
    frame = Frame(0, 0, Fraction(1, 25), image)
    for plane, value in zip(frame.planes(), (120, 100, 150), strict=True):
        plane[:] = value
    rgb = to_rgb(frame, size)
    assert rgb.shape == ((height, 96, 3) if size is None else (size[1], size[0], 3))
    assert rgb.flags.c_contiguous
    assert rgb.dtype == np.uint8
    assert np.abs(rgb - _exact_rgb(120, 100, 150, kr, kb, full)).max() < 3.5  # swscale works with 13 bits


def test_smaller_rgb_is_averaged_by_area() -> None:
    frame = Frame(0, 0, Fraction(1, 25), av.VideoFrame(128, 128, "yuv420p"))
    y, u, v = frame.planes()
    y[:], u[:], v[:] = 16, 128, 128
    y[:, ::2] = 235  # stripes of one pixel: anything but an average shows them
    small = to_rgb(frame, (32, 32))
    assert np.abs(small[2:-2, 2:-2].astype(int) - 128).max() < 6


def test_rgb_shows_changes_made_in_place() -> None:
    frame = Frame(0, 0, Fraction(1, 25), av.VideoFrame(96, 64, "yuv420p"))
    for plane, value in zip(frame.planes(), (235, 128, 128), strict=True):
        plane[:] = value
    assert to_rgb(frame).min() > 250
    frame.planes()[0][:] = 16
    assert to_rgb(frame).max() < 5
