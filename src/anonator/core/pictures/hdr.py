"""Tone mapping: HDR pictures (PQ or HLG, BT.2020) become standard BT.709 ones."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from typing import cast

import av
import numpy as np
import numpy.typing as npt
from av import VideoFrame
from av.filter.context import FilterContext

Float64Array = npt.NDArray[np.float64]

SOURCE_PEAK = 1000.0
"""Brightest source light in cd/m2 that is still distinguished; more is shown as white."""
WHITE = 203.0
"""HDR reference white in cd/m2, which is also the peak of the result. Source: ITU-R BT.2408."""
DISPLAY_GAMMA = 2.2
LUT_LEVEL = 8
"""A Hald picture of this level holds level**2 = 64 nodes per colour."""

_TO_BT709 = np.array([[1.6605, -0.5876, -0.0728], [-0.1246, 1.1329, -0.0083], [-0.0182, -0.1006, 1.1187]])
"""Linear BT.2020 to BT.709. Source: ITU-R BT.2087, annex 2."""
_M1, _M2 = 2610 / 16384, 2523 / 4096 * 128
_C1, _C2, _C3 = 3424 / 4096, 2413 / 4096 * 32, 2392 / 4096 * 32


def pq_to_light(signal: Float64Array) -> Float64Array:
    """PQ signal 0..1 to light in cd/m2. Source: SMPTE ST 2084."""
    power = np.power(signal, 1 / _M2)
    return 10000.0 * np.power(np.maximum(power - _C1, 0.0) / (_C2 - _C3 * power), 1 / _M1)


def light_to_pq(light: Float64Array) -> Float64Array:
    """Light in cd/m2 to PQ signal 0..1. Source: SMPTE ST 2084."""
    power = np.power(np.maximum(light, 0.0) / 10000.0, _M1)
    return np.power((_C1 + _C2 * power) / (1.0 + _C3 * power), _M2)


def hlg_to_light(signal: Float64Array) -> Float64Array:
    """HLG signal (..., 3) to light in cd/m2 on a display of 1000 cd/m2. Source: ITU-R BT.2100."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(signal <= 0.5, signal**2 / 3.0, (np.exp((signal - c) / a) + b) / 12.0)
    luminance = scene @ np.array([0.2627, 0.6780, 0.0593])
    return np.asarray(SOURCE_PEAK * np.power(np.maximum(luminance, 1e-9), 0.2)[..., None] * scene)


def roll_off(light: Float64Array) -> Float64Array:
    """Compress 0..SOURCE_PEAK into 0..WHITE: dark and middle tones stay, highlights bend.

    Source: the EETF of ITU-R BT.2390, section 5.4.1, for a black level of zero.
    """
    top = light_to_pq(np.array(SOURCE_PEAK))
    e1 = np.minimum(light_to_pq(light) / top, 1.0)
    peak = float(light_to_pq(np.array(WHITE)) / top)
    knee = 1.5 * peak - 0.5
    t = np.clip((e1 - knee) / (1.0 - knee), 0.0, 1.0)
    bent = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (-2 * t**3 + 3 * t**2) * peak
    )
    return pq_to_light(np.where(e1 < knee, e1, bent) * top)


def tone_mapped(signal: Float64Array, transfer: str) -> Float64Array:
    """Map RGB signals.

    Args:
        signal: (..., 3) in 0..1, BT.2020.
        transfer: "PQ" or "HLG".

    Returns:
        (..., 3) in 0..1, BT.709, for an ordinary display.
    """
    light = pq_to_light(signal) if transfer == "PQ" else hlg_to_light(signal)
    # the brightest channel decides, so that the three keep their ratio and with it the hue
    brightest = np.maximum(light.max(axis=-1, keepdims=True), 1e-6)
    mapped = light * (roll_off(brightest) / brightest) / WHITE
    return np.asarray(np.power(np.clip(mapped @ _TO_BT709.T, 0.0, 1.0), 1.0 / DISPLAY_GAMMA))


@cache
def tone_table(transfer: str) -> npt.NDArray[np.uint16]:
    """The mapping as a Hald picture: (512, 512, 3) uint16, BT.2020 signal in, BT.709 signal out.

    Args:
        transfer: "PQ" or "HLG".
    """
    nodes = np.linspace(0.0, 1.0, LUT_LEVEL**2)
    blue, green, red = np.meshgrid(nodes, nodes, nodes, indexing="ij")
    shown = tone_mapped(np.stack([red, green, blue], axis=-1), transfer)
    side = LUT_LEVEL**3
    return np.asarray(shown.reshape(side, side, 3) * 65535 + 0.5, np.uint16)


class ToneMapper:
    """Maps HDR frames to yuv420p, BT.709, limited range, by a 3D table inside an FFmpeg filter graph."""

    def __init__(self, transfer: str, *, full_range: bool) -> None:
        """Args: transfer is "PQ" or "HLG"; full_range says what the source's black and white are."""
        self._transfer = transfer
        self._range = "full" if full_range else "limited"
        self._shape: tuple[int, int, str] | None = None
        self._graph: _LookUp | None = None
        self._count = 0

    def map(self, picture: VideoFrame) -> VideoFrame:
        """One av.VideoFrame of any YUV format in, one in yuv420p out, with the same pts and duration."""
        shape = (picture.width, picture.height, picture.format.name)
        if self._graph is None or shape != self._shape:
            self._graph, self._shape = self._build(picture), shape
        # the filter that joins picture and table goes by time stamps, so it gets well-behaved ones
        pts, picture.pts = picture.pts, self._count
        self._count += 1
        made = self._graph.map(picture)
        picture.pts = made.pts = pts
        return made

    def _build(self, picture: VideoFrame) -> _LookUp:
        rgb_format, order = table_layout()
        table = np.ascontiguousarray(tone_table(self._transfer)[..., order])
        return _look_up_graph(picture, table, rgb_format, self._range)


@dataclass(frozen=True, slots=True)
class _LookUp:
    """A filter graph with where pictures go in and come out."""

    graph: av.filter.Graph
    source: FilterContext
    sink: FilterContext

    def map(self, picture: VideoFrame) -> VideoFrame:
        """One picture in, one out."""
        self.source.push(picture)
        return cast(VideoFrame, self.sink.pull())


@cache
def table_layout() -> tuple[str, tuple[int, int, int]]:
    """The RGB format to look up in, and the order in which haldclut wants the table's colours there.

    In FFmpeg 7 and 8 haldclut reads a planar table's red, green and blue from the wrong planes. Planar is
    2.5 times as fast as packed, so it is tried out which order gives red for a table that is all red.
    """
    picture = VideoFrame(16, 16, "yuv420p10le")
    for plane in picture.planes:
        np.frombuffer(memoryview(plane), np.uint16)[:] = 512
    red = np.zeros((8, 8, 3), np.uint16)
    red[..., 0] = 65535
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        graph = _look_up_graph(picture, np.ascontiguousarray(red[..., order]), "gbrp10le", "limited")
        picture.pts = 0
        made = graph.map(picture)
        y, u, v = (int(np.frombuffer(memoryview(plane), np.uint8)[0]) for plane in made.planes)
        if abs(y - 63) < 5 and abs(u - 102) < 5 and abs(v - 240) < 5:  # BT.709 red
            return "gbrp10le", order
    return "rgb48le", (0, 1, 2)


def _look_up_graph(
    picture: VideoFrame, table: npt.NDArray[np.uint16], rgb_format: str, color_range: str
) -> _LookUp:
    """A filter graph that maps pictures like this one by a table."""
    graph = av.filter.Graph()
    clock = Fraction(1, 1000)
    hald = VideoFrame.from_ndarray(table, format="rgb48le")
    hald.pts, hald.time_base = 0, clock
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=clock, name="picture"
    )
    table_source = graph.add_buffer(
        width=hald.width, height=hald.height, format=hald.format, time_base=clock, name="table"
    )
    to_rgb = graph.add("scale", f"in_color_matrix=bt2020:in_range={color_range}:out_range=full:flags=bicubic")
    rgb = graph.add("format", rgb_format)
    table_rgb = graph.add("format", rgb_format)
    look_up = graph.add("haldclut", "interp=tetrahedral")
    to_yuv = graph.add("scale", "out_color_matrix=bt709:out_range=limited:flags=bicubic")
    yuv = graph.add("format", "yuv420p")
    sink = graph.add("buffersink")
    graph.link_nodes(source, to_rgb, rgb)
    rgb.link_to(look_up, 0, 0)
    graph.link_nodes(table_source, table_rgb)
    table_rgb.link_to(look_up, 0, 1)
    graph.link_nodes(look_up, to_yuv, yuv, sink)
    graph.configure()
    table_source.push(hald)
    table_source.push(None)
    return _LookUp(graph, source, sink)
